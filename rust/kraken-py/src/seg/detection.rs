//! Binding of `kraken_core::seg::detection`.

use kraken_core::geom::Point;
use kraken_core::seg::detection;
use pyo3::prelude::*;

use crate::boundary::run;

#[pyfunction]
#[pyo3(signature = (found, truth, tolerance, single=false))]
fn best_assignment(
    py: Python<'_>,
    found: Vec<Vec<Point>>,
    truth: Vec<Vec<Point>>,
    tolerance: f64,
    single: bool,
) -> PyResult<f64> {
    run(py, || detection::best_assignment(&found, &truth, tolerance, single))
}

/// Adds the function of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(best_assignment, m)?)
}
