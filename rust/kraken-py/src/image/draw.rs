//! Bindings of `kraken_core::image::draw`.

use kraken_core::geom::Point;
use kraken_core::geom::buffer::Cap;
use kraken_core::image::draw;
use kraken_core::{Error, Result};
use numpy::{IntoPyArray, PyArray2, PyArray3};
use pyo3::prelude::*;

use crate::boundary::run;
use crate::error::to_py;

/// Fails for images that can't be allocated.
fn check(width: usize, height: usize) -> Result<()> {
    match width.checked_mul(height) {
        Some(n) if n <= 1 << 32 => Ok(()),
        _ => Err(Error::range("size", format!("{width}×{height}"))),
    }
}

fn shape_error(e: &ndarray::ShapeError) -> PyErr {
    to_py(Error::shape("result", e.to_string()))
}

#[pyfunction]
fn draw_polygon(
    py: Python<'_>,
    ring: Vec<Point>,
    width: usize,
    height: usize,
) -> PyResult<Bound<'_, PyArray2<u8>>> {
    let map = run(py, || check(width, height).map(|()| draw::polygon_map(&ring, width, height)))?;
    let array = ndarray::Array2::from_shape_vec((height, width), map.data);
    Ok(array.map_err(|e| shape_error(&e))?.into_pyarray(py))
}

#[pyfunction]
#[pyo3(signature = (line, line_width, width, height, square_caps=false))]
fn draw_line(
    py: Python<'_>,
    line: Vec<Point>,
    line_width: f64,
    width: usize,
    height: usize,
    square_caps: bool,
) -> PyResult<Bound<'_, PyArray2<u8>>> {
    let cap = if square_caps { Cap::Square } else { Cap::Flat };
    let map =
        run(py, || check(width, height).map(|()| draw::line_map(&line, line_width, cap, width, height)))?;
    let array = ndarray::Array2::from_shape_vec((height, width), map.data);
    Ok(array.map_err(|e| shape_error(&e))?.into_pyarray(py))
}

#[pyfunction]
fn layout_target(
    py: Python<'_>,
    shape: [usize; 3],
    lines: Vec<(usize, Vec<Point>)>,
    areas: Vec<(usize, Vec<Point>)>,
    line_width: f64,
) -> PyResult<Bound<'_, PyArray3<u8>>> {
    let maps = run(py, || draw::layout_target(shape, &lines, &areas, line_width))?;
    let array = ndarray::Array3::from_shape_vec(shape, maps);
    Ok(array.map_err(|e| shape_error(&e))?.into_pyarray(py))
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(draw_polygon, m)?)?;
    m.add_function(wrap_pyfunction!(draw_line, m)?)?;
    m.add_function(wrap_pyfunction!(layout_target, m)?)
}
