//! Bindings of `kraken_core::seg::extract`.

use kraken_core::geom::Point;
use kraken_core::image::png;
use kraken_core::image::raster::{Raster, View};
use kraken_core::image::sample::Sample;
use kraken_core::seg::extract::{Input, Line, Options, Prepared};
use kraken_core::{Error, Result, par};
use ndarray::{ArrayD, IxDyn};
use numpy::{Element, IntoPyArray, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::boundary::run;
use crate::error::to_py;

/// Images of whole and of single-precision values.
#[derive(FromPyObject)]
enum Pixels<'py> {
    Bytes(PyReadonlyArrayDyn<'py, u8>),
    Floats(PyReadonlyArrayDyn<'py, f32>),
}

/// Elements and `[width, height, channels]` of an H×W or H×W×C array.
fn contents<'a, T: Element>(array: &'a PyReadonlyArrayDyn<'_, T>) -> PyResult<(&'a [T], [usize; 3])> {
    let size = match *array.shape() {
        [h, w] => [w, h, 1],
        [h, w, c] => [w, h, c],
        ref other => return Err(to_py(Error::shape("image", format!("{other:?}, must be H×W or H×W×C")))),
    };
    Ok((array.as_slice()?, size))
}

/// The image as an array of as many dimensions as the source had.
fn array<T: Element + Copy + Default>(
    py: Python<'_>,
    image: Raster<T>,
    dimensions: usize,
) -> PyResult<Bound<'_, PyArrayDyn<T>>> {
    let shape = [image.height, image.width, image.channels];
    let array = ArrayD::from_shape_vec(IxDyn(&shape[..dimensions]), image.data)
        .map_err(|e| to_py(Error::shape("result", e.to_string())))?;
    Ok(array.into_pyarray(py))
}

#[pyfunction]
fn check_line(
    baseline: Vec<Point>,
    boundary: Vec<Point>,
    page_size: [usize; 2],
) -> PyResult<(usize, usize, usize, usize)> {
    let [x0, y0, x1, y1] = Line::new(&baseline, &boundary, page_size).map_err(to_py)?.bbox();
    Ok((x0, y0, x1, y1))
}

#[pyfunction]
#[pyo3(signature = (patch, baseline, boundary, page_size, *, nearest=false, alpha=false, legacy=false))]
#[allow(clippy::too_many_arguments)] // Keywords in Python.
fn extract_line<'py>(
    py: Python<'py>,
    patch: Pixels<'py>,
    baseline: Vec<Point>,
    boundary: Vec<Point>,
    page_size: [usize; 2],
    nearest: bool,
    alpha: bool,
    legacy: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options { nearest, alpha, legacy };
    match patch {
        Pixels::Bytes(a) => one(py, &a, &baseline, &boundary, page_size, options),
        Pixels::Floats(a) => one(py, &a, &baseline, &boundary, page_size, options),
    }
}

fn one<'py, T: Element + Sample>(
    py: Python<'py>,
    patch: &PyReadonlyArrayDyn<'py, T>,
    baseline: &[Point],
    boundary: &[Point],
    page_size: [usize; 2],
    options: Options,
) -> PyResult<Bound<'py, PyAny>> {
    let (data, [w, h, c]) = contents(patch)?;
    let image =
        run(py, || Line::new(baseline, boundary, page_size)?.extract(View::new(data, w, h, c)?, options))?;
    Ok(array(py, image, patch.ndim())?.into_any())
}

#[pyfunction]
#[pyo3(signature = (page, lines, *, nearest=false, alpha=false, legacy=false, num_threads=0))]
fn extract_lines<'py>(
    py: Python<'py>,
    page: Pixels<'py>,
    lines: Vec<(Vec<Point>, Vec<Point>)>,
    nearest: bool,
    alpha: bool,
    legacy: bool,
    num_threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let options = Options { nearest, alpha, legacy };
    match page {
        Pixels::Bytes(a) => many(py, &a, &lines, options, num_threads),
        Pixels::Floats(a) => many(py, &a, &lines, options, num_threads),
    }
}

/// An array per line, or the reason why there is none.
fn many<'py, T: Element + Sample>(
    py: Python<'py>,
    page: &PyReadonlyArrayDyn<'py, T>,
    lines: &[(Vec<Point>, Vec<Point>)],
    options: Options,
    num_threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let (data, [w, h, c]) = contents(page)?;
    let images = run(py, || {
        let view = View::new(data, w, h, c)?;
        let extract = |i: usize| -> Result<Raster<T>> {
            let line = Line::new(&lines[i].0, &lines[i].1, [w, h])?;
            line.extract(view.crop(line.bbox()), options)
        };
        Ok(par::map_indices(lines.len(), num_threads, extract))
    })?;
    let to_object = |image: Result<Raster<T>>| match image {
        Ok(image) => Ok(array(py, image, page.ndim())?.into_any()),
        Err(error) => Ok(error.to_string().into_pyobject(py)?.into_any()),
    };
    images.into_iter().map(to_object).collect()
}

#[pyfunction]
#[pyo3(signature = (page, lines, *, nearest=false, legacy=false, num_threads=0))]
fn extract_line_pngs<'py>(
    py: Python<'py>,
    page: PyReadonlyArrayDyn<'py, u8>,
    lines: Vec<(Vec<Point>, Vec<Point>)>,
    nearest: bool,
    legacy: bool,
    num_threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let options = Options { nearest, alpha: false, legacy };
    let (data, [w, h, c]) = contents(&page)?;
    let files = run(py, || {
        let view = View::new(data, w, h, c)?;
        let encode = |i: usize| -> Result<Vec<u8>> {
            let line = Line::new(&lines[i].0, &lines[i].1, [w, h])?;
            let image = line.extract(view.crop(line.bbox()), options)?;
            png::encode(&image.data, image.width, image.height, image.channels)
        };
        Ok(par::map_indices(lines.len(), num_threads, encode))
    })?;
    let to_object = |file: Result<Vec<u8>>| match file {
        Ok(data) => PyBytes::new(py, &data).into_any(),
        Err(error) => PyString::new(py, &error.to_string()).into_any(),
    };
    Ok(files.into_iter().map(to_object).collect())
}

#[pyfunction]
#[pyo3(signature = (page, lines, *, height, channels, padding, nearest=false, legacy=false, num_threads=0))]
#[allow(clippy::too_many_arguments)] // Keywords in Python.
fn extract_line_arrays<'py>(
    py: Python<'py>,
    page: PyReadonlyArrayDyn<'py, u8>,
    lines: Vec<(Vec<Point>, Vec<Point>)>,
    height: usize,
    channels: usize,
    padding: [usize; 4],
    nearest: bool,
    legacy: bool,
    num_threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let options = Options { nearest, alpha: false, legacy };
    let input = Input { height, channels, padding };
    let (data, [w, h, c]) = contents(&page)?;
    let prepared = run(py, || {
        let view = View::new(data, w, h, c)?;
        let prepare = |i: usize| -> Result<Prepared> {
            let line = Line::new(&lines[i].0, &lines[i].1, [w, h])?;
            input.prepare(&line.extract(view.crop(line.bbox()), options)?)
        };
        Ok(par::map_indices(lines.len(), num_threads, prepare))
    })?;
    let to_object = |line: Result<Prepared>| match line {
        Ok(line) => {
            let array = ArrayD::from_shape_vec(IxDyn(&[channels, line.height, line.width]), line.data)
                .map_err(|e| to_py(Error::shape("result", e.to_string())))?;
            Ok((array.into_pyarray(py), line.line_width).into_pyobject(py)?.into_any())
        }
        Err(error) => Ok(error.to_string().into_pyobject(py)?.into_any()),
    };
    prepared.into_iter().map(to_object).collect()
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(check_line, m)?)?;
    m.add_function(wrap_pyfunction!(extract_line, m)?)?;
    m.add_function(wrap_pyfunction!(extract_lines, m)?)?;
    m.add_function(wrap_pyfunction!(extract_line_pngs, m)?)?;
    m.add_function(wrap_pyfunction!(extract_line_arrays, m)?)
}
