//! The one error type of the crate.

/// Result with the crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// What can be wrong with the input of a kernel. Every variant names the
/// argument at fault, so that the message makes sense to a Python caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array or sequence has the wrong number of dimensions or elements.
    #[error("{arg} has the wrong shape: {detail}")]
    Shape {
        /// Name of the argument.
        arg: &'static str,
        /// What was found and what is needed.
        detail: String,
    },
    /// A number is outside of its permitted range.
    #[error("{arg} is out of range: {detail}")]
    Range {
        /// Name of the argument.
        arg: &'static str,
        /// What was found and what is permitted.
        detail: String,
    },
    /// Something that needs at least one element has none.
    #[error("{arg} is empty")]
    Empty {
        /// Name of the argument.
        arg: &'static str,
    },
    /// A coordinate or value is NaN or infinite.
    #[error("{arg} holds a value that is not finite")]
    NonFinite {
        /// Name of the argument.
        arg: &'static str,
    },
    /// A file isn't of the format that it should be.
    #[error("{arg}, line {line}: {detail}")]
    Format {
        /// Name of the argument.
        arg: &'static str,
        /// Line at fault, the first one being 1.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// A line or polygon has a form that the operation can't treat.
    #[error("{0}")]
    Geometry(String),
}

impl Error {
    /// Shorthand for [`Error::Shape`].
    pub fn shape(arg: &'static str, detail: impl Into<String>) -> Self {
        Self::Shape { arg, detail: detail.into() }
    }

    /// Shorthand for [`Error::Format`].
    pub fn format(arg: &'static str, line: usize, detail: impl Into<String>) -> Self {
        Self::Format { arg, line, detail: detail.into() }
    }

    /// Shorthand for [`Error::Range`].
    pub fn range(arg: &'static str, detail: impl Into<String>) -> Self {
        Self::Range { arg, detail: detail.into() }
    }
}
