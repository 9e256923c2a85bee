//! Bindings of `kraken_core::text::{lm, lexicon, scorer}`.

use std::sync::Arc;

use kraken_core::text::codes::Codes;
use kraken_core::text::lexicon::Lexicon;
use kraken_core::text::lm::{self, Estimate, NgramModel, Token};
use kraken_core::text::scorer::{Scorer, Weights};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::boundary::run;

/// An n-gram model over code points.
#[pyclass(frozen, name = "NgramModel", module = "kraken._rust.text")]
pub struct PyNgramModel(Arc<NgramModel>);

#[pymethods]
impl PyNgramModel {
    #[staticmethod]
    fn read(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        run(py, || lm::read(data)).map(|m| Self(Arc::new(m)))
    }

    #[staticmethod]
    fn estimate(py: Python<'_>, lines: Vec<String>, order: usize, prune: Vec<u64>) -> PyResult<Self> {
        let options = Estimate { order, prune };
        run(py, || lm::estimate(lines.iter().map(String::as_str), &options)).map(|m| Self(Arc::new(m)))
    }

    fn write<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let text = run(py, || Ok(lm::write(&self.0)))?;
        Ok(PyBytes::new(py, text.as_bytes()))
    }

    #[staticmethod]
    fn unpack(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        run(py, || lm::unpack(data)).map(|m| Self(Arc::new(m)))
    }

    fn pack<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let data = run(py, || Ok(lm::pack(&self.0)))?;
        Ok(PyBytes::new(py, &data))
    }

    #[getter]
    fn order(&self) -> usize {
        self.0.order()
    }

    #[getter]
    fn counts(&self) -> Vec<usize> {
        self.0.counts()
    }

    #[getter]
    fn characters(&self) -> String {
        let char_of = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
        self.0.tokens().iter().filter_map(char_of).collect()
    }

    fn score(&self, text: &str, begin: bool, end: bool) -> Vec<f64> {
        self.0.score_line(text.chars(), begin, end)
    }
}

/// A list of words.
#[pyclass(frozen, name = "Lexicon", module = "kraken._rust.text")]
pub struct PyLexicon(Arc<Lexicon>);

#[pymethods]
impl PyLexicon {
    #[new]
    fn new(py: Python<'_>, words: Vec<String>) -> PyResult<Self> {
        run(py, || Ok(Lexicon::new(words.iter().map(String::as_str)))).map(|l| Self(Arc::new(l)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// What the text of a labelling is worth.
#[pyclass(frozen, name = "Scorer", module = "kraken._rust.text")]
pub struct PyScorer(pub Scorer);

#[pymethods]
impl PyScorer {
    #[new]
    fn new(
        codes: Vec<(Vec<u32>, String)>,
        model: Option<PyRef<'_, PyNgramModel>>,
        lexicon: Option<PyRef<'_, PyLexicon>>,
        alpha: f64,
        beta: f64,
        unknown_word: f64,
    ) -> PyResult<Self> {
        let model = model.map(|m| Arc::clone(&m.0));
        let lexicon = lexicon.map(|l| Arc::clone(&l.0));
        Codes::new(&codes)
            .and_then(|codes| Scorer::new(codes, model, lexicon, Weights { alpha, beta, unknown_word }))
            .map(Self)
            .map_err(crate::error::to_py)
    }

    fn score(&self, labels: Vec<usize>) -> f64 {
        self.0.score(&labels)
    }
}

/// Adds the classes of this file.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyNgramModel>()?;
    m.add_class::<PyLexicon>()?;
    m.add_class::<PyScorer>()
}
