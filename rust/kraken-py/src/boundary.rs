//! Helpers that every binding uses.

use kraken_core::Result;
use pyo3::prelude::*;

use crate::error::to_py;

/// Runs `f` without the GIL and maps its error.
pub fn run<T, F>(py: Python<'_>, f: F) -> PyResult<T>
where
    T: Send,
    F: FnOnce() -> Result<T> + Send,
{
    py.detach(f).map_err(to_py)
}
