//! Lines whose baseline is one segment: the patch is rotated.

use super::{Line, Options, checked_size};
use crate::Result;
use crate::geom::{Point, dist, sub};
use crate::image::fill::{masked, masked_bordered};
use crate::image::raster::{Raster, View};
use crate::image::sample::Sample;
use crate::image::warp::{Column, Sampler, Sampling, warp_columns};

/// Rotates the masked patch by the angle of the baseline `a`–`b`.
///
/// The canvas holds the rotated centres of the corner pixels. With
/// `whole_centres` (the legacy method), pixel centres lie at whole coordinates
/// and pixels are taken as they are.
pub fn extract<T: Sample>(
    line: &Line<'_>,
    patch: View<'_, T>,
    [a, b]: [Point; 2],
    options: Options,
    whole_centres: bool,
) -> Result<Raster<T>> {
    let ring = line.in_patch(line.boundary);
    let (d, length) = (sub(b, a), dist(a, b));
    let (cos, sin) = (d[0] / length, d[1] / length);
    if (cos, sin) == (1.0, 0.0) {
        return Ok(masked(patch, &ring));
    }
    let (right, bottom) = (patch.width() as f64 - 1.0, patch.height() as f64 - 1.0);
    let corners = [[0.0, 0.0], [0.0, bottom], [right, bottom], [right, 0.0]]
        .map(|[x, y]| [x * cos + y * sin, y * cos - x * sin]);
    let extent = |axis: usize| {
        let values = corners.map(|c| c[axis]);
        let min = values.into_iter().fold(f64::INFINITY, f64::min);
        let max = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        (min, (max - min + 1.0).round_ties_even())
    };
    let ((left, width), (top, height)) = (extent(0), extent(1));
    let [width, height] = checked_size(width, height)?;
    // Models that need the legacy method saw grey lines sampled at whole
    // distances from the patch's corner. Nearest neighbours move by a pixel along
    // whole stretches if that phase differs, so the canvas starts at a whole one.
    let (left, top) =
        if whole_centres && patch.channels() == 1 { (left.floor(), top.floor()) } else { (left, top) };
    let (first, shift) = if whole_centres { (0.0, 0.5) } else { (0.5, 0.0) };
    let columns: Vec<Column> = (0..width)
        .map(|i| {
            let x = i as f64 + first + left;
            Column { origin: [x * cos + shift, x * sin + shift], normal: [-sin, cos] }
        })
        .collect();
    let sampling = if whole_centres { Sampling::NearestInside } else { options.sampling() };
    let source = masked_bordered(patch, &ring);
    let sampler = Sampler::bordered(&source, sampling, options.alpha);
    Ok(warp_columns(sampler, &columns, first + top, height))
}
