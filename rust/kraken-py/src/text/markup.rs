//! Bindings of `kraken_core::text::markup`.

use kraken_core::text::markup::{self, Line, Outlines, Patterns};
use kraken_core::text::pattern::Pattern;
use numpy::{PyReadonlyArray1, PyReadonlyArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::boundary::run;

type Quads<'py> = (PyReadonlyArray3<'py, i64>, PyReadonlyArray1<'py, bool>);

fn outlines<'a>((corners, whole): &'a Quads<'_>) -> PyResult<Outlines<'a>> {
    let contiguous = |_| PyValueError::new_err("corners and whole have to be contiguous");
    Ok(Outlines {
        corners: corners.as_slice().map_err(contiguous)?,
        whole: whole.as_slice().map_err(contiguous)?,
    })
}

#[pyfunction]
#[pyo3(signature = (text, starts, glyphs, words, confidences, numbers, limits, patterns))]
#[allow(clippy::too_many_arguments, reason = "the columns of a table")]
fn line_markup(
    py: Python<'_>,
    text: &str,
    starts: Vec<usize>,
    glyphs: Quads<'_>,
    words: Option<Quads<'_>>,
    confidences: Vec<f64>,
    numbers: (usize, usize),
    limits: (i64, i64),
    patterns: (String, String, String, Option<String>),
) -> PyResult<String> {
    let line = Line {
        text,
        starts: &starts,
        glyphs: outlines(&glyphs)?,
        words: words.as_ref().map(outlines).transpose()?,
        confidences: &confidences,
        first_segment: numbers.0,
        first_glyph: numbers.1,
        limits: [limits.0, limits.1],
    };
    run(py, || {
        let (glyph, word, outline, space) = &patterns;
        let patterns = Patterns {
            glyph: Pattern::parse(glyph)?,
            word: Pattern::parse(word)?,
            outline: Pattern::parse(outline)?,
            space: space.as_deref().map(Pattern::parse).transpose()?,
        };
        markup::segments(&line, &patterns)
    })
}

/// Adds the functions of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(line_markup, m)?)
}
