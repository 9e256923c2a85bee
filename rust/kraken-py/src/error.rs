//! The one place where core errors become Python exceptions.

use kraken_core::Error;
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// Every core error is bad input, which Python callers know as `ValueError`.
/// (A foreign trait on a foreign type can't be implemented, hence a function.)
pub fn to_py(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
