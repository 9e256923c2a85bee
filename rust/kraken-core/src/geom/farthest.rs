//! The farthest of many points from a segment.

use super::{Point, dist_to_segment};

/// Points that are looked at one by one.
const LEAF: usize = 16;
/// Below this number of points a tree doesn't pay.
const FEW: usize = 256;

type Bounds = [f64; 4];

/// Points of a line in order, with the boxes around ever longer runs of them.
///
/// A query follows the run whose box reaches farthest and leaves out those that
/// can't hold a farther point: the distance from a segment is convex, so no
/// point of a box is farther than one of its corners.
pub(super) struct Farthest<'a> {
    points: &'a [Point],
    /// Boxes of runs of [`LEAF`] points, of pairs of those, and so on.
    levels: Vec<Vec<Bounds>>,
    /// What rounding may add to a distance.
    slack: f64,
}

impl<'a> Farthest<'a> {
    pub(super) fn new(points: &'a [Point]) -> Self {
        let mut levels = Vec::new();
        if points.len() >= FEW {
            let mut level: Vec<Bounds> = points.chunks(LEAF).map(around).collect();
            while level.len() > 1 {
                let next = level.chunks(2).map(|pair| pair.iter().copied().fold(EMPTY, joined)).collect();
                levels.push(std::mem::replace(&mut level, next));
            }
            levels.push(level);
        }
        let reach = points.iter().flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
        Self { points, levels, slack: 1e-9 * reach }
    }

    /// The first of the points between the indices `a` and `b` that is
    /// farthest from the segment between the points with these indices, if
    /// that is farther than `tolerance`.
    pub(super) fn between(&self, a: usize, b: usize, tolerance: f64) -> Option<usize> {
        let mut search = Search { tree: self, a, b, best: tolerance, found: None };
        if b - a < FEW || self.levels.is_empty() {
            search.scan(a + 1, b);
        } else {
            search.descend(self.levels.len() - 1, 0);
        }
        search.found
    }
}

const EMPTY: Bounds = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];

fn joined(a: Bounds, b: Bounds) -> Bounds {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

fn around(points: &[Point]) -> Bounds {
    points.iter().fold(EMPTY, |b, p| joined(b, [p[0], p[1], p[0], p[1]]))
}

struct Search<'a> {
    tree: &'a Farthest<'a>,
    a: usize,
    b: usize,
    best: f64,
    found: Option<usize>,
}

impl Search<'_> {
    fn distance(&self, p: Point) -> f64 {
        dist_to_segment(p, self.tree.points[self.a], self.tree.points[self.b])
    }

    fn scan(&mut self, from: usize, to: usize) {
        for i in from..to {
            let d = self.distance(self.tree.points[i]);
            if d > self.best || d == self.best && self.found.is_some_and(|f| i < f) {
                (self.best, self.found) = (d, Some(i));
            }
        }
    }

    /// Whether a node may hold a better point; how far it reaches.
    fn promise(&self, level: usize, node: usize) -> Option<f64> {
        let size = LEAF << level;
        let &[x0, y0, x1, y1] = self.tree.levels[level].get(node)?;
        if (node + 1) * size <= self.a + 1 || node * size >= self.b {
            return None;
        }
        let corners = [[x0, y0], [x1, y0], [x0, y1], [x1, y1]];
        let reach = corners.iter().map(|c| self.distance(*c)).fold(0.0, f64::max);
        // Distances that aren't numbers promise anything.
        let vain = reach + 1e-9 * reach + self.tree.slack < self.best;
        (!vain).then_some(reach)
    }

    fn descend(&mut self, level: usize, node: usize) {
        if level == 0 {
            let (from, to) = (node * LEAF, (node + 1) * LEAF);
            self.scan(from.max(self.a + 1), to.min(self.b));
            return;
        }
        let children = [2 * node, 2 * node + 1];
        let reach = children.map(|c| self.promise(level - 1, c));
        let order = if reach[1] > reach[0] { [1, 0] } else { [0, 1] };
        for k in order {
            // The first child may have raised the mark.
            if reach[k].is_some() && self.promise(level - 1, children[k]).is_some() {
                self.descend(level - 1, children[k]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(points: &[Point], a: usize, b: usize, tolerance: f64) -> Option<usize> {
        let mut worst = (tolerance, None);
        for (i, p) in points.iter().enumerate().take(b).skip(a + 1) {
            let d = dist_to_segment(*p, points[a], points[b]);
            if d > worst.0 {
                worst = (d, Some(i));
            }
        }
        worst.1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn the_tree_finds_what_a_scan_finds(
            steps in prop::collection::vec((-4..5_i32, -4..5_i32), FEW..900),
            ends in (0.0..0.3_f64, 0.7..1.0_f64),
            tolerance in 0.0..20.0_f64,
            odd in 0..4_usize,
        ) {
            let mut at = [0.0, 0.0];
            let mut points: Vec<Point> = steps.iter().map(|(x, y)| {
                at = [at[0] + f64::from(*x), at[1] + f64::from(*y)];
                at
            }).collect();
            let n = points.len();
            match odd {
                1 => points[n / 2] = [f64::NAN, 3.0],
                2 => points[n / 2] = [f64::INFINITY, 3.0],
                _ => {}
            }
            let (a, b) = ((ends.0 * n as f64) as usize, (ends.1 * n as f64) as usize);
            prop_assert_eq!(Farthest::new(&points).between(a, b, tolerance), plain(&points, a, b, tolerance));
            prop_assert_eq!(Farthest::new(&points).between(0, n - 1, 0.0), plain(&points, 0, n - 1, 0.0));
        }
    }
}
