//! Steps of the segmenter that finds boxes.

use kraken_core::seg::boxes::{self, seeds};
use numpy::{PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::boundary::run;
use crate::image::shaped;

type Box4 = (usize, usize, usize, usize);
type Mask<'py> = PyReadonlyArray2<'py, u8>;

/// Boxes as tuples, which arrays wouldn't become.
fn tuples(boxes: Vec<boxes::Box4>) -> Vec<Box4> {
    boxes.into_iter().map(|[a, b, c, d]| (a, b, c, d)).collect()
}

fn size(mask: &Mask<'_>) -> [usize; 2] {
    let shape = mask.shape();
    [shape[1], shape[0]]
}

/// The size that all masks have.
fn common_size(masks: &[&Mask<'_>]) -> PyResult<[usize; 2]> {
    let sizes: Vec<[usize; 2]> = masks.iter().map(|mask| size(mask)).collect();
    if sizes.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(sizes[0]);
    }
    Err(PyValueError::new_err(format!("masks have different sizes: {sizes:?}")))
}

#[pyfunction]
fn component_boxes(py: Python<'_>, mask: Mask<'_>) -> PyResult<Vec<Box4>> {
    let (values, [w, h]) = (mask.as_slice()?, size(&mask));
    run(py, || Ok(tuples(boxes::components(values, w, h)?.1)))
}

#[pyfunction]
fn script_size(py: Python<'_>, mask: Mask<'_>) -> PyResult<Option<f64>> {
    let (values, [w, h]) = (mask.as_slice()?, size(&mask));
    run(py, || boxes::script_size(values, w, h))
}

#[pyfunction]
fn longest_components<'py>(
    py: Python<'py>,
    mask: Mask<'py>,
    axis: usize,
    min: f64,
    most: usize,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (values, [w, h]) = (mask.as_slice()?, size(&mask));
    let out = run(py, || boxes::longest(values, [w, h], axis, min, most))?;
    shaped(py, out, (h, w))
}

#[pyfunction]
fn filled_boxes<'py>(
    py: Python<'py>,
    mask: Mask<'py>,
    low: f64,
    high: f64,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (values, [w, h]) = (mask.as_slice()?, size(&mask));
    let out = run(py, || boxes::filled_boxes(values, w, h, low, high))?;
    shaped(py, out, (h, w))
}

#[pyfunction]
fn line_seeds<'py>(
    py: Python<'py>,
    bottom: Mask<'py>,
    top: Mask<'py>,
    delta: usize,
    reach: f64,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let [w, h] = common_size(&[&bottom, &top])?;
    let (lower, upper) = (bottom.as_slice()?, top.as_slice()?);
    let out = run(py, || seeds::seeds(lower, upper, [w, h], delta, reach))?;
    shaped(py, out, (h, w))
}

#[pyfunction]
fn grow_lines(
    py: Python<'_>,
    seeds: Mask<'_>,
    boxmap: Mask<'_>,
    ink: Mask<'_>,
    reach: f64,
) -> PyResult<Vec<Box4>> {
    let size = common_size(&[&seeds, &boxmap, &ink])?;
    let (seeds, boxmap, ink) = (seeds.as_slice()?, boxmap.as_slice()?, ink.as_slice()?);
    run(py, || boxes::grow(seeds, boxmap, ink, size, reach).map(tuples))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(component_boxes, m)?)?;
    m.add_function(wrap_pyfunction!(script_size, m)?)?;
    m.add_function(wrap_pyfunction!(longest_components, m)?)?;
    m.add_function(wrap_pyfunction!(filled_boxes, m)?)?;
    m.add_function(wrap_pyfunction!(line_seeds, m)?)?;
    m.add_function(wrap_pyfunction!(grow_lines, m)?)
}
