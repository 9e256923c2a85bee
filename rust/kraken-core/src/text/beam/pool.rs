//! The best of many candidates.

use std::cmp::Ordering;

/// A prefix that may enter the next beam: an old one (`label` is `NONE`) or
/// one that is a symbol longer.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    /// Log-probability with what the scorer gives for the text.
    pub score: f64,
    /// Log-probability.
    pub total: f64,
    pub depth: u32,
    /// Position in the beam of the prefix, or of the one that it extends.
    pub from: u32,
    pub label: u32,
}

/// Better candidates first: by score, then shorter, then in the order of the
/// beam, so that the result is deterministic.
fn rank(a: &Candidate, b: &Candidate) -> Ordering {
    b.score
        .total_cmp(&a.score)
        .then_with(|| a.depth.cmp(&b.depth))
        .then_with(|| a.label.cmp(&b.label))
        .then_with(|| a.from.cmp(&b.from))
}

/// Keeps the `size` best candidates.
pub(super) struct Pool {
    size: usize,
    candidates: Vec<Candidate>,
    bound: f64,
}

impl Pool {
    pub fn new(size: usize) -> Self {
        Self { size, candidates: Vec::new(), bound: f64::NEG_INFINITY }
    }

    pub fn clear(&mut self) {
        self.candidates.clear();
        self.bound = f64::NEG_INFINITY;
    }

    /// A score that a candidate must reach; there are enough better ones otherwise.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    pub fn push(&mut self, candidate: Candidate) {
        self.candidates.push(candidate);
        // Selection takes linear time: cheap if it is done once per half a pool.
        if self.candidates.len() >= self.size + self.size / 2 + 8 {
            self.tighten();
        }
    }

    /// Drops all but the best candidates, which gives the tightest bound.
    pub fn tighten(&mut self) {
        if self.candidates.len() >= self.size {
            let (_, worst, _) = self.candidates.select_nth_unstable_by(self.size - 1, rank);
            self.bound = worst.score;
            self.candidates.truncate(self.size);
        }
    }

    /// The best candidates in order.
    pub fn sorted(&mut self) -> &[Candidate] {
        self.tighten();
        self.candidates.sort_unstable_by(rank);
        &self.candidates
    }
}
