//! Which parts of a map can hold ridges at all, found without filtering it.

use super::kernel;
use super::strip::{LANES, Map};
use crate::Result;
use crate::image::max_filter::max_filter;

/// Rows and columns of a tile, for the coarse bound.
pub(super) const TILE_ROWS: usize = 8;
const TILE_COLS: usize = LANES;

/// Rows and columns of a cell, for the fine bound. Tiles are made of whole cells.
const CELL_ROWS: usize = 2;
const CELL_COLS: usize = 4;

/// Room for what sampling and cutting off add to the bounds, which hold for
/// continuous kernels.
const SLACK: f32 = 1.02;

/// The largest value of each tile.
pub(super) struct Tiles {
    max: Vec<f32>,
    width: usize,
    height: usize,
}

impl Tiles {
    pub(super) fn new(map: &Map<'_>) -> Self {
        let across = map.width.div_ceil(TILE_COLS);
        let mut max = vec![0.0_f32; across * map.height.div_ceil(TILE_ROWS)];
        for y in 0..map.height {
            for (tile, x) in max[y / TILE_ROWS * across..].iter_mut().zip((0..map.width).step_by(TILE_COLS)) {
                *tile = map.chunk(y, x).iter().fold(*tile, |m, &v| m.max(v));
            }
        }
        Self { max, width: map.width, height: map.height }
    }
}

/// The sum of the values of each cell.
pub(super) struct Sums {
    of: Vec<f32>,
    across: usize,
    down: usize,
}

impl Sums {
    pub(super) fn new(map: &Map<'_>) -> Self {
        let across = map.width.next_multiple_of(LANES) / CELL_COLS;
        let down = map.height.div_ceil(CELL_ROWS);
        let mut of = vec![0.0; across * down];
        for y in 0..map.height {
            let row = &mut of[y / CELL_ROWS * across..][..across];
            for (cells, x) in row.chunks_exact_mut(LANES / CELL_COLS).zip((0..map.width).step_by(LANES)) {
                for (cell, v) in cells.iter_mut().zip(map.chunk(y, x).as_chunks::<CELL_COLS>().0) {
                    *cell += v.iter().sum::<f32>();
                }
            }
        }
        Self { of, across, down }
    }
}

/// What may exceed the floor at one σ.
pub(super) struct Gate {
    floor: f32,
    /// Per tile: closed, open, or to be decided by the fine bound.
    tiles: Vec<State>,
    across: usize,
    height: usize,
    /// Upper bounds of the Gaussian between a pixel in one cell and one in
    /// another, by their distance in cells.
    rows: Vec<f32>,
    cols: Vec<f32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open,
    Unknown,
}

impl Gate {
    /// The coarse bound: the positive lobe of σ² times the negated second
    /// derivative, |t| < σ across the ridge, has a mass of 2 φ(1) = 0.484, and
    /// at most 0.04 of it lies farther than 2 σ from the centre. So with m the
    /// largest value within 2 σ (and 1 px for sampling) a response is at most
    /// 0.484 m + 0.04; the factors below leave some room. Near the border the
    /// cut-off filters are bounded by the plain maximum.
    pub(super) fn new(tiles: &Tiles, sigma: f64, floor: f32) -> Result<Self> {
        let Tiles { max, width, height } = tiles;
        let (across, down) = (width.div_ceil(TILE_COLS), height.div_ceil(TILE_ROWS));
        let within = |reach: usize| {
            max_filter(max, across, down, reach.div_ceil(TILE_COLS), reach.div_ceil(TILE_ROWS))
        };
        let near = within((2.0 * sigma).ceil() as usize + 1)?;
        let far = within(kernel::radius(sigma))?;
        let margin = kernel::radius(sigma);
        let at_border =
            |i: usize, size: usize, len: usize| i * size < margin || (i + 1) * size + margin > len;
        let state = |i: usize| {
            let (x, y) = (i % across, i / across);
            if far[i] <= 0.0 {
                State::Closed
            } else if at_border(x, TILE_COLS, *width) || at_border(y, TILE_ROWS, *height) {
                if far[i] >= floor { State::Open } else { State::Closed }
            } else if 0.5 * near[i] + 0.05 * far[i] >= floor {
                State::Unknown
            } else {
                State::Closed
            }
        };
        let tiles = (0..max.len()).map(state).collect();
        let (rows, cols) = (bounds(sigma, CELL_ROWS), bounds(sigma, CELL_COLS));
        Ok(Self { floor, tiles, across, height: *height, rows, cols })
    }

    /// Whether each chunk of the strip that begins at row `first` is open, row
    /// by row; empty if none is.
    ///
    /// The fine bound: whatever the direction across a ridge, σ² times the
    /// negated second derivative is (1 − t²/σ²) times the Gaussian, so a
    /// response is at most what smoothing with the Gaussian gives.
    pub(super) fn open_chunks(&self, sums: &Sums, first: usize) -> Vec<bool> {
        let tiles = &self.tiles[first / TILE_ROWS * self.across..][..self.across];
        if tiles.iter().all(|s| *s == State::Closed) {
            return Vec::new();
        }
        let rows = TILE_ROWS.min(self.height - first);
        let mut open = Vec::with_capacity(rows.next_multiple_of(CELL_ROWS) * self.across);
        let margin = self.cols.len() - 1;
        let mut smooth = vec![0.0_f32; sums.across + 2 * margin];
        for cell_row in first / CELL_ROWS..(first + rows).div_ceil(CELL_ROWS) {
            self.smooth_along_y(sums, cell_row, &mut smooth[margin..margin + sums.across]);
            let from = open.len();
            open.extend(tiles.iter().enumerate().map(|(c, state)| match state {
                State::Closed => false,
                State::Open => true,
                State::Unknown => self.exceeds(&smooth[c * (LANES / CELL_COLS)..]),
            }));
            for _ in 1..CELL_ROWS {
                open.extend_from_within(from..from + self.across);
            }
        }
        if open.contains(&true) { open } else { Vec::new() }
    }

    fn smooth_along_y(&self, sums: &Sums, row: usize, to: &mut [f32]) {
        let source = |y: usize| &sums.of[y * sums.across..][..sums.across];
        to.fill(0.0);
        for (k, &w) in self.rows.iter().enumerate() {
            let above = row.checked_sub(k).filter(|_| k > 0);
            let below = Some(row + k).filter(|&y| y < sums.down);
            for y in above.into_iter().chain(below) {
                for (t, &s) in to.iter_mut().zip(source(y)) {
                    *t += w * s;
                }
            }
        }
    }

    /// Whether the bound exceeds the floor in one of the cells of a chunk;
    /// `row` begins where the first of them sees its leftmost cell.
    fn exceeds(&self, row: &[f32]) -> bool {
        let centre = self.cols.len() - 1;
        let mut sum = [0.0_f32; LANES / CELL_COLS];
        for (k, &w) in self.cols.iter().enumerate() {
            let (left, right) = (&row[centre - k..], &row[centre + k..]);
            for ((s, l), r) in sum.iter_mut().zip(left).zip(right) {
                *s += w * if k == 0 { *l } else { l + r };
            }
        }
        sum.iter().any(|&s| SLACK * s >= self.floor)
    }
}

/// The largest weights of a Gaussian between cells of `size` pixels that are
/// 0, 1, … cells apart.
fn bounds(sigma: f64, size: usize) -> Vec<f32> {
    let reach = kernel::radius(sigma);
    let g = |d: usize| (-0.5 * (d as f64 / sigma).powi(2)).exp();
    let sum = g(0) + 2.0 * (1..=reach).map(g).sum::<f64>();
    (0..=reach.div_ceil(size)).map(|k| (g((k * size).saturating_sub(size - 1)) / sum) as f32).collect()
}
