//! Bindings of `kraken_core::image`.

mod binary;
mod draw;
mod energy;
mod filters;
mod lines;
mod png;

use pyo3::prelude::*;

pub use filters::shaped;

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    binary::register(m)?;
    draw::register(m)?;
    energy::register(m)?;
    filters::register(m)?;
    lines::register(m)?;
    png::register(m)
}
