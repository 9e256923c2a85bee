//! Bindings of `kraken_core::image`.

mod draw;
mod energy;
mod filters;
mod lines;

use pyo3::prelude::*;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    draw::register(m)?;
    energy::register(m)?;
    filters::register(m)?;
    lines::register(m)
}
