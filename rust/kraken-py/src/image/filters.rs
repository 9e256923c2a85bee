//! Ridge filter, labels, skeletons, holes and maxima.

use kraken_core::image::labels::{self, Connectivity};
use kraken_core::image::{self, ridge};
use kraken_core::{Error, Result};
use ndarray::Array2;
use numpy::{PyArray2, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;

use crate::boundary::run;
use crate::error::to_py;

/// A buffer as an array of the shape it was made for.
pub fn shaped<T: numpy::Element>(
    py: Python<'_>,
    data: Vec<T>,
    shape: (usize, usize),
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let array =
        Array2::from_shape_vec(shape, data).map_err(|e| to_py(Error::shape("data", e.to_string())))?;
    Ok(array.to_pyarray(py))
}

#[pyfunction]
#[pyo3(signature = (data, sigmas, floor=0.0, threads=0))]
fn ridge_strength<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f32>,
    sigmas: Vec<f64>,
    floor: f32,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (h, w) = data.as_array().dim();
    let values = data.as_slice()?;
    let out = run(py, || ridge::ridge_strength(values, w, h, &sigmas, floor, threads))?;
    shaped(py, out, (h, w))
}

#[pyfunction]
fn label<'py>(
    py: Python<'py>,
    mask: PyReadonlyArray2<'py, u8>,
    connectivity: usize,
) -> PyResult<(Bound<'py, PyArray2<u32>>, usize)> {
    let (h, w) = mask.as_array().dim();
    let values = mask.as_slice()?;
    let found = run(py, || {
        let connectivity = match connectivity {
            4 => Connectivity::Four,
            8 => Connectivity::Eight,
            other => return Err(Error::range("connectivity", format!("{other} is neither 4 nor 8"))),
        };
        labels::label(values, w, h, connectivity)
    })?;
    Ok((shaped(py, found.of, (h, w))?, found.count))
}

/// A function from mask to mask.
fn masked<'py>(
    py: Python<'py>,
    mask: &PyReadonlyArray2<'py, u8>,
    f: fn(&[u8], usize, usize) -> Result<Vec<u8>>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (h, w) = mask.as_array().dim();
    let values = mask.as_slice()?;
    let out = run(py, || f(values, w, h))?;
    shaped(py, out, (h, w))
}

#[pyfunction]
fn fill_holes<'py>(py: Python<'py>, mask: PyReadonlyArray2<'py, u8>) -> PyResult<Bound<'py, PyArray2<u8>>> {
    masked(py, &mask, labels::fill_holes)
}

#[pyfunction]
fn thin<'py>(py: Python<'py>, mask: PyReadonlyArray2<'py, u8>) -> PyResult<Bound<'py, PyArray2<u8>>> {
    masked(py, &mask, image::thin::thin)
}

#[pyfunction]
fn max_filter<'py>(
    py: Python<'py>,
    data: PyReadonlyArray2<'py, f32>,
    rx: usize,
    ry: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (h, w) = data.as_array().dim();
    let values = data.as_slice()?;
    let out = run(py, || image::max_filter::max_filter(values, w, h, rx, ry))?;
    shaped(py, out, (h, w))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(ridge_strength, m)?)?;
    m.add_function(wrap_pyfunction!(label, m)?)?;
    m.add_function(wrap_pyfunction!(fill_holes, m)?)?;
    m.add_function(wrap_pyfunction!(thin, m)?)?;
    m.add_function(wrap_pyfunction!(max_filter, m)?)
}
