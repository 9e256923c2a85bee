//! The coordinate frame of one line: `u` along the line's direction, `v`
//! across it, positive to the right (below a line that runs rightwards).
//!
//! Everything about a line happens in columns of this frame, one for about
//! every pixel of `u`. That makes the method independent of the line's
//! rotation, and polygons built from one upper and one lower value per column
//! can't cross themselves.

use crate::geom::{Point, along, dist, dot, polyline, sub};

/// A baseline, cut to the image, in its own frame.
#[derive(Debug, Clone)]
pub struct Frame {
    origin: Point,
    direction: Point,
    normal: Point,
    /// Signs of the image axes as seen from the line, see [`Frame::whole`].
    ahead: Point,
    /// `u` of the first column.
    start: f64,
    /// Distance of two columns, at most 1.
    step: f64,
    /// The baseline in this frame.
    pub line: Vec<Point>,
    /// Smallest `v` of the baseline in each column.
    pub top: Vec<f64>,
    /// Largest `v` of the baseline in each column.
    pub bottom: Vec<f64>,
    /// Whether `u` never decreases along the line.
    pub monotone: bool,
}

/// Direction of a line: the length-weighted mean of its segments' directions.
/// Lines that come back to where they began have none; then it is the
/// direction of largest extent.
fn direction(line: &[Point]) -> Option<Point> {
    let (first, last) = (*line.first()?, *line.last()?);
    let chord = sub(last, first);
    let (length, total) = (dist(first, last), polyline::length(line));
    if total <= MIN_STEP {
        return None;
    }
    if length > 0.5 * total {
        return Some([chord[0] / length, chord[1] / length]);
    }
    let mean =
        polyline::midpoints(line).fold([0.0; 3], |s, (m, w)| [s[0] + w * m[0], s[1] + w * m[1], s[2] + w]);
    let centre = [mean[0] / mean[2], mean[1] / mean[2]];
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (m, w) in polyline::midpoints(line) {
        let d = sub(m, centre);
        xx += w * d[0] * d[0];
        xy += w * d[0] * d[1];
        yy += w * d[1] * d[1];
    }
    // Nearly equal extents have no axis worth the name.
    if (xx - yy).hypot(2.0 * xy) < 0.05 * (xx + yy) {
        let next = line.iter().find(|&&q| dist(q, first) > MIN_STEP)?;
        let (d, l) = (sub(*next, first), dist(first, *next));
        return Some([d[0] / l, d[1] / l]);
    }
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    let axis = [angle.cos(), angle.sin()];
    let forward = if chord == [0.0, 0.0] { sub(centre, first) } else { chord };
    Some(if dot(axis, forward) < 0.0 { [-axis[0], -axis[1]] } else { axis })
}

/// Whole pixels are lifted by that before they are cut, for rounding errors
/// may have pulled them below.
const ROUNDING: f64 = 1e-6;

/// Shorter lines have no direction that arithmetic could rely on.
const MIN_STEP: f64 = 1e-6;

/// Signs of the image axes on a page that is turned by quarters until the line
/// runs within 45° of rightwards: `[x, y]` with 1 for an axis that keeps or gets
/// its direction, −1 for one that is reversed.
fn quarter(direction: Point) -> Point {
    let [x, y] = direction;
    // Half-open ranges of angle, which a quarter turn maps to one another.
    if x > 0.0 && y >= -x && y < x {
        [1.0, 1.0]
    } else if y > 0.0 && x > -y {
        // Downwards: x of the turned page is y, its y is −x.
        [-1.0, 1.0]
    } else if x < 0.0 && y > x {
        [-1.0, -1.0]
    } else {
        [1.0, -1.0]
    }
}

impl Frame {
    /// Frame of a line of finite points; `None` for one without extent.
    pub fn new(baseline: &[Point]) -> Option<Self> {
        let origin = *baseline.first()?;
        let direction = direction(baseline)?;
        let normal = [-direction[1], direction[0]];
        let mut frame = Self {
            origin,
            direction,
            normal,
            ahead: quarter(direction),
            start: 0.0,
            step: 1.0,
            line: Vec::new(),
            top: Vec::new(),
            bottom: Vec::new(),
            monotone: true,
        };
        frame.line = baseline.iter().map(|&q| frame.to_uv(q)).collect();
        frame.monotone = frame.line.windows(2).all(|w| w[1][0] > w[0][0] - 1e-9);
        let (lo, hi) = frame
            .line
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), q| (a.min(q[0]), b.max(q[0])));
        let columns = ((hi - lo).ceil() as usize).max(1) + 1;
        frame.start = lo;
        frame.step = (hi - lo) / (columns - 1) as f64;
        frame.envelope(columns);
        (frame.step > MIN_STEP).then_some(frame)
    }

    /// Fills `top` and `bottom`: the extent of the line in every column.
    fn envelope(&mut self, columns: usize) {
        // `columns()` counts these.
        self.top = vec![f64::INFINITY; columns];
        let mut top = self.top.clone();
        let mut bottom = vec![f64::NEG_INFINITY; columns];
        let sharp = self.sharp();
        for w in self.line.windows(2) {
            let (a, b) = if w[0][0] <= w[1][0] { (w[0], w[1]) } else { (w[1], w[0]) };
            let mut widen = |k: usize, v: f64| {
                top[k] = top[k].min(v);
                bottom[k] = bottom[k].max(v);
            };
            for k in self.columns(a[0], b[0]) {
                widen(k, segment_v(a, b, self.u(k)));
            }
            // Vertices lie between columns: count them in both, or a sharp
            // corner would stick out.
            for q in [a, b] {
                for k in self.columns(q[0] - 0.999 * self.step, q[0] + 0.999 * self.step) {
                    widen(k, if sharp { q[1] } else { segment_v(a, b, self.u(k)) });
                }
            }
        }
        self.top = top;
        self.bottom = bottom;
    }

    /// Whether the line has steep parts or turns back.
    fn sharp(&self) -> bool {
        !self.monotone || self.line.windows(2).any(|w| (w[1][1] - w[0][1]).abs() > (w[1][0] - w[0][0]).abs())
    }

    /// Number of columns, at least 2.
    pub fn count(&self) -> usize {
        self.top.len()
    }

    /// `u` of column `k`.
    pub fn u(&self, k: usize) -> f64 {
        self.start + k as f64 * self.step
    }

    /// Distance of two columns.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Position of `u` in columns, fractional.
    pub fn column_of(&self, u: f64) -> f64 {
        (u - self.start) / self.step
    }

    /// The columns with `u` in the closed range.
    pub fn columns(&self, from: f64, to: f64) -> std::ops::Range<usize> {
        // Columns at the very ends mustn't be lost to rounding.
        let first = (self.column_of(from) - 1e-9).ceil().max(0.0);
        let last = (self.column_of(to) + 1e-9).floor();
        if last < first {
            return 0..0;
        }
        first as usize..(last as usize).saturating_add(1).min(self.count())
    }

    /// Image coordinates to frame coordinates.
    pub fn to_uv(&self, q: Point) -> Point {
        let d = sub(q, self.origin);
        [dot(d, self.direction), dot(d, self.normal)]
    }

    /// Frame coordinates to image coordinates.
    pub fn to_xy(&self, q: Point) -> Point {
        along(along(self.origin, self.direction, q[0]), self.normal, q[1])
    }

    /// The pixel that an image point lies in, cut towards smaller coordinates on
    /// the page turned by quarters until the line runs rightwards. Turning page
    /// and line by a quarter therefore turns the result.
    pub fn whole(&self, q: Point) -> Point {
        [0, 1].map(|k| self.ahead[k] * (self.ahead[k] * q[k] + ROUNDING).floor())
    }

    /// The pixel nearest to an image point, ties broken as by [`Frame::whole`].
    pub fn nearest(&self, q: Point) -> Point {
        self.whole([0, 1].map(|k| q[k] + 0.5 * self.ahead[k]))
    }

    /// The unit vector of growing `v` in the image.
    pub fn normal(&self) -> Point {
        self.normal
    }

    /// The range of `v` in which the column at `u` lies inside the image.
    pub fn inside(&self, u: f64, size: [f64; 2]) -> (f64, f64) {
        let base = self.to_xy([u, 0.0]);
        let mut range = (f64::NEG_INFINITY, f64::INFINITY);
        for axis in 0..2 {
            let (b, n) = (base[axis], self.normal[axis]);
            if n.abs() > 1e-9 {
                let (s, e) = (-b / n, (size[axis] - 1.0 - b) / n);
                range = (range.0.max(s.min(e)), range.1.min(s.max(e)));
            }
        }
        range
    }
}

/// `v` of the segment `a`–`b` at `u`; the mean of its ends if it is upright.
pub fn segment_v(a: Point, b: Point, u: f64) -> f64 {
    let width = b[0] - a[0];
    if width.abs() < 1e-12 {
        return f64::midpoint(a[1], b[1]);
    }
    a[1] + (b[1] - a[1]) * ((u - a[0]) / width).clamp(0.0, 1.0)
}

/// Coordinates beyond this are moved to it. Images are smaller by far, and cuts still exact to 10⁻⁷ px.
const FARTHEST: f64 = 1e9;

/// The part of a line inside `[0, w − 1] × [0, h − 1]`, from its first to its
/// last point there. Excursions in between are pressed onto the border.
/// Empty if no part is inside; a single point if only that touches the image.
pub fn clip(line: &[Point], size: [f64; 2]) -> Vec<Point> {
    // Differences of greater numbers could be infinite, and where they cross the border unknown.
    let line: Vec<Point> = line.iter().map(|q| q.map(|v| v.clamp(-FARTHEST, FARTHEST))).collect();
    let mut out: Vec<Point> = Vec::new();
    let mut inside = 0;
    let within = |q: Point| (0..2).all(|k| q[k] >= 0.0 && q[k] < size[k]);
    let border = |q: Point| [q[0].clamp(0.0, size[0] - 1.0), q[1].clamp(0.0, size[1] - 1.0)];
    let mut push = |q: Point, is_in: bool| {
        if is_in || !out.is_empty() {
            let q = border(q);
            if out.last() != Some(&q) {
                out.push(q);
            }
            if is_in {
                inside = out.len();
            }
        }
    };
    for (i, &a) in line.iter().enumerate() {
        push(a, within(a));
        let Some(&b) = line.get(i + 1) else { continue };
        let d = sub(b, a);
        let mut cuts: Vec<f64> = (0..2)
            .flat_map(|k| [-a[k] / d[k], (size[k] - 1.0 - a[k]) / d[k]])
            .filter(|t| *t > 0.0 && *t < 1.0)
            .collect();
        cuts.sort_by(f64::total_cmp);
        for t in cuts {
            let q = along(a, d, t);
            push(q, dist(q, border(q)) < 1e-6);
        }
    }
    out.truncate(inside);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_out_of_reach_leave_a_line_in_the_image() {
        let far = f64::MAX;
        let line = [[5.0, 5.0], [far, -far], [-far, far], [7.0, 6.0], [-far, -far], [9.0, 9.0]];
        let found = clip(&line, [20.0, 10.0]);
        assert!(found.len() > 2 && found.iter().flatten().all(|v| (0.0..=19.0).contains(v)), "{found:?}");
        assert_eq!(found.last(), Some(&[9.0, 9.0]));
        assert!(Frame::new(&found).is_some());
    }

    #[test]
    fn directions_are_those_of_steps_that_can_be_measured() -> Result<(), String> {
        let tiny = 1e-289;
        let square = [[tiny, 0.0], [0.0, tiny], [0.0, 60.0], [60.0, 60.0], [60.0, 0.0], [tiny, tiny]];
        let frame = Frame::new(&square).ok_or("no frame")?;
        assert!(dist(frame.direction, [0.0, 1.0]) < 1e-9);
        assert!(Frame::new(&[[0.0, 0.0], [tiny, 0.0]]).is_none());
        Ok(())
    }

    #[test]
    fn points_return_from_the_frame() -> Result<(), String> {
        let line = [[3.0, 4.0], [30.0, 14.0], [60.0, 10.0]];
        let frame = Frame::new(&line).ok_or("no frame")?;
        for q in line {
            assert!(dist(frame.to_xy(frame.to_uv(q)), q) < 1e-9);
        }
        assert!(frame.monotone);
        assert!(frame.top.iter().zip(&frame.bottom).all(|(t, b)| t <= b && b - t < 1.0));
        Ok(())
    }

    #[test]
    fn a_hairpin_runs_along_its_long_side() -> Result<(), String> {
        let line = [[50.0, 100.0], [400.0, 100.0], [400.0, 103.0], [60.0, 103.0]];
        let frame = Frame::new(&line).ok_or("no frame")?;
        assert!(!frame.monotone);
        assert!(frame.normal()[1].abs() > 0.99);
        Ok(())
    }

    #[test]
    fn lines_are_cut_at_the_border() {
        let size = [100.0, 50.0];
        assert_eq!(clip(&[[-10.0, 10.0], [200.0, 10.0]], size), [[0.0, 10.0], [99.0, 10.0]]);
        assert!(clip(&[[-10.0, -10.0], [200.0, -10.0]], size).is_empty());
        assert!(clip(&[], size).is_empty());
        let out_and_back = [[10.0, 10.0], [10.0, -20.0], [40.0, -20.0], [40.0, 10.0]];
        assert_eq!(clip(&out_and_back, size), [[10.0, 10.0], [10.0, 0.0], [40.0, 0.0], [40.0, 10.0]]);
    }

    #[test]
    fn pixels_are_cut_as_on_the_turned_page() -> Result<(), String> {
        let whole = |d: Point, q: Point| -> Result<[Point; 2], String> {
            let frame = Frame::new(&[[10.0, 10.0], along([10.0, 10.0], d, 10.0)]).ok_or("no frame")?;
            Ok([frame.whole(q), frame.nearest(q)])
        };
        // Rightwards: towards 0, whatever the slope up to 45°.
        let q = [7.75, 3.5];
        for d in [[1.0, 0.0], [2.0, 1.0], [1.0, -1.0], [3.0, -2.0]] {
            assert_eq!(whole(d, q)?, [[7.0, 3.0], [8.0, 4.0]]);
        }
        // A quarter turn takes (x, y) to (y, −x) and the result with it.
        let mut q = [0.5, -7.25];
        for mut d in [[1.0, 0.0], [1.0, -1.0], [5.0, 4.0]] {
            let [mut cut, mut near] = whole(d, q)?;
            for _ in 0..4 {
                let turn = |p: Point| [p[1], -p[0]];
                [d, q, cut, near] = [d, q, cut, near].map(turn);
                assert_eq!(whole(d, q)?, [cut, near], "{d:?} {q:?}");
            }
        }
        // Rounding errors don't cost a pixel.
        assert_eq!(whole([1.0, 0.0], [4.0 - 1e-9, 5.0])?[0], [4.0, 5.0]);
        assert_eq!(whole([-1.0, 0.0], [4.0 + 1e-9, 5.0])?[0], [4.0, 5.0]);
        Ok(())
    }
}
