//! Label sequences and Unicode text.
