//! Bindings of `kraken_core::text::distance`.

use kraken_core::text::distance;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::boundary::run;

#[pyfunction]
fn edit_distance(py: Python<'_>, a: Vec<u32>, b: Vec<u32>) -> PyResult<usize> {
    run(py, || Ok(distance::distance(&a, &b)))
}

#[pyfunction]
fn align_sequences(py: Python<'_>, a: Vec<u32>, b: Vec<u32>) -> PyResult<(usize, Bound<'_, PyBytes>)> {
    let (total, steps) = run(py, || distance::align(&a, &b))?;
    let bytes: Vec<u8> = steps.into_iter().map(|step| step as u8).collect();
    Ok((total, PyBytes::new(py, &bytes)))
}

/// Adds these functions to submodule `text`.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(edit_distance, m)?)?;
    m.add_function(wrap_pyfunction!(align_sequences, m)?)
}
