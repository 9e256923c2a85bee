//! Bindings of `kraken_core::seg`.

mod detection;
mod extract;
mod order;
mod polygonise;
mod vectorise;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    detection::register(m)?;
    extract::register(m)?;
    order::register(m)?;
    polygonise::register(m)?;
    vectorise::register(m)
}
