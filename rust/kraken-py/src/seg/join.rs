//! Bindings of `kraken_core::seg::join`.

use kraken_core::geom::Point;
use kraken_core::seg::join::{self, Rules};
use pyo3::prelude::*;

use crate::boundary::run;

#[pyfunction]
fn fragment_chains(
    py: Python<'_>,
    lines: Vec<Vec<Point>>,
    groups: Vec<usize>,
    max_gap: f64,
    max_offset: f64,
    max_turn: f64,
) -> PyResult<Vec<Vec<usize>>> {
    run(py, || join::chains(&lines, &groups, Rules { max_gap, max_offset, max_turn }))
}

#[pyfunction]
fn line_pitch(py: Python<'_>, lines: Vec<Vec<Point>>) -> PyResult<Option<f64>> {
    run(py, || Ok(join::line_pitch(&lines)))
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(fragment_chains, m)?)?;
    m.add_function(wrap_pyfunction!(line_pitch, m)?)
}
