//! Filters, labels and contours of single-channel images.

pub mod contour;
pub mod draw;
pub mod labels;
pub mod max_filter;
pub mod ridge;
pub mod sobel;
pub mod thin;

use crate::{Error, Result};

/// Fails unless a buffer of `len` elements is an image of `width` × `height`
/// whose pixels can be counted in 32 bits.
pub(crate) fn check_size(arg: &'static str, len: usize, width: usize, height: usize) -> Result<()> {
    match width.checked_mul(height) {
        Some(n) if n == len && n < u32::MAX as usize / 2 => Ok(()),
        _ => Err(Error::shape(arg, format!("{len} values can't be an image of {width} × {height} pixels"))),
    }
}
pub mod center;
pub mod fill;
pub mod raster;
pub mod warp;
