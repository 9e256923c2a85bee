//! Sub-pixel placement of straightened lines.
//!
//! Recognition models learnt from line images whose quadrilaterals had been
//! cut to whole pixels: on average these lie half a pixel beside the exact
//! place, and each corner wobbles by up to a pixel. The smooth part of that
//! displacement is kept, so that strokes lie where models expect them; the
//! wobble is not.

use super::curved::{Ends, Station, sample};
use crate::geom::sub;

/// Degree of the polynomial along the line that counts as smooth.
const DEGREE: i32 = 3;
/// Greatest displacement in px.
const LIMIT: f64 = 1.0;

/// The smooth part of what cutting `stations` to whole pixels would displace
/// the upper and lower ends of the columns `exact` by: the least-squares
/// polynomial along the line per coordinate.
pub fn smooth_offsets(stations: &[Station], exact: &[Ends]) -> Vec<Ends> {
    let moved = sample(&cut_to_pixels(stations), exact.len());
    let mut offsets = vec![[[0.0; 2]; 2]; exact.len()];
    if moved.len() != exact.len() {
        return offsets;
    }
    let basis = orthonormal_polynomials(exact.len());
    for end in 0..2 {
        for axis in 0..2 {
            let raw: Vec<f64> = moved.iter().zip(exact).map(|(m, e)| sub(m[end], e[end])[axis]).collect();
            for polynomial in &basis {
                let weight: f64 = polynomial.iter().zip(&raw).map(|(p, r)| p * r).sum();
                for (offset, p) in offsets.iter_mut().zip(polynomial) {
                    offset[end][axis] += weight * p;
                }
            }
            for offset in &mut offsets {
                offset[end][axis] = offset[end][axis].clamp(-LIMIT, LIMIT);
            }
        }
    }
    offsets
}

/// Cuts towards 0. What is whole but for rounding errors counts as whole.
fn cut(v: f64) -> f64 {
    (v + 1e-6 * v.signum()).trunc()
}

/// Positions and ends cut to whole numbers, the last station excepted.
fn cut_to_pixels(stations: &[Station]) -> Vec<Station> {
    let mut out: Vec<Station> = Vec::with_capacity(stations.len());
    for (i, station) in stations.iter().enumerate() {
        let last = i + 1 == stations.len();
        let x = cut(station.x);
        if out.last().is_some_and(|s| s.x >= x) {
            continue;
        }
        let ends = if last { station.ends } else { station.ends.map(|p| p.map(cut)) };
        out.push(Station { x, ends });
    }
    out
}

/// Polynomials of degree 0…[`DEGREE`] over `n` equally spaced values, each of
/// norm 1 and orthogonal to the others (Gram–Schmidt).
fn orthonormal_polynomials(n: usize) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for degree in 0..=DEGREE {
        let mut p: Vec<f64> = (0..n).map(|i| ((2 * i + 1) as f64 / n as f64 - 1.0).powi(degree)).collect();
        for q in &basis {
            let weight: f64 = p.iter().zip(q).map(|(a, b)| a * b).sum();
            p.iter_mut().zip(q).for_each(|(a, b)| *a -= weight * b);
        }
        let norm = p.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm < 1e-9 {
            break; // Fewer columns than coefficients.
        }
        for v in &mut p {
            *v /= norm;
        }
        basis.push(p);
    }
    basis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_stations_are_not_displaced() {
        let stations = [0.0, 10.0].map(|x| Station { x, ends: [[x, 0.0], [x, 8.0]] });
        let exact = sample(&stations, 10);
        assert!(smooth_offsets(&stations, &exact).iter().flatten().flatten().all(|v| v.abs() < 1e-12));
        assert!(smooth_offsets(&stations, &[]).is_empty());
        assert_eq!(orthonormal_polynomials(2).len(), 2);
    }

    #[test]
    fn the_mean_of_the_cut_stays() {
        let stations: Vec<Station> = (0..=100)
            .map(|k| Station { x: f64::from(k), ends: [[f64::from(k), 5.75], [f64::from(k), 9.0]] })
            .collect();
        let exact = sample(&stations, 100);
        for offset in smooth_offsets(&stations, &exact) {
            assert!((offset[0][1] + 0.75).abs() < 0.2 && offset[1][1].abs() < 1e-9);
        }
    }
}
