//! Bindings of `kraken_core::seg`.

mod extract;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    extract::register(m)
}
