//! Bindings of `kraken_core::geom`.

use kraken_core::geom::Point;
use kraken_core::geom::clean_section;
use kraken_core::geom::section::{self, Section, Sections};
use numpy::{PyArray1, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyList, PyTuple};

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

/// A point as a list of whole numbers.
fn point_list(py: Python<'_>, point: [i64; 2]) -> PyResult<Bound<'_, PyList>> {
    PyList::new(py, point)
}

#[pyfunction]
fn section_lists<'py>(
    py: Python<'py>,
    baseline: PyReadonlyArray2<'py, f64>,
    boundary: PyReadonlyArray2<'py, f64>,
    cuts: PyReadonlyArray2<'py, f64>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let (line, ring) = (pairs(&baseline, "baseline")?, pairs(&boundary, "boundary")?);
    let cuts = pairs(&cuts, "cut_pairs")?;
    let out = run(py, || section::sections(&line, &ring, &cuts))?;
    let to_object = |section: &Section| match *section {
        Section::Quad([a, b, c, d]) => {
            let points = [point_list(py, a)?, point_list(py, b)?, point_list(py, c)?, point_list(py, d)?];
            Ok(PyTuple::new(py, points)?.into_any())
        }
        Section::Chord([a, b]) => Ok(PyList::new(py, [point_list(py, a)?, point_list(py, b)?])?.into_any()),
    };
    out.sections.iter().map(to_object).collect()
}

/// A number of one of Python's own types.
fn number(value: &Bound<'_, PyAny>) -> Option<f64> {
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        return Some(float.value());
    }
    value.cast_exact::<PyInt>().ok()?.extract::<i64>().ok().map(|v| v as f64)
}

/// A list or tuple of two numbers.
fn point(value: &Bound<'_, PyAny>) -> Option<Point> {
    if let Ok(pair) = value.cast_exact::<PyTuple>() {
        let item = |k| number(&*pair.get_borrowed_item(k).ok()?);
        return if pair.len() == 2 { Some([item(0)?, item(1)?]) } else { None };
    }
    let pair = value.cast_exact::<PyList>().ok()?;
    let item = |k| number(&pair.get_item(k).ok()?);
    if pair.len() == 2 { Some([item(0)?, item(1)?]) } else { None }
}

#[pyfunction]
fn plain_points<'py>(
    py: Python<'py>,
    points: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyArray2<f64>>>> {
    let found: Option<Vec<Point>> = if let Ok(list) = points.cast_exact::<PyList>() {
        list.iter().map(|p| point(&p)).collect()
    } else if let Ok(tuple) = points.cast_exact::<PyTuple>() {
        tuple.iter().map(|p| point(&p)).collect()
    } else {
        None
    };
    found.map(|rows| to_array(py, &rows)).transpose()
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
    m.add_function(wrap_pyfunction!(section_lists, m)?)?;
    m.add_function(wrap_pyfunction!(plain_points, m)?)?;
    m.add_function(wrap_pyfunction!(clean_sections, m)?)
}
