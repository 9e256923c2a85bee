//! One scale of the ridge filter on a strip of rows.

use std::ops::Range;

use super::kernel::{Operator, Orders, radius};

/// Pixels that are filtered at once; the compiler keeps them in registers.
pub(super) const LANES: usize = 16;

type Lanes = [f32; LANES];

/// A map whose rows are filled up with zeros to whole chunks.
pub(super) struct Padded {
    data: Vec<f32>,
    stride: usize,
    /// Width without the filling.
    pub width: usize,
    /// Height.
    pub height: usize,
}

impl Padded {
    /// Copies a map, clamped to 0…1 with NaN as 0.
    pub(super) fn new(map: &[f32], width: usize, height: usize) -> Self {
        let stride = width.next_multiple_of(LANES);
        let mut data = vec![0.0; stride * height];
        for (to, from) in data.chunks_mut(stride).zip(map.chunks(width)) {
            for (t, &v) in to.iter_mut().zip(from) {
                *t = if v > 0.0 { v.min(1.0) } else { 0.0 };
            }
        }
        Self { data, stride, width, height }
    }

    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.stride..][..self.stride]
    }

    fn chunk(&self, y: usize, x: usize) -> &[f32] {
        &self.data[y * self.stride + x..][..LANES]
    }
}

/// The three operators along one axis that make up the Hessian.
struct Axis {
    smooth: Operator,
    slope: Operator,
    curve: Operator,
}

impl Axis {
    /// `slope_first`: whether the derivative is the first of the mixed pair.
    fn new(sigma: f64, len: usize, slope_first: bool) -> Self {
        let operator = |first, second| Operator::new(sigma, Orders { first, second }, len);
        Self {
            smooth: operator(false, false),
            slope: operator(slope_first, !slope_first),
            curve: operator(true, true),
        }
    }
}

/// The filter at one σ for images of one size.
pub(super) struct Scale {
    radius: usize,
    weight: f32,
    rows: Axis,
    cols: Axis,
}

/// Rows filtered along y, with a margin of zeros at both ends.
struct Buffers {
    smooth: Vec<f32>,
    slope: Vec<f32>,
    curve: Vec<f32>,
}

impl Scale {
    pub(super) fn new(sigma: f64, width: usize, height: usize) -> Self {
        Self {
            radius: radius(sigma),
            weight: (sigma * sigma) as f32,
            rows: Axis::new(sigma, height, true),
            cols: Axis::new(sigma, width, false),
        }
    }

    /// Raises `out` (the strip's rows) to this scale's strength in the chunks
    /// of [`LANES`] columns that are `active`.
    pub(super) fn add_strip(&self, map: &Padded, rows: Range<usize>, active: &[bool], out: &mut [f32]) {
        if !active.contains(&true) {
            return;
        }
        let margin = self.radius.next_multiple_of(LANES);
        let reach = margin / LANES;
        let needed: Vec<bool> = (0..active.len())
            .map(|c| active[c.saturating_sub(reach)..(c + reach + 1).min(active.len())].contains(&true))
            .collect();
        let len = active.len() * LANES + 2 * margin;
        let mut buffers = Buffers { smooth: vec![0.0; len], slope: vec![0.0; len], curve: vec![0.0; len] };
        for (y, out) in rows.zip(out.chunks_mut(map.width)) {
            for c in (0..active.len()).filter(|&c| needed[c]) {
                self.along_y(map, y, c * LANES, margin, &mut buffers);
            }
            for c in (0..active.len()).filter(|&c| active[c]) {
                let x = c * LANES;
                let to = (x + LANES).min(map.width);
                let hessian = self.along_x(&buffers, margin, x);
                for (i, v) in out[x..to].iter_mut().enumerate() {
                    *v = v.max(self.weight * strength(hessian[0][i], hessian[1][i], hessian[2][i]));
                }
            }
        }
    }

    /// Filters the chunk of row y that starts at column x along y.
    fn along_y(&self, map: &Padded, y: usize, x: usize, margin: usize, to: &mut Buffers) {
        let Axis { smooth, slope, curve } = &self.rows;
        let (mut s, mut d, mut c) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let r = self.radius;
        if let (Some(ts), Some(td), Some(tc)) = (smooth.near_end(y), slope.near_end(y), curve.near_end(y)) {
            for j in y.saturating_sub(r)..(y + r + 1).min(map.height) {
                let here = lanes(map.chunk(j, x));
                add(&mut s, &here, ts.from(y, j)[0]);
                add(&mut d, &here, td.from(y, j)[0]);
                add(&mut c, &here, tc.from(y, j)[0]);
            }
        } else {
            let here = lanes(map.chunk(y, x));
            add(&mut s, &here, smooth.inner[0]);
            add(&mut c, &here, curve.inner[0]);
            let taps = smooth.inner.iter().zip(&slope.inner).zip(&curve.inner).enumerate().skip(1);
            for (k, ((&ts, &td), &tc)) in taps {
                let (up, down) = (lanes(map.chunk(y - k, x)), lanes(map.chunk(y + k, x)));
                for i in 0..LANES {
                    let (even, odd) = (up[i] + down[i], down[i] - up[i]);
                    s[i] += ts * even;
                    c[i] += tc * even;
                    d[i] += td * odd;
                }
            }
        }
        let at = margin + x..margin + x + LANES;
        to.smooth[at.clone()].copy_from_slice(&s);
        to.slope[at.clone()].copy_from_slice(&d);
        to.curve[at].copy_from_slice(&c);
    }

    /// The Hessian (xx, xy, yy) in a chunk of columns.
    fn along_x(&self, from: &Buffers, margin: usize, x: usize) -> [Lanes; 3] {
        let Axis { smooth, slope, curve } = &self.cols;
        [
            convolve::<true>(curve, &from.smooth, margin, x),
            convolve::<false>(slope, &from.slope, margin, x),
            convolve::<true>(smooth, &from.curve, margin, x),
        ]
    }
}

/// A chunk of values.
fn lanes(values: &[f32]) -> Lanes {
    values.first_chunk().copied().unwrap_or([0.0; LANES])
}

fn add(sum: &mut Lanes, values: &Lanes, weight: f32) {
    for (s, v) in sum.iter_mut().zip(values) {
        *s += weight * v;
    }
}

/// `operator` at the positions from `x` on; `row[margin]` is position 0.
fn convolve<const EVEN: bool>(operator: &Operator, row: &[f32], margin: usize, x: usize) -> Lanes {
    let mut sum = [0.0; LANES];
    if let Some(table) = operator.near_end(x) {
        for j in table.indices.clone() {
            add(&mut sum, &lanes(table.from(x, j)), row[margin + j]);
        }
        return sum;
    }
    let (at, r) = (margin + x, operator.inner.len() - 1);
    add(&mut sum, &lanes(&row[at..]), operator.inner[0]);
    let left = row[at - r..at - 1 + LANES].windows(LANES).rev();
    let right = row[at + 1..at + r + LANES].windows(LANES);
    for ((left, right), &w) in left.zip(right).zip(&operator.inner[1..]) {
        let (left, right) = (lanes(left), lanes(right));
        for i in 0..LANES {
            sum[i] += w * if EVEN { right[i] + left[i] } else { right[i] - left[i] };
        }
    }
    sum
}

/// The negated smaller eigenvalue of a symmetric matrix, floored at 0.
fn strength(xx: f32, xy: f32, yy: f32) -> f32 {
    let half = 0.5 * (xx - yy);
    ((half * half + xy * xy).sqrt() - 0.5 * (xx + yy)).max(0.0)
}
