//! Network outputs column by column.

use super::super::ctc::{BLANK, Matrix};

/// Log-probabilities of the columns in use, one column after the other.
///
/// NaN, infinite and negative probabilities count as impossible.
pub(super) struct Columns {
    pub logs: Vec<f64>,
    pub classes: usize,
    /// The largest logarithm of every column, 0 if all are impossible.
    tops: Vec<f64>,
}

/// One column.
pub(super) struct Column<'a> {
    pub logs: &'a [f64],
    /// The largest of the logarithms.
    pub top: f64,
}

impl Column<'_> {
    /// Probability of a label, divided by the largest one.
    pub fn relative(&self, label: u32) -> f64 {
        (self.logs[label as usize] - self.top).exp()
    }

    /// Logarithm of the blank's probability.
    pub fn blank(&self) -> f64 {
        self.logs[BLANK]
    }
}

impl Columns {
    pub fn new<T: Copy + PartialOrd + Into<f64>>(m: &Matrix<'_, T>, length: usize, log_probs: bool) -> Self {
        let (classes, n) = (m.classes(), length.min(m.columns()));
        let mut logs = vec![f64::NEG_INFINITY; classes * n];
        let mut tops = vec![f64::NEG_INFINITY; n];
        for c in 0..classes {
            for ((t, &value), top) in m.row(c)[..n].iter().enumerate().zip(&mut tops) {
                let value: f64 = value.into();
                let log = if log_probs { value } else { value.ln() };
                if log < f64::INFINITY {
                    logs[t * classes + c] = log;
                    *top = log.max(*top);
                }
            }
        }
        for top in tops.iter_mut().filter(|top| **top == f64::NEG_INFINITY) {
            *top = 0.0;
        }
        Self { logs, classes, tops }
    }

    pub fn width(&self) -> usize {
        self.tops.len()
    }

    pub fn column(&self, t: usize) -> Column<'_> {
        Column { logs: &self.logs[t * self.classes..(t + 1) * self.classes], top: self.tops[t] }
    }
}
