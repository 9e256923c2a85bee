//! Open chains of segments.

use super::farthest::Farthest;
use super::{Point, along, dist, sub};

/// Length in pixels.
pub fn length(line: &[Point]) -> f64 {
    line.windows(2).map(|w| dist(w[0], w[1])).sum()
}

/// The point at `distance` from the start; clamped to the ends. `None` for an
/// empty line.
pub fn point_at(line: &[Point], distance: f64) -> Option<Point> {
    let first = *line.first()?;
    let mut left = distance;
    if left <= 0.0 {
        return Some(first);
    }
    for w in line.windows(2) {
        let l = dist(w[0], w[1]);
        if l > 0.0 && left <= l {
            return Some(along(w[0], sub(w[1], w[0]), left / l));
        }
        left -= l;
    }
    line.last().copied()
}

/// The part of a line between two distances from its start, clamped to its ends;
/// empty if there is none.
pub fn substring(line: &[Point], from: f64, to: f64) -> Vec<Point> {
    let (from, to) = (from.max(0.0), to.min(length(line)));
    let (Some(start), Some(end)) = (point_at(line, from), point_at(line, to)) else { return Vec::new() };
    if from > to {
        return Vec::new();
    }
    let mut out = vec![start];
    let mut travelled = 0.0;
    for w in line.windows(2) {
        travelled += dist(w[0], w[1]);
        if travelled > from && travelled < to {
            out.push(w[1]);
        }
    }
    out.push(end);
    out
}

/// The point at half the length. `None` for an empty line.
pub fn midpoint(line: &[Point]) -> Option<Point> {
    point_at(line, length(line) / 2.0)
}

/// Middle and length of every segment.
pub fn midpoints(line: &[Point]) -> impl Iterator<Item = (Point, f64)> + '_ {
    line.windows(2).map(|w| (along(w[0], sub(w[1], w[0]), 0.5), dist(w[0], w[1])))
}

/// Drops points equal to their predecessor.
pub fn dedup(line: &[Point]) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::with_capacity(line.len());
    for &p in line {
        if out.last() != Some(&p) {
            out.push(p);
        }
    }
    out
}

/// Douglas–Peucker simplification of an open line: no dropped point is
/// farther than `tolerance` from the result, both ends are kept.
///
/// Douglas & Peucker, "Algorithms for the reduction of the number of points
/// required to represent a digitized line or its caricature" (1973). Iterative,
/// so the depth of the recursion doesn't depend on the input; where splits are
/// lopsided, a tree of boxes keeps the cost from growing with the square.
pub fn simplify(line: &[Point], tolerance: f64) -> Vec<Point> {
    if line.len() < 3 {
        return line.to_vec();
    }
    let mut keep = vec![false; line.len()];
    keep[0] = true;
    keep[line.len() - 1] = true;
    let mut stack = vec![(0, line.len() - 1)];
    let farthest = Farthest::new(line);
    while let Some((a, b)) = stack.pop() {
        if let Some(i) = farthest.between(a, b, tolerance) {
            keep[i] = true;
            stack.push((a, i));
            stack.push((i, b));
        }
    }
    line.iter().zip(keep).filter_map(|(p, k)| k.then_some(*p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simplify_keeps_corners_and_drops_collinear_points() {
        let line = [[0.0, 0.0], [5.0, 0.1], [10.0, 0.0], [10.0, 10.0]];
        assert_eq!(simplify(&line, 1.0), vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]);
        assert_eq!(simplify(&line, 0.01).len(), 4);
    }

    #[test]
    fn substrings_keep_the_vertices_between() {
        let line = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]];
        assert_eq!(substring(&line, 4.0, 12.0), vec![[4.0, 0.0], [10.0, 0.0], [10.0, 2.0]]);
        assert_eq!(substring(&line, -1.0, 99.0), line);
        assert_eq!(substring(&[], 0.0, 1.0), Vec::<Point>::new());
    }

    #[test]
    fn lopsided_splits_do_not_cost_the_square() {
        // Each split takes off one tooth: a scan per split would look at 2·10¹⁰ points.
        let n = 200_000_u32;
        let tooth = |i: u32| [f64::from(i), if i.is_multiple_of(2) { 0.0 } else { 1e6 - 4.0 * f64::from(i) }];
        let line: Vec<Point> = (0..n).map(tooth).collect();
        assert_eq!(simplify(&line, 1.0).len(), line.len());
    }

    #[test]
    fn midpoint_counts_length_not_vertices() {
        let line = [[0.0, 0.0], [2.0, 0.0], [2.0, 0.0], [10.0, 0.0]];
        assert_eq!(midpoint(&line), Some([5.0, 0.0]));
        assert_eq!(midpoint(&[]), None);
        assert_eq!(midpoint(&[[3.0, 4.0]]), Some([3.0, 4.0]));
    }
}
