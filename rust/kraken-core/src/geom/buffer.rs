//! Outlines of lines with a width.
//!
//! After the offset curves of the JTS Topology Suite (as in GEOS and Shapely),
//! which layout networks' training targets have always been drawn with: round
//! joins of 16 segments per quarter circle, corners inside a bend where the
//! offset segments meet.

use super::{Point, along, cross, dist, dist_to_segment, dot, polyline, sub};

/// Segments of a quarter circle.
const QUARTER: f64 = 16.0;

/// Share of the distance below which bends inside the curve are ignored.
const SIMPLIFY: f64 = 0.01;

/// Share of the distance below which the two ends at an outer bend are one point.
const SEPARATION: f64 = 0.05;

/// Weight of the offset point against the vertex where offset segments inside
/// a bend don't meet.
const CLOSING: f64 = 80.0;

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// At its last point.
    Flat,
    /// Half its width after its last point.
    Square,
}

/// The closed curve at `distance` on both sides of a line. Its last point isn't
/// repeated. Runs around the covered area with positive winding
/// ([`super::polygon::signed_area`] of a straight line's is positive), and may
/// cross itself at sharp bends: there the area is where its winding number
/// is positive. `None` if the line has less than two distinct points or
/// `distance` isn't positive.
pub fn outline(line: &[Point], distance: f64, cap: Cap) -> Option<Vec<Point>> {
    let line = polyline::dedup(line);
    let finite = line.iter().flatten().all(|v| v.is_finite());
    if line.len() < 2 || !finite || distance.is_nan() || distance <= 0.0 {
        return None;
    }
    let mut curve = Curve { points: Vec::with_capacity(4 * line.len()), distance };
    // JTS begins on the side that is the left one if y points up.
    let mirrored = |[x, y]: Point| [x, -y];
    let line: Vec<Point> = line.into_iter().map(mirrored).collect();
    let mut back = line.clone();
    back.reverse();
    for side in [line, back] {
        let side = simplified(&side, distance * SIMPLIFY);
        for corner in side.windows(3) {
            curve.turn(corner[0], corner[1], corner[2]);
        }
        if let [.., a, b] = side[..] {
            curve.end(a, b, cap);
        }
    }
    Some(curve.points.into_iter().rev().map(mirrored).collect())
}

struct Curve {
    points: Vec<Point>,
    distance: f64,
}

/// The segment from a to b moved to its left (y pointing down).
fn offset(a: Point, b: Point, distance: f64) -> (Point, Point) {
    let [dx, dy] = sub(b, a);
    let length = dx.hypot(dy);
    let (ux, uy) = (distance * dx / length, distance * dy / length);
    ([a[0] + uy, a[1] - ux], [b[0] + uy, b[1] - ux])
}

impl Curve {
    fn add(&mut self, p: Point) {
        if self.points.last().is_none_or(|last| dist(*last, p) >= self.distance * 1e-6) {
            self.points.push(p);
        }
    }

    /// The curve around the vertex b between the segments ab and bc.
    fn turn(&mut self, a: Point, b: Point, c: Point) {
        let (first, second) = (offset(a, b, self.distance), offset(b, c, self.distance));
        let (ab, bc) = (sub(b, a), sub(c, b));
        let side = cross(ab, bc);
        if side == 0.0 {
            if dot(ab, bc) < 0.0 {
                self.arc(b, first.1, second.0);
            }
        } else if side > 0.0 {
            if dist(first.1, second.0) < self.distance * SEPARATION {
                self.add(first.1);
            } else {
                self.arc(b, first.1, second.0);
            }
        } else if let Some(p) = meeting(first, second) {
            self.add(p);
        } else if dist(first.1, second.0) < self.distance * 1e-3 {
            self.add(first.1);
        } else {
            self.add(first.1);
            self.add(along(b, sub(first.1, b), CLOSING / (CLOSING + 1.0)));
            self.add(along(b, sub(second.0, b), CLOSING / (CLOSING + 1.0)));
            self.add(second.0);
        }
    }

    /// A circle's arc around `centre`, from the left of the line.
    fn arc(&mut self, centre: Point, from: Point, to: Point) {
        let angle = |p: Point| (p[1] - centre[1]).atan2(p[0] - centre[0]);
        let (start, mut end) = (angle(from), angle(to));
        if end <= start {
            end += std::f64::consts::TAU;
        }
        let steps = ((end - start) / (std::f64::consts::FRAC_PI_2 / QUARTER) + 0.5) as usize;
        self.add(from);
        for k in 0..steps {
            let (sin, cos) = (start + (end - start) * k as f64 / steps as f64).sin_cos();
            self.add([centre[0] + self.distance * cos, centre[1] + self.distance * sin]);
        }
        self.add(to);
    }

    /// The end of the line at b.
    fn end(&mut self, a: Point, b: Point, cap: Cap) {
        let (left, right) = (offset(a, b, self.distance).1, offset(a, b, -self.distance).1);
        let forward = match cap {
            Cap::Flat => [0.0, 0.0],
            Cap::Square => {
                let (sin, cos) = (b[1] - a[1]).atan2(b[0] - a[0]).sin_cos();
                [self.distance * cos, self.distance * sin]
            }
        };
        // The corner before the cap stays a vertex, as pixels depend on where vertices are truncated.
        self.add(left);
        self.add(along(left, forward, 1.0));
        self.add(along(right, forward, 1.0));
    }
}

/// The point that two segments share, if there is just one.
fn meeting((a, b): (Point, Point), (c, d): (Point, Point)) -> Option<Point> {
    let (e, f) = (sub(b, a), sub(d, c));
    let den = cross(e, f);
    if den == 0.0 {
        return None;
    }
    let t = cross(sub(c, a), f) / den;
    let s = cross(sub(c, a), e) / den;
    ((0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&s)).then(|| along(a, e, t))
}

/// The line without vertices at which it turns to its left by
/// less than `tolerance`.
fn simplified(line: &[Point], tolerance: f64) -> Vec<Point> {
    let mut kept = line.to_vec();
    loop {
        let before = kept.len();
        let mut out = vec![kept[0]];
        let mut k = 1;
        while k + 1 < kept.len() {
            let (a, b, c) = (out[out.len() - 1], kept[k], kept[k + 1]);
            if cross(sub(b, a), sub(c, b)) < 0.0 && dist_to_segment(b, a, c) < tolerance {
                out.push(c);
                k += 2;
            } else {
                out.push(b);
                k += 1;
            }
        }
        if k < kept.len() {
            out.push(kept[k]);
        }
        kept = out;
        if kept.len() == before {
            return kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::polygon::signed_area;

    #[test]
    fn straight_lines_are_rectangles() {
        let line = [[10.0, 20.0], [30.0, 20.0]];
        let flat = outline(&line, 4.0, Cap::Flat);
        assert_eq!(flat, Some(vec![[10.0, 24.0], [10.0, 16.0], [30.0, 16.0], [30.0, 24.0]]));
        let square = outline(&line, 4.0, Cap::Square).unwrap_or_default();
        assert!((signed_area(&square) - 28.0 * 8.0).abs() < 1e-9);
    }

    #[test]
    fn bends_are_round_outside_and_sharp_inside() {
        let ring = outline(&[[0.0, 0.0], [20.0, 0.0], [20.0, 20.0]], 2.0, Cap::Flat).unwrap_or_default();
        let quarter = std::f64::consts::PI;
        assert!((signed_area(&ring) - (2.0 * 80.0 - 4.0 + quarter)).abs() < 0.02);
        assert!(ring.contains(&[18.0, 2.0]));
    }

    #[test]
    fn points_have_no_outline() {
        assert_eq!(outline(&[[1.0, 1.0]; 3], 2.0, Cap::Flat), None);
        assert_eq!(outline(&[], 2.0, Cap::Flat), None);
        assert_eq!(outline(&[[0.0, 0.0], [f64::NAN, 1.0]], 2.0, Cap::Flat), None);
        assert_eq!(outline(&[[0.0, 0.0], [9.0, 1.0]], 0.0, Cap::Flat), None);
    }
}
