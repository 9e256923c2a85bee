//! From seams to a ring: offset, limits, whole pixels.

use super::frame::Frame;
use super::region::Limits;
use super::seam::Side;
use crate::geom::{Point, along, dist, dist_to_segment, polygon, polyline};

/// Least distance of the polygon's edge from the line.
const CLEARANCE: f64 = 1.0;
/// Tolerance in pixels within which points of the finished edge are dropped.
const TOLERANCE: f64 = 0.3;
/// Tolerance of an edge's corners, of which arcs have many.
const CORNER_TOLERANCE: f64 = 0.1;

/// The edge of a polygon on one side of the line: the seam pushed outwards by
/// `offset`, in every column as `t` (`v` below, `−v` above the line). Its
/// corners are whole pixels.
pub fn edge_from_seam(frame: &Frame, side: Side, seam: &[Point], offset: f64) -> Vec<f64> {
    let pushed = pushed_out(frame, side, seam, offset);
    let corners = polyline::simplify(&pushed, CORNER_TOLERANCE);
    level_of(frame, side, &truncated(frame, side, &corners))
}

/// The points `[u, t]` with both image coordinates truncated, as all
/// coordinates are between two steps of the method.
pub fn truncated(frame: &Frame, side: Side, points: &[Point]) -> Vec<Point> {
    let s = side.sign();
    let mut furthest = f64::NEG_INFINITY;
    let whole = points.iter().map(|q| {
        let [u, v] = frame.to_uv(frame.whole(frame.to_xy([q[0], s * q[1]])));
        // Neighbours may change places.
        furthest = furthest.max(u);
        [furthest, s * v]
    });
    whole.collect()
}

/// `t` of a polyline `[u, t]` in every column. Beyond its ends it keeps its
/// distance from the line.
fn level_of(frame: &Frame, side: Side, points: &[Point]) -> Vec<f64> {
    let base = |k: usize| side.sign() * side.edge(frame)[k];
    let n = frame.count();
    let column = |q: Point| (frame.column_of(q[0]).round().max(0.0) as usize).min(n - 1);
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return (0..n).map(base).collect();
    };
    let (before, after) = (first[1] - base(column(first)), last[1] - base(column(last)));
    let mut piece = 0;
    let at = |k: usize| {
        let u = frame.u(k);
        if u < first[0] {
            return base(k) + before;
        }
        while piece + 2 < points.len() && u > points[piece + 1][0] {
            piece += 1;
        }
        match points.get(piece + 1) {
            Some(&b) if u <= last[0] => super::frame::segment_v(points[piece], b, u),
            _ => base(k) + after,
        }
    };
    (0..n).map(at).collect()
}

/// The outer envelope of a seam's pieces, each moved outwards by `offset`, with
/// round joints, as points `[u, t]` in the columns it reaches.
fn pushed_out(frame: &Frame, side: Side, seam: &[Point], offset: f64) -> Vec<Point> {
    if offset == 0.0 || seam.len() < 2 {
        return seam.iter().map(|q| [q[0], q[1] + offset]).collect();
    }
    let mut t = vec![f64::NEG_INFINITY; frame.count()];
    for w in seam.windows(2) {
        let length = dist(w[0], w[1]);
        if length == 0.0 {
            continue;
        }
        let out = [(w[0][1] - w[1][1]) / length * offset, (w[1][0] - w[0][0]) / length * offset];
        let (a, b) = (along(w[0], out, 1.0), along(w[1], out, 1.0));
        for k in frame.columns(a[0], b[0]) {
            t[k] = t[k].max(super::frame::segment_v(a, b, frame.u(k)));
        }
    }
    let joints = seam.get(1..seam.len() - 1).unwrap_or_default();
    for q in joints {
        for k in frame.columns(q[0] - offset, q[0] + offset) {
            let d = frame.u(k) - q[0];
            t[k] = t[k].max(q[1] + (offset * offset - d * d).max(0.0).sqrt());
        }
    }
    let reached = t.iter().enumerate().filter(|(_, t)| t.is_finite());
    let points: Vec<Point> = reached.map(|(k, t)| [frame.u(k), *t]).collect();
    // Pieces shorter than a column reach none.
    if points.is_empty() { level_points(frame, side, seam, offset) } else { points }
}

/// The seam at its own place, `offset` higher, in every column.
fn level_points(frame: &Frame, side: Side, seam: &[Point], offset: f64) -> Vec<Point> {
    let level = level_of(frame, side, seam);
    level.into_iter().enumerate().map(|(k, t)| [frame.u(k), t + offset]).collect()
}

/// Edge at a fixed height from the line.
pub fn edge_at(frame: &Frame, side: Side, height: f64) -> Vec<f64> {
    side.edge(frame).iter().map(|v| side.sign() * v + height).collect()
}

/// Presses an edge into what limits the line; it keeps at least 1 px from the
/// line as far as the image allows.
pub fn limit(frame: &Frame, limits: &Limits, side: Side, edge: &mut [f64], size: [f64; 2]) {
    let i = side.index();
    for (k, t) in edge.iter_mut().enumerate() {
        let (v0, v1) = frame.inside(frame.u(k), size);
        let border = side.sign() * if side == Side::Above { v0 } else { v1 };
        let base = side.sign() * side.edge(frame)[k];
        let outer = (side.sign() * limits.region[i][k]).min(side.sign() * limits.hard[i][k]);
        *t = t.min(outer).max(base + CLEARANCE).min(border.max(base));
    }
}

/// The ring between the two edges, without a repeated last point, in whole
/// pixels: start of the line, upper edge, end of the line, lower edge.
pub fn ring(frame: &Frame, above: &[f64], below: &[f64], size: [f64; 2]) -> Vec<Point> {
    let chain = |edge: &[f64], side: Side| -> Vec<Point> {
        let points: Vec<Point> =
            edge.iter().enumerate().map(|(k, t)| [frame.u(k), side.sign() * t]).collect();
        polyline::simplify(&points, TOLERANCE)
    };
    let mut out = Vec::new();
    let ends = if frame.monotone { [frame.line.first(), frame.line.last()] } else { [None, None] };
    out.extend(ends[0]);
    out.extend(chain(above, Side::Above));
    out.extend(ends[1]);
    out.extend(chain(below, Side::Below).into_iter().rev());
    // Seams and regions come with truncated corners; to truncate once more would move them.
    let whole: Vec<Point> = out.into_iter().map(|q| pixel(frame.nearest(frame.to_xy(q)), size)).collect();
    let whole = polyline::dedup(&whole);
    polygon::open(&whole).to_vec()
}

/// The pixel pressed onto the image.
fn pixel(q: Point, size: [f64; 2]) -> Point {
    [0, 1].map(|k| q[k].clamp(0.0, size[k] - 1.0))
}

/// Whether the ring is fit to be returned: simple, and the line lies inside
/// of it or at most 2 px away.
pub fn is_sound(ring: &[Point], line: &[Point]) -> bool {
    polygon::is_simple(ring) && covers(ring, line)
}

fn covers(ring: &[Point], line: &[Point]) -> bool {
    let close = |q: Point| {
        polygon::strictly_contains(ring, q)
            || polygon::edges(ring).any(|(a, b)| dist_to_segment(q, a, b) <= 1.5)
    };
    let length = polyline::length(line);
    let samples = (length / 4.0).ceil().max(1.0) as usize;
    line.iter().all(|q| close(*q))
        && (0..=samples)
            .all(|i| polyline::point_at(line, length * i as f64 / samples as f64).is_some_and(close))
}
