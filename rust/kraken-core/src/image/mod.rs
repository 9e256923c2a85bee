//! Filters, labels and contours of single-channel images.

pub mod center;
pub mod fill;
pub mod raster;
pub mod warp;
