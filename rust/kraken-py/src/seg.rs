//! Bindings of `kraken_core::seg`.

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
