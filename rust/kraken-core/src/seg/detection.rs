//! How well detected lines agree with those of the ground truth.

use std::collections::HashMap;

use crate::geom::{Point, polygon};
use crate::{Error, Result};

/// Pairs of lines that agree at all, with their scores.
type Scores = Vec<(usize, usize, f64)>;

/// Sum of scores of the one-to-one assignment of `found` to `truth` with the
/// largest sum.
///
/// The score of line A against B is the mean over the points of A of 1 up to a
/// distance `tolerance` from the nearest point of B, falling linearly to 0 at
/// three times that (Grüning et al., "READ-BAD", 2018); that of the pair is the
/// mean of both directions. Lines whose boxes lie farther apart aren't
/// compared, and only groups of lines that agree somehow are assigned together,
/// so the time grows about linearly with the number of lines on a page.
///
/// With `single`, squared distances between lines of which one has more than
/// [`MANY_POINTS`] are found from squared lengths and a product in single
/// precision, as matrix libraries do: recorded scores depend on its rounding.
///
/// # Errors
/// If the tolerance isn't positive, or a coordinate isn't finite.
pub fn best_assignment(
    found: &[Vec<Point>],
    truth: &[Vec<Point>],
    tolerance: f64,
    single: bool,
) -> Result<f64> {
    if !tolerance.is_finite() || tolerance <= 0.0 {
        return Err(Error::range("tolerance", format!("{tolerance} isn't a positive number")));
    }
    if found.iter().chain(truth).flatten().flatten().any(|v| !v.is_finite()) {
        return Err(Error::NonFinite { arg: "lines" });
    }
    let boxes: Vec<Option<[f64; 4]>> = truth.iter().map(|l| polygon::bounds(l)).collect();
    let mut scores = Scores::new();
    for (i, line) in found.iter().enumerate() {
        let Some(b) = polygon::bounds(line) else { continue };
        for (j, other) in boxes.iter().enumerate() {
            let Some(o) = other else { continue };
            let apart = (b[0] - o[2]).max(o[0] - b[2]).max(b[1] - o[3]).max(o[1] - b[3]);
            if apart < 3.0 * tolerance {
                let score = similarity(line, &truth[j], tolerance, single);
                if score > 0.0 {
                    scores.push((i, j, score));
                }
            }
        }
    }
    Ok(groups(&scores, found.len(), truth.len()).iter().map(assign).sum())
}

/// Number of points from which on a product of matrices replaces differences.
const MANY_POINTS: usize = 25;

/// Squared distance of two points.
fn squared(p: &Point, q: &Point) -> f64 {
    (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2)
}

/// Squared distance of two points as an entry of a product of matrices in
/// single precision: |p|² - 2pq + |q|², rounded after each term.
// The rounding is the point of it.
#[allow(clippy::cast_possible_truncation)]
fn squared_by_product(p: &Point, q: &Point) -> f64 {
    // products of single numbers are exact in double precision
    let round = |v: f64| f64::from(v as f32);
    let norm = |p: &Point| round(round(p[0] * p[0]) + round(p[1] * p[1]));
    let sum = round(-2.0 * p[0] * q[0]);
    let sum = round(sum - 2.0 * p[1] * q[1]);
    round(round(sum + norm(p)) + norm(q)).max(0.0)
}

/// Mean of the scores of a against b and of b against a.
fn similarity(a: &[Point], b: &[Point], tolerance: f64, single: bool) -> f64 {
    let squared = if single && a.len().max(b.len()) > MANY_POINTS { squared_by_product } else { squared };
    let mut back = vec![f64::INFINITY; b.len()];
    let mut forth = Vec::with_capacity(a.len());
    for p in a {
        let mut nearest = f64::INFINITY;
        for (q, back) in b.iter().zip(&mut back) {
            let d = squared(p, q);
            nearest = nearest.min(d);
            *back = back.min(d);
        }
        forth.push(nearest);
    }
    let mean = |distances: &[f64]| {
        let score = |d: &f64| ((3.0 * tolerance - d.sqrt()) / (2.0 * tolerance)).clamp(0.0, 1.0);
        distances.iter().map(score).sum::<f64>() / distances.len() as f64
    };
    f64::midpoint(mean(&forth), mean(&back))
}

/// The scores, divided into groups without a line in common.
fn groups(scores: &Scores, found: usize, truth: usize) -> Vec<Scores> {
    let mut parent: Vec<usize> = (0..found + truth).collect();
    let root = |mut k: usize, parent: &mut Vec<usize>| {
        while parent[k] != k {
            parent[k] = parent[parent[k]];
            k = parent[k];
        }
        k
    };
    for &(i, j, _) in scores {
        let (a, b) = (root(i, &mut parent), root(found + j, &mut parent));
        parent[a] = b;
    }
    let mut slots = HashMap::new();
    let mut groups: Vec<Scores> = Vec::new();
    for &pair in scores {
        let next = groups.len();
        let slot = *slots.entry(root(pair.0, &mut parent)).or_insert(next);
        if slot == next {
            groups.push(Vec::new());
        }
        groups[slot].push(pair);
    }
    groups
}

/// The largest sum of scores of pairs without a line in common: the Hungarian
/// method with potentials (Jonker & Volgenant 1987), cubic in the smaller side.
fn assign(scores: &Scores) -> f64 {
    let number = |side: fn(&(usize, usize, f64)) -> usize| {
        let mut ids: Vec<usize> = scores.iter().map(side).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let (mut rows, mut columns) = (number(|p| p.0), number(|p| p.1));
    let swap = rows.len() > columns.len();
    if swap {
        std::mem::swap(&mut rows, &mut columns);
    }
    let (n, m) = (rows.len(), columns.len());
    let mut cost = vec![0.0; n * m];
    for &(i, j, score) in scores {
        let (i, j) = if swap { (j, i) } else { (i, j) };
        if let (Ok(r), Ok(c)) = (rows.binary_search(&i), columns.binary_search(&j)) {
            cost[r * m + c] = -score;
        }
    }
    // Column 0 and row 0 are helpers; the others are numbered from 1.
    let (mut u, mut v) = (vec![0.0; n + 1], vec![0.0; m + 1]);
    let mut row_of = vec![0; m + 1];
    for row in 1..=n {
        row_of[0] = row;
        let mut column = 0;
        let (mut least, mut seen, mut from) =
            (vec![f64::INFINITY; m + 1], vec![false; m + 1], vec![0; m + 1]);
        while row_of[column] != 0 {
            seen[column] = true;
            let (r, mut step, mut next) = (row_of[column], f64::INFINITY, 0);
            for c in 1..=m {
                if !seen[c] {
                    let reduced = cost[(r - 1) * m + c - 1] - u[r] - v[c];
                    if reduced < least[c] {
                        least[c] = reduced;
                        from[c] = column;
                    }
                    if least[c] < step {
                        step = least[c];
                        next = c;
                    }
                }
            }
            for c in 0..=m {
                if seen[c] {
                    u[row_of[c]] += step;
                    v[c] -= step;
                } else {
                    least[c] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[from[column]];
            column = from[column];
        }
    }
    (1..=m).filter(|&c| row_of[c] != 0).map(|c| -cost[(row_of[c] - 1) * m + c - 1]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(y: f64) -> Vec<Point> {
        (0..20).map(|k| [5.0 * f64::from(k), y]).collect()
    }

    #[test]
    fn equal_and_distant_lines() {
        let lines = [line(0.0), line(50.0), line(100.0)];
        assert_eq!(best_assignment(&lines, &lines, 10.0, false), Ok(3.0));
        assert_eq!(best_assignment(&lines, &[line(131.0)], 10.0, false), Ok(0.0));
        assert_eq!(best_assignment(&lines, &[line(120.0)], 10.0, false), Ok(0.5));
        assert_eq!(best_assignment(&[], &lines, 10.0, false), Ok(0.0));
    }

    #[test]
    fn rounding_of_products_in_single_precision() {
        let long = |y: f64| -> Vec<Point> { (0..30).map(|k| [5.3 * f64::from(k), y]).collect() };
        let score =
            |y: f64, single| best_assignment(&[long(900.3)], &[long(y)], 1.0, single).unwrap_or(f64::NAN);
        assert_eq!(score(900.3, false), 1.0);
        // squares of about 10⁶ leave a sixteenth to single precision
        let difference = (score(902.1, true) - score(902.1, false)).abs();
        assert!(0.0 < difference && difference < 0.05, "{difference}");
        let short = [[0.0, 900.0], [100.0, 900.0]].to_vec();
        let other = [[0.0, 902.0], [100.0, 902.0]].to_vec();
        assert_eq!(best_assignment(&[short], &[other], 1.0, true), Ok(0.5));
    }

    #[test]
    fn the_sum_decides_not_the_best_pair() {
        let score = |pairs: &[(usize, usize, f64)]| assign(&pairs.to_vec());
        assert!((score(&[(0, 0, 1.0), (0, 1, 0.9), (1, 0, 0.9)]) - 1.8).abs() < 1e-12);
        assert!((score(&[(3, 2, 0.4), (4, 2, 0.5), (9, 2, 0.1)]) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn bad_arguments() {
        assert!(best_assignment(&[], &[], 0.0, false).is_err());
        assert!(best_assignment(&[], &[], f64::NAN, false).is_err());
        assert!(best_assignment(&[vec![[f64::NAN, 0.0]]], &[], 1.0, false).is_err());
        assert_eq!(best_assignment(&[vec![]], &[vec![]], 1.0, false), Ok(0.0));
    }
}
