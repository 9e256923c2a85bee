//! Bindings of `kraken_core::image`.

mod lines;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    lines::register(m)
}
