//! The region of interest of a line: how far its polygon may reach on either
//! side before it meets another line, a region's outline or the image border.

use super::frame::{Frame, segment_v};
use crate::geom::Point;

/// Distance of two rays along the line in pixels.
const RAY_STEP: f64 = 10.0;
/// Half the width that obstacles are given.
const OBSTACLE_RADIUS: f64 = 1.0;

/// A piece of another line or of an outline.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Where it starts.
    pub a: Point,
    /// Where it ends.
    pub b: Point,
    /// Whether it limits a polygon above and below the line.
    pub sides: [bool; 2],
}

impl Segment {
    /// A segment that limits both sides.
    pub fn new(a: Point, b: Point) -> Self {
        Self { a, b, sides: [true; 2] }
    }
}

/// Limits of the polygon in every column of a frame.
#[derive(Debug, Clone)]
pub struct Limits {
    /// What no polygon may cross: nearest obstacle or border above and below.
    pub hard: [Vec<f64>; 2],
    /// The region in which the seams are searched: rays every 10 px, their
    /// ends joined by straight lines.
    pub region: [Vec<f64>; 2],
    /// Whether something lies between the line's own upper and lower edge,
    /// where the line turns around it.
    pub enclosed: bool,
}

impl Limits {
    /// Limits that `obstacles` and an image of `size` set to a line.
    pub fn new(frame: &Frame, size: [f64; 2], obstacles: impl Iterator<Item = Segment>) -> Self {
        let mut limits = Self::of_image(frame, size);
        limits.narrow(frame, obstacles);
        limits.with_region(frame)
    }

    /// Limits that an image of `size` sets, without a region yet.
    pub fn of_image(frame: &Frame, size: [f64; 2]) -> Self {
        let n = frame.count();
        let (mut lo, mut hi) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for k in 0..n {
            let (s, e) = frame.inside(frame.u(k), size);
            lo.push(s.min(frame.top[k]));
            hi.push(e.max(frame.bottom[k]));
        }
        Self { hard: [lo, hi], region: [Vec::new(), Vec::new()], enclosed: false }
    }

    /// Lets obstacles limit the line. Neither their order nor how they are shared out between several
    /// calls matters, and those that don't come near [`Limits::bounds`] have no effect.
    pub fn narrow(&mut self, frame: &Frame, obstacles: impl Iterator<Item = Segment>) {
        for (_, s) in nearest_first(frame, obstacles) {
            if self.is_beyond(frame, s.a, s.b) {
                continue;
            }
            self.add(frame, s);
        }
    }

    /// The limits with their region.
    #[must_use]
    pub fn with_region(mut self, frame: &Frame) -> Self {
        self.region = [self.join_rays(frame, 0), self.join_rays(frame, 1)];
        self
    }

    /// The box `[x0, y0, x1, y1]` of the image that obstacles have to come into to have an effect.
    pub fn bounds(&self, frame: &Frame) -> [f64; 4] {
        let mut b = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for (k, (lo, hi)) in self.hard[0].iter().zip(&self.hard[1]).enumerate() {
            for v in [*lo, *hi] {
                let [x, y] = frame.to_xy([frame.u(k), v]);
                b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
            }
        }
        // The width of an obstacle, measured across corners, and some rounding.
        let margin = 2.0 * OBSTACLE_RADIUS;
        [b[0] - margin, b[1] - margin, b[2] + margin, b[3] + margin]
    }

    /// Whether the segment lies wholly behind what already limits the line.
    fn is_beyond(&self, frame: &Frame, a: Point, b: Point) -> bool {
        let columns = frame.columns(a[0] - OBSTACLE_RADIUS, b[0] + OBSTACLE_RADIUS);
        let (v0, v1) = (a[1].min(b[1]), a[1].max(b[1]));
        columns.clone().all(|k| v1 < self.hard[0][k] - OBSTACLE_RADIUS)
            || columns.clone().all(|k| v0 > self.hard[1][k] + OBSTACLE_RADIUS)
    }

    /// Lets a segment, `a` left of `b`, limit the columns it covers.
    fn add(&mut self, frame: &Frame, Segment { a, b, sides }: Segment) {
        let steep = (b[1] - a[1]).abs() > (b[0] - a[0]).abs();
        let columns = frame.columns(a[0] - OBSTACLE_RADIUS, b[0] + OBSTACLE_RADIUS);
        let spans: Vec<(usize, f64, f64)> = columns
            .map(|k| {
                let (s, e) = capsule(a, b, frame.u(k));
                (k, s, e)
            })
            .collect();
        let overlaps = |&(k, s, e): &(usize, f64, f64)| e > frame.top[k] && s < frame.bottom[k];
        self.enclosed |= is_enclosed(frame, &spans);
        if steep && spans.iter().any(overlaps) {
            // It runs right across the line; a notch in the polygon on both
            // sides of the crossing would help nobody.
            return;
        }
        for (k, s, e) in spans {
            if sides[0] && e <= frame.top[k] {
                self.hard[0][k] = self.hard[0][k].max(e);
            } else if sides[1] && s >= frame.bottom[k] {
                self.hard[1][k] = self.hard[1][k].min(s);
            }
        }
    }

    /// Samples the limits of one side every 10 px and at both ends, and joins
    /// the samples by straight lines.
    fn join_rays(&self, frame: &Frame, side: usize) -> Vec<f64> {
        let n = frame.count();
        let hard = &self.hard[side];
        let edge = if side == 0 { &frame.top } else { &frame.bottom };
        let per_ray = RAY_STEP / frame.step();
        let count = (((n - 1) as f64 / per_ray).ceil() as usize).max(1);
        let mut rays: Vec<usize> =
            (0..count).map(|i| ((i as f64 * per_ray).round() as usize).min(n - 1)).collect();
        rays.dedup();
        rays.retain(|k| *k < n - 1);
        rays.push(n - 1);
        let mut out = Vec::with_capacity(n);
        for w in rays.windows(2) {
            let (s, e) = (w[0], w[1]);
            for k in s..e {
                let f = (k - s) as f64 / (e - s) as f64;
                out.push(hard[s] + f * (hard[e] - hard[s]));
            }
        }
        out.push(hard[n - 1]);
        for (v, e) in out.iter_mut().zip(edge) {
            *v = if side == 0 { v.min(*e) } else { v.max(*e) };
        }
        out
    }
}

/// Whether a span lies between the line's own edges.
fn is_enclosed(frame: &Frame, spans: &[(usize, f64, f64)]) -> bool {
    // Rounding may add a column that the segment doesn't reach.
    spans.iter().any(|&(k, s, e)| s <= e && s > frame.top[k] && e < frame.bottom[k])
}

/// The range of `v` in which the column at `u` is within [`OBSTACLE_RADIUS`]
/// of the segment `a`–`b`.
fn capsule(a: Point, b: Point, u: f64) -> (f64, f64) {
    let r = OBSTACLE_RADIUS;
    let (mut s, mut e) = (f64::INFINITY, f64::NEG_INFINITY);
    for q in [a, b] {
        let d = u - q[0];
        if d.abs() <= r {
            let half = (r * r - d * d).sqrt();
            (s, e) = (s.min(q[1] - half), e.max(q[1] + half));
        }
    }
    if u >= a[0] && u <= b[0] {
        let (v0, v1) = (a[1].min(b[1]), a[1].max(b[1]));
        if b[0] - a[0] < 1e-9 {
            return (v0 - r, v1 + r);
        }
        let slope = (b[1] - a[1]) / (b[0] - a[0]);
        let half = r * (1.0 + slope * slope).sqrt();
        let v = segment_v(a, b, u);
        (s, e) = (s.min((v - half).max(v0 - r)), e.max((v + half).min(v1 + r)));
    }
    (s, e)
}

/// The segments in the line's frame, left end first, that share a column with
/// it, in order of their distance from it: once the near ones have set the
/// limits, the far ones need no work per column.
fn nearest_first(frame: &Frame, obstacles: impl Iterator<Item = Segment>) -> Vec<(f64, Segment)> {
    let top = frame.top.iter().copied().fold(f64::INFINITY, f64::min);
    let bottom = frame.bottom.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (u0, u1) = (frame.u(0) - OBSTACLE_RADIUS, frame.u(frame.count() - 1) + OBSTACLE_RADIUS);
    let mut found: Vec<(f64, Segment)> = obstacles
        .filter_map(|s| {
            let (a, b) = (frame.to_uv(s.a), frame.to_uv(s.b));
            let (a, b) = if a[0] <= b[0] { (a, b) } else { (b, a) };
            let gap = (top - a[1].max(b[1])).max(a[1].min(b[1]) - bottom);
            (b[0] >= u0 && a[0] <= u1).then_some((gap, Segment { a, b, ..s }))
        })
        .collect();
    found.sort_by(|x, y| x.0.total_cmp(&y.0));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(line: &[Point], obstacles: &[Segment]) -> Result<(Frame, Limits), String> {
        let frame = Frame::new(line).ok_or("no frame")?;
        let limits = Limits::new(&frame, [200.0, 100.0], obstacles.iter().copied());
        Ok((frame, limits))
    }

    #[test]
    fn an_empty_page_is_the_limit() -> Result<(), String> {
        let (_, l) = limits(&[[20.0, 40.0], [120.0, 40.0]], &[])?;
        assert!(l.hard[0].iter().all(|v| *v == -40.0) && l.hard[1].iter().all(|v| *v == 59.0));
        assert_eq!(l.hard, l.region);
        Ok(())
    }

    #[test]
    fn the_nearest_line_is_the_limit() -> Result<(), String> {
        let near = Segment::new([0.0, 30.0], [200.0, 30.0]);
        let far = Segment::new([0.0, 10.0], [200.0, 10.0]);
        let (_, l) = limits(&[[20.0, 40.0], [120.0, 40.0]], &[far, near])?;
        assert!(l.hard[0].iter().all(|v| (*v + 9.0).abs() < 1e-9));
        Ok(())
    }

    #[test]
    fn rays_miss_what_lies_between_them() -> Result<(), String> {
        let speck = Segment::new([43.0, 30.0], [46.0, 30.0]);
        let (_, l) = limits(&[[20.0, 40.0], [120.0, 40.0]], &[speck])?;
        assert!(l.region[0].iter().all(|v| *v == -40.0));
        assert!((l.hard[0][25] + 9.0).abs() < 1e-9);
        Ok(())
    }

    #[test]
    fn crossing_outlines_do_not_notch() -> Result<(), String> {
        let upright = Segment::new([70.0, 0.0], [71.0, 90.0]);
        let (_, l) = limits(&[[20.0, 40.0], [120.0, 40.0]], &[upright])?;
        assert!(l.hard[0].iter().all(|v| *v == -40.0));
        assert!(!l.enclosed);
        Ok(())
    }
}
