//! Sections of a line polygon as consumers of boxes want them.
//!
//! Unlike [`super::section`], which has to reproduce recorded results, this
//! gives four corners that lie on the polygon and form a simple quadrilateral
//! with an area, for whatever pair of distances is asked for.

use super::section::nearest_hit;
use super::{Point, along, cross, dist, dot, polygon, polyline, sub};
use crate::{Error, Result};

/// Sections are at least that long along the baseline, in pixels.
const LEAST: f64 = 1.0;

/// Baseline without repeated points, with its ends moved to the boundary.
struct Line {
    points: Vec<Point>,
    cumulative: Vec<f64>,
}

impl Line {
    fn new(baseline: &[Point], ring: &[Point]) -> Self {
        let mut points = polyline::dedup(baseline);
        let n = points.len();
        if n > 1 {
            for (end, inner) in [(0, 1), (n - 1, n - 2)] {
                if polygon::strictly_contains(ring, points[end])
                    && let Some(hit) = nearest_hit(ring, points[end], sub(points[end], points[inner]))
                {
                    points[end] = hit;
                }
            }
        }
        let mut total = 0.0;
        let mut cumulative = vec![0.0];
        for w in points.windows(2) {
            total += dist(w[0], w[1]);
            cumulative.push(total);
        }
        Self { points, cumulative }
    }

    fn length(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// Point and unit direction at a distance within the length. `None` for a
    /// line without length.
    fn at(&self, distance: f64) -> Option<(Point, Point)> {
        let k = self.cumulative.partition_point(|&c| c < distance).max(1);
        let (a, b) = (*self.points.get(k - 1)?, *self.points.get(k)?);
        let u = unit(sub(b, a))?;
        Some((along(a, u, distance - self.cumulative[k - 1]), u))
    }
}

fn unit(d: Point) -> Option<Point> {
    let norm = d[0].hypot(d[1]);
    (norm > 0.0).then(|| [d[0] / norm, d[1] / norm])
}

/// The part of the line through `b` across direction `u` that lies inside of
/// the ring and is nearest to `b`: its left and its right end.
fn chord(ring: &[Point], b: Point, u: Point) -> Option<[Point; 2]> {
    let right = [-u[1], u[0]];
    // Of an edge along the line one of the sides sees the crossings at its ends.
    let best = [true, false]
        .into_iter()
        .filter_map(|touching| interval(ring, b, right, touching))
        .min_by(|x, y| gap(x).total_cmp(&gap(y)).then((y[1] - y[0]).total_cmp(&(x[1] - x[0]))))?;
    Some([along(b, right, best[0]), along(b, right, best[1])])
}

/// How far an interval is from 0.
fn gap(interval: &[f64; 2]) -> f64 {
    interval[0].max(-interval[1]).max(0.0)
}

/// The interval of the line `b + t · right` inside of the ring that is nearest
/// to 0.
///
/// Points on the line count as beyond it or not, as `touching` says, so that
/// crossings come in pairs also where the line passes through vertices.
fn interval(ring: &[Point], b: Point, right: Point, touching: bool) -> Option<[f64; 2]> {
    let beyond = |s: f64| s > 0.0 || (touching && s == 0.0);
    let mut crossings: Vec<f64> = Vec::new();
    for (p, q) in polygon::edges(ring) {
        let (sp, sq) = (cross(right, sub(p, b)), cross(right, sub(q, b)));
        if beyond(sp) != beyond(sq) {
            let hit = along(p, sub(q, p), sp / (sp - sq));
            crossings.push(dot(sub(hit, b), right));
        }
    }
    crossings.sort_by(f64::total_cmp);
    let (pairs, _) = crossings.as_chunks::<2>();
    pairs.iter().filter(|pair| pair[1] > pair[0]).min_by(|x, y| gap(x).total_cmp(&gap(y))).copied()
}

/// The section between two distances, if it is a simple quadrilateral: cut
/// across the line at both of them, or else, as cuts may meet inside of a bend,
/// across the direct way from one to the other. Where the polygon ends in a tip
/// the cut is taken a little before it.
fn quad(line: &Line, ring: &[Point], lo: f64, hi: f64) -> Option<[Point; 4]> {
    let length = line.length();
    for inset in [0.0, (LEAST / 4.0).min(length / 8.0)] {
        let ((b1, u1), (b2, u2)) = (line.at(lo.max(inset))?, line.at(hi.min(length - inset))?);
        let straight = unit(sub(b2, b1)).map(|u| (u, u));
        for (first, second) in [Some((u1, u2)), straight].into_iter().flatten() {
            if let (Some([l1, r1]), Some([l2, r2])) = (chord(ring, b1, first), chord(ring, b2, second)) {
                let corners = [l1, r1, r2, l2];
                if polygon::is_simple(&corners) {
                    return Some(corners);
                }
            }
        }
    }
    None
}

/// Cuts a line polygon between pairs of distances along its baseline.
///
/// The order within a pair doesn't matter; pairs are clamped to the line and
/// widened to a pixel, or further where the polygon has no area. Returns left
/// and right end of the first cut, right and left end of the second one.
///
/// # Errors
///
/// [`Error::NonFinite`] for NaN or infinite numbers, [`Error::Geometry`] for a
/// polygon without area and for a line without length or that doesn't lead
/// through the polygon.
pub fn clean_sections(baseline: &[Point], boundary: &[Point], pairs: &[[f64; 2]]) -> Result<Vec<[Point; 4]>> {
    for (arg, points) in [("baseline", baseline), ("boundary", boundary), ("cut_pairs", pairs)] {
        if points.iter().flatten().any(|v| !v.is_finite()) {
            return Err(Error::NonFinite { arg });
        }
    }
    if polygon::signed_area(boundary) == 0.0 {
        return Err(Error::Geometry("boundary has no area to cut sections of".into()));
    }
    let ring = polyline::dedup(polygon::open(boundary));
    let line = Line::new(baseline, &ring);
    let length = line.length();
    let section = |pair: &[f64; 2]| {
        let lo = pair[0].min(pair[1]).clamp(0.0, length);
        let hi = pair[0].max(pair[1]).clamp(0.0, length);
        let mut grow = ((LEAST - (hi - lo)) / 2.0).max(0.0);
        loop {
            // What overhangs at one end is added at the other one.
            let (before, after) = ((grow - lo).max(0.0), (hi + grow - length).max(0.0));
            let (from, to) = ((lo - grow - after).max(0.0), (hi + grow + before).min(length));
            if let Some(corners) = quad(&line, &ring, from, to) {
                return Ok(corners);
            }
            if from <= 0.0 && to >= length {
                // A line that returns to its start: take what leads away from it.
                let part = (1..8).find_map(|k| quad(&line, &ring, 0.0, length / f64::from(1 << k)));
                let message = "baseline doesn't lead through the boundary";
                return part.ok_or_else(|| Error::Geometry(message.into()));
            }
            grow = 2.0 * grow.max(LEAST / 2.0);
        }
    };
    pairs.iter().map(section).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: [Point; 4] = [[0.0, 0.0], [100.0, 0.0], [100.0, 40.0], [0.0, 40.0]];
    const LINE: [Point; 2] = [[10.0, 20.0], [60.0, 20.0]];

    #[test]
    fn order_and_excess_do_not_matter() -> Result<()> {
        let out = clean_sections(&LINE, &BOX, &[[30.0, 10.0], [-5.0, 1e9]])?;
        assert_eq!(out[0], [[10.0, 0.0], [10.0, 40.0], [30.0, 40.0], [30.0, 0.0]]);
        assert_eq!(out[1], [[0.0, 0.0], [0.0, 40.0], [100.0, 40.0], [100.0, 0.0]]);
        Ok(())
    }

    #[test]
    fn empty_pairs_get_a_pixel() -> Result<()> {
        for d in [0.0, 20.0, 100.0] {
            let out = clean_sections(&LINE, &BOX, &[[d, d]])?;
            assert!((polygon::signed_area(&out[0]).abs() - 40.0).abs() < 1e-9);
        }
        Ok(())
    }

    #[test]
    fn hopeless_input_is_an_error() {
        let far = [[0.0, 500.0], [0.0, 600.0]];
        for (line, ring) in [(&LINE[..], &LINE[..]), (&LINE[..1], &BOX), (&[], &BOX), (&far[..], &BOX)] {
            assert!(clean_sections(line, ring, &[[1.0, 2.0]]).is_err());
        }
        assert!(clean_sections(&LINE, &BOX, &[[f64::NAN, 1.0]]).is_err());
    }
}
