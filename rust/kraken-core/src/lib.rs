//! Kernels of the kraken OCR/HTR engine: everything that works on pixels,
//! polygons and label sequences and needs no tensor library.
//!
//! Conventions: images are row-major; points are `[x, y]` in pixels with y
//! pointing down; ranges are half-open. No function panics on bad input: what
//! can go wrong is an [`Error`].
#![forbid(unsafe_code)]

pub mod error;
pub mod geom;
pub mod image;
pub mod nn;
pub mod par;
pub mod seg;
pub mod text;

pub use error::{Error, Result};
