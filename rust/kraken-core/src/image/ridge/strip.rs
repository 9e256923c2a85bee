//! One scale of the ridge filter on a strip of rows.

use std::ops::Range;

use super::kernel::{Operator, Orders, radius};

/// Pixels that are filtered at once; the compiler keeps them in registers.
pub(super) const LANES: usize = 16;

type Lanes = [f32; LANES];

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
    pub(super) fn add_strip(
        &self,
        map: &[f32],
        width: usize,
        rows: Range<usize>,
        active: &[bool],
        out: &mut [f32],
    ) {
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
        let height = map.len() / width;
        for (y, out) in rows.zip(out.chunks_mut(width)) {
            for c in (0..active.len()).filter(|&c| needed[c]) {
                self.along_y(map, width, height, y, c * LANES, margin, &mut buffers);
            }
            for c in (0..active.len()).filter(|&c| active[c]) {
                let x = c * LANES;
                let to = (x + LANES).min(width);
                let hessian = self.along_x(&buffers, margin, x);
                for (i, v) in out[x..to].iter_mut().enumerate() {
                    *v = v.max(self.weight * strength(hessian[0][i], hessian[1][i], hessian[2][i]));
                }
            }
        }
    }

    /// Filters a chunk of row y along y into the buffers.
    #[expect(clippy::too_many_arguments, reason = "a chunk's place in two buffers")]
    fn along_y(
        &self,
        map: &[f32],
        width: usize,
        height: usize,
        y: usize,
        x: usize,
        margin: usize,
        to: &mut Buffers,
    ) {
        let Axis { smooth, slope, curve } = &self.rows;
        let (mut s, mut d, mut c) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let r = self.radius;
        if let (Some(ts), Some(td), Some(tc)) = (smooth.near_end(y), slope.near_end(y), curve.near_end(y)) {
            for j in y.saturating_sub(r)..(y + r + 1).min(height) {
                let here = chunk(map, width, j, x);
                add(&mut s, &here, ts.from(y, j)[0]);
                add(&mut d, &here, td.from(y, j)[0]);
                add(&mut c, &here, tc.from(y, j)[0]);
            }
        } else {
            let here = chunk(map, width, y, x);
            add(&mut s, &here, smooth.inner[0]);
            add(&mut c, &here, curve.inner[0]);
            for k in 1..=r {
                let (up, down) = (chunk(map, width, y - k, x), chunk(map, width, y + k, x));
                for i in 0..LANES {
                    let (even, odd) = (up[i] + down[i], down[i] - up[i]);
                    s[i] += smooth.inner[k] * even;
                    c[i] += curve.inner[k] * even;
                    d[i] += slope.inner[k] * odd;
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
            convolve(curve, &from.smooth, margin, x, 1.0),
            convolve(slope, &from.slope, margin, x, -1.0),
            convolve(smooth, &from.curve, margin, x, 1.0),
        ]
    }
}

fn chunk(map: &[f32], width: usize, y: usize, x: usize) -> Lanes {
    lanes(&map[y * width + x..(y + 1) * width])
}

/// The first values of a slice, filled up with 0.
fn lanes(values: &[f32]) -> Lanes {
    match values.first_chunk() {
        Some(chunk) => *chunk,
        None => std::array::from_fn(|i| values.get(i).copied().unwrap_or(0.0)),
    }
}

fn add(sum: &mut Lanes, values: &Lanes, weight: f32) {
    for (s, v) in sum.iter_mut().zip(values) {
        *s += weight * v;
    }
}

/// `operator` at the positions from `x` on; `row[margin]` is position 0 and
/// `sign` is −1 for odd operators.
fn convolve(operator: &Operator, row: &[f32], margin: usize, x: usize, sign: f32) -> Lanes {
    let mut sum = [0.0; LANES];
    if let Some(table) = operator.near_end(x) {
        for j in table.indices.clone() {
            add(&mut sum, &lanes(table.from(x, j)), row[margin + j]);
        }
        return sum;
    }
    let at = margin + x;
    add(&mut sum, &lanes(&row[at..]), operator.inner[0]);
    for (k, &w) in operator.inner.iter().enumerate().skip(1) {
        let (left, right) = (lanes(&row[at - k..]), lanes(&row[at + k..]));
        for i in 0..LANES {
            sum[i] += w * (right[i] + sign * left[i]);
        }
    }
    sum
}

/// The negated smaller eigenvalue of a symmetric matrix, floored at 0.
fn strength(xx: f32, xy: f32, yy: f32) -> f32 {
    let half = 0.5 * (xx - yy);
    ((half * half + xy * xy).sqrt() - 0.5 * (xx + yy)).max(0.0)
}
