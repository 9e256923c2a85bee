//! Convolutions by spectra and by minimal filtering, the first layer of networks for lines, LSTMs.

use kraken_core::nn::{self, first, lstm, products, tiles, winograd};
use numpy::{
    PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyReadonlyArray4, PyReadonlyArray5,
    PyReadwriteArray3, PyReadwriteArray4, PyReadwriteArray5, ToPyArray,
};
use pyo3::prelude::*;

use crate::boundary::run;
use crate::error::to_py;

type Weights<'py> = (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>);

fn shape_of(x: &[usize], kernel: usize) -> tiles::Shape {
    tiles::Shape { count: x[0], height: x[1], width: x[2], channels: x[3], kernel }
}

#[pyfunction]
fn accelerated() -> bool {
    nn::accelerated()
}

#[pyfunction]
fn step(kernel: usize) -> PyResult<usize> {
    tiles::step(kernel).map_err(to_py)
}

#[pyfunction]
fn analyse_images(
    py: Python<'_>,
    x: PyReadonlyArray4<'_, f32>,
    kernel: usize,
    mut out: PyReadwriteArray5<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let shape = shape_of(x.as_array().shape(), kernel);
    let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
    run(py, || tiles::analyse_images(x, shape, threads, out))
}

#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the arrays of a layer")]
fn analyse_gradients(
    py: Python<'_>,
    gradient: PyReadonlyArray4<'_, f32>,
    state: PyReadonlyArray4<'_, u8>,
    scale: PyReadonlyArray2<'_, f32>,
    width: usize,
    kernel: usize,
    pool: usize,
    mut out: PyReadwriteArray5<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let sides = out.as_array().shape().to_vec();
    let shape = tiles::Shape { count: sides[0], height: sides[1], width, channels: sides[4], kernel };
    let (gradient, state, scale) = (gradient.as_slice()?, state.as_slice()?, scale.as_slice()?);
    let out = out.as_slice_mut()?;
    run(py, || tiles::analyse_gradients(gradient, state, scale, shape, pool, threads, out))
}

#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the arrays of a layer")]
fn synthesise_images(
    py: Python<'_>,
    spectra: PyReadonlyArray5<'_, f32>,
    bias: PyReadonlyArray1<'_, f32>,
    scale: PyReadonlyArray2<'_, f32>,
    width: usize,
    kernel: usize,
    pool: usize,
    mut out: PyReadwriteArray4<'_, f32>,
    mut state: PyReadwriteArray4<'_, u8>,
    threads: usize,
) -> PyResult<()> {
    let sides = spectra.as_array().shape().to_vec();
    let shape = tiles::Shape { count: sides[0], height: sides[1], width, channels: sides[4], kernel };
    let (spectra, bias, scale) = (spectra.as_slice()?, bias.as_slice()?, scale.as_slice()?);
    let (out, state) = (out.as_slice_mut()?, state.as_slice_mut()?);
    run(py, || tiles::synthesise_images(spectra, bias, scale, shape, pool, threads, out, state))
}

#[pyfunction]
fn synthesise_gradients(
    py: Python<'_>,
    spectra: PyReadonlyArray5<'_, f32>,
    kernel: usize,
    mut out: PyReadwriteArray4<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let shape = shape_of(out.as_array().shape(), kernel);
    let (spectra, out) = (spectra.as_slice()?, out.as_slice_mut()?);
    run(py, || tiles::synthesise_gradients(spectra, shape, threads, out))
}

#[pyfunction]
fn sum_products(
    py: Python<'_>,
    x: PyReadonlyArray5<'_, f32>,
    gradient: PyReadonlyArray5<'_, f32>,
    mut out: PyReadwriteArray4<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let sides = x.as_array().shape().to_vec();
    let shape = products::Shape {
        count: sides[0],
        height: sides[1],
        tiles: sides[2],
        inputs: sides[4],
        outputs: gradient.as_array().shape()[4],
        rows: out.as_array().shape()[1],
    };
    let (x, gradient, out) = (x.as_slice()?, gradient.as_slice()?, out.as_slice_mut()?);
    run(py, || products::sum_products(x, gradient, shape, threads, out))
}

#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the arrays of a layer")]
fn convolve_first(
    py: Python<'_>,
    x: PyReadonlyArray3<'_, f32>,
    weight: PyReadonlyArray3<'_, f32>,
    bias: PyReadonlyArray1<'_, f32>,
    scale: PyReadonlyArray2<'_, f32>,
    mut out: PyReadwriteArray4<'_, f32>,
    mut state: PyReadwriteArray4<'_, u8>,
    threads: usize,
) -> PyResult<()> {
    let ((count, height, width), (rows, columns, channels)) = (x.as_array().dim(), weight.as_array().dim());
    let shape = first::Shape { count, height, width, channels, kernel: (rows, columns) };
    let (x, weight, bias, scale) = (x.as_slice()?, weight.as_slice()?, bias.as_slice()?, scale.as_slice()?);
    let (out, state) = (out.as_slice_mut()?, state.as_slice_mut()?);
    run(py, || first::forward(x, weight, bias, scale, shape, threads, out, state))
}

#[pyfunction]
fn first_gradients<'py>(
    py: Python<'py>,
    x: PyReadonlyArray3<'py, f32>,
    gradient: PyReadonlyArray4<'py, f32>,
    state: PyReadonlyArray4<'py, u8>,
    scale: PyReadonlyArray2<'py, f32>,
    kernel: (usize, usize),
    threads: usize,
) -> PyResult<Weights<'py>> {
    let (count, height, width) = x.as_array().dim();
    let channels = gradient.as_array().dim().3;
    let shape = first::Shape { count, height, width, channels, kernel };
    let (x, gradient, state, scale) =
        (x.as_slice()?, gradient.as_slice()?, state.as_slice()?, scale.as_slice()?);
    let (weight, bias) = run(py, || first::backward(x, gradient, state, scale, shape, threads))?;
    Ok((weight.to_pyarray(py), bias.to_pyarray(py)))
}

/// The rows of tiles, from `first` on, that an array 36×rows×columns×C has of an image H×W×C.
fn band_of(image: &[usize], tiles: &[usize], first: usize) -> winograd::Band {
    winograd::Band { height: image[0], width: image[1], channels: image[2], first, rows: tiles[1] }
}

#[pyfunction]
fn winograd_inputs(
    py: Python<'_>,
    image: PyReadonlyArray3<'_, f32>,
    row: usize,
    mut out: PyReadwriteArray4<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let band = band_of(image.as_array().shape(), out.as_array().shape(), row);
    let (image, out) = (image.as_slice()?, out.as_slice_mut()?);
    run(py, || winograd::analyse_inputs(image, band, threads, out))
}

#[pyfunction]
fn winograd_gradients(
    py: Python<'_>,
    image: PyReadonlyArray3<'_, f32>,
    row: usize,
    mut out: PyReadwriteArray4<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let band = band_of(image.as_array().shape(), out.as_array().shape(), row);
    let (image, out) = (image.as_slice()?, out.as_slice_mut()?);
    run(py, || winograd::analyse_gradients(image, band, threads, out))
}

#[pyfunction]
fn winograd_outputs(
    py: Python<'_>,
    products: PyReadonlyArray4<'_, f32>,
    bias: PyReadonlyArray1<'_, f32>,
    row: usize,
    mut image: PyReadwriteArray3<'_, f32>,
    threads: usize,
) -> PyResult<()> {
    let band = band_of(image.as_array().shape(), products.as_array().shape(), row);
    let (products, bias, image) = (products.as_slice()?, bias.as_slice()?, image.as_slice_mut()?);
    run(py, || winograd::synthesise(products, bias, band, threads, image))
}

/// The sides of a layer by those of its cells: sequences×steps×directions×units.
fn lstm_shape(cells: &[usize]) -> lstm::Shape {
    lstm::Shape { count: cells[0], steps: cells[1], directions: cells[2], units: cells[3] }
}

#[pyfunction]
fn lstm_forward(
    py: Python<'_>,
    mut gates: PyReadwriteArray4<'_, f32>,
    weights: PyReadonlyArray3<'_, f32>,
    mut cells: PyReadwriteArray4<'_, f32>,
    mut states: PyReadwriteArray4<'_, f32>,
) -> PyResult<()> {
    let shape = lstm_shape(cells.as_array().shape());
    let (gates, weights) = (gates.as_slice_mut()?, weights.as_slice()?);
    let (cells, states) = (cells.as_slice_mut()?, states.as_slice_mut()?);
    run(py, || lstm::forward(gates, weights, shape, cells, states))
}

#[pyfunction]
fn lstm_backward(
    py: Python<'_>,
    mut gates: PyReadwriteArray4<'_, f32>,
    weights: PyReadonlyArray3<'_, f32>,
    cells: PyReadonlyArray4<'_, f32>,
    gradients: PyReadonlyArray4<'_, f32>,
) -> PyResult<()> {
    let shape = lstm_shape(cells.as_array().shape());
    let (gates, weights) = (gates.as_slice_mut()?, weights.as_slice()?);
    let (cells, gradients) = (cells.as_slice()?, gradients.as_slice()?);
    run(py, || lstm::backward(gates, weights, shape, cells, gradients))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(accelerated, m)?)?;
    m.add_function(wrap_pyfunction!(step, m)?)?;
    m.add_function(wrap_pyfunction!(analyse_images, m)?)?;
    m.add_function(wrap_pyfunction!(analyse_gradients, m)?)?;
    m.add_function(wrap_pyfunction!(synthesise_images, m)?)?;
    m.add_function(wrap_pyfunction!(synthesise_gradients, m)?)?;
    m.add_function(wrap_pyfunction!(sum_products, m)?)?;
    m.add_function(wrap_pyfunction!(convolve_first, m)?)?;
    m.add_function(wrap_pyfunction!(first_gradients, m)?)?;
    m.add_function(wrap_pyfunction!(winograd_inputs, m)?)?;
    m.add_function(wrap_pyfunction!(winograd_gradients, m)?)?;
    m.add_function(wrap_pyfunction!(winograd_outputs, m)?)?;
    m.add_function(wrap_pyfunction!(lstm_forward, m)?)?;
    m.add_function(wrap_pyfunction!(lstm_backward, m)?)?;
    Ok(())
}
