//! Bindings of `kraken_core::text`.

mod lm;
mod markup;

use kraken_core::Result;
use kraken_core::text::align as forced;
use kraken_core::text::beam::{self, Hypothesis, Options};
use kraken_core::text::bidi::{self, BaseDirection};
use kraken_core::text::ctc::{self, Matrix, Symbol};
use numpy::{PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::boundary::run;

type Tuple = (usize, usize, usize, f64);
/// Labellings of a line with their log-probabilities.
type Scored = Vec<(Vec<Tuple>, f64)>;

fn tuples(symbols: &[Symbol]) -> Vec<Tuple> {
    symbols.iter().map(|s| (s.label, s.start, s.end, s.confidence)).collect()
}

/// A batch of lines in either float type.
enum Batch<'py> {
    Single(PyReadonlyArray3<'py, f32>),
    Double(PyReadonlyArray3<'py, f64>),
}

impl<'py> Batch<'py> {
    fn new(outputs: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = outputs.extract::<PyReadonlyArray3<'py, f32>>() {
            return Ok(Self::Single(array));
        }
        if let Ok(array) = outputs.extract::<PyReadonlyArray3<'py, f64>>() {
            return Ok(Self::Double(array));
        }
        let kind = outputs.get_type().name()?;
        Err(PyTypeError::new_err(format!("outputs: need a float32 or float64 array (N, C, W), got {kind}")))
    }

    fn shape(&self) -> [usize; 3] {
        let shape = match self {
            Self::Single(a) => a.shape(),
            Self::Double(a) => a.shape(),
        };
        [shape[0], shape[1], shape[2]]
    }
}

/// The lines of a contiguous batch.
fn lines<T: Copy + PartialOrd + Into<f64>>(data: &[T], [n, c, w]: [usize; 3]) -> Result<Vec<Matrix<'_, T>>> {
    (0..n).map(|i| Matrix::new(&data[i * c * w..(i + 1) * c * w], c, w)).collect()
}

/// Calls a generic decoder with the batch's values, without the GIL.
macro_rules! decode {
    ($py:expr, $batch:expr, |$matrices:ident| $body:expr) => {{
        let batch: &Batch<'_> = $batch;
        let shape = batch.shape();
        match batch {
            Batch::Single(a) => {
                let data = a.as_slice().map_err(|e| PyValueError::new_err(e.to_string()))?;
                run($py, || lines(data, shape).and_then(|$matrices| $body))
            }
            Batch::Double(a) => {
                let data = a.as_slice().map_err(|e| PyValueError::new_err(e.to_string()))?;
                run($py, || lines(data, shape).and_then(|$matrices| $body))
            }
        }
    }};
}

#[pyfunction]
fn greedy(py: Python<'_>, outputs: &Bound<'_, PyAny>, seq_lens: Vec<i64>) -> PyResult<Vec<Vec<Tuple>>> {
    let batch = Batch::new(outputs)?;
    let [n, _, w] = batch.shape();
    decode!(py, &batch, |lines| {
        let lengths = ctc::check_lengths(&seq_lens, n, w)?;
        Ok(lines.iter().zip(lengths).map(|(m, l)| tuples(&ctc::greedy(m, l))).collect())
    })
}

#[pyfunction]
fn blank_threshold(
    py: Python<'_>,
    outputs: &Bound<'_, PyAny>,
    seq_lens: Vec<i64>,
    threshold: f64,
) -> PyResult<Vec<Vec<Tuple>>> {
    let batch = Batch::new(outputs)?;
    let [n, _, w] = batch.shape();
    decode!(py, &batch, |lines| {
        let lengths = ctc::check_lengths(&seq_lens, n, w)?;
        Ok(lines.iter().zip(lengths).map(|(m, l)| tuples(&ctc::blank_threshold(m, l, threshold))).collect())
    })
}

#[pyfunction]
#[pyo3(signature = (
    outputs, seq_lens, beam_size, top_k, min_probability, blank_prune, nbest, log_probs, threads, scorer
))]
#[allow(clippy::too_many_arguments, reason = "the options of the search")]
fn beam_search(
    py: Python<'_>,
    outputs: &Bound<'_, PyAny>,
    seq_lens: Vec<i64>,
    beam_size: usize,
    top_k: Option<usize>,
    min_probability: Option<f64>,
    blank_prune: Option<f64>,
    nbest: usize,
    log_probs: bool,
    threads: usize,
    scorer: Option<Bound<'_, lm::PyScorer>>,
) -> PyResult<Vec<Scored>> {
    let scorer = scorer.as_ref().map(|s| &s.get().0);
    let options = Options { beam_size, top_k, min_probability, blank_prune, nbest, log_probs };
    let batch = Batch::new(outputs)?;
    let [n, _, w] = batch.shape();
    let found = decode!(py, &batch, |lines| {
        let lengths = ctc::check_lengths(&seq_lens, n, w)?;
        beam::decode_batch(&lines, &lengths, &options, scorer, threads)
    })?;
    let plain = |h: Vec<Hypothesis>| h.into_iter().map(|(s, score)| (tuples(&s), score)).collect();
    Ok(found.into_iter().map(plain).collect())
}

#[pyfunction]
fn align(
    py: Python<'_>,
    outputs: &Bound<'_, PyAny>,
    seq_lens: Vec<i64>,
    labels: Vec<Vec<usize>>,
) -> PyResult<Vec<Option<Vec<Tuple>>>> {
    let batch = Batch::new(outputs)?;
    let [n, _, w] = batch.shape();
    if labels.len() != n {
        let detail = format!("labels has {} lines, outputs has {n}", labels.len());
        return Err(PyValueError::new_err(detail));
    }
    decode!(py, &batch, |lines| {
        let lengths = ctc::check_lengths(&seq_lens, n, w)?;
        let texts = lines.iter().zip(lengths).zip(&labels);
        texts.map(|((m, l), text)| Ok(forced::align(m, l, text)?.map(|s| tuples(&s)))).collect()
    })
}

#[pyfunction]
#[pyo3(signature = (text, level))]
fn display_map<'py>(
    py: Python<'py>,
    text: &[u8],
    level: Option<u8>,
) -> PyResult<(Bound<'py, PyBytes>, Vec<usize>)> {
    let codes: Vec<u32> =
        text.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let base = match level {
        None => BaseDirection::Auto,
        Some(0) => BaseDirection::LeftToRight,
        Some(1) => BaseDirection::RightToLeft,
        Some(other) => {
            return Err(PyValueError::new_err(format!("level is out of range: {other}, need 0 or 1")));
        }
    };
    let (display, order) = run(py, || Ok(bidi::display_map(&codes, base)))?;
    let bytes: Vec<u8> = display.into_iter().flat_map(u32::to_le_bytes).collect();
    Ok((PyBytes::new(py, &bytes), order))
}

#[pyfunction]
fn bidi_class(code_point: u32) -> &'static str {
    bidi::class_name(bidi::class(code_point))
}

/// Adds the functions of this submodule.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("UCD_VERSION", bidi::UCD_VERSION)?;
    crate::distance::register(m)?;
    lm::register(m)?;
    m.add_function(wrap_pyfunction!(greedy, m)?)?;
    m.add_function(wrap_pyfunction!(blank_threshold, m)?)?;
    m.add_function(wrap_pyfunction!(beam_search, m)?)?;
    m.add_function(wrap_pyfunction!(align, m)?)?;
    m.add_function(wrap_pyfunction!(display_map, m)?)?;
    m.add_function(wrap_pyfunction!(bidi_class, m)?)?;
    markup::register(m)
}
