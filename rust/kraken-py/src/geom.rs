//! Bindings of `kraken_core::geom`.

use kraken_core::geom::Point;
use kraken_core::geom::clean_section;
use kraken_core::geom::section::{self, Section, Sections};
use numpy::{PyArray1, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::boundary::run;

/// Rows of an (n, 2) array; an array without any element passes as no rows.
fn pairs(array: &PyReadonlyArray2<'_, f64>, name: &str) -> PyResult<Vec<Point>> {
    let shape = array.shape();
    if shape[0] > 0 && shape[1] != 2 {
        let message = format!("{name} has the wrong shape: {shape:?}, need (n, 2)");
        return Err(PyValueError::new_err(message));
    }
    Ok(array.as_array().rows().into_iter().map(|r| [r[0], r[1]]).collect())
}

type SectionArrays<'py> =
    (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray1<bool>>, Bound<'py, PyArray2<f64>>, f64);

/// The eight coordinates of a section (a chord fills the first four), whether
/// it is complete, and per cut the distance and the four rounded coordinates.
fn flatten(out: &Sections) -> (Vec<[i64; 8]>, Vec<bool>, Vec<[f64; 5]>) {
    let corners = |s: &Section| match *s {
        Section::Quad([[a, b], [c, d], [e, f], [g, h]]) => [a, b, c, d, e, f, g, h],
        Section::Chord([[a, b], [c, d]]) => [a, b, c, d, 0, 0, 0, 0],
    };
    let row = |cut: &section::Cut| {
        let hits = cut.hits.map_or([f64::NAN; 4], |[l, r]| [l[0], l[1], r[0], r[1]]);
        let [a, b, c, d] = hits.map(f64::round_ties_even);
        [cut.distance, a, b, c, d]
    };
    let complete = |s: &Section| matches!(s, Section::Quad(_));
    (
        out.sections.iter().map(corners).collect(),
        out.sections.iter().map(complete).collect(),
        out.cuts.iter().flatten().map(row).collect(),
    )
}

/// A row-major array of the rows.
fn to_array<'py, T: numpy::Element + Clone, const N: usize>(
    py: Python<'py>,
    rows: &[[T; N]],
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let array = ndarray::Array2::from_shape_vec((rows.len(), N), rows.concat());
    array.map(|a| PyArray2::from_owned_array(py, a)).map_err(|e| PyValueError::new_err(e.to_string()))
}

#[pyfunction]
fn sections<'py>(
    py: Python<'py>,
    baseline: PyReadonlyArray2<'py, f64>,
    boundary: PyReadonlyArray2<'py, f64>,
    cuts: PyReadonlyArray2<'py, f64>,
) -> PyResult<SectionArrays<'py>> {
    let (line, ring) = (pairs(&baseline, "baseline")?, pairs(&boundary, "boundary")?);
    let cuts = pairs(&cuts, "cut_pairs")?;
    let (out, length) = run(py, || {
        let out = section::sections(&line, &ring, &cuts)?;
        Ok((flatten(&out), out.length))
    })?;
    let (corners, complete, rows) = out;
    Ok((to_array(py, &corners)?, PyArray1::from_vec(py, complete), to_array(py, &rows)?, length))
}

#[pyfunction]
fn clean_sections(
    py: Python<'_>,
    baseline: PyReadonlyArray2<'_, f64>,
    boundary: PyReadonlyArray2<'_, f64>,
    cuts: PyReadonlyArray2<'_, f64>,
) -> PyResult<Vec<[(f64, f64); 4]>> {
    let (line, ring) = (pairs(&baseline, "baseline")?, pairs(&boundary, "boundary")?);
    let cuts = pairs(&cuts, "cut_pairs")?;
    let out = run(py, || clean_section::clean_sections(&line, &ring, &cuts))?;
    Ok(out.into_iter().map(|quad| quad.map(|[x, y]| (x, y))).collect())
}

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sections, m)?)?;
    m.add_function(wrap_pyfunction!(clean_sections, m)?)
}
