//! Prefix beam search for connectionist temporal classification.
//!
//! Graves & Jaitly, "Towards End-to-End Speech Recognition with Recurrent
//! Neural Networks" (2014): every prefix of a labelling carries the
//! probability of all paths that collapse to it and end in a blank, and of all
//! that end in its last symbol. Natural logarithms in double precision.
//!
//! Expansion is bounded instead of tried for all labels: once `beam_size`
//! candidates are known, a new symbol is only looked at while it can still
//! beat the worst of them. This changes no result.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::ctc::{BLANK, Matrix, Symbol};
use super::paths::{best_path, log_add, log_probability, viterbi};
use crate::{Error, Result, par};

const NONE: u32 = u32::MAX;
/// Log-scores closer than this (times their size) count as tied.
const TIE: f64 = 1e-12;

/// How far to search.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Number of prefixes that survive a column.
    pub beam_size: usize,
    /// Only the that many most probable labels of a column start new symbols.
    pub top_k: Option<usize>,
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
        match self.blank_prune {
            Some(p) if !(p > 0.0 && p <= 1.0) => {
                Err(Error::range("blank_prune", format!("{p}, need a probability above 0, or none")))
            }
            _ => Ok(()),
        }
    }
}

/// A labelling with the positions of its symbols and its log-probability.
pub type Hypothesis = (Vec<Symbol>, f64);

/// A labelling and its log-probability.
type Scored = (Vec<usize>, f64);

/// A set of prefixes as a tree; node 0 is the empty one.
struct Prefixes {
    parent: Vec<u32>,
    label: Vec<u32>,
    depth: Vec<u32>,
    children: HashMap<(u32, u32), u32>,
}

impl Prefixes {
    fn new() -> Self {
        Self { parent: vec![NONE], label: vec![BLANK as u32], depth: vec![0], children: HashMap::new() }
    }

    fn child(&mut self, node: u32, label: u32) -> u32 {
        let next = self.parent.len() as u32;
        let child = *self.children.entry((node, label)).or_insert(next);
        if child == next {
            self.parent.push(node);
            self.label.push(label);
            self.depth.push(self.depth[node as usize] + 1);
        }
        child
    }

    fn labels(&self, mut node: u32) -> Vec<usize> {
        let mut out = Vec::with_capacity(self.depth[node as usize] as usize);
        while self.parent[node as usize] != NONE {
            out.push(self.label[node as usize] as usize);
            node = self.parent[node as usize];
        }
        out.reverse();
        out
    }
}

/// A prefix in the beam.
#[derive(Clone, Copy)]
struct Entry {
    node: u32,
    blank: f64,
    symbol: f64,
    total: f64,
}

/// A prefix that may enter the next beam: an old one (`label` is `NONE`) or
/// one that is a symbol longer.
#[derive(Clone, Copy)]
struct Candidate {
    total: f64,
    depth: u32,
    from: u32,
    label: u32,
}

impl Candidate {
    /// Better candidates are greater: by score, then shorter, then in the
    /// order of the beam, so that the result is deterministic.
    fn rank(&self, other: &Self) -> Ordering {
        self.total
            .total_cmp(&other.total)
            .then_with(|| other.depth.cmp(&self.depth))
            .then_with(|| other.label.cmp(&self.label))
            .then_with(|| other.from.cmp(&self.from))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.rank(other) == Ordering::Equal
    }
}
impl Eq for Candidate {}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank(other)
    }
}

/// Column-major log-probabilities of the columns in use; NaN, infinite and negative
/// probabilities count as impossible.
fn log_columns<T: Copy + PartialOrd + Into<f64>>(
    m: &Matrix<'_, T>,
    length: usize,
    log_probs: bool,
) -> Vec<f64> {
    let (classes, n) = (m.classes(), length.min(m.columns()));
    let mut out = vec![f64::NEG_INFINITY; classes * n];
    for c in 0..classes {
        for (t, &value) in m.row(c)[..n].iter().enumerate() {
            let value: f64 = value.into();
            let log = if log_probs { value } else { value.ln() };
            if log < f64::INFINITY {
                out[t * classes + c] = log;
            }
        }
    }
    out
}

struct Search<'o> {
    options: &'o Options,
    prefixes: Prefixes,
    beam: Vec<Entry>,
    /// Position in the beam of a node, `NONE` if it isn't in it.
    place: Vec<u32>,
}

impl<'o> Search<'o> {
    fn new(options: &'o Options) -> Self {
        let root = Entry { node: 0, blank: 0.0, symbol: f64::NEG_INFINITY, total: 0.0 };
        Self { options, prefixes: Prefixes::new(), beam: vec![root], place: vec![0] }
    }

    /// Score of prefix `entry` followed by a new `label`.
    fn extended(&self, entry: &Entry, label: u32, log: f64) -> f64 {
        // The same symbol again is only new after a blank.
        let before =
            if self.prefixes.label[entry.node as usize] == label { entry.blank } else { entry.total };
        before + log
    }

    /// The beam's prefixes after one more column without a new prefix: blank,
    /// repeated symbol, or arrival from the parent if that is in the beam too.
    fn stay(&self, column: &[f64]) -> Vec<Entry> {
        let stay = |entry: &Entry| {
            let node = entry.node as usize;
            let label = self.prefixes.label[node];
            let blank = entry.total + column[BLANK];
            let mut symbol = f64::NEG_INFINITY;
            if self.prefixes.parent[node] != NONE {
                symbol = entry.symbol + column[label as usize];
                let place = self.place[self.prefixes.parent[node] as usize];
                if let Some(parent) = self.beam.get(place as usize) {
                    symbol = log_add(symbol, self.extended(parent, label, column[label as usize]));
                }
            }
            Entry { node: entry.node, blank, symbol, total: log_add(blank, symbol) }
        };
        self.beam.iter().map(stay).collect()
    }

    /// Labels that may start a symbol in this column, most probable first.
    fn starters(&self, column: &[f64], least: f64) -> Vec<u32> {
        let mut labels: Vec<u32> = (1..column.len())
            .filter(|&c| column[c] >= least && column[c] > f64::NEG_INFINITY)
            .map(|c| c as u32)
            .collect();
        labels.sort_unstable_by(|&a, &b| column[b as usize].total_cmp(&column[a as usize]).then(a.cmp(&b)));
        labels.truncate(self.options.top_k.unwrap_or(usize::MAX));
        labels
    }

    fn step(&mut self, column: &[f64]) {
        let stayed = self.stay(column);
        let size = self.options.beam_size;
        let mut heap: BinaryHeap<Reverse<Candidate>> = stayed
            .iter()
            .enumerate()
            .map(|(k, e)| Candidate {
                total: e.total,
                depth: self.prefixes.depth[e.node as usize],
                from: k as u32,
                label: NONE,
            })
            .map(Reverse)
            .collect();
        let quiet = self.options.blank_prune.is_some_and(|p| column[BLANK] >= p.ln());
        if !quiet {
            self.expand(column, &mut heap);
        }
        for old in &self.beam {
            self.place[old.node as usize] = NONE;
        }
        let mut next: Vec<Candidate> = heap.into_iter().map(|Reverse(c)| c).collect();
        next.sort_unstable_by(|a, b| b.cmp(a));
        next.truncate(size);
        let mut beam = Vec::with_capacity(next.len());
        for candidate in next.iter().filter(|c| c.total > f64::NEG_INFINITY) {
            let from = stayed[candidate.from as usize];
            let entry = if candidate.label == NONE {
                from
            } else {
                let node = self.prefixes.child(from.node, candidate.label);
                Entry { node, blank: f64::NEG_INFINITY, symbol: candidate.total, total: candidate.total }
            };
            beam.push(entry);
        }
        self.place.resize(self.prefixes.parent.len(), NONE);
        for (k, entry) in beam.iter().enumerate() {
            self.place[entry.node as usize] = k as u32;
        }
        self.beam = beam;
    }

    /// Which prefixes of the beam continue one that is in it too: sorted pairs
    /// of the shorter one's position and the additional label.
    fn children_in_beam(&self) -> Vec<(u32, u32)> {
        let child = |entry: &Entry| {
            let parent = self.prefixes.parent[entry.node as usize];
            let place = self.place.get(parent as usize).copied().unwrap_or(NONE);
            (place != NONE).then(|| (place, self.prefixes.label[entry.node as usize]))
        };
        let mut known: Vec<(u32, u32)> = self.beam.iter().filter_map(child).collect();
        known.sort_unstable();
        known
    }

    /// Adds the prefixes that are one symbol longer than one of the beam.
    fn expand(&self, column: &[f64], heap: &mut BinaryHeap<Reverse<Candidate>>) {
        let size = self.options.beam_size;
        let worst = |heap: &BinaryHeap<Reverse<Candidate>>| match heap.peek() {
            Some(Reverse(c)) if heap.len() >= size => c.total,
            _ => f64::NEG_INFINITY,
        };
        // The beam is sorted, so its first entry bounds them all.
        let best = self.beam.first().map_or(f64::NEG_INFINITY, |e| e.total);
        let labels = self.starters(column, worst(heap) - best);
        let known = self.children_in_beam();
        for (k, entry) in self.beam.iter().enumerate() {
            for &label in &labels {
                let log = column[label as usize];
                let bound = worst(heap);
                if entry.total + log < bound {
                    break;
                }
                if known.binary_search(&(k as u32, label)).is_ok() {
                    continue;
                }
                let total = self.extended(entry, label, log);
                if total == f64::NEG_INFINITY || total < bound {
                    continue;
                }
                let depth = self.prefixes.depth[entry.node as usize] + 1;
                heap.push(Reverse(Candidate { total, depth, from: k as u32, label }));
                if heap.len() > size {
                    heap.pop();
                }
            }
        }
    }

    /// The labellings in the beam, best first.
    fn finish(self) -> Vec<Scored> {
        self.beam.iter().map(|e| (self.prefixes.labels(e.node), e.total)).collect()
    }
}

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

/// Decodes the first `length` columns of one line. Returns up to
/// `options.nbest` labellings, the most probable first; never none.
///
/// # Errors
///
/// As [`Options::check`].
pub fn decode<T: Copy + PartialOrd + Into<f64>>(
    outputs: &Matrix<'_, T>,
    length: usize,
    options: &Options,
) -> Result<Vec<Hypothesis>> {
    options.check()?;
    let classes = outputs.classes();
    let columns = log_columns(outputs, length, options.log_probs);
    let mut search = Search::new(options);
    for column in columns.chunks_exact(classes) {
        search.step(column);
    }
    let mut found = search.finish();
    rank(&mut found);
    found.truncate(options.nbest);
    // A narrow beam can lose even the best path's labelling, and knows only the
    // paths that stayed in it. So labellings are compared by all of their paths.
    let path = best_path(&columns, classes);
    if options.nbest > 1 || found.first().is_none_or(|best| best.0 != path) {
        if found.iter().all(|h| h.0 != path) {
            found.push((path, 0.0));
        }
        for (labels, score) in &mut found {
            *score = log_probability(labels, &columns, classes);
        }
        found.retain(|h| h.1 > f64::NEG_INFINITY);
        rank(&mut found);
        found.truncate(options.nbest);
    }
    if found.is_empty() {
        // No path has a probability above 0.
        found.push((Vec::new(), f64::NEG_INFINITY));
    }
    let place = |(labels, score): Scored| {
        let spans = viterbi(&labels, &columns, classes);
        let symbol = |(&label, (start, end)): (&usize, (usize, usize))| {
            let top = (start..=end).map(|t| columns[t * classes + label]).fold(f64::NEG_INFINITY, f64::max);
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
    threads: usize,
) -> Result<Vec<Vec<Hypothesis>>> {
    options.check()?;
    if outputs.len() != lengths.len() {
        let detail = format!("{} lengths for {} lines", lengths.len(), outputs.len());
        return Err(Error::shape("seq_lens", detail));
    }
    par::map_indices(outputs.len(), threads, |i| decode(&outputs[i], lengths[i], options))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(beam_size: usize) -> Options {
        Options { beam_size, top_k: None, blank_prune: None, nbest: 1, log_probs: false }
    }

    #[test]
    fn sums_over_paths_where_the_best_path_errs() -> Result<()> {
        // Best path: blank, blank (0.36); the labelling [1] has 0.64.
        let data = [0.6, 0.6, 0.4, 0.4_f64];
        let m = Matrix::new(&data, 2, 2)?;
        let out = decode(&m, 2, &options(10))?;
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
        let out = decode(&m, 3, &options(4))?;
        let spans: Vec<_> = out[0].0.iter().map(|s| (s.label, s.start, s.end)).collect();
        assert_eq!(spans, vec![(1, 0, 0), (1, 2, 2)]);
        Ok(())
    }

    #[test]
    fn impossible_and_empty_input_gives_the_empty_labelling() -> Result<()> {
        for data in [vec![0.0; 6], vec![f64::NAN; 6]] {
            let m = Matrix::new(&data, 2, 3)?;
            let out = decode(&m, 3, &options(3))?;
            assert!(out[0].0.is_empty());
        }
        let m = Matrix::<f64>::new(&[], 3, 0)?;
        assert_eq!(decode(&m, 0, &options(1))?, vec![(Vec::new(), 0.0)]);
        assert!(decode(&m, 0, &options(0)).is_err());
        Ok(())
    }

    #[test]
    fn ties_prefer_the_shorter_and_then_the_lower_labelling() -> Result<()> {
        let data = [0.25, 0.25, 0.375, 0.375, 0.375, 0.375_f64];
        let m = Matrix::new(&data, 3, 2)?;
        let out = decode(&m, 2, &options(100))?;
        assert_eq!(out[0].0.iter().map(|s| s.label).collect::<Vec<_>>(), vec![1]);
        Ok(())
    }
}
