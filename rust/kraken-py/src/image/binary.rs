//! Binarisation and the filters that it is made of.

use kraken_core::Result;
use kraken_core::image::filter::gaussian::{self, Gaussian};
use kraken_core::image::filter::spline::{self, Axis};
use kraken_core::image::filter::{extreme, rank, uniform};
use kraken_core::image::nlbin::{self, Params};
use numpy::{PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use super::filters::shaped;
use crate::boundary::run;

#[pyfunction]
#[pyo3(name = "nlbin", signature = (image, threshold, zoom, escale, border, perc, range, low, high, threads=1))]
#[allow(clippy::too_many_arguments, reason = "the options of the method")]
fn binarise<'py>(
    py: Python<'py>,
    image: PyReadonlyArray2<'py, u8>,
    threshold: f64,
    zoom: f64,
    escale: f64,
    border: f64,
    perc: f64,
    range: i64,
    low: f64,
    high: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (h, w) = image.as_array().dim();
    let values = image.as_slice()?;
    let range = usize::try_from(range).unwrap_or(0);
    let params = Params { threshold, zoom, escale, border, perc, range, low, high };
    let out = run(py, || nlbin::nlbin(values, w, h, &params, threads))?;
    shaped(py, out, (h, w))
}

/// A function from image to image of the same size.
fn filtered<'py>(
    py: Python<'py>,
    data: &PyReadonlyArray2<'py, f64>,
    f: impl FnOnce(Vec<f64>, [usize; 2]) -> Result<Vec<f64>> + Send,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (h, w) = data.as_array().dim();
    let values = data.as_slice()?.to_vec();
    let out = run(py, || f(values, [w, h]))?;
    shaped(py, out, (h, w))
}

#[pyfunction]
#[pyo3(signature = (data, sigmas, orders=(0, 0), threads=1))]
fn gaussian_filter<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f64>,
    sigmas: (f64, f64),
    orders: (u8, u8),
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let kernel = |sigma, order: u8| Gaussian { sigma, derivative: order > 0 };
    let kernels = [kernel(sigmas.0, orders.0), kernel(sigmas.1, orders.1)];
    filtered(py, &data, |values, size| gaussian::gaussian(values, size, kernels, threads))
}

#[pyfunction]
#[pyo3(signature = (data, size, threads=1))]
fn uniform_filter<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f64>,
    size: (usize, usize),
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    filtered(py, &data, |values, shape| uniform::uniform(values, shape, [size.0, size.1], threads))
}

#[pyfunction]
#[pyo3(signature = (data, size, threads=1))]
fn maximum_filter<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f64>,
    size: (usize, usize),
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    filtered(py, &data, |values, shape| extreme::maximum(values, shape, [size.0, size.1], threads))
}

#[pyfunction]
#[pyo3(signature = (data, size, threads=1))]
fn minimum_filter<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f64>,
    size: (usize, usize),
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    filtered(py, &data, |values, shape| extreme::minimum(values, shape, [size.0, size.1], threads))
}

#[pyfunction]
#[pyo3(signature = (data, size, percentile, threads=1))]
fn percentile_filter<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f64>,
    size: (usize, usize),
    percentile: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let window = [size.0, size.1];
    filtered(py, &data, |values, shape| rank::percentile(&values, shape, window, percentile, threads))
}

#[pyfunction]
#[pyo3(signature = (data, rows, columns, threads=1))]
fn resample_cubic<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (h, w) = data.as_array().dim();
    let values = data.as_slice()?.to_vec();
    let shape = (rows.len(), columns.len());
    let out = run(py, || {
        let axes = [&Axis::new(h, rows.into_iter()), &Axis::new(w, columns.into_iter())];
        spline::resample(values, [w, h], axes, threads)
    })?;
    shaped(py, out, shape)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(binarise, m)?)?;
    m.add_function(wrap_pyfunction!(gaussian_filter, m)?)?;
    m.add_function(wrap_pyfunction!(uniform_filter, m)?)?;
    m.add_function(wrap_pyfunction!(maximum_filter, m)?)?;
    m.add_function(wrap_pyfunction!(minimum_filter, m)?)?;
    m.add_function(wrap_pyfunction!(percentile_filter, m)?)?;
    m.add_function(wrap_pyfunction!(resample_cubic, m)?)
}
