//! Coordinates along and across a baseline.

use crate::geom::{Point, cross, dist, dot, polyline, sub};

/// Rings with more points are simplified first.
const MANY_POINTS: usize = 50;
/// Tolerance of the simplification in px.
const TOLERANCE: f64 = 2.0;

/// A segment of a baseline.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// First point.
    pub start: Point,
    /// Unit vector.
    pub direction: Point,
    /// Length in px.
    pub length: f64,
    /// Length of the baseline up to here.
    pub before: f64,
}

impl Segment {
    /// Position of `p` along and across the segment (positive below it).
    pub fn project(&self, p: Point) -> Point {
        let d = sub(p, self.start);
        [dot(d, self.direction), cross(self.direction, d)]
    }

    /// How far `x` lies beyond the ends; negative between them.
    pub fn overshoot(&self, x: f64) -> f64 {
        (-x).max(x - self.length)
    }
}

/// Segments of a baseline without repeated points.
pub fn segments(baseline: &[Point]) -> Vec<Segment> {
    let mut before = 0.0;
    baseline
        .windows(2)
        .map(|w| {
            let length = dist(w[0], w[1]);
            let d = sub(w[1], w[0]);
            let segment = Segment { start: w[0], direction: [d[0] / length, d[1] / length], length, before };
            before += length;
            segment
        })
        .collect()
}

/// The boundary, simplified if it has many points and with rounded corners.
pub fn smooth_boundary(boundary: &[Point]) -> Vec<Point> {
    if boundary.len() > MANY_POINTS {
        return cut_corners(&polyline::simplify(boundary, TOLERANCE));
    }
    cut_corners(boundary)
}

/// One round of corner cutting: every edge keeps its middle half (Chaikin,
/// "An algorithm for high-speed curve generation", 1974). A chain that isn't
/// closed keeps its ends.
fn cut_corners(chain: &[Point]) -> Vec<Point> {
    let cut = chain.windows(2).flat_map(|w| {
        let mix = |t: f64| [w[0][0] + t * (w[1][0] - w[0][0]), w[0][1] + t * (w[1][1] - w[0][1])];
        [mix(0.25), mix(0.75)]
    });
    let closed = chain.len() > 2 && chain.first() == chain.last();
    match (chain.first(), chain.last()) {
        (Some(first), Some(last)) if !closed => {
            std::iter::once(*first).chain(cut).chain(std::iter::once(*last)).collect()
        }
        _ => cut.collect(),
    }
}

/// Where a straightened image lies in line coordinates.
#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    /// Position of the baseline's start in the image.
    pub start: Point,
    /// Width in px.
    pub width: f64,
    /// Height in px.
    pub height: f64,
}

impl Canvas {
    /// The canvas that holds `points` (line coordinates), aligned to the pixels
    /// of the page at the baseline's first point.
    pub fn new(points: &[Point], first: Point) -> Self {
        let extent = |axis: usize| {
            let (min, max) = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| {
                (lo.min(first[axis] + p[axis]), hi.max(first[axis] + p[axis]))
            });
            (min.trunc(), max.trunc() - min.trunc() + 1.0)
        };
        let ((left, width), (top, height)) = (extent(0), extent(1));
        Self { start: [first[0] - left, first[1] - top], width, height }
    }
}
