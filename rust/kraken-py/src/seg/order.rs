//! Reading order.

use kraken_core::geom::{Point, polygon, polyline};
use kraken_core::seg::columns::{self, Area, Flow};
use kraken_core::seg::order::{self, Bounds, Direction};
use kraken_core::seg::relation::Relation;
use kraken_core::{Error, Result};
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::boundary::run;

fn direction(name: &str) -> Result<Direction> {
    match name {
        "lr" => Ok(Direction::LeftToRight),
        "rl" => Ok(Direction::RightToLeft),
        "mirrored" => Ok(Direction::Mirrored),
        other => Err(Error::range("direction", format!("{other:?} is none of lr, rl, mirrored"))),
    }
}

fn flow(name: &str) -> Result<Flow> {
    match name {
        "horizontal-lr" => Ok(Flow::LeftToRight),
        "horizontal-rl" => Ok(Flow::RightToLeft),
        "vertical-lr" => Ok(Flow::VerticalLeftToRight),
        "vertical-rl" => Ok(Flow::VerticalRightToLeft),
        other => Err(Error::range("flow", format!("{other:?} isn't horizontal or vertical, -lr or -rl"))),
    }
}

#[pyfunction]
#[pyo3(signature = (boxes, direction, threads=0))]
fn order_boxes(py: Python<'_>, boxes: Vec<Bounds>, direction: &str, threads: usize) -> PyResult<Vec<usize>> {
    run(py, || order::order_boxes(&boxes, self::direction(direction)?, threads))
}

#[pyfunction]
#[pyo3(signature = (lines, regions, direction, threads=0))]
fn order_lines(
    py: Python<'_>,
    lines: Vec<Vec<Point>>,
    regions: Vec<Vec<Point>>,
    direction: &str,
    threads: usize,
) -> PyResult<Vec<usize>> {
    run(py, || order::order_lines(&lines, &regions, self::direction(direction)?, threads))
}

#[pyfunction]
#[pyo3(signature = (lines, regions, tables, flow, boxes=false))]
fn order_columns(
    py: Python<'_>,
    lines: Vec<Vec<Point>>,
    regions: Vec<Vec<Point>>,
    tables: Vec<bool>,
    flow: &str,
    boxes: bool,
) -> PyResult<Vec<usize>> {
    run(py, || {
        if regions.len() != tables.len() {
            let detail = format!("{} flags for {} regions", tables.len(), regions.len());
            return Err(Error::shape("tables", detail));
        }
        let areas = regions.into_iter().zip(tables).map(|(outline, table)| Area { outline, table });
        columns::order_columns(&lines, &areas.collect::<Vec<_>>(), self::flow(flow)?, boxes)
    })
}

#[pyfunction]
fn topsort(py: Python<'_>, order: PyReadonlyArray2<'_, bool>) -> PyResult<Vec<usize>> {
    let view = order.as_array();
    let (rows, columns) = view.dim();
    let flat: Vec<bool> = view.iter().copied().collect();
    run(py, || {
        if rows != columns {
            return Err(Error::shape("order", format!("a {rows} × {columns} matrix isn't square")));
        }
        Ok(Relation::from_matrix(&flat, rows)?.linearise())
    })
}

#[pyfunction]
fn line_middle(line: Vec<Point>) -> Option<Point> {
    polyline::midpoint(&line)
}

#[pyfunction]
fn polygon_centroid(ring: Vec<Point>) -> Option<Point> {
    polygon::centroid(&ring)
}

#[pyfunction]
fn strictly_contains(ring: Vec<Point>, point: Point) -> bool {
    polygon::strictly_contains(&ring, point)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(order_boxes, m)?)?;
    m.add_function(wrap_pyfunction!(order_lines, m)?)?;
    m.add_function(wrap_pyfunction!(order_columns, m)?)?;
    m.add_function(wrap_pyfunction!(topsort, m)?)?;
    m.add_function(wrap_pyfunction!(line_middle, m)?)?;
    m.add_function(wrap_pyfunction!(polygon_centroid, m)?)?;
    m.add_function(wrap_pyfunction!(strictly_contains, m)?)
}
