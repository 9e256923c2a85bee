//! Reading order of boxes and baselines.

use std::collections::HashMap;

use super::relation::{Relation, Row};
use crate::geom::{Point, polygon, polyline};
use crate::{Error, Result, par};

/// How lines are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Left to right.
    LeftToRight,
    /// Right to left, by the rule that recorded orders follow. Whatever
    /// reaches between the outer edges of two boxes side by side leaves them
    /// unordered, so columns come out interleaved row by row.
    RightToLeft,
    /// Left to right in the mirror.
    Mirrored,
}

/// A box `[x0, y0, x1, y1]`.
pub type Bounds = [f64; 4];

/// Orders boxes for reading: indices into `boxes`.
///
/// # Errors
/// If a coordinate isn't finite.
pub fn order_boxes(boxes: &[Bounds], direction: Direction, threads: usize) -> Result<Vec<usize>> {
    Ok(partial_order(boxes, direction, threads)?.linearise())
}

/// Which boxes are to be read before which.
///
/// Boxes that overlap in x are read from top to bottom. Boxes side by side are
/// read in the direction of the text unless a third box separates them: one
/// that is equal to neither, reaches into both their x-ranges, and isn't
/// wholly above or below both. This generalises the rules of Breuel, "High
/// performance document layout analysis" (2003). The relation may be cyclic.
///
/// Boxes given with swapped corners are put right first. Quadratic in time,
/// n² bits in memory.
///
/// # Errors
/// If a coordinate isn't finite.
pub fn partial_order(boxes: &[Bounds], direction: Direction, threads: usize) -> Result<Relation> {
    if boxes.iter().flatten().any(|v| !v.is_finite()) {
        return Err(Error::NonFinite { arg: "boxes" });
    }
    let mirror = |[x0, y0, x1, y1]: Bounds| [-x1, y0, -x0, y1];
    let upright = |b: &Bounds| [b[0].min(b[2]), b[1].min(b[3]), b[0].max(b[2]), b[1].max(b[3])];
    let boxes: Vec<Bounds> = boxes
        .iter()
        .map(|b| if direction == Direction::Mirrored { mirror(upright(b)) } else { upright(b) })
        .collect();
    let n = boxes.len();
    let sorted = |side: usize| {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| boxes[i][side].total_cmp(&boxes[j][side]));
        order
    };
    let (by_left, by_right) = (sorted(0), sorted(2));
    let kind = kinds(&boxes);
    let rl = direction == Direction::RightToLeft;
    let threads = if n < 500 { 1 } else { threads };
    let rows = par::map_indices(n, threads, |v| predecessors(&boxes, &kind, &by_left, &by_right, v, rl));
    Ok(Relation::from_rows(rows))
}

/// A number for each box, the same for equal boxes.
fn kinds(boxes: &[Bounds]) -> Vec<usize> {
    let mut known = HashMap::new();
    boxes
        .iter()
        .map(|b| {
            let next = known.len();
            // Adding 0 makes −0 equal to 0.
            *known.entry(b.map(|v| (v + 0.0).to_bits())).or_insert(next)
        })
        .collect()
}

/// The boxes to be read before box `v`.
///
/// Candidates u are visited from left to right by their right edges, and the
/// third boxes w that start to the left of that edge are gathered on the way.
/// Of these it is enough to remember, relative to v, whether one lies level
/// with it, how far down those above reach and how far up those below.
fn predecessors(
    boxes: &[Bounds],
    kind: &[usize],
    by_left: &[usize],
    by_right: &[usize],
    v: usize,
    rl: bool,
) -> Row {
    let mut row = Row::new(boxes.len());
    let [vx0, vy0, vx1, vy1] = boxes[v];
    let (mut level, mut above, mut below) = (Extreme::new(), Extreme::new(), Extreme::new());
    let mut thirds = by_left.iter().peekable();
    for &u in by_right {
        let [ux0, uy0, ux1, uy1] = boxes[u];
        while let Some(&&w) = thirds.peek() {
            let [wx0, wy0, wx1, wy1] = boxes[w];
            if wx0 >= ux1 {
                break;
            }
            thirds.next();
            if wx1 <= vx0 || kind[w] == kind[v] {
                continue;
            }
            if wy1 < vy0 {
                above.raise(wy1, kind[w]);
            } else if wy0 > vy1 {
                below.raise(-wy0, kind[w]);
            } else {
                level.raise(0.0, kind[w]);
            }
        }
        if u == v {
            continue;
        }
        let before = if ux0 < vx1 && ux1 > vx0 {
            uy0 < vy0
        } else {
            (ux1 < vx0) != rl
                && level.without(kind[u]).is_none()
                && above.without(kind[u]).is_none_or(|y| y < uy0)
                && below.without(kind[u]).is_none_or(|y| -y > uy1)
        };
        if before {
            row.insert(u);
        }
    }
    row
}

/// The largest value met so far, with the runner-up of another kind.
struct Extreme {
    best: Option<(f64, usize)>,
    second: Option<f64>,
}

impl Extreme {
    fn new() -> Self {
        Self { best: None, second: None }
    }

    fn raise(&mut self, value: f64, kind: usize) {
        match self.best {
            Some((best, k)) if k == kind => self.best = Some((best.max(value), k)),
            Some((best, _)) if best < value => {
                self.best = Some((value, kind));
                self.second = Some(best);
            }
            Some(_) => self.second = Some(self.second.map_or(value, |s| s.max(value))),
            None => self.best = Some((value, kind)),
        }
    }

    /// The largest value of another kind.
    fn without(&self, kind: usize) -> Option<f64> {
        match self.best {
            Some((_, k)) if k == kind => self.second,
            Some((best, _)) => Some(best),
            None => None,
        }
    }
}

/// Index of the first region that strictly contains the middle of each line.
pub fn assign_regions(lines: &[Vec<Point>], regions: &[Vec<Point>]) -> Vec<Option<usize>> {
    lines
        .iter()
        .map(|line| {
            let middle = polyline::midpoint(line)?;
            regions.iter().position(|region| polygon::strictly_contains(region, middle))
        })
        .collect()
}

/// Orders lines by the bounds of their baselines. Lines of a region are
/// ordered among themselves, then the regions that hold lines among the
/// lines outside.
///
/// # Errors
/// If a line is empty or a coordinate isn't finite.
pub fn order_lines(
    lines: &[Vec<Point>],
    regions: &[Vec<Point>],
    direction: Direction,
    threads: usize,
) -> Result<Vec<usize>> {
    let line_bounds = lines.iter().map(|l| polygon::bounds(l).ok_or(Error::Empty { arg: "lines" }));
    let line_bounds: Vec<Bounds> = line_bounds.collect::<Result<_>>()?;
    let mut items: Vec<(Bounds, Vec<usize>)> = Vec::new();
    let mut members = vec![Vec::new(); regions.len()];
    for (i, region) in assign_regions(lines, regions).into_iter().enumerate() {
        match region {
            Some(r) => members[r].push(i),
            None => items.push((line_bounds[i], vec![i])),
        }
    }
    for (region, members) in regions.iter().zip(members) {
        let Some(bounds) = polygon::bounds(region).filter(|_| !members.is_empty()) else { continue };
        let boxes: Vec<Bounds> = members.iter().map(|&i| line_bounds[i]).collect();
        let order = order_boxes(&boxes, direction, threads)?;
        items.push((bounds, order.into_iter().map(|k| members[k]).collect()));
    }
    let boxes: Vec<Bounds> = items.iter().map(|(b, _)| *b).collect();
    let order = order_boxes(&boxes, direction, threads)?;
    Ok(order.into_iter().flat_map(|k| items[k].1.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Bounds> {
        let column =
            |x: f64| (0..3).map(move |k| [x, 20.0 * f64::from(k), x + 90.0, 20.0 * f64::from(k) + 12.0]);
        column(10.0).chain(column(130.0)).collect()
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        let order = |d| order_boxes(&columns(), d, 1);
        assert_eq!(order(Direction::LeftToRight), Ok(vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(order(Direction::Mirrored), Ok(vec![3, 4, 5, 0, 1, 2]));
        assert_eq!(order(Direction::RightToLeft), Ok(vec![3, 0, 4, 1, 5, 2]));
    }

    #[test]
    fn lines_of_a_region_stay_together() {
        let line = |y: f64| vec![[10.0, y], [100.0, y]];
        let region = vec![[0.0, 0.0], [110.0, 0.0], [110.0, 25.0], [0.0, 25.0]];
        let lines = [line(40.0), line(20.0), line(10.0)];
        let order = order_lines(&lines, &[region], Direction::LeftToRight, 1);
        assert_eq!(order, Ok(vec![2, 1, 0]));
        assert!(order_lines(&[vec![]], &[], Direction::LeftToRight, 1).is_err());
    }

    #[test]
    fn bad_boxes() {
        assert_eq!(order_boxes(&[], Direction::RightToLeft, 0), Ok(vec![]));
        assert!(order_boxes(&[[0.0, f64::NAN, 1.0, 1.0]], Direction::LeftToRight, 1).is_err());
        let swapped = [[9.0, 50.0, 0.0, 40.0], [0.0, 10.0, 9.0, 20.0]];
        assert_eq!(order_boxes(&swapped, Direction::LeftToRight, 1), Ok(vec![1, 0]));
    }
}
