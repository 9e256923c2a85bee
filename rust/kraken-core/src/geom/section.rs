//! Cross-cuts of a line polygon at distances along its baseline.
//!
//! The rules are those of spec chapter geometry §1, which results must follow
//! to the pixel, odd cases included: a ray takes the *first* edge that it hits
//! in the order of the boundary, not the nearest one.

use super::{Point, along, cross, dist, dot, polygon, sub};
use crate::{Error, Result};

/// A distance along the baseline, cut across.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The distance after clamping.
    pub distance: f64,
    /// The point of the baseline at that distance.
    pub base: Point,
    /// Where the rays to the left and to the right leave the polygon, if both do.
    pub hits: Option<[Point; 2]>,
}

/// The part of a line polygon between two cuts.
#[derive(Debug, Clone, PartialEq)]
pub enum Section {
    /// Left and right hit of the first cut, right and left hit of the second one.
    Quad([[i64; 2]; 4]),
    /// Truncated baseline points, where a ray misses the boundary.
    Chord([[i64; 2]; 2]),
}

/// An edge of the boundary.
#[derive(Debug, Clone, Copy)]
struct Edge {
    start: Point,
    along: Point,
}

/// A baseline, extended to the boundary of its polygon and ready to be cut.
#[derive(Debug, Clone)]
pub struct Sectioner {
    line: Vec<Point>,
    cumulative: Vec<f64>,
    /// The closing edge comes first.
    edges: Vec<Edge>,
}

impl Sectioner {
    /// Extends the ends of `baseline` that lie inside of `boundary` to it and
    /// measures the result. The boundary is closed implicitly; a repeated last
    /// point is kept as the zero-length edge that it is.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] without baseline points, [`Error::NonFinite`] for NaN
    /// or infinite coordinates.
    pub fn new(baseline: &[Point], boundary: &[Point]) -> Result<Self> {
        if baseline.is_empty() {
            return Err(Error::Empty { arg: "baseline" });
        }
        for (arg, points) in [("baseline", baseline), ("boundary", boundary)] {
            if points.iter().flatten().any(|v| !v.is_finite()) {
                return Err(Error::NonFinite { arg });
            }
        }
        let line = extend(baseline, boundary);
        let mut total = 0.0;
        let mut cumulative = vec![0.0];
        for w in line.windows(2) {
            total += dist(w[0], w[1]);
            cumulative.push(total);
        }
        let before = boundary.last().into_iter().chain(boundary);
        let edges = before.zip(boundary).map(|(&a, &b)| Edge { start: a, along: sub(b, a) }).collect();
        Ok(Self { line, cumulative, edges })
    }

    /// Length of the extended baseline in pixels.
    pub fn length(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// Clamps a distance: 0 becomes the smallest distance that lies on the
    /// first segment, NaN and anything beyond the end the end.
    pub fn clamp(&self, distance: f64) -> f64 {
        let d = if distance == 0.0 { f64::EPSILON } else { distance };
        let end = self.length() - f64::EPSILON;
        if d < end { d } else { end }
    }

    /// The baseline point at a clamped distance and the unit direction there.
    /// A negative distance lies on the line through the last and first point.
    fn locate(&self, d: f64) -> (Point, Point) {
        let k = self.cumulative.partition_point(|&c| c < d).min(self.line.len() - 1);
        let (from, start) = match k.checked_sub(1) {
            Some(p) => (self.line[p], self.cumulative[p]),
            None => (self.line[self.line.len() - 1], self.length()),
        };
        let step = sub(self.line[k], from);
        let norm = dot(step, step).sqrt();
        let unit = if norm > 0.0 { [step[0] / norm, step[1] / norm] } else { [0.0, 0.0] };
        (along(from, unit, d - start), unit)
    }

    /// Cuts across at `distance`.
    pub fn cut(&self, distance: f64) -> Cut {
        let d = self.clamp(distance);
        let (base, u) = self.locate(d);
        Cut { distance: d, base, hits: self.hits(base, u) }
    }

    /// Where the rays to the left and to the right of the direction `u` leave
    /// the polygon, if both do: each at the first edge, in boundary order, that
    /// it meets.
    fn hits(&self, b: Point, u: Point) -> Option<[Point; 2]> {
        let (mut left, mut right) = (None, None);
        for &Edge { start, along } in &self.edges {
            let g = sub(b, start);
            // Edges that lie wholly before or behind the cut, most of them, need no division.
            let (ahead, reach) = (dot(g, u), dot(along, u));
            if left.is_none() {
                left = meet(b, [u[1], -u[0]], along, g, ahead, reach);
            }
            if right.is_none() {
                right = meet(b, [-u[1], u[0]], along, g, -ahead, -reach);
            }
            if let (Some(l), Some(r)) = (left, right) {
                return [l, r].iter().flatten().all(|c| c.is_finite()).then_some([l, r]);
            }
        }
        None
    }

    /// The section between two cuts of this line.
    pub fn section(&self, a: &Cut, b: &Cut) -> Section {
        if self.length() == 0.0 {
            return Section::Quad([round(self.line[0]); 4]);
        }
        match (a.hits, b.hits) {
            (Some([l1, r1]), Some([l2, r2])) => Section::Quad([round(l1), round(r1), round(r2), round(l2)]),
            _ => Section::Chord([truncate(a.base), truncate(b.base)]),
        }
    }
}

fn round(p: Point) -> [i64; 2] {
    [p[0].round_ties_even() as i64, p[1].round_ties_even() as i64]
}

fn truncate(p: Point) -> [i64; 2] {
    [p[0].trunc() as i64, p[1].trunc() as i64]
}

/// The baseline with each end that lies inside of the boundary moved along
/// its segment to the nearest hit, truncated to whole pixels.
fn extend(baseline: &[Point], boundary: &[Point]) -> Vec<Point> {
    let mut line = baseline.to_vec();
    let n = line.len();
    if n < 2 {
        return line;
    }
    // The second call sees the replaced first point.
    for (end, inner) in [(0, 1), (n - 1, n - 2)] {
        if polygon::strictly_contains(boundary, line[end])
            && let Some(hit) = nearest_hit(boundary, line[end], sub(line[end], line[inner]))
        {
            line[end] = [hit[0].trunc(), hit[1].trunc()];
        }
    }
    line
}

/// The nearest point of the boundary on the ray from `origin` along `d`, the
/// earlier edge on ties.
pub(super) fn nearest_hit(boundary: &[Point], origin: Point, d: Point) -> Option<Point> {
    let mut best = f64::INFINITY;
    let n = boundary.len();
    for (i, &p) in boundary.iter().enumerate() {
        let e = sub(boundary[(i + 1) % n], p);
        let f = sub(p, origin);
        let den = cross(d, e);
        if den.abs() < f64::EPSILON {
            continue;
        }
        let t = cross(f, e) / den;
        let u = cross(f, d) / den;
        if t >= 0.0 && (0.0..=1.0).contains(&u) && t < best {
            best = t;
        }
    }
    best.is_finite().then(|| along(origin, d, best))
}

/// The hit of the ray from `b` along `r` with the edge along `v`, if it meets
/// it. `g` leads from the edge's start to `b`; `ahead` and `reach` are the
/// components of `g` and `v` across the ray.
fn meet(b: Point, r: Point, v: Point, g: Point, ahead: f64, reach: f64) -> Option<Point> {
    // Parallel edges aren't skipped but get a tiny denominator.
    let z = reach + f64::EPSILON;
    if ahead.abs() > z.abs() {
        return None; // The quotient below lies beyond ±1.
    }
    let t = cross(v, g) / z;
    let s = ahead / z;
    ((0.0..=1.0).contains(&s) && t >= 0.0).then(|| along(b, r, t))
}

/// Sections between pairs of distances, and the cuts that they were made of.
#[derive(Debug, Clone)]
pub struct Sections {
    /// One section per pair.
    pub sections: Vec<Section>,
    /// Two cuts per pair.
    pub cuts: Vec<[Cut; 2]>,
    /// Length of the extended baseline.
    pub length: f64,
}

/// Cuts a line polygon between many pairs of distances.
///
/// # Errors
///
/// As [`Sectioner::new`]; [`Error::NonFinite`] for an infinite negative distance.
pub fn sections(baseline: &[Point], boundary: &[Point], pairs: &[[f64; 2]]) -> Result<Sections> {
    let line = Sectioner::new(baseline, boundary)?;
    if pairs.iter().flatten().any(|&d| d == f64::NEG_INFINITY) {
        return Err(Error::NonFinite { arg: "cut_pairs" });
    }
    let mut cuts: Vec<[Cut; 2]> = Vec::with_capacity(pairs.len());
    for (k, &[from, to]) in pairs.iter().enumerate() {
        // A character mostly begins where the one before ends.
        let before = k.checked_sub(1).filter(|&j| pairs[j][1] == from).map(|j| cuts[j][1]);
        cuts.push([before.unwrap_or_else(|| line.cut(from)), line.cut(to)]);
    }
    let sections = cuts.iter().map(|[a, b]| line.section(a, b)).collect();
    Ok(Sections { sections, cuts, length: line.length() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: [Point; 4] = [[0.0, 0.0], [100.0, 0.0], [100.0, 40.0], [0.0, 40.0]];

    #[test]
    fn ends_are_extended_to_the_boundary() -> Result<()> {
        let line = [[10.0, 20.0], [60.0, 20.0]];
        let out = sections(&line, &BOX, &[[10.0, 30.0], [0.0, 500.0]])?;
        assert_eq!(out.length, 100.0);
        assert_eq!(out.sections[0], Section::Quad([[10, 0], [10, 40], [30, 40], [30, 0]]));
        assert_eq!(out.cuts[1][1].distance, 100.0);
        Ok(())
    }

    #[test]
    fn degenerate_lines_give_their_point() -> Result<()> {
        for line in [&[[10.0, 20.0]][..], &[[10.0, 20.0], [10.0, 20.0]]] {
            let out = sections(line, &BOX, &[[0.0, 5.0]])?;
            assert_eq!(out.sections, vec![Section::Quad([[10, 20]; 4])]);
        }
        assert_eq!(sections(&[], &BOX, &[]).err(), Some(Error::Empty { arg: "baseline" }));
        Ok(())
    }

    #[test]
    fn bad_numbers_are_errors_or_clamped() -> Result<()> {
        let line = [[10.0, 20.0], [60.0, 20.0]];
        assert!(sections(&[[f64::NAN, 0.0]], &BOX, &[]).is_err());
        assert!(sections(&line, &BOX, &[[f64::NEG_INFINITY, 0.0]]).is_err());
        let out = sections(&line, &BOX, &[[f64::NAN, f64::INFINITY]])?;
        assert_eq!(out.cuts[0][0].distance, 100.0);
        let missing = sections(&line, &[], &[[0.0, 10.0]])?;
        assert_eq!(missing.sections, vec![Section::Chord([[10, 20], [20, 20]])]);
        Ok(())
    }
}
