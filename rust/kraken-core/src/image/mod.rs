//! Filters, labels and contours of single-channel images.

pub mod sobel;
