//! PNG data.

use kraken_core::Error;
use kraken_core::image::png;
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::boundary::run;
use crate::error::to_py;

#[pyfunction]
fn encode_png<'py>(py: Python<'py>, image: PyReadonlyArrayDyn<'py, u8>) -> PyResult<Bound<'py, PyBytes>> {
    let (height, width, channels) = match *image.shape() {
        [h, w] => (h, w, 1),
        [h, w, c] => (h, w, c),
        ref other => return Err(to_py(Error::shape("image", format!("{other:?}, must be H×W or H×W×C")))),
    };
    let pixels = image.as_slice()?;
    let data = run(py, || png::encode(pixels, width, height, channels))?;
    Ok(PyBytes::new(py, &data))
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(encode_png, m)?)
}
