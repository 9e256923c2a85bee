//! Bindings of `kraken_core::image`.

mod filters;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    filters::register(m)
}
