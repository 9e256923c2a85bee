//! Fragments of lines: which of them continue each other, and how far lines are apart.
//!
//! A fragment continues another if it begins a small gap after the other's
//! end, where the other would lead, and in about its direction. The end of one
//! line and the start of the next across a gutter look just like that; what
//! tells them apart is that a gutter goes on above or below.

use crate::geom::{Point, along, cross, dist, dot, polyline, sub};
use crate::{Error, Result};

/// Least length in pixels over which the direction of an end is taken.
const REACH: f64 = 20.0;
/// A deviation sideways counts as a gap of so many times its size.
const SIDEWAYS: f64 = 3.0;
/// Lines up to so many line distances away tell whether a gap is a gutter: two
/// lines on a side, for one may happen to be broken at the same place.
const VICINITY: f64 = 2.6;
/// Fragments nearer than so many line distances belong to the same line.
const SAME_LINE: f64 = 0.4;
/// So many line distances beside a gap lines are looked for that stop at it.
const FLANK: f64 = 3.0;

/// What separates fragments of one line at most.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Gap along the line in pixels.
    pub max_gap: f64,
    /// Distance in pixels by which the two ends, prolonged to the middle of the gap, miss each other.
    pub max_offset: f64,
    /// Difference of direction in radians.
    pub max_turn: f64,
}

/// One end of a fragment: where it is and which way the line runs there.
#[derive(Debug, Clone, Copy)]
struct End {
    at: Point,
    direction: Point,
}

/// A fragment that may be continued by another.
#[derive(Debug, Clone, Copy)]
struct Bond {
    from: usize,
    to: usize,
    cost: f64,
}

/// Orders fragments into lines: each chain holds the indices of the fragments
/// of one line from its start to its end, chains are ordered by their smallest
/// index, and every fragment is in exactly one chain. Only fragments with the
/// same value in `groups` are joined; the nearest pairs first.
///
/// # Errors
/// [`Error::Shape`] if there isn't one group per line, [`Error::NonFinite`] if
/// a coordinate isn't finite, [`Error::Range`] for a negative or non-finite rule.
pub fn chains(lines: &[Vec<Point>], groups: &[usize], rules: Rules) -> Result<Vec<Vec<usize>>> {
    if groups.len() != lines.len() {
        return Err(Error::shape("groups", format!("{} entries for {} lines", groups.len(), lines.len())));
    }
    if lines.iter().flatten().flatten().any(|v| !v.is_finite()) {
        return Err(Error::NonFinite { arg: "baselines" });
    }
    for (name, value) in
        [("max_gap", rules.max_gap), ("max_offset", rules.max_offset), ("max_turn", rules.max_turn)]
    {
        if !value.is_finite() || value < 0.0 {
            return Err(Error::range(name, format!("{value}, needs to be finite and not negative")));
        }
    }
    let mut bonds = bonds(lines, groups, rules);
    if let Some(pitch) = line_pitch(lines).filter(|_| !bonds.is_empty()) {
        bonds.retain(|b| !is_gutter(lines, *b, pitch));
    }
    bonds.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.from.cmp(&b.from)).then(a.to.cmp(&b.to)));
    Ok(linked(lines.len(), &bonds))
}

/// All pairs of fragments that may be joined.
fn bonds(lines: &[Vec<Point>], groups: &[usize], rules: Rules) -> Vec<Bond> {
    let reach = rules.max_gap.max(REACH);
    let ends: Vec<Option<[End; 2]>> = lines.iter().map(|l| ends(l, reach)).collect();
    let far = rules.max_gap + rules.max_offset;
    let mut found = Vec::new();
    for (from, tail) in ends.iter().enumerate().filter_map(|(i, e)| Some((i, e.as_ref()?[1]))) {
        for (to, head) in ends.iter().enumerate().filter_map(|(j, e)| Some((j, e.as_ref()?[0]))) {
            if from == to || groups[from] != groups[to] || dist(tail.at, head.at) > far {
                continue;
            }
            if let Some(cost) = cost(tail, head, rules) {
                found.push(Bond { from, to, cost });
            }
        }
    }
    found
}

/// Start and end of a line; `None` for lines without extent.
fn ends(line: &[Point], reach: f64) -> Option<[End; 2]> {
    let (first, last) = (*line.first()?, *line.last()?);
    let length = polyline::length(line);
    let reach = reach.min(length);
    let towards = |a: Point, b: Point| {
        let d = dist(a, b);
        (d > 0.0).then(|| sub(b, a).map(|v| v / d))
    };
    let head = End { at: first, direction: towards(first, polyline::point_at(line, reach)?)? };
    let tail = End { at: last, direction: towards(polyline::point_at(line, length - reach)?, last)? };
    Some([head, tail])
}

/// How badly `head` continues `tail`; `None` if it doesn't.
fn cost(tail: End, head: End, rules: Rules) -> Option<f64> {
    let turn = cross(tail.direction, head.direction).atan2(dot(tail.direction, head.direction));
    if turn.abs() > rules.max_turn {
        return None;
    }
    let gap = sub(head.at, tail.at);
    let mean = [0, 1].map(|k| tail.direction[k] + head.direction[k]);
    let norm = dot(mean, mean).sqrt();
    let forward = dot(gap, mean) / norm;
    // Ends may overlap a little, where both were prolonged to a blob's edge.
    if norm == 0.0 || forward > rules.max_gap || forward < -rules.max_offset {
        return None;
    }
    let offset = if forward > 0.0 {
        dist(along(tail.at, tail.direction, forward / 2.0), along(head.at, head.direction, -forward / 2.0))
    } else {
        cross(mean, gap).abs() / norm
    };
    (offset <= rules.max_offset).then(|| forward.abs().hypot(SIDEWAYS * offset))
}

/// Whether the gap of a bond goes on between the lines above or below it.
fn is_gutter(lines: &[Vec<Point>], bond: Bond, pitch: f64) -> bool {
    let (Some(&a), Some(&b)) = (lines[bond.from].last(), lines[bond.to].first()) else { return false };
    let middle = [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])];
    let (Some(&back), Some(&front)) = (lines[bond.from].first(), lines[bond.to].last()) else { return false };
    let chord = sub(front, back);
    let length = dist(front, back);
    if length == 0.0 {
        return false;
    }
    let d = chord.map(|v| v / length);
    let flank = dist(a, b) / 2.0 + FLANK * pitch;
    // Per side: does a line end left of the gap, does one begin right of it, does one cross it?
    let mut seen = [[false; 3]; 2];
    for (k, line) in lines.iter().enumerate() {
        if k == bond.from || k == bond.to || line.is_empty() {
            continue;
        }
        let local = line.iter().map(|q| {
            let g = sub(*q, middle);
            [dot(g, d), cross(d, g)]
        });
        let local: Vec<Point> = local.collect();
        let (v, what) = match at_zero(&local) {
            Some(v) => (v, 2),
            None => match local.iter().copied().min_by(|p, q| p[0].abs().total_cmp(&q[0].abs())) {
                Some(q) if q[0].abs() <= flank => (q[1], usize::from(q[0] > 0.0)),
                _ => continue,
            },
        };
        if v.abs() > SAME_LINE * pitch && v.abs() < VICINITY * pitch {
            seen[usize::from(v > 0.0)][what] = true;
        }
    }
    seen.iter().any(|[left, right, across]| *left && *right && !across)
}

/// `v` nearest to 0 at which a line in local coordinates crosses `u = 0`.
fn at_zero(local: &[Point]) -> Option<f64> {
    let crossings = local.windows(2).filter(|w| w[0][0].min(w[1][0]) <= 0.0 && w[0][0].max(w[1][0]) >= 0.0);
    let at = crossings.map(|w| {
        let width = w[1][0] - w[0][0];
        let t = if width == 0.0 { 0.0 } else { -w[0][0] / width };
        w[0][1] + t * (w[1][1] - w[0][1])
    });
    at.min_by(|a, b| a.abs().total_cmp(&b.abs()))
}

/// Median distance of lines from their nearest neighbour above or below;
/// `None` if no line has one. Lines that are less than 3 px apart count as one.
pub fn line_pitch(lines: &[Vec<Point>]) -> Option<f64> {
    let mut nearest: Vec<f64> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let (Some(middle), Some(&a), Some(&b)) = (polyline::midpoint(line), line.first(), line.last()) else {
            continue;
        };
        let length = dist(a, b);
        if length == 0.0 {
            continue;
        }
        let d = sub(b, a).map(|v| v / length);
        let others = lines.iter().enumerate().filter(|(k, _)| *k != i);
        let distances = others.filter_map(|(_, other)| {
            let local: Vec<Point> = other
                .iter()
                .map(|q| {
                    let g = sub(*q, middle);
                    [dot(g, d), cross(d, g)]
                })
                .collect();
            at_zero(&local).map(f64::abs).filter(|v| *v >= 3.0)
        });
        nearest.extend(distances.min_by(f64::total_cmp));
    }
    nearest.sort_by(f64::total_cmp);
    nearest.get(nearest.len() / 2).copied()
}

/// Chains from bonds, the first ones winning.
fn linked(count: usize, bonds: &[Bond]) -> Vec<Vec<usize>> {
    let (mut next, mut previous) = (vec![None; count], vec![None; count]);
    let mut chain: Vec<usize> = (0..count).collect();
    let root = |chain: &[usize], mut i: usize| {
        while chain[i] != i {
            i = chain[i];
        }
        i
    };
    for b in bonds {
        let (from, to) = (root(&chain, b.from), root(&chain, b.to));
        if next[b.from].is_none() && previous[b.to].is_none() && from != to {
            next[b.from] = Some(b.to);
            previous[b.to] = Some(b.from);
            chain[from.max(to)] = from.min(to);
        }
    }
    let mut out: Vec<Vec<usize>> = (0..count)
        .filter(|i| previous[*i].is_none())
        .map(|i| std::iter::successors(Some(i), |k| next[*k]).collect())
        .collect();
    out.sort_by_key(|c| c.iter().min().copied());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { max_gap: 20.0, max_offset: 6.0, max_turn: 0.5 };

    fn level(x0: f64, x1: f64, y: f64) -> Vec<Point> {
        vec![[x0, y], [x1, y]]
    }

    #[test]
    fn fragments_are_ordered_along_their_line() -> Result<()> {
        let lines = [level(150.0, 200.0, 51.0), level(10.0, 60.0, 50.0), level(70.0, 140.0, 50.0)];
        assert_eq!(chains(&lines, &[0; 3], RULES)?, [[1, 2, 0]]);
        assert_eq!(chains(&lines, &[0, 0, 1], RULES)?.len(), 3);
        let narrow = Rules { max_gap: 9.0, ..RULES };
        assert_eq!(chains(&lines, &[0; 3], narrow)?.len(), 3);
        Ok(())
    }

    #[test]
    fn columns_stay_apart() -> Result<()> {
        let rows = (0..5).map(f64::from);
        let lines: Vec<Vec<Point>> = rows
            .flat_map(|r| [level(10.0, 100.0, 30.0 * r), level(115.0, 200.0, 30.0 * r + 1.0)])
            .chain([level(10.0, 200.0, -30.0)])
            .collect();
        assert_eq!(chains(&lines, &[0; 11], RULES)?.len(), 11);
        assert!((line_pitch(&lines).unwrap_or(0.0) - 30.0).abs() < 2.0);
        Ok(())
    }

    #[test]
    fn rings_of_bonds_are_cut() -> Result<()> {
        let c = |a: f64| [50.0 * a.cos(), 50.0 * a.sin()];
        let arc = |a: f64| (0..12).map(|i| c(a + f64::from(i) * 0.1)).collect::<Vec<_>>();
        let lines: Vec<Vec<Point>> =
            (0..5).map(|i| arc(f64::from(i) * std::f64::consts::TAU / 5.0)).collect();
        let found = chains(&lines, &[0; 5], Rules { max_turn: 1.0, ..RULES })?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].len(), 5);
        Ok(())
    }

    #[test]
    fn bad_input_is_an_error() {
        let nan = [vec![[f64::NAN, 0.0], [1.0, 1.0]]];
        assert!(chains(&nan, &[0], RULES).is_err());
        assert!(chains(&[level(0.0, 1.0, 0.0)], &[], RULES).is_err());
        assert!(chains(&[], &[], Rules { max_gap: -1.0, ..RULES }).is_err());
        assert_eq!(chains(&[vec![], vec![[1.0, 1.0]; 3]], &[0, 0], RULES), Ok(vec![vec![0], vec![1]]));
    }
}
