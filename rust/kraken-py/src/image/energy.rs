//! Binding of the energy map.

use kraken_core::image::sobel;
use numpy::{IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::boundary::run;

#[pyfunction]
#[pyo3(signature = (image, num_threads = 1))]
fn edge_energy<'py>(
    py: Python<'py>,
    image: PyReadonlyArray2<'py, u8>,
    num_threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let data = image.as_slice()?;
    let [height, width] = [image.shape()[0], image.shape()[1]];
    let energy = run(py, || sobel::edge_energy(data, width, height, num_threads))?;
    energy.into_pyarray(py).reshape([height, width])
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(edge_energy, m)?)
}
