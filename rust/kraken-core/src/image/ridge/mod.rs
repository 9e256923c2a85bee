//! Multi-scale ridge detection.

mod kernel;
mod strip;

use super::check_size;
use super::max_filter::max_filter;
use crate::{Result, par};
use strip::{Padded, Scale};

/// Rows and columns of a tile: work is skipped tile by tile.
const TILE_ROWS: usize = 8;
const TILE_COLS: usize = strip::LANES;

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
    check_size("map", map.len(), width, height)?;
    if let Some(s) = sigmas.iter().find(|s| !(0.5..=100.0).contains(*s)) {
        return Err(crate::Error::range("sigmas", format!("{s} isn't between 0.5 and 100 px")));
    }
    if map.is_empty() {
        return Ok(Vec::new());
    }
    let map = Padded::new(map, width, height);
    let scales: Vec<(Scale, Vec<bool>)> = {
        let tiles = tile_maxima(&map);
        let made = par::map_indices(sigmas.len(), threads, |k| {
            active_tiles(&tiles, width, height, sigmas[k], floor)
                .map(|active| (Scale::new(sigmas[k], width, height), active))
        });
        made.into_iter().collect::<Result<_>>()?
    };
    let across = width.div_ceil(TILE_COLS);
    let strips = par::map_indices(height.div_ceil(TILE_ROWS), threads, |t| {
        let rows = t * TILE_ROWS..((t + 1) * TILE_ROWS).min(height);
        let mut out = vec![0.0; rows.len() * width];
        for (scale, active) in &scales {
            scale.add_strip(&map, rows.clone(), &active[t * across..][..across], &mut out);
        }
        out
    });
    Ok(strips.concat())
}

/// Maximum of each tile.
fn tile_maxima(map: &Padded) -> Vec<f32> {
    let across = map.width.div_ceil(TILE_COLS);
    let mut tiles = vec![0.0_f32; across * map.height.div_ceil(TILE_ROWS)];
    for y in 0..map.height {
        for (x, part) in map.row(y).chunks(TILE_COLS).enumerate() {
            let tile = &mut tiles[y / TILE_ROWS * across + x];
            *tile = part.iter().fold(*tile, |m, &v| m.max(v));
        }
    }
    tiles
}

/// Tiles in which the response at `sigma` may exceed `floor`.
///
/// The positive lobe of σ² times the negated second derivative, |t| < σ across
/// the ridge, has a mass of 2 φ(1) = 0.484, and at most 0.04 of it lies
/// farther than 2 σ from the centre. So with m the largest value within 2 σ
/// (and 1 px for sampling) a response is at most 0.484 m + 0.04; the factors
/// below leave some room. Near the border the cut-off filters are bounded by
/// the plain maximum.
fn active_tiles(tiles: &[f32], width: usize, height: usize, sigma: f64, floor: f32) -> Result<Vec<bool>> {
    let (across, down) = (width.div_ceil(TILE_COLS), height.div_ceil(TILE_ROWS));
    let within =
        |reach: usize| max_filter(tiles, across, down, reach.div_ceil(TILE_COLS), reach.div_ceil(TILE_ROWS));
    let near = within((2.0 * sigma).ceil() as usize + 1)?;
    let far = within(kernel::radius(sigma))?;
    let margin = kernel::radius(sigma);
    let at_border = |i: usize, size: usize, len: usize| i * size < margin || (i + 1) * size + margin > len;
    Ok((0..tiles.len())
        .map(|i| {
            let (x, y) = (i % across, i / across);
            if at_border(x, TILE_COLS, width) || at_border(y, TILE_ROWS, height) {
                far[i] > 0.0 && far[i] >= floor
            } else {
                far[i] > 0.0 && 0.5 * near[i] + 0.05 * far[i] >= floor
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGMAS: [f64; 5] = [1.0, 3.0, 5.0, 7.0, 9.0];

    fn bars(width: usize, height: usize) -> Vec<f32> {
        (0..width * height)
            .map(|i| if (i / width) % 40 < 5 { ((i % 97) as f32 / 96.0).sqrt() } else { 0.01 })
            .collect()
    }

    #[test]
    fn skipping_tiles_and_threads_change_nothing_above_the_floor() {
        let (w, h) = (311, 205);
        let map = bars(w, h);
        let full = ridge_strength(&map, w, h, &SIGMAS, 0.0, 1).unwrap_or_default();
        let quick = ridge_strength(&map, w, h, &SIGMAS, 0.17, 3).unwrap_or_default();
        assert_eq!(full.len(), w * h);
        assert!(full.iter().zip(&quick).all(|(f, q)| if *f > 0.17 { f == q } else { *q <= 0.17 }));
        assert!(full.iter().any(|&f| f > 0.3));
    }

    #[test]
    fn an_image_that_is_all_border_works() {
        for (w, h) in [(1, 1), (3, 40), (40, 3), (17, 16)] {
            let all = ridge_strength(&vec![1.0; w * h], w, h, &SIGMAS, 0.0, 1).unwrap_or_default();
            assert!(all.len() == w * h && all.iter().all(|v| v.is_finite() && *v >= 0.0));
        }
        assert_eq!(ridge_strength(&[], 0, 9, &SIGMAS, 0.1, 1), Ok(vec![]));
        assert!(ridge_strength(&[0.0; 4], 3, 2, &SIGMAS, 0.1, 1).is_err());
        assert!(ridge_strength(&[0.0; 4], 2, 2, &[f64::NAN], 0.1, 1).is_err());
    }
}
