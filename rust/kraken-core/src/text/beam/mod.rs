//! Prefix beam search for connectionist temporal classification.
//!
//! Graves & Jaitly, "Towards End-to-End Speech Recognition with Recurrent
//! Neural Networks" (2014): every prefix of a labelling carries the
//! probability of all paths that collapse to it and end in a blank, and of all
//! that end in its last symbol. A [`Scorer`] may add what the text is worth
//! (Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition
//! using Bi-Directional Recurrent DNNs", 2014).
//!
//! Expansion is bounded instead of tried for all labels: once `beam_size`
//! candidates are known, a new symbol is only looked at while it can still
//! beat the worst of them. This changes no result.

mod columns;
mod pool;
mod prefixes;
mod search;

use super::ctc::{Matrix, Symbol};
use super::paths::{best_path, log_probability, viterbi};
use super::scorer::Scorer;
use crate::{Error, Result, par};
use columns::Columns;
use search::Search;

/// Log-scores closer than this (times their size) count as tied.
const TIE: f64 = 1e-12;

/// How far to search.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Number of prefixes that survive a column.
    pub beam_size: usize,
    /// Only the that many most probable labels of a column start new symbols.
    pub top_k: Option<usize>,
    /// Only labels that are at least that probable in a column start new symbols.
    pub min_probability: Option<f64>,
    /// Columns whose blank is at least that probable start no new symbols.
    pub blank_prune: Option<f64>,
    /// Number of labellings to return.
    pub nbest: usize,
    /// Whether the outputs are natural logarithms of probabilities.
    pub log_probs: bool,
}

impl Options {
    /// # Errors
    ///
    /// [`Error::Range`] naming the option.
    pub fn check(&self) -> Result<()> {
        for (arg, value) in
            [("beam_size", self.beam_size), ("nbest", self.nbest), ("top_k", self.top_k.unwrap_or(1))]
        {
            if value < 1 {
                return Err(Error::range(arg, format!("{value}, need at least 1")));
            }
        }
        for (arg, value) in [("blank_prune", self.blank_prune), ("min_probability", self.min_probability)] {
            if let Some(p) = value.filter(|&p| !(p > 0.0 && p <= 1.0)) {
                return Err(Error::range(arg, format!("{p}, need a probability above 0, or none")));
            }
        }
        Ok(())
    }
}

/// A labelling with the positions of its symbols and its score: the
/// log-probability, and what a scorer gives for the text.
pub type Hypothesis = (Vec<Symbol>, f64);

/// A labelling and its score.
type Scored = (Vec<usize>, f64);

/// Sorts by score, ties by length and then by label.
fn rank(found: &mut [Scored]) {
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut start = 0;
    while start < found.len() {
        let limit = found[start].1 - TIE * found[start].1.abs().max(1.0);
        let end = start + found[start..].iter().take_while(|h| h.1 >= limit).count().max(1);
        found[start..end].sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
        start = end;
    }
}

/// The labellings to return, best first, out of those that a search found.
fn select(
    mut found: Vec<Scored>,
    columns: &Columns,
    options: &Options,
    scorer: Option<&Scorer>,
) -> Vec<Scored> {
    let (logs, classes) = (&columns.logs, columns.classes);
    let exact = |labels: &[usize]| {
        log_probability(labels, logs, classes) + scorer.map_or(0.0, |scorer| scorer.score(labels))
    };
    rank(&mut found);
    found.truncate(options.nbest);
    // A narrow beam can lose even the best path's labelling, and knows only the
    // paths that stayed in it. So labellings are compared by all of their paths.
    let path = best_path(logs, classes);
    if options.nbest == 1 {
        let best = found.first_mut().filter(|best| best.1 > f64::NEG_INFINITY);
        let rival = match &best {
            Some(best) if best.0 == path => return found,
            _ => exact(&path),
        };
        // The score of the search is a lower bound; more precision is only needed below the rival's.
        if let Some(best) = best
            && best.1 < rival
        {
            best.1 = exact(&best.0);
        }
        found.push((path, rival));
    } else {
        if found.iter().all(|h| h.0 != path) {
            found.push((path, 0.0));
        }
        for (labels, score) in &mut found {
            *score = exact(labels);
        }
    }
    found.retain(|h| h.1 > f64::NEG_INFINITY);
    rank(&mut found);
    found.truncate(options.nbest);
    found
}

/// Decodes the first `length` columns of one line. Returns up to
/// `options.nbest` labellings, the best first; never none.
///
/// # Errors
///
/// As [`Options::check`].
pub fn decode<T: Copy + PartialOrd + Into<f64>>(
    outputs: &Matrix<'_, T>,
    length: usize,
    options: &Options,
    scorer: Option<&Scorer>,
) -> Result<Vec<Hypothesis>> {
    options.check()?;
    let columns = Columns::new(outputs, length, options.log_probs);
    let mut search = Search::new(options, scorer, columns.classes);
    for t in 0..columns.width() {
        search.step(&columns.column(t));
    }
    let mut found = select(search.finish(), &columns, options, scorer);
    if found.is_empty() {
        // No path has a probability above 0.
        found.push((Vec::new(), f64::NEG_INFINITY));
    }
    let place = |(labels, score): Scored| {
        let spans = viterbi(&labels, &columns.logs, columns.classes);
        let symbol = |(&label, (start, end)): (&usize, (usize, usize))| {
            let log = |t: usize| columns.logs[t * columns.classes + label];
            let top = (start..=end).map(log).fold(f64::NEG_INFINITY, f64::max);
            Symbol { label, start, end, confidence: top.exp() }
        };
        (labels.iter().zip(spans).map(symbol).collect(), score)
    };
    Ok(found.into_iter().map(place).collect())
}

/// Decodes the lines of a batch (`outputs` row-major lines × classes × columns)
/// with up to `threads` threads (`0`: all). The result doesn't depend on them.
///
/// # Errors
///
/// The first error of any line.
pub fn decode_batch<T: Copy + PartialOrd + Into<f64> + Sync>(
    outputs: &[Matrix<'_, T>],
    lengths: &[usize],
    options: &Options,
    scorer: Option<&Scorer>,
    threads: usize,
) -> Result<Vec<Vec<Hypothesis>>> {
    options.check()?;
    if outputs.len() != lengths.len() {
        let detail = format!("{} lengths for {} lines", lengths.len(), outputs.len());
        return Err(Error::shape("seq_lens", detail));
    }
    par::map_indices(outputs.len(), threads, |i| decode(&outputs[i], lengths[i], options, scorer))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(beam_size: usize) -> Options {
        Options {
            beam_size,
            top_k: None,
            min_probability: None,
            blank_prune: None,
            nbest: 1,
            log_probs: false,
        }
    }

    #[test]
    fn sums_over_paths_where_the_best_path_errs() -> Result<()> {
        // Best path: blank, blank (0.36); the labelling [1] has 0.64.
        let data = [0.6, 0.6, 0.4, 0.4_f64];
        let m = Matrix::new(&data, 2, 2)?;
        let out = decode(&m, 2, &options(10), None)?;
        let (symbols, score) = &out[0];
        assert_eq!(symbols.len(), 1);
        assert!((score.exp() - 0.64).abs() < 1e-12);
        assert!((symbols[0].confidence - 0.4).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn equal_neighbours_need_a_blank() -> Result<()> {
        let data = [0.01, 0.98, 0.01, 0.99, 0.02, 0.99_f32];
        let m = Matrix::new(&data, 2, 3)?;
        let out = decode(&m, 3, &options(4), None)?;
        let spans: Vec<_> = out[0].0.iter().map(|s| (s.label, s.start, s.end)).collect();
        assert_eq!(spans, vec![(1, 0, 0), (1, 2, 2)]);
        Ok(())
    }

    #[test]
    fn impossible_and_empty_input_gives_the_empty_labelling() -> Result<()> {
        for data in [vec![0.0; 6], vec![f64::NAN; 6]] {
            let m = Matrix::new(&data, 2, 3)?;
            let out = decode(&m, 3, &options(3), None)?;
            assert!(out[0].0.is_empty());
        }
        let m = Matrix::<f64>::new(&[], 3, 0)?;
        assert_eq!(decode(&m, 0, &options(1), None)?, vec![(Vec::new(), 0.0)]);
        assert!(decode(&m, 0, &options(0), None).is_err());
        Ok(())
    }

    #[test]
    fn ties_prefer_the_shorter_and_then_the_lower_labelling() -> Result<()> {
        let data = [0.25, 0.25, 0.375, 0.375, 0.375, 0.375_f64];
        let m = Matrix::new(&data, 3, 2)?;
        let out = decode(&m, 2, &options(100), None)?;
        assert_eq!(out[0].0.iter().map(|s| s.label).collect::<Vec<_>>(), vec![1]);
        Ok(())
    }
}
