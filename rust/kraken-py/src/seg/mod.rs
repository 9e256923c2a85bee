//! Bindings of `kraken_core::seg`.

mod polygonise;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    polygonise::register(m)
}
