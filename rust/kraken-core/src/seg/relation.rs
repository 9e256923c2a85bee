//! Relations between the elements of a list, as a matrix of bits, and their
//! linearisation.

use crate::{Error, Result};

/// Which elements must precede which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    len: usize,
    words: usize,
    /// Row k: the predecessors of element k.
    bits: Vec<u64>,
}

impl Relation {
    /// The relation whose rows hold the predecessors of each element; see
    /// [`Row`]. All rows must have been made for `rows.len()` elements.
    pub(super) fn from_rows(rows: Vec<Row>) -> Self {
        let len = rows.len();
        let words = len.div_ceil(64);
        let mut bits = Vec::with_capacity(len * words);
        for row in rows {
            bits.extend(row.0);
        }
        Self { len, words, bits }
    }

    /// From a square matrix: `order[i * len + j]` if i precedes j.
    ///
    /// # Errors
    /// If the matrix isn't square.
    pub fn from_matrix(order: &[bool], len: usize) -> Result<Self> {
        if len.checked_mul(len) != Some(order.len()) {
            return Err(Error::shape(
                "order",
                format!("{} values aren't a {len} × {len} matrix", order.len()),
            ));
        }
        let words = len.div_ceil(64);
        let mut bits = vec![0; len * words];
        for i in 0..len {
            for (j, _) in order[i * len..][..len].iter().enumerate().filter(|(_, v)| **v) {
                bits[j * words + i / 64] |= 1 << (i % 64);
            }
        }
        Ok(Self { len, words, bits })
    }

    /// Whether i precedes j.
    pub fn precedes(&self, i: usize, j: usize) -> bool {
        i < self.len && j < self.len && self.bits[j * self.words + i / 64] >> (i % 64) & 1 == 1
    }

    /// A sequence of all elements: they are visited in ascending order, and
    /// visiting one first visits all its predecessors in ascending order, then
    /// appends it; none is visited twice, which breaks cycles.
    ///
    /// Keeps its own stack, so long chains are no problem. Takes `len² / 64`
    /// steps: a search for the next predecessor resumes where the last one of
    /// the same element ended, since what was visited stays visited.
    pub fn linearise(&self) -> Vec<usize> {
        let mut unvisited = Row::new(self.len);
        (0..self.len).for_each(|i| unvisited.insert(i));
        let mut result = Vec::with_capacity(self.len);
        let mut stack = Vec::new();
        for first in 0..self.len {
            if !unvisited.remove(first) {
                continue;
            }
            stack.push((first, 0));
            while let Some((k, word)) = stack.pop() {
                let row = &self.bits[k * self.words..][..self.words];
                match (word..self.words).find(|&w| row[w] & unvisited.0[w] != 0) {
                    Some(w) => {
                        let next = w * 64 + (row[w] & unvisited.0[w]).trailing_zeros() as usize;
                        unvisited.remove(next);
                        stack.push((k, w));
                        stack.push((next, 0));
                    }
                    None => result.push(k),
                }
            }
        }
        result
    }
}

/// A set of elements.
pub(super) struct Row(Vec<u64>);

impl Row {
    /// An empty set for elements below `len`.
    pub(super) fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }

    /// Takes i out; whether it was in.
    fn remove(&mut self, i: usize) -> bool {
        let was = self.0[i / 64] >> (i % 64) & 1 == 1;
        self.0[i / 64] &= !(1 << (i % 64));
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predecessors_come_first_and_ties_keep_the_input_order() {
        let n = 4;
        let mut order = vec![false; n * n];
        order[3 * n] = true; // 3 before 0
        order[2 * n + 3] = true; // 2 before 3
        let relation = Relation::from_matrix(&order, n);
        assert_eq!(relation.map(|r| r.linearise()), Ok(vec![2, 3, 0, 1]));
        assert_eq!(Relation::from_matrix(&[], 0).map(|r| r.linearise()), Ok(vec![]));
        assert!(Relation::from_matrix(&order, 3).is_err());
    }

    #[test]
    fn cycles_are_broken_and_long_chains_fit() {
        let n = 3000;
        let mut order = vec![false; n * n];
        for i in 1..n {
            order[i * n + i - 1] = true;
        }
        let chain = Relation::from_matrix(&order, n).map(|r| r.linearise());
        assert_eq!(chain, Ok((0..n).rev().collect()));
        assert_eq!(Relation::from_matrix(&[true; 9], 3).map(|r| r.linearise()), Ok(vec![2, 1, 0]));
    }
}
