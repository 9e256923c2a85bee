//! Baselines and regions from heatmaps.

use kraken_core::Error;
use kraken_core::image::contour;
use kraken_core::seg::vectorise::lines::{Heatmaps, LineOptions};
use kraken_core::seg::vectorise::{lines, regions};
use numpy::{PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;

use crate::boundary::run;
use crate::error::to_py;

type Lines = Vec<Vec<[i64; 2]>>;

#[pyfunction]
#[pyo3(signature = (heatmap, threshold, min_length, vertical, threads=0))]
fn vectorise_lines(
    py: Python<'_>,
    heatmap: PyReadonlyArray3<'_, f32>,
    threshold: f32,
    min_length: f64,
    vertical: bool,
    threads: usize,
) -> PyResult<Lines> {
    let (channels, height, width) = heatmap.as_array().dim();
    if channels < 3 {
        return Err(to_py(Error::shape("im", format!("{channels} channels, but at least 3 are needed"))));
    }
    let data = heatmap.as_slice()?;
    run(py, || {
        let n = width * height;
        let [start, end, baseline] = [0, 1, 2].map(|c| &data[c * n..(c + 1) * n]);
        let maps = Heatmaps { start, end, baseline, width, height };
        lines::vectorise_lines(&maps, &LineOptions { threshold, min_length, vertical, threads })
    })
}

#[pyfunction]
fn vectorise_regions(py: Python<'_>, heatmap: PyReadonlyArray2<'_, f32>, threshold: f32) -> PyResult<Lines> {
    let (height, width) = heatmap.as_array().dim();
    let data = heatmap.as_slice()?;
    run(py, || regions::vectorise_regions(data, width, height, threshold))
}

#[pyfunction]
fn boundary_tracing(py: Python<'_>, pixels: Vec<[i64; 2]>) -> PyResult<Vec<[i64; 2]>> {
    run(py, || Ok(contour::trace_pixels(&pixels)))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(vectorise_lines, m)?)?;
    m.add_function(wrap_pyfunction!(vectorise_regions, m)?)?;
    m.add_function(wrap_pyfunction!(boundary_tracing, m)?)
}
