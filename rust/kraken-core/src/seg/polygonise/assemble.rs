//! From seams to a ring: offset, limits, whole pixels.

use super::frame::Frame;
use super::region::Limits;
use super::seam::Side;
use crate::geom::{Point, along, cross, dist, dist_to_segment, dot, polygon, polyline, sub};

/// Least distance of the polygon's edge from the line.
const CLEARANCE: f64 = 1.0;
/// Tolerance in pixels within which points of the finished edge are dropped.
const TOLERANCE: f64 = 0.3;
/// Angle between two points of an arc.
const ARC_STEP: f64 = std::f64::consts::FRAC_PI_2 / 8.0;

/// The edge of a polygon on one side of the line: the seam pushed outwards by
/// `offset`, in every column as `t` (`v` below, `−v` above the line). Its
/// corners are whole pixels.
pub fn edge_from_seam(frame: &Frame, side: Side, seam: &[Point], offset: f64) -> Vec<f64> {
    level_of(frame, side, &truncated(frame, side, &pushed_out(seam, offset)))
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

/// The parallel of a seam at the distance `offset` on its outer side, with round
/// joints: its vertices `[u, t]` by growing `u`.
fn pushed_out(seam: &[Point], offset: f64) -> Vec<Point> {
    let mut seam = seam.to_vec();
    seam.dedup();
    if offset == 0.0 || seam.len() < 2 {
        return seam.iter().map(|q| [q[0], q[1] + offset]).collect();
    }
    let outward: Vec<Point> = seam.windows(2).map(|w| normal(w[0], w[1])).collect();
    let piece = |i: usize| (along(seam[i], outward[i], offset), along(seam[i + 1], outward[i], offset));
    let mut corners = Vec::new();
    for i in 0..outward.len() {
        let (a, b) = piece(i);
        corners.extend([a, b]);
        if i > 0 {
            corners.extend(arc(seam[i], outward[i - 1], outward[i], offset));
        }
        let near = (i + 1..outward.len()).take_while(|j| seam[*j][0] - offset <= b[0]);
        corners.extend(near.filter_map(|j| crossing((a, b), piece(j))));
    }
    // What is nearer to another piece of the seam lies inside.
    let is_outer = |q: &Point| {
        let near = seam.windows(2).filter(|w| w[0][0] - offset <= q[0] && q[0] <= w[1][0] + offset);
        near.map(|w| dist_to_segment(*q, w[0], w[1])).all(|d| d >= offset - 1e-6)
    };
    corners.retain(is_outer);
    corners.sort_by(|a, b| a[0].total_cmp(&b[0]));
    corners
}

/// The unit normal of a piece of a seam on its outer side.
fn normal(a: Point, b: Point) -> Point {
    let length = dist(a, b);
    [(a[1] - b[1]) / length, (b[0] - a[0]) / length]
}

/// Points of the arc around a vertex between the normals of its two pieces, if
/// they part on the outer side.
fn arc(vertex: Point, from: Point, to: Point, radius: f64) -> impl Iterator<Item = Point> {
    let turn = cross(from, to).atan2(dot(from, to));
    let parts = if turn < 0.0 { (-turn / ARC_STEP).round() as usize } else { 0 };
    let start = from[1].atan2(from[0]);
    (1..parts).map(move |i| {
        let angle = start + turn * i as f64 / parts as f64;
        along(vertex, [angle.cos(), angle.sin()], radius)
    })
}

/// Where two pieces cross.
fn crossing((a, b): (Point, Point), (c, d): (Point, Point)) -> Option<Point> {
    let (e, f, g) = (sub(b, a), sub(d, c), sub(c, a));
    let den = cross(e, f);
    let (s, t) = (cross(g, f) / den, cross(g, e) / den);
    ((0.0..=1.0).contains(&s) && (0.0..=1.0).contains(&t)).then(|| along(a, e, s))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pushed_seam_is_its_parallel() {
        let seam = [[0.0, 0.0], [30.0, 0.0], [60.0, 30.0], [90.0, 30.0], [100.0, 0.0], [140.0, 0.0]];
        let pushed = pushed_out(&seam, 4.0);
        for w in pushed.windows(2) {
            assert!(w[1][0] >= w[0][0]);
        }
        for q in &pushed {
            let d = seam.windows(2).map(|w| dist_to_segment(*q, w[0], w[1])).fold(f64::INFINITY, f64::min);
            assert!((d - 4.0).abs() < 1e-9, "{q:?} {d}");
        }
        assert_eq!((pushed.first(), pushed.last()), (Some(&[0.0, 4.0]), Some(&[140.0, 4.0])));
        // Inner corners are where the parallels cross, outer ones are round.
        assert!(
            pushed.iter().any(|q| (q[1] - 4.0).abs() < 1e-9
                && (q[0] - (30.0 - 4.0 * 22.5_f64.to_radians().tan())).abs() < 1e-9)
        );
        assert!(pushed.iter().filter(|q| dist(**q, [90.0, 30.0]) < 4.1).count() > 4);
    }

    #[test]
    fn seams_without_extent_are_moved_up() {
        assert_eq!(pushed_out(&[[3.0, 5.0], [3.0, 5.0]], 4.0), [[3.0, 9.0]]);
        assert_eq!(pushed_out(&[[3.0, 5.0], [9.0, 8.0]], 0.0), [[3.0, 5.0], [9.0, 8.0]]);
        assert!(pushed_out(&[], 4.0).is_empty());
    }

    #[test]
    fn edges_have_whole_corners() -> Result<(), String> {
        let frame = Frame::new(&[[10.0, 60.0], [110.0, 80.0]]).ok_or("no frame")?;
        let seam = [[0.0, 6.0], [40.3, 9.6], [102.0, 6.2]];
        for side in Side::BOTH {
            let corners = truncated(&frame, side, &seam);
            for (cut, q) in corners.iter().zip(seam) {
                let to_xy = |q: Point| frame.to_xy([q[0], side.sign() * q[1]]);
                let (cut, q) = (to_xy(*cut), to_xy(q));
                for k in 0..2 {
                    assert!(
                        (cut[k] - cut[k].round()).abs() < 1e-9
                            && (cut[k].round() - q[k].floor()).abs() < 1e-9
                    );
                }
            }
        }
        // A level line's edge at 6.7 px: cut to 6 below; above, the same cut widens to 7.
        let frame = Frame::new(&[[10.0, 60.0], [110.0, 60.0]]).ok_or("no frame")?;
        let level = [[0.0, 6.7], [100.0, 6.7]];
        assert!(edge_from_seam(&frame, Side::Below, &level, 0.0).iter().all(|t| (t - 6.0).abs() < 1e-9));
        assert!(edge_from_seam(&frame, Side::Above, &level, 0.0).iter().all(|t| (t - 7.0).abs() < 1e-9));
        assert!(edge_from_seam(&frame, Side::Below, &level, 4.0).iter().all(|t| (t - 10.0).abs() < 1e-9));
        Ok(())
    }

    #[test]
    fn neighbours_keep_their_order_when_cut() -> Result<(), String> {
        let frame = Frame::new(&[[10.0, 60.0], [110.0, 159.0]]).ok_or("no frame")?;
        let steps: Vec<Point> = (0..200).map(|i| [f64::from(i) * 0.5, f64::from(i % 3)]).collect();
        let cut = truncated(&frame, Side::Below, &steps);
        assert!(cut.windows(2).all(|w| w[0][0] <= w[1][0]));
        Ok(())
    }
}
