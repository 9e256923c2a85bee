//! Bindings of `kraken_core::seg`.

mod boxes;
mod detection;
mod extract;
mod join;
mod order;
mod polygonise;
mod vectorise;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    boxes::register(m)?;
    detection::register(m)?;
    extract::register(m)?;
    join::register(m)?;
    order::register(m)?;
    polygonise::register(m)?;
    vectorise::register(m)
}
