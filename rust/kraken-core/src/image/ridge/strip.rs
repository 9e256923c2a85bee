//! One scale of the ridge filter on a strip of rows.

use std::borrow::Cow;

use super::kernel::{Operator, Orders, Table, radius};

/// Pixels that are filtered at once; the compiler keeps them in registers.
pub(super) const LANES: usize = 16;

/// Pixels filtered at once along y, by three operators together: more would
/// not fit the registers of every processor.
const HALF: usize = LANES / 2;

type Lanes = [f32; LANES];

/// A map with values of 0…1 that can be read in whole chunks.
pub(super) struct Map<'a> {
    data: Cow<'a, [f32]>,
    /// The last chunk of each row, filled up with zeros.
    edge: Vec<f32>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl<'a> Map<'a> {
    /// Takes a map as it is or, if that is needed, a copy that is clamped to
    /// 0…1 with NaN as 0.
    pub(super) fn new(map: &'a [f32], width: usize, height: usize) -> Self {
        let data = if map.iter().fold(true, |all, v| all & (0.0..=1.0).contains(v)) {
            Cow::Borrowed(map)
        } else {
            Cow::Owned(map.iter().map(|&v| if v > 0.0 { v.min(1.0) } else { 0.0 }).collect())
        };
        let start = width / LANES * LANES;
        let mut edge = vec![0.0; height * LANES];
        for (to, row) in edge.chunks_mut(LANES).zip(data.chunks(width.max(1))) {
            to[..width - start].copy_from_slice(&row[start..]);
        }
        Self { data, edge, width, height }
    }

    /// The chunk of row `y` that starts at column `x`, a multiple of [`LANES`].
    pub(super) fn chunk(&self, y: usize, x: usize) -> &[f32] {
        let (values, stride) = self.column(x);
        &values[y * stride..][..LANES]
    }

    /// Values in which the chunks of all rows from column `x` on start at
    /// multiples of a stride.
    fn column(&self, x: usize) -> (&[f32], usize) {
        if x + LANES <= self.width { (&self.data[x..], self.width) } else { (&self.edge, LANES) }
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

impl Axis {
    /// Taps of smoothing, slope and curve at a position near an end.
    fn tables(&self, position: usize) -> Option<[&Table; 3]> {
        Some([
            self.smooth.near_end(position)?,
            self.slope.near_end(position)?,
            self.curve.near_end(position)?,
        ])
    }
}

/// The filter at one σ for images of one size.
pub(super) struct Scale {
    radius: usize,
    weight: f32,
    rows: Axis,
    cols: Axis,
}

/// Buffers for rows filtered along y, with a margin of zeros at both ends.
#[derive(Default)]
pub(super) struct Strip {
    smooth: Vec<f32>,
    slope: Vec<f32>,
    curve: Vec<f32>,
}

impl Strip {
    fn clear(&mut self, len: usize) {
        for row in [&mut self.smooth, &mut self.slope, &mut self.curve] {
            row.clear();
            row.resize(len, 0.0);
        }
    }
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

    /// Calls `found(x, strengths)` for each chunk of row `y` that is `wanted`.
    pub(super) fn run(
        &self,
        map: &Map<'_>,
        y: usize,
        wanted: &[bool],
        strip: &mut Strip,
        mut found: impl FnMut(usize, &Lanes),
    ) {
        if !wanted.contains(&true) {
            return;
        }
        let margin = self.radius.next_multiple_of(LANES);
        let reach = margin / LANES;
        strip.clear(wanted.len() * LANES + 2 * margin);
        let mut next = 0;
        for c in (0..wanted.len()).filter(|&c| wanted[c]) {
            for needed in next.max(c.saturating_sub(reach))..(c + reach + 1).min(wanted.len()) {
                self.along_y(map, y, needed * LANES, margin, strip);
                next = needed + 1;
            }
        }
        for c in (0..wanted.len()).filter(|&c| wanted[c]) {
            let [xx, xy, yy] = self.along_x(strip, margin, c * LANES);
            let mut strengths = [0.0; LANES];
            for (i, v) in strengths.iter_mut().enumerate() {
                *v = self.weight * strength(xx[i], xy[i], yy[i]);
            }
            found(c * LANES, &strengths);
        }
    }

    /// Filters the chunk of row y that starts at column x along y.
    fn along_y(&self, map: &Map<'_>, y: usize, x: usize, margin: usize, to: &mut Strip) {
        let (values, stride) = map.column(x);
        for part in (0..LANES).step_by(HALF) {
            let [s, d, c] = match self.rows.tables(y) {
                Some(tables) => self.near_end(&values[part..], stride, y, map.height, tables),
                None => self.inside(&values[part..], stride, y),
            };
            let at = margin + x + part..margin + x + part + HALF;
            to.smooth[at.clone()].copy_from_slice(&s);
            to.slope[at.clone()].copy_from_slice(&d);
            to.curve[at].copy_from_slice(&c);
        }
    }

    /// Half a chunk, smoothed and derived once and twice, in a row that sees no end.
    fn inside(&self, values: &[f32], stride: usize, y: usize) -> [[f32; HALF]; 3] {
        let Axis { smooth, slope, curve } = &self.rows;
        let here = lanes(&values[y * stride..]);
        let mut s: [f32; HALF] = here.map(|v| smooth.inner[0] * v);
        let mut c: [f32; HALF] = here.map(|v| curve.inner[0] * v);
        let mut d = [0.0; HALF];
        let (mut up, mut down) = (y * stride, y * stride);
        let taps = smooth.inner[1..].iter().zip(&slope.inner[1..]).zip(&curve.inner[1..]);
        for ((&ts, &td), &tc) in taps {
            (up, down) = (up - stride, down + stride);
            let (above, below): ([f32; HALF], [f32; HALF]) = (lanes(&values[up..]), lanes(&values[down..]));
            for i in 0..HALF {
                let (even, odd) = (above[i] + below[i], below[i] - above[i]);
                s[i] += ts * even;
                c[i] += tc * even;
                d[i] += td * odd;
            }
        }
        [s, d, c]
    }

    /// The same where filters are cut off.
    fn near_end(
        &self,
        values: &[f32],
        stride: usize,
        y: usize,
        height: usize,
        tables: [&Table; 3],
    ) -> [[f32; HALF]; 3] {
        let mut sums = [[0.0; HALF]; 3];
        for j in y.saturating_sub(self.radius)..(y + self.radius + 1).min(height) {
            let here = lanes(&values[j * stride..]);
            for (sum, table) in sums.iter_mut().zip(tables) {
                add(sum, &here, table.from(y, j)[0]);
            }
        }
        sums
    }

    /// The Hessian (xx, xy, yy) in a chunk of columns.
    fn along_x(&self, from: &Strip, margin: usize, x: usize) -> [Lanes; 3] {
        let Axis { smooth, slope, curve } = &self.cols;
        [
            convolve::<true>(curve, &from.smooth, margin, x),
            convolve::<false>(slope, &from.slope, margin, x),
            convolve::<true>(smooth, &from.curve, margin, x),
        ]
    }
}

/// The first values.
#[inline]
fn lanes<const N: usize>(values: &[f32]) -> [f32; N] {
    values.first_chunk().copied().unwrap_or([0.0; N])
}

#[inline]
fn add<const N: usize>(sum: &mut [f32; N], values: &[f32; N], weight: f32) {
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
        let (left, right): (Lanes, Lanes) = (lanes(left), lanes(right));
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
