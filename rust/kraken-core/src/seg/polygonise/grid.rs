//! Obstacles by the place that they lie in, so that a line needs to look at its neighbours only.

use super::region::Segment;
use crate::geom::Point;

/// Least side of a cell in pixels.
const MIN_CELL: f64 = 16.0;
/// Beyond this, where a segment runs isn't computed: it counts for all rows and columns that its box covers.
const FAR: f64 = 1e9;
/// What rounding may displace a segment by.
const SLACK: f64 = 1.0;

/// Square cells over an image, and the segments that pass through them. What lies outside of the image
/// belongs to the cells at its border.
#[derive(Debug)]
pub struct Grid {
    cell: f64,
    columns: usize,
    rows: usize,
    cells: Vec<Vec<usize>>,
}

impl Grid {
    /// The grid of `segments`, with about as many cells as there are segments.
    pub fn new<'a>(segments: impl ExactSizeIterator<Item = &'a Segment>, size: [f64; 2]) -> Self {
        let side = (size[0] * size[1] / segments.len().max(1) as f64).sqrt();
        let cell = side.max(size[0].max(size[1]) / 1024.0).max(MIN_CELL);
        let [columns, rows] = size.map(|s| (s / cell) as usize + 1);
        let mut grid = Self { cell, columns, rows, cells: vec![Vec::new(); columns * rows] };
        for (i, s) in segments.enumerate() {
            grid.insert(i, s.a, s.b);
        }
        grid
    }

    /// Side of a cell.
    pub fn cell(&self) -> f64 {
        self.cell
    }

    fn column(&self, x: f64) -> usize {
        ((x / self.cell).max(0.0) as usize).min(self.columns - 1)
    }

    fn row(&self, y: f64) -> usize {
        ((y / self.cell).max(0.0) as usize).min(self.rows - 1)
    }

    fn insert(&mut self, index: usize, a: Point, b: Point) {
        let (a, b) = if a[1] <= b[1] { (a, b) } else { (b, a) };
        let (first, last) = (self.row(a[1] - SLACK), self.row(b[1] + SLACK));
        let is_far = a.iter().chain(&b).any(|v| v.abs() > FAR);
        let x_at = |y: f64| {
            let t = ((y - a[1]) / (b[1] - a[1])).clamp(0.0, 1.0);
            a[0] + t * (b[0] - a[0])
        };
        for row in first..=last {
            let mut ends = [a[0], b[0]];
            if !is_far && a[1] < b[1] {
                // The outermost rows go on outside of the image.
                if row > 0 {
                    ends[0] = x_at(row as f64 * self.cell - SLACK);
                }
                if row + 1 < self.rows {
                    ends[1] = x_at((row + 1) as f64 * self.cell + SLACK);
                }
            }
            let from = self.column(ends[0].min(ends[1]) - SLACK);
            let to = self.column(ends[0].max(ends[1]) + SLACK);
            for cell in &mut self.cells[row * self.columns..][from..=to] {
                cell.push(index);
            }
        }
    }

    /// Indices of the segments that pass through the box `[x0, y0, x1, y1]`, in order, and some beside it.
    pub fn within(&self, [x0, y0, x1, y1]: [f64; 4]) -> Vec<usize> {
        let (from, to) = (self.column(x0), self.column(x1));
        let mut found: Vec<usize> = (self.row(y0)..=self.row(y1))
            .flat_map(|row| self.cells[row * self.columns..].get(from..=to).unwrap_or_default())
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        prop_oneof![
            8 => [-50.0..450.0, -50.0..350.0],
            1 => [-1e12..1e12, -1e12..1e12],
            1 => (-400.0..400.0).prop_map(|y| [f64::MAX, y]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn nothing_in_a_box_is_missed(
            ends in prop::collection::vec((point(), point()), 1..60),
            corner in [0.0..400.0, 0.0..300.0],
            sides in [0.0..150.0, 0.0..150.0],
        ) {
            let segments: Vec<Segment> = ends.iter().map(|(a, b)| Segment::new(*a, *b)).collect();
            let grid = Grid::new(segments.iter(), [400.0, 300.0]);
            let area = [corner[0], corner[1], corner[0] + sides[0], corner[1] + sides[1]];
            let found = grid.within(area);
            prop_assert!(found.windows(2).all(|w| w[0] < w[1]));
            for (i, (a, b)) in ends.iter().enumerate() {
                if a.iter().chain(b).any(|v| v.abs() > FAR) {
                    continue;
                }
                let touches = (0..=400).any(|k| {
                    let t = f64::from(k) / 400.0;
                    let q = [0, 1].map(|k| a[k] + t * (b[k] - a[k]));
                    (0..2).all(|k| area[k] <= q[k] && q[k] <= area[k + 2])
                });
                prop_assert!(!touches || found.contains(&i));
            }
        }
    }
}
