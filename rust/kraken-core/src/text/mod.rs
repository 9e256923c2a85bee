//! Label sequences and Unicode text.

pub mod beam;
pub mod bidi;
pub mod ctc;
pub mod markup;
mod paths;
pub mod pattern;
