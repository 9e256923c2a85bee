//! Multi-scale ridge detection.

mod gate;
mod kernel;
mod strip;

use super::check_size;
use crate::{Error, Result, par};
use gate::{Gate, Sums, Tiles};
use strip::{LANES, Map, Scale, Strip};

/// Rows of a strip. Whole tiles and cells of the gate.
const STRIP_ROWS: usize = gate::TILE_ROWS;

/// Strength of bright ridges: at each scale the negated smaller eigenvalue of
/// the Hessian, floored at 0, times σ²; the largest over all scales counts.
///
/// Sato et al., "Three-dimensional multi-scale line filter for segmentation
/// and visualization of curvilinear structures in medical images" (1998). The
/// Hessian comes from two first-order Gaussian derivative filters with σ/√2
/// each; what lies outside of the image is 0 for both.
///
/// Values must lie in 0…1 (others are clamped, NaN is 0). Strengths that can't
/// exceed `floor` may be reported as 0: a ridge of strength s needs values
/// above 2 s close by, so most of a sparse map needn't be filtered at all.
///
/// # Errors
/// If `map` doesn't have `width * height` values, or a sigma isn't in 0.5…100.
pub fn ridge_strength(
    map: &[f32],
    width: usize,
    height: usize,
    sigmas: &[f64],
    floor: f32,
    threads: usize,
) -> Result<Vec<f32>> {
    let Some(filter) = Filter::new(map, width, height, sigmas, floor, threads)? else {
        return Ok(Vec::new());
    };
    let mut out = vec![0.0_f32; map.len()];
    par::for_row_strips(&mut out, width, STRIP_ROWS, threads, |first, rows| {
        filter.run(first, rows, |_| false, |strength, out| *out = out.max(strength));
    });
    Ok(out)
}

/// Where [`ridge_strength`] exceeds `threshold`: 1, elsewhere 0.
///
/// The sigmas are tried in the order given, and none where earlier ones have
/// already decided: the most telling ones should come first.
///
/// # Errors
/// As [`ridge_strength`].
pub fn ridge_mask(
    map: &[f32],
    width: usize,
    height: usize,
    sigmas: &[f64],
    threshold: f32,
    threads: usize,
) -> Result<Vec<u8>> {
    let Some(filter) = Filter::new(map, width, height, sigmas, threshold, threads)? else {
        return Ok(Vec::new());
    };
    let mut out = vec![0_u8; map.len()];
    par::for_row_strips(&mut out, width, STRIP_ROWS, threads, |first, rows| {
        let decided = |chunk: &[u8]| !chunk.contains(&0);
        filter.run(first, rows, decided, |strength, out| *out |= u8::from(strength > threshold));
    });
    Ok(out)
}

/// The filter at all scales, ready for a map.
struct Filter<'a> {
    map: Map<'a>,
    sums: Sums,
    scales: Vec<(Scale, Gate)>,
}

impl<'a> Filter<'a> {
    /// `None` for an empty map.
    fn new(
        map: &'a [f32],
        width: usize,
        height: usize,
        sigmas: &[f64],
        floor: f32,
        threads: usize,
    ) -> Result<Option<Self>> {
        check_size("map", map.len(), width, height)?;
        if let Some(s) = sigmas.iter().find(|s| !(0.5..=100.0).contains(*s)) {
            return Err(Error::range("sigmas", format!("{s} isn't between 0.5 and 100 px")));
        }
        if map.is_empty() {
            return Ok(None);
        }
        let map = Map::new(map, width, height);
        let (tiles, sums) = (Tiles::new(&map), Sums::new(&map));
        let scales = par::map_indices(sigmas.len(), threads, |k| {
            let gate = Gate::new(&tiles, sigmas[k], floor)?;
            Ok((Scale::new(sigmas[k], width, height), gate))
        });
        Ok(Some(Self { map, sums, scales: scales.into_iter().collect::<Result<_>>()? }))
    }

    /// Calls `raise(strength, value)` for the values of the strip `out` that
    /// begins at row `first`, once for each scale that may exceed the floor
    /// there, but not for chunks that `decided` says need no more.
    fn run<T>(
        &self,
        first: usize,
        out: &mut [T],
        decided: impl Fn(&[T]) -> bool,
        raise: impl Fn(f32, &mut T),
    ) {
        let width = self.map.width;
        let mut strip = Strip::default();
        for (scale, gate) in &self.scales {
            let mut wanted = gate.open_chunks(&self.sums, first);
            if wanted.is_empty() {
                continue;
            }
            let across = width.div_ceil(LANES);
            for (k, out) in out.chunks_mut(width).enumerate() {
                let wanted = &mut wanted[k * across..][..across];
                for (open, chunk) in wanted.iter_mut().zip(out.chunks(LANES)) {
                    *open = *open && !decided(chunk);
                }
                scale.run(&self.map, first + k, wanted, &mut strip, |x, strengths| {
                    for (out, &s) in out[x..].iter_mut().zip(strengths) {
                        raise(s, out);
                    }
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGMAS: [f64; 5] = [3.0, 5.0, 1.0, 7.0, 9.0];

    fn bars(width: usize, height: usize) -> Vec<f32> {
        (0..width * height)
            .map(|i| if (i / width) % 40 < 5 { ((i % 97) as f32 / 96.0).sqrt() } else { 0.01 })
            .collect()
    }

    /// Dots and strokes of all directions and strengths.
    fn scribble(width: usize, height: usize) -> Vec<f32> {
        let mut map = vec![0.0; width * height];
        for k in 0..40_usize {
            let (x, y) = ((k * 7919) % width, (k * 104_729) % height);
            let (dx, dy) = ((k % 5) as f64 - 2.0, (k % 7) as f64 - 3.0);
            for t in 0..(k % 50) {
                let (px, py) = (x as f64 + dx * t as f64 / 2.0, y as f64 + dy * t as f64 / 3.0);
                if px >= 0.0 && py >= 0.0 && (px as usize) < width && (py as usize) < height {
                    map[py as usize * width + px as usize] = 0.3 + 0.1 * (k % 8) as f32;
                }
            }
        }
        map
    }

    #[test]
    fn skipping_and_threads_change_nothing_above_the_floor() {
        let (w, h) = (311, 205);
        for map in [bars(w, h), scribble(w, h)] {
            let full = ridge_strength(&map, w, h, &SIGMAS, 0.0, 1).unwrap_or_default();
            assert_eq!(full.len(), w * h);
            for floor in [0.05, 0.17, 0.3] {
                let quick = ridge_strength(&map, w, h, &SIGMAS, floor, 3).unwrap_or_default();
                assert!(full.iter().zip(&quick).all(|(f, q)| if *f > floor { f == q } else { *q <= floor }));
                let mask = ridge_mask(&map, w, h, &SIGMAS, floor, 2).unwrap_or_default();
                assert!(full.iter().zip(&mask).all(|(f, m)| u8::from(*f > floor) == *m));
            }
            assert!(full.iter().any(|&f| f > 0.3));
        }
    }

    #[test]
    fn values_out_of_range_are_clamped() {
        let (w, h) = (60, 50);
        let mut wild = bars(w, h);
        let mut tame = wild.clone();
        for (i, (odd, usual)) in [(f32::NAN, 0.0), (f32::INFINITY, 1.0), (-3.0, 0.0)].into_iter().enumerate()
        {
            wild[w * 20 + 17 * i + 11] = odd;
            tame[w * 20 + 17 * i + 11] = usual;
        }
        let strength = |map: &[f32]| ridge_strength(map, w, h, &SIGMAS, 0.0, 1);
        assert_eq!(strength(&wild), strength(&tame));
    }

    #[test]
    fn an_image_that_is_all_border_works() {
        for (w, h) in [(1, 1), (3, 40), (40, 3), (17, 16)] {
            let all = ridge_strength(&vec![1.0; w * h], w, h, &SIGMAS, 0.0, 1).unwrap_or_default();
            assert!(all.len() == w * h && all.iter().all(|v| v.is_finite() && *v >= 0.0));
        }
        assert_eq!(ridge_strength(&[], 0, 9, &SIGMAS, 0.1, 1), Ok(vec![]));
        assert_eq!(ridge_mask(&[], 9, 0, &SIGMAS, 0.1, 1), Ok(vec![]));
        assert!(ridge_strength(&[0.0; 4], 3, 2, &SIGMAS, 0.1, 1).is_err());
        assert!(ridge_mask(&[0.0; 4], 2, 2, &[f64::NAN], 0.1, 1).is_err());
    }
}
