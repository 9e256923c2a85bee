//! Resizing of 8-bit images with the Lanczos filter.
//!
//! Recognition models were trained on lines that Pillow has resized, so results
//! equal those of its `Image.resize(size, LANCZOS)`: two passes, each rounded
//! to 8 bits, with weights that are multiples of 2⁻²².

use std::f64::consts::PI;
use std::ops::Range;

use super::raster::Raster;
use crate::{Error, Result};

/// Bits behind the point of the weights.
const PRECISION: u32 = 22;
/// Reach of the filter in pixels of the smaller image.
const LANCZOS: f64 = 3.0;
/// Pixels that a result may have.
const MAX_PIXELS: usize = 1 << 28;

/// Where the values of one position come from.
struct Window {
    first: usize,
    weights: Range<usize>,
}

/// The windows of all positions along an axis.
struct Axis {
    windows: Vec<Window>,
    weights: Vec<i32>,
}

/// Turkowski, "Filters for common resampling tasks" (1990).
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    if (-LANCZOS..LANCZOS).contains(&x) { sinc(x) * sinc(x / LANCZOS) } else { 0.0 }
}

impl Axis {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let stretch = scale.max(1.0);
        let support = LANCZOS * stretch;
        let mut axis = Self { windows: Vec::with_capacity(to), weights: Vec::new() };
        for i in 0..to {
            let centre = (i as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            let raw: Vec<f64> =
                (first..end).map(|k| lanczos((k as f64 - centre + 0.5) * (1.0 / stretch))).collect();
            let sum: f64 = raw.iter().sum();
            let start = axis.weights.len();
            let fixed = |w: &f64| {
                let w = if sum == 0.0 { *w } else { w / sum } * f64::from(1 << PRECISION);
                (w + 0.5_f64.copysign(w)) as i32
            };
            axis.weights.extend(raw.iter().map(fixed));
            axis.windows.push(Window { first, weights: start..axis.weights.len() });
        }
        axis
    }

    /// First value and weights of each position.
    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.windows.iter().map(|w| (w.first, &self.weights[w.weights.clone()]))
    }
}

/// Half a unit: sums begin with it, so that cutting rounds.
const HALF: i32 = 1 << (PRECISION - 1);

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The image in another size.
///
/// # Errors
/// [`Error::Geometry`] if the image or the result has no pixels or the result too many.
pub fn resize(image: &Raster<u8>, width: usize, height: usize) -> Result<Raster<u8>> {
    if image.data.is_empty() || width == 0 || height == 0 || width.saturating_mul(height) > MAX_PIXELS {
        let detail = format!("can't resize {}×{} to {width}×{height} pixels", image.width, image.height);
        return Err(Error::Geometry(detail));
    }
    Ok(match (width == image.width, height == image.height) {
        (true, true) => image.clone(),
        (false, true) => along_x(image, width),
        (true, false) => along_y(image, height),
        (false, false) if rows_first([image.width, image.height], [width, height]) => {
            along_x(&along_y(image, height), width)
        }
        (false, false) => along_y(&along_x(image, width), height),
    })
}

/// Whether Pillow (from release 13 on) takes the pass that changes the height
/// first. The order matters by a unit at most, since values in between are
/// rounded, too.
fn rows_first([width, height]: [usize; 2], [new_width, new_height]: [usize; 2]) -> bool {
    let lost = |from: usize, to: usize| from as f64 - to as f64;
    new_height < height && lost(height, new_height) > 2.0 * lost(width, new_width)
}

fn along_x(image: &Raster<u8>, width: usize) -> Raster<u8> {
    match image.channels {
        1 => widen::<1>(image, width),
        3 => widen::<3>(image, width),
        _ => {
            let mut out = Raster::zeros(width, image.height, image.channels);
            for channel in 0..image.channels {
                let plane = image.data.iter().skip(channel).step_by(image.channels).copied().collect();
                let plane = Raster { data: plane, channels: 1, ..*image };
                let values = widen::<1>(&plane, width).data;
                for (o, v) in out.data.iter_mut().skip(channel).step_by(image.channels).zip(values) {
                    *o = v;
                }
            }
            out
        }
    }
}

fn widen<const C: usize>(image: &Raster<u8>, width: usize) -> Raster<u8> {
    let axis = Axis::new(image.width, width);
    let mut out = Raster::zeros(width, image.height, C);
    let rows = image.data.chunks_exact(image.width * C).zip(out.data.chunks_exact_mut(width * C));
    for (from, to) in rows {
        let (from, to) = (from.as_chunks::<C>().0, to.as_chunks_mut::<C>().0);
        for ((first, weights), px) in axis.iter().zip(to) {
            let mut sums = [HALF; C];
            for (value, &w) in from[first..].iter().zip(weights) {
                for (sum, &v) in sums.iter_mut().zip(value) {
                    // Weights sum up to 2²², values stay below 2⁸: 31 bits suffice.
                    *sum = sum.wrapping_add(w.wrapping_mul(i32::from(v)));
                }
            }
            *px = sums.map(to_byte);
        }
    }
    out
}

fn along_y(image: &Raster<u8>, height: usize) -> Raster<u8> {
    let axis = Axis::new(image.height, height);
    let stride = image.width * image.channels;
    let mut out = Raster::zeros(image.width, height, image.channels);
    let mut sums = vec![0_i32; stride];
    for ((first, weights), to) in axis.iter().zip(out.data.chunks_exact_mut(stride)) {
        sums.fill(HALF);
        for (from, &w) in image.data[first * stride..].chunks_exact(stride).zip(weights) {
            for (sum, &v) in sums.iter_mut().zip(from) {
                *sum = sum.wrapping_add(w.wrapping_mul(i32::from(v)));
            }
        }
        for (t, &sum) in to.iter_mut().zip(&sums) {
            *t = to_byte(sum);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_images_stay_flat() -> Result<()> {
        for (width, height) in [(1, 1), (3, 50), (40, 2), (7, 5)] {
            for channels in [1, 2, 3] {
                let image = Raster { data: vec![200; 35 * channels], width: 7, height: 5, channels };
                let out = resize(&image, width, height)?;
                assert_eq!((out.width, out.height, out.channels), (width, height, channels));
                assert!(out.data.iter().all(|v| *v == 200));
            }
        }
        Ok(())
    }

    #[test]
    fn sizes_without_pixels_are_errors() {
        let image = Raster { data: vec![1_u8; 4], width: 2, height: 2, channels: 1 };
        assert!(resize(&image, 0, 4).is_err());
        assert!(resize(&image, usize::MAX, 4).is_err());
        assert!(resize(&Raster::zeros(0, 3, 1), 4, 4).is_err());
    }
}
