//! Label sequences and Unicode text.

pub mod beam;
pub mod bidi;
pub mod ctc;
pub mod distance;
mod paths;
