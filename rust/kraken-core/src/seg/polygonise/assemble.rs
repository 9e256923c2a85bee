//! From seams to a ring: offset, limits, whole pixels.

use super::frame::Frame;
use super::region::Limits;
use super::seam::Side;
use crate::geom::{Point, dist_to_segment, polygon, polyline};

/// Least distance of the polygon's edge from the line.
const CLEARANCE: f64 = 1.0;
/// Tolerance in pixels within which points of the finished edge are dropped.
const TOLERANCE: f64 = 0.3;
/// Lifts coordinates that are whole but for rounding errors before truncation.
const ROUNDING: f64 = 1e-6;

/// The edge of a polygon on one side of the line: the seam pushed outwards by
/// `offset`, in every column as `t` (`v` below, `−v` above the line).
pub fn edge_from_seam(frame: &Frame, side: Side, seam: &[Point], offset: f64) -> Vec<f64> {
    let base = |k: usize| side.sign() * side.edge(frame)[k];
    let n = frame.count();
    let column = |q: Point| (frame.column_of(q[0]).round().max(0.0) as usize).min(n - 1);
    let (Some(&first), Some(&last)) = (seam.first(), seam.last()) else {
        return (0..n).map(base).collect();
    };
    // Beyond its ends the seam keeps its distance from the line.
    let (before, after) = (first[1] - base(column(first)), last[1] - base(column(last)));
    let mut piece = 0;
    let level: Vec<f64> = (0..n)
        .map(|k| {
            let u = frame.u(k);
            if u < first[0] {
                return base(k) + before;
            }
            while piece + 2 < seam.len() && u > seam[piece + 1][0] {
                piece += 1;
            }
            match seam.get(piece + 1) {
                Some(&b) if u <= last[0] => super::frame::segment_v(seam[piece], b, u),
                _ => base(k) + after,
            }
        })
        .collect();
    widen(&level, frame.step(), offset)
}

/// Edge at a fixed height from the line.
pub fn edge_at(frame: &Frame, side: Side, height: f64) -> Vec<f64> {
    side.edge(frame).iter().map(|v| side.sign() * v + height).collect()
}

/// Grows a profile outwards by a disc of radius `offset`.
fn widen(level: &[f64], step: f64, offset: f64) -> Vec<f64> {
    let reach = (offset / step).floor() as usize;
    let disc: Vec<f64> =
        (0..=reach).map(|d| (offset.powi(2) - (d as f64 * step).powi(2)).max(0.0).sqrt()).collect();
    (0..level.len())
        .map(|k| {
            let window = k.saturating_sub(reach)..(k + reach + 1).min(level.len());
            window.map(|j| level[j] + disc[k.abs_diff(j)]).fold(f64::NEG_INFINITY, f64::max)
        })
        .collect()
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
    let whole: Vec<Point> = out.into_iter().map(|q| pixel(frame.to_xy(q), size)).collect();
    let whole = polyline::dedup(&whole);
    polygon::open(&whole).to_vec()
}

/// Truncates a point to whole pixels inside the image.
fn pixel(q: Point, size: [f64; 2]) -> Point {
    [0, 1].map(|k| (q[k] + ROUNDING).floor().clamp(0.0, size[k] - 1.0))
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
