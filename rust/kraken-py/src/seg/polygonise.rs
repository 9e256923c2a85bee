//! Bindings of `kraken_core::seg::polygonise` and of the repair of rings.

use kraken_core::Error;
use kraken_core::geom::{Point, repair};
use kraken_core::seg::polygonise::{self as core, Energy, Obstacles, Topline, frame, region, seam};
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::boundary::run;
use crate::error::to_py;

type Line = Vec<[f64; 2]>;
type Ring = Vec<[i64; 2]>;

/// A ring of whole pixels, closed.
fn closed(ring: &[Point]) -> Ring {
    ring.iter().chain(ring.first()).map(|p| p.map(|v| v as i64)).collect()
}

#[pyfunction]
#[pyo3(signature = (energy, lines, obstacles, special, per_line, topline, num_threads))]
#[allow(clippy::too_many_arguments, reason = "the arguments of one Python function")]
fn polygonise(
    py: Python<'_>,
    energy: PyReadonlyArray2<'_, f32>,
    lines: Vec<Line>,
    obstacles: Vec<Line>,
    special: Vec<Line>,
    per_line: Vec<Vec<usize>>,
    topline: Option<bool>,
    num_threads: usize,
) -> PyResult<Vec<(Option<Ring>, Option<&'static str>)>> {
    let data = energy.as_slice()?;
    let [height, width] = [energy.shape()[0], energy.shape()[1]];
    let topline =
        topline.map_or(Topline::Centreline, |t| if t { Topline::Topline } else { Topline::Baseline });
    run(py, || {
        let obstacles = Obstacles { common: &obstacles, special: &special, per_line: &per_line };
        let found =
            core::polygonise(Energy { data, width, height }, &lines, obstacles, topline, num_threads)?;
        Ok(found.into_iter().map(|o| (o.ring.map(|r| closed(&r)), o.problem)).collect())
    })
}

#[pyfunction]
fn minimal_seam(py: Python<'_>, cost: PyReadonlyArray2<'_, f32>) -> PyResult<Vec<usize>> {
    let (data, rows) = (cost.as_slice()?, cost.shape()[1]);
    run(py, || Ok(seam::minimal_seam(data, rows)))
}

#[pyfunction]
fn region_of_interest(
    py: Python<'_>,
    line: Line,
    obstacles: Vec<Line>,
    size: [f64; 2],
) -> PyResult<[Vec<f64>; 2]> {
    run(py, || {
        let frame = frame::Frame::new(&line)
            .ok_or_else(|| Error::Geometry("line has no two distinct points".to_owned()))?;
        let segments = obstacles.iter().flat_map(|o| o.windows(2));
        let segments = segments.map(|w| region::Segment::new(w[0], w[1]));
        Ok(region::Limits::new(&frame, size, segments).region)
    })
}

#[pyfunction]
fn make_valid(py: Python<'_>, ring: Line, size: [f64; 2]) -> PyResult<Option<Ring>> {
    if !size.iter().all(|s| s.is_finite() && *s >= 0.0) {
        return Err(to_py(Error::range("size", format!("{size:?}, needs to be finite and not negative"))));
    }
    run(py, || Ok(repair::make_valid(&ring, size).map(|r| closed(&r))))
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(polygonise, m)?)?;
    m.add_function(wrap_pyfunction!(minimal_seam, m)?)?;
    m.add_function(wrap_pyfunction!(region_of_interest, m)?)?;
    m.add_function(wrap_pyfunction!(make_valid, m)?)
}
