//! Edit distance and alignment of sequences (Levenshtein, unit costs).

use crate::{Error, Result};

/// Cells of the table of steps that an alignment may use: 2 GiB.
const MAX_CELLS: usize = 1 << 31;

/// One column of an alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Both sequences have an element; equal or not.
    Both = 0,
    /// Only the first sequence has one.
    Delete = 1,
    /// Only the second one has.
    Insert = 2,
}

/// Number of insertions, deletions and substitutions that turn one sequence into the other.
///
/// Common beginnings and ends are skipped; the rest takes O(nm) time and O(m) memory.
#[must_use]
pub fn distance(a: &[u32], b: &[u32]) -> usize {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut row: Vec<usize> = (0..=short.len()).collect();
    for (i, x) in long.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        row[0] = left;
        for (y, cell) in short.iter().zip(&mut row[1..]) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
    }
    row[short.len()]
}

/// Distance and alignment of two sequences.
///
/// Among equally cheap steps into a cell the first of deletion, insertion, substitution
/// is taken, and the path is followed back from the end.
///
/// # Errors
///
/// The table of steps would take more than 2 GiB.
pub fn align(a: &[u32], b: &[u32]) -> Result<(usize, Vec<Step>)> {
    let (n, m) = (a.len(), b.len());
    let cells = n.checked_mul(m).filter(|&c| c <= MAX_CELLS).ok_or_else(|| {
        Error::range("sequences", format!("{n} and {m} elements are too many to align, split them"))
    })?;
    let mut steps = vec![Step::Both; cells];
    let mut row: Vec<usize> = (0..=m).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        row[0] = left;
        let line = &mut steps[i * m..(i + 1) * m];
        for ((y, cell), step) in b.iter().zip(&mut row[1..]).zip(line) {
            let (delete, insert, both) = (*cell + 1, left + 1, diagonal + usize::from(x != y));
            let mut best = (delete, Step::Delete);
            if insert < best.0 {
                best = (insert, Step::Insert);
            }
            if both < best.0 {
                best = (both, Step::Both);
            }
            diagonal = *cell;
            *cell = best.0;
            left = best.0;
            *step = best.1;
        }
    }
    Ok((row[m], trace(&steps, n, m)))
}

/// The path from the end to the beginning, turned round.
fn trace(steps: &[Step], n: usize, m: usize) -> Vec<Step> {
    let (mut i, mut j) = (n, m);
    let mut path = Vec::with_capacity(n.max(m));
    while i > 0 || j > 0 {
        let step = match (i, j) {
            (_, 0) => Step::Delete,
            (0, _) => Step::Insert,
            _ => steps[(i - 1) * m + j - 1],
        };
        path.push(step);
        i -= usize::from(step != Step::Insert);
        j -= usize::from(step != Step::Delete);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    #[test]
    fn distance_of_known_words() {
        for (a, b, d) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0)] {
            assert_eq!(distance(&codes(a), &codes(b)), d);
            assert_eq!(align(&codes(a), &codes(b)).map(|(d, _)| d), Ok(d));
        }
    }

    #[test]
    fn alignment_prefers_deletion_at_the_end_of_a_tie() {
        let (_, steps) = align(&codes("aa"), &codes("a")).unwrap_or_default();
        assert_eq!(steps, [Step::Both, Step::Delete]);
    }

    #[test]
    fn empty_sequences_have_an_empty_alignment() {
        assert_eq!(align(&[], &[]), Ok((0, vec![])));
    }
}
