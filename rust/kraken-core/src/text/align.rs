//! Forced alignment: where the symbols of a known text stand in a line.
//!
//! Viterbi over the labels with optional blanks between them (Graves et al.,
//! "Connectionist Temporal Classification", 2006, with the maximum in place of
//! the sum).

use super::ctc::{BLANK, Matrix, Symbol};
use super::paths::viterbi;
use crate::{Error, Result};

/// Number of columns that a labelling needs: one a label, and one for the
/// blank between equal neighbours.
pub fn columns_needed(labels: &[usize]) -> usize {
    labels.len() + labels.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

/// Logarithm that is finite for whatever a network may give: an infinite one
/// would make all paths through it equal.
fn finite_log(probability: f64) -> f64 {
    if probability.is_nan() {
        return f64::MIN_POSITIVE.ln();
    }
    probability.clamp(f64::MIN_POSITIVE, f64::MAX).ln()
}

/// The most probable position of every label in the first `length` columns.
///
/// Confidences are the mean of a label's own values over its columns. Values
/// of 0 (and NaN) count as the smallest positive number, so that a text that
/// the network thinks impossible is aligned as well as it goes. On ties a path
/// stays where it is rather than going on.
///
/// Returns None if the line has fewer columns than the labelling needs.
///
/// # Errors
///
/// [`Error::Range`] for a label that is the blank or not a class.
pub fn align<T: Copy + PartialOrd + Into<f64>>(
    outputs: &Matrix<'_, T>,
    length: usize,
    labels: &[usize],
) -> Result<Option<Vec<Symbol>>> {
    let classes = outputs.classes();
    if let Some(bad) = labels.iter().find(|&&label| label == BLANK || label >= classes) {
        return Err(Error::range("labels", format!("{bad}, need 1 to {}", classes.saturating_sub(1))));
    }
    let width = length.min(outputs.columns());
    if columns_needed(labels) > width {
        return Ok(None);
    }
    // Only the rows of the text's own labels are looked at.
    let mut used: Vec<usize> = labels.to_vec();
    used.push(BLANK);
    used.sort_unstable();
    used.dedup();
    let index: Vec<usize> = labels.iter().map(|label| used.partition_point(|u| u < label)).collect();
    let mut columns = vec![0.0; used.len() * width];
    for (k, &label) in used.iter().enumerate() {
        for (t, &value) in outputs.row(label)[..width].iter().enumerate() {
            columns[t * used.len() + k] = finite_log(value.into());
        }
    }
    let spans = viterbi(&index, &columns, used.len());
    let symbol = |(&label, (start, end)): (&usize, (usize, usize))| {
        let own = &outputs.row(label)[start..=end];
        let total: f64 = own.iter().map(|&v| v.into()).sum();
        Symbol { label, start, end, confidence: total / own.len() as f64 }
    };
    Ok(Some(labels.iter().zip(spans).map(symbol).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(found: Option<Vec<Symbol>>) -> Option<Vec<(usize, usize)>> {
        found.map(|symbols| symbols.iter().map(|s| (s.start, s.end)).collect())
    }

    #[test]
    fn equal_neighbours_need_a_blank() -> Result<()> {
        let data = [0.1, 0.4, 0.1, 0.9, 0.6, 0.9_f32];
        let m = Matrix::new(&data, 2, 3)?;
        assert_eq!(spans(align(&m, 3, &[1, 1])?), Some(vec![(0, 0), (2, 2)]));
        assert_eq!(spans(align(&m, 2, &[1, 1])?), None);
        assert_eq!(spans(align(&m, 3, &[1])?), Some(vec![(0, 2)]));
        assert_eq!(spans(align(&m, 0, &[])?), Some(vec![]));
        Ok(())
    }

    #[test]
    fn impossible_values_are_aligned_all_the_same() -> Result<()> {
        let data = [0.0, 0.0, f64::NAN, 0.0, f64::INFINITY, -1.0];
        let m = Matrix::new(&data, 2, 3)?;
        let found = spans(align(&m, 3, &[1, 1])?);
        assert_eq!(found, Some(vec![(0, 0), (2, 2)]));
        Ok(())
    }

    #[test]
    fn labels_are_classes() -> Result<()> {
        let m = Matrix::new(&[0.5_f32, 0.5], 2, 1)?;
        assert!(align(&m, 1, &[2]).is_err());
        assert!(align(&m, 1, &[0]).is_err());
        Ok(())
    }
}
