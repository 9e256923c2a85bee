//! Line images: the pixels of a line polygon, with the baseline made straight
//! and horizontal (spec chapter geometry §5).

mod curved;
mod frame;
mod input;
mod legacy;
mod placement;
mod straight;

use crate::geom::polygon::bounds;
use crate::geom::{Point, polyline};
use crate::image::raster::{Raster, View};
use crate::image::sample::Sample;
use crate::image::warp::Sampling;
use crate::{Error, Result};

pub use input::{Input, Prepared};

/// Baselines shorter than this (px) make no line.
const MIN_LENGTH: f64 = 5.0;
/// Pixels that a line image may have. A baseline that runs to and fro over a
/// page a thousand times would otherwise fill the memory.
const MAX_PIXELS: usize = 1 << 27;

/// How line images are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Take pixels as they are instead of interpolating between them.
    pub nearest: bool,
    /// The last channel is opacity.
    pub alpha: bool,
    /// Repeat the method that old models were trained with.
    pub legacy: bool,
}

impl Options {
    fn sampling(self) -> Sampling {
        if self.nearest { Sampling::Nearest } else { Sampling::Bilinear }
    }
}

/// A line that has passed all checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    baseline: Vec<Point>,
    boundary: &'a [Point],
    bbox: [usize; 4],
}

impl<'a> Line<'a> {
    /// Checks a line against the size of its page and drops repeated points
    /// of the baseline.
    ///
    /// # Errors
    /// [`Error::Geometry`] if the baseline is shorter than 5 px, the boundary
    /// has less than two points, or one of them leaves the page.
    pub fn new(baseline: &[Point], boundary: &'a [Point], page: [usize; 2]) -> Result<Self> {
        let fail = |what: &str| Err(Error::Geometry(what.to_owned()));
        if boundary.len() < 2 {
            return fail("Line polygon has fewer than 2 points");
        }
        let outside = |p: &Point| {
            p.iter().zip(page).any(|(&v, size)| !(v >= 0.0 && v < size as f64)) // NaN is outside, too
        };
        let baseline = polyline::dedup(baseline);
        if polyline::length(&baseline) < MIN_LENGTH || baseline.len() < 2 {
            return fail("Baseline length below minimum 5px");
        }
        if boundary.iter().any(outside) {
            return fail("Line polygon outside of image bounds");
        }
        if baseline.iter().any(outside) {
            return fail("Baseline outside of image bounds");
        }
        let [x0, y0, x1, y1] = bounds(boundary).unwrap_or_default().map(|v| v as usize);
        Ok(Self { baseline, boundary, bbox: [x0, y0, x1 + 1, y1 + 1] })
    }

    /// The box `[x0, y0, x1, y1]` (half-open) of the page that the line needs.
    pub fn bbox(&self) -> [usize; 4] {
        self.bbox
    }

    /// Cuts the line out of its page. `patch` holds the page's pixels in [`Line::bbox`].
    ///
    /// # Errors
    /// [`Error::Shape`] if the patch has another size or more than four
    /// channels, [`Error::Geometry`] if the image would be too large.
    pub fn extract<T: Sample>(&self, patch: View<'_, T>, options: Options) -> Result<Raster<T>> {
        let [x0, y0, x1, y1] = self.bbox;
        let (w, h) = (patch.width(), patch.height());
        if [w, h] != [x1 - x0, y1 - y0] || patch.channels() > 4 {
            let detail =
                format!("{w}×{h}×{} for the box {x0},{y0},{x1},{y1} and up to 4 channels", patch.channels());
            return Err(Error::shape("patch", detail));
        }
        let image = match (self.baseline.as_slice(), options.legacy) {
            ([a, b], legacy) => straight::extract(self, patch, [*a, *b], options, legacy),
            (_, false) => curved::extract(self, patch, options),
            (_, true) => legacy::extract(self, patch, options),
        }?;
        Ok(image.trimmed(options.alpha))
    }

    /// `points` relative to the patch.
    fn in_patch(&self, points: &[Point]) -> Vec<Point> {
        let (x, y) = (self.bbox[0] as f64, self.bbox[1] as f64);
        points.iter().map(|p| [p[0] - x, p[1] - y]).collect()
    }
}

/// Checks the number of pixels of an image to be made.
fn checked_size(width: f64, height: f64) -> Result<[usize; 2]> {
    let (w, h) = (width.max(1.0), height.max(1.0));
    if (w * h).is_nan() || w * h > MAX_PIXELS as f64 {
        let detail = format!("Line image of {width}×{height} pixels is larger than {MAX_PIXELS} pixels");
        return Err(Error::Geometry(detail));
    }
    Ok([w as usize, h as usize])
}

#[cfg(test)]
mod tests;
