//! Bindings of what line images need of `kraken_core::image`.

use kraken_core::geom::Point;
use kraken_core::image::{center, fill};
use kraken_core::{Error, Result};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::boundary::run;
use crate::error::to_py;

/// A two-dimensional array of these elements.
fn matrix<T: numpy::Element>(
    py: Python<'_>,
    data: Vec<T>,
    [height, width]: [usize; 2],
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let array = ndarray::Array2::from_shape_vec((height, width), data)
        .map_err(|e| to_py(Error::shape("result", e.to_string())))?;
    Ok(array.into_pyarray(py))
}

#[pyfunction]
fn polygon_mask(
    py: Python<'_>,
    polygon: Vec<Point>,
    width: usize,
    height: usize,
) -> PyResult<Bound<'_, PyArray2<u8>>> {
    let mask = run(py, || -> Result<_> {
        match width.checked_mul(height) {
            Some(n) if n <= 1 << 32 => Ok(fill::mask(&polygon, width, height)),
            _ => Err(Error::range("size", format!("{width}×{height}"))),
        }
    })?;
    matrix(py, mask.data, [height, width])
}

#[pyfunction]
fn measure_centre<'py>(
    py: Python<'py>,
    line: PyReadonlyArray2<'py, f64>,
    across: PyReadonlyArray1<'py, f64>,
    along: PyReadonlyArray1<'py, f64>,
) -> PyResult<(Bound<'py, PyArray1<i64>>, f64)> {
    let (h, w) = (line.shape()[0], line.shape()[1]);
    let (ink, across, along) = (line.as_slice()?, across.as_slice()?, along.as_slice()?);
    let centre = run(py, || center::measure(ink, w, h, across, along))?;
    Ok((centre.rows.into_pyarray(py), centre.spread))
}

#[pyfunction]
fn rescale_to_height<'py>(
    py: Python<'py>,
    image: PyReadonlyArray2<'py, f32>,
    height: usize,
    outside: f32,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (h, w) = (image.shape()[0], image.shape()[1]);
    let data = image.as_slice()?;
    let (scaled, width) = run(py, || center::rescale(data, w, h, height, outside))?;
    matrix(py, scaled, [height, width])
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(polygon_mask, m)?)?;
    m.add_function(wrap_pyfunction!(measure_centre, m)?)?;
    m.add_function(wrap_pyfunction!(rescale_to_height, m)?)
}
