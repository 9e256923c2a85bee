//! Label sequences and Unicode text.

pub mod align;
pub mod beam;
pub mod bidi;
pub mod codes;
pub mod ctc;
pub mod distance;
pub mod lexicon;
pub mod lm;
pub mod markup;
mod paths;
pub mod pattern;
pub mod scorer;
