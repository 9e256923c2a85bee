//! Label sequences and Unicode text.

pub mod align;
pub mod beam;
pub mod bidi;
pub mod ctc;
mod paths;
