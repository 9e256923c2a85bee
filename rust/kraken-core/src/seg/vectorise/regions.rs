//! Regions from heatmaps.

use super::meeting::rings_that_meet;
use crate::geom::{Point, dist_to_segment, polygon};
use crate::image::contour::{split_at_repeats, trace};
use crate::image::labels::{Connectivity, fill_holes, label};
use crate::{Error, Result};

/// Deviations in pixels that the simplification of an outline may cause; the
/// first that leaves the ring valid and apart from its neighbours is used.
const TOLERANCES: [f64; 6] = [10.0, 5.0, 2.5, 1.25, 0.6, 0.0];

/// An outline with its simplification at one of the [`TOLERANCES`].
struct Outline {
    exact: Vec<Point>,
    level: usize,
    ring: Vec<Point>,
}

/// Outlines of the areas of a map where values exceed `threshold`: closed
/// simple rings (first = last) through the centres of the outermost pixels, in
/// raster order. Holes, and whatever lies in them, belong to the area; parts
/// that are only a pixel wide have no area and are left out.
///
/// # Errors
/// If `map` doesn't have `width * height` values, or the threshold is NaN.
pub fn vectorise_regions(
    map: &[f32],
    width: usize,
    height: usize,
    threshold: f32,
) -> Result<Vec<Vec<[i64; 2]>>> {
    if threshold.is_nan() {
        return Err(Error::NonFinite { arg: "threshold" });
    }
    let mask: Vec<u8> = map.iter().map(|&v| u8::from(v > threshold)).collect();
    let filled = fill_holes(&mask, width, height)?;
    let labels = label(&filled, width, height, Connectivity::Eight)?;
    let mut rings: Vec<Vec<[i64; 2]>> = Vec::new();
    let mut next = 1;
    for (i, &l) in labels.of.iter().enumerate() {
        if l != next {
            continue;
        }
        next += 1;
        let inside = |[x, y]: [i64; 2]| {
            x >= 0
                && y >= 0
                && (x as usize) < width
                && (y as usize) < height
                && labels.of[y as usize * width + x as usize] == l
        };
        let walk = trace([(i % width) as i64, (i / width) as i64], inside);
        rings.extend(split_at_repeats(&walk).into_iter().filter(|r| has_area(r)));
    }
    let shifts = merge_depths(rings.len());
    let mut outlines: Vec<Outline> = rings
        .iter_mut()
        .zip(shifts)
        .map(|(ring, shift)| {
            let n = ring.len();
            ring.rotate_left(shift % n);
            Outline::new(corners(ring))
        })
        .collect();
    separate(&mut outlines);
    let integers = |o: Outline| o.ring.iter().chain(o.ring.first()).map(|p| p.map(|v| v as i64)).collect();
    Ok(outlines.into_iter().map(integers).collect())
}

fn has_area(ring: &[[i64; 2]]) -> bool {
    let points: Vec<Point> = ring.iter().map(|p| p.map(|v| v as f64)).collect();
    polygon::signed_area(&points) != 0.0
}

/// How many pairwise unions each of `n` outlines takes part in when the list
/// is halved until single outlines are left.
///
/// Simplification keeps the point at which an outline starts, and recorded
/// outlines start one pixel further on for every union of two. For outlines
/// not much larger than the tolerance this decides on their form.
fn merge_depths(n: usize) -> Vec<usize> {
    let mut depths = vec![0; n];
    let mut ranges = vec![(0, n)];
    while let Some((from, to)) = ranges.pop() {
        if to - from > 1 {
            let middle = usize::midpoint(from, to);
            depths[from..to].iter_mut().for_each(|d| *d += 1);
            ranges.extend([(from, middle), (middle, to)]);
        }
    }
    depths
}

/// The first point of a pixel outline and those at which it turns.
fn corners(ring: &[[i64; 2]]) -> Vec<Point> {
    let n = ring.len();
    let step = |i: usize| [0, 1].map(|k| ring[(i + 1) % n][k] - ring[i][k]);
    (0..n).filter(|&i| i == 0 || step(i - 1) != step(i)).map(|i| ring[i].map(|v| v as f64)).collect()
}

impl Outline {
    fn new(exact: Vec<Point>) -> Self {
        let mut outline = Self { ring: Vec::new(), level: 0, exact };
        outline.refine(0);
        outline
    }

    /// Simplifies by the first tolerance from `level` on that gives a ring.
    fn refine(&mut self, level: usize) {
        self.level = level;
        self.ring = simplify_ring(&self.exact, TOLERANCES[level]);
        while self.level + 1 < TOLERANCES.len() && !(self.ring.len() > 3 && polygon::is_simple(&self.ring)) {
            self.level += 1;
            self.ring = simplify_ring(&self.exact, TOLERANCES[self.level]);
        }
    }
}

/// Douglas–Peucker for a ring, whose first point stays. Until the result has
/// four points, the ring and its two halves are split at their farthest points
/// even if those are within the tolerance, so that small rings stay rings.
fn simplify_ring(ring: &[Point], tolerance: f64) -> Vec<Point> {
    if tolerance == 0.0 {
        return ring.to_vec();
    }
    let n = ring.len();
    let mut out: Vec<Point> = Vec::new();
    let mut stack = vec![(0, n, 1)];
    while let Some((from, to, depth)) = stack.pop() {
        let (a, b) = (ring[from], ring[to % n]);
        let mut worst = (0.0, from);
        for (i, p) in ring.iter().enumerate().take(to).skip(from + 1) {
            let d = dist_to_segment(*p, a, b);
            if d > worst.0 {
                worst = (d, i);
            }
        }
        let points = if out.is_empty() { 0 } else { out.len() + 1 };
        let forced = points < 4 && depth < 3;
        if worst.1 != from && (forced || worst.0 > tolerance) {
            stack.extend([(worst.1, to, depth + 1), (from, worst.1, depth + 1)]);
        } else {
            out.push(a);
        }
    }
    out
}

/// Takes finer tolerances for outlines that meet others only because both
/// were simplified, until none do.
fn separate(outlines: &mut [Outline]) {
    let mut suspects = vec![true; outlines.len()];
    for _ in 1..TOLERANCES.len() {
        let rings: Vec<&[Point]> = outlines.iter().map(|o| o.ring.as_slice()).collect();
        suspects = rings_that_meet(&rings, &suspects);
        if !suspects.contains(&true) {
            return;
        }
        for (outline, _) in outlines.iter_mut().zip(&suspects).filter(|(_, s)| **s) {
            outline.refine((outline.level + 1).min(TOLERANCES.len() - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(rows: &[&str]) -> Vec<Vec<[i64; 2]>> {
        let map: Vec<f32> =
            rows.iter().flat_map(|r| r.bytes().map(|b| f32::from(u8::from(b == b'#')))).collect();
        vectorise_regions(&map, rows[0].len(), rows.len(), 0.5).unwrap_or_default()
    }

    #[test]
    fn a_square_keeps_its_corners() {
        assert_eq!(regions(&["....", ".##.", ".##."]), vec![vec![[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]);
        let full = vectorise_regions(&vec![1.0; 10_000], 100, 100, 0.5).unwrap_or_default();
        assert_eq!(full.len(), 1);
        assert_eq!(full[0].len(), 5);
        assert!([[0, 0], [99, 0], [99, 99], [0, 99]].iter().all(|p| full[0].contains(p)));
    }

    #[test]
    fn thin_parts_and_hot_pixels_are_left_out() {
        assert!(regions(&["#..", "...", "###"]).is_empty());
        let dumbbell = regions(&["##.....##", "#########", "##.....##"]);
        assert_eq!(dumbbell.len(), 2);
        assert!(dumbbell.iter().all(|r| {
            let ring: Vec<Point> = r.iter().map(|p| p.map(|v| v as f64)).collect();
            polygon::is_simple(&ring)
        }));
    }

    #[test]
    fn what_lies_in_a_hole_belongs_to_the_region() {
        let rows = ["#######", "#.....#", "#.###.#", "#.###.#", "#.....#", "#######"];
        assert_eq!(regions(&rows).len(), 1);
    }

    #[test]
    fn bad_arguments() {
        assert!(vectorise_regions(&[0.0; 3], 2, 2, 0.5).is_err());
        assert!(vectorise_regions(&[0.0; 4], 2, 2, f32::NAN).is_err());
        assert_eq!(vectorise_regions(&[f32::NAN; 4], 2, 2, 0.5), Ok(vec![]));
        assert_eq!(vectorise_regions(&[], 0, 0, 0.5), Ok(vec![]));
    }
}
