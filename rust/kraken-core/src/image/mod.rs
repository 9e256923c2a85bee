//! Filters, labels and contours of single-channel images.
