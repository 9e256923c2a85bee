//! Decoding of network outputs that were trained with connectionist temporal
//! classification (Graves et al., 2006): best path and blank threshold.

use crate::{Error, Result};

/// The label that stands for "no symbol".
pub const BLANK: usize = 0;

/// Scores of one line, row-major: `classes` rows of `columns` values.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    classes: usize,
    columns: usize,
}

/// One decoded symbol: label, first and last column (inclusive), confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Symbol {
    /// Label, never the blank.
    pub label: usize,
    /// First column.
    pub start: usize,
    /// Last column, inclusive.
    pub end: usize,
    /// Confidence.
    pub confidence: f64,
}

impl<'a, T: Copy + PartialOrd + Into<f64>> Matrix<'a, T> {
    /// A view of `data`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if there is no class or the buffer's length isn't
    /// `classes · columns`.
    pub fn new(data: &'a [T], classes: usize, columns: usize) -> Result<Self> {
        if classes == 0 {
            return Err(Error::shape("outputs", "no classes, need at least the blank"));
        }
        if classes.checked_mul(columns) != Some(data.len()) {
            return Err(Error::shape("outputs", format!("{} values for {classes}×{columns}", data.len())));
        }
        Ok(Self { data, classes, columns })
    }

    /// Number of labels, the blank included.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Values of a label over all columns.
    pub fn row(&self, label: usize) -> &'a [T] {
        &self.data[label * self.columns..(label + 1) * self.columns]
    }
}

/// Whether `new` replaces `best` as the maximum: NaN counts as larger than
/// any number, equal values keep the earlier one.
#[inline]
#[allow(
    clippy::eq_op,
    clippy::neg_cmp_op_on_partial_ord,
    clippy::needless_bitwise_bool,
    reason = "two comparisons without a branch"
)]
fn beats<T: Copy + PartialOrd>(new: T, best: T) -> bool {
    !(new <= best) & (best == best)
}

/// Columns that are searched together: what fits into registers.
const STRIP: usize = 16;

/// The largest value of each of the first `n` columns and its label.
fn column_maxima<T: Copy + PartialOrd + Into<f64>>(outputs: &Matrix<'_, T>, n: usize) -> (Vec<T>, Vec<u32>) {
    let mut best = outputs.row(0)[..n].to_vec();
    let mut label = vec![0_u32; n];
    let mut strips = best.chunks_exact_mut(STRIP).zip(label.chunks_exact_mut(STRIP)).enumerate();
    for (k, (best, label)) in &mut strips {
        // Arrays of a known size stay in registers over all classes.
        let (mut top, mut of) = ([best[0]; STRIP], [0_u32; STRIP]);
        top.copy_from_slice(best);
        for c in 1..outputs.classes() {
            let values = &outputs.row(c)[k * STRIP..(k + 1) * STRIP];
            for j in 0..STRIP {
                let take = beats(values[j], top[j]);
                top[j] = if take { values[j] } else { top[j] };
                of[j] = if take { c as u32 } else { of[j] };
            }
        }
        best.copy_from_slice(&top);
        label.copy_from_slice(&of);
    }
    let rest = n - n % STRIP;
    for c in 1..outputs.classes() {
        for t in rest..n {
            if beats(outputs.row(c)[t], best[t]) {
                best[t] = outputs.row(c)[t];
                label[t] = c as u32;
            }
        }
    }
    (best, label)
}

/// Best path decoding of the first `length` columns: the most probable label
/// of every column (the lowest one on ties), equal neighbours merged, blanks
/// dropped. The confidence is the largest value over the columns of a symbol.
pub fn greedy<T: Copy + PartialOrd + Into<f64>>(outputs: &Matrix<'_, T>, length: usize) -> Vec<Symbol> {
    let (best, label) = column_maxima(outputs, length.min(outputs.columns()));
    let mut symbols = Vec::new();
    let mut start = 0;
    for group in label.chunk_by(|a, b| a == b) {
        let end = start + group.len() - 1;
        if group[0] as usize != BLANK {
            let top = best[start..=end].iter().copied().reduce(|a, b| if beats(b, a) { b } else { a });
            let confidence = top.map_or(f64::NAN, Into::into);
            symbols.push(Symbol { label: group[0] as usize, start, end, confidence });
        }
        start = end + 1;
    }
    symbols
}

/// Threshold decoding as in ocropy: every maximal run of columns whose blank
/// value is below `threshold` gives the label with the largest value in the
/// run (the lowest label on ties), nothing if that is the blank.
pub fn blank_threshold<T: Copy + PartialOrd + Into<f64>>(
    outputs: &Matrix<'_, T>,
    length: usize,
    threshold: f64,
) -> Vec<Symbol> {
    let n = length.min(outputs.columns());
    let below: Vec<bool> = outputs.row(BLANK)[..n].iter().map(|&v| v.into() < threshold).collect();
    let mut symbols = Vec::new();
    let mut start = 0;
    for run in below.chunk_by(|a, b| a == b) {
        let end = start + run.len() - 1;
        if run[0] {
            let mut top = (BLANK, outputs.row(BLANK)[start]);
            for c in 0..outputs.classes() {
                for &value in &outputs.row(c)[start..=end] {
                    if beats(value, top.1) {
                        top = (c, value);
                    }
                }
            }
            if top.0 != BLANK {
                symbols.push(Symbol { label: top.0, start, end, confidence: top.1.into() });
            }
        }
        start = end + 1;
    }
    symbols
}

/// Lengths of the lines of a batch, checked: one per line, none negative;
/// longer than the array means all of it.
///
/// # Errors
///
/// [`Error::Shape`] for a wrong number, [`Error::Range`] for a negative length.
pub fn check_lengths(lengths: &[i64], lines: usize, columns: usize) -> Result<Vec<usize>> {
    if lengths.len() != lines {
        return Err(Error::shape("seq_lens", format!("{} lengths for {lines} lines", lengths.len())));
    }
    lengths
        .iter()
        .map(|&l| usize::try_from(l).map(|l| l.min(columns)))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::range("seq_lens", "a length is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(symbols: &[Symbol]) -> Vec<(usize, usize, usize)> {
        symbols.iter().map(|s| (s.label, s.start, s.end)).collect()
    }

    #[test]
    fn greedy_merges_neighbours_and_drops_blanks() -> Result<()> {
        let data = [0.1, 0.2, 0.8, 0.3, 0.9, 0.7, 0.1, 0.3, 0.0, 0.1, 0.1, 0.4_f32];
        let m = Matrix::new(&data, 3, 4)?;
        let out = greedy(&m, 4);
        assert_eq!(labels(&out), vec![(1, 0, 1), (2, 3, 3)]);
        assert_eq!(out[0].confidence, f64::from(0.9_f32));
        assert_eq!(labels(&greedy(&m, 1)), vec![(1, 0, 0)]);
        assert!(greedy(&m, 0).is_empty());
        Ok(())
    }

    #[test]
    fn nan_is_the_maximum_and_ties_take_the_lowest_label() -> Result<()> {
        let data = [0.5, 0.2, 0.5, f64::NAN];
        let m = Matrix::new(&data, 2, 2)?;
        let out = greedy(&m, 9);
        assert_eq!(labels(&out), vec![(1, 1, 1)]);
        assert!(out[0].confidence.is_nan());
        assert_eq!(labels(&blank_threshold(&m, 2, 0.4)), vec![(1, 1, 1)]);
        Ok(())
    }

    #[test]
    fn bad_shapes_are_errors() {
        assert!(Matrix::<f32>::new(&[], 0, 0).is_err());
        assert!(Matrix::new(&[1.0_f32], 2, 3).is_err());
        assert!(Matrix::<f32>::new(&[], 2, 0).is_ok());
        assert!(check_lengths(&[1], 2, 5).is_err());
        assert!(check_lengths(&[-1], 1, 5).is_err());
        assert_eq!(check_lengths(&[7], 1, 5), Ok(vec![5]));
    }
}
