//! Codecs as the decoders see them: which text a sequence of labels means.

use std::collections::{HashMap, HashSet};

use crate::{Error, Result};

/// Reading position inside a code: no label of one was read.
pub const START: u32 = 0;

/// What a label adds to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emission {
    /// The text of a code, by its number.
    Text(u32),
    /// A label that belongs to no code.
    Dropped,
}

/// A prefix-free set of codes, each a sequence of labels with a text.
#[derive(Debug, Clone)]
pub struct Codes {
    texts: Vec<Vec<char>>,
    /// Text of a label that is a code on its own.
    single: HashMap<u32, u32>,
    /// Trie of the codes of several labels.
    children: HashMap<(u32, u32), u32>,
    /// Text of the code that ends in a node.
    ends: HashMap<u32, u32>,
    /// Labels from the root to a node.
    labels: Vec<Vec<u32>>,
}

impl Codes {
    /// Codes of (labels, text) pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Range`] for a code without labels or one that another begins with.
    pub fn new(pairs: &[(Vec<u32>, String)]) -> Result<Self> {
        let mut codes = Self {
            texts: Vec::new(),
            single: HashMap::new(),
            children: HashMap::new(),
            ends: HashMap::new(),
            labels: vec![vec![]],
        };
        for (labels, text) in pairs {
            let number = codes.texts.len() as u32;
            codes.texts.push(text.chars().collect());
            let taken = match labels[..] {
                [] => return Err(Error::range("codec", format!("'{text}' has no label"))),
                [label] => codes.single.insert(label, number).is_some(),
                _ => {
                    let node = codes.insert(labels);
                    codes.ends.insert(node, number).is_some()
                }
            };
            if taken {
                return Err(Error::range("codec", format!("two texts have the labels {labels:?}")));
            }
        }
        let parents: HashSet<u32> = codes.children.keys().map(|&(parent, _)| parent).collect();
        let starts = |&label: &u32| codes.children.contains_key(&(START, label));
        if codes.ends.keys().any(|n| parents.contains(n)) || codes.single.keys().any(starts) {
            return Err(Error::range("codec", "a code begins with another one"));
        }
        Ok(codes)
    }

    fn insert(&mut self, labels: &[u32]) -> u32 {
        let mut node = START;
        for (k, &label) in labels.iter().enumerate() {
            let next = self.labels.len() as u32;
            node = *self.children.entry((node, label)).or_insert(next);
            if node == next {
                self.labels.push(labels[..=k].to_vec());
            }
        }
        node
    }

    /// Code points of a text.
    pub fn text(&self, number: u32) -> &[char] {
        &self.texts[number as usize]
    }

    /// The text of a label that is a code on its own.
    pub fn single(&self, label: u32) -> Option<u32> {
        self.single.get(&label).copied()
    }

    /// Labels that are codes on their own, in ascending order.
    pub fn labels(&self) -> Vec<u32> {
        let mut labels: Vec<u32> = self.single.keys().copied().collect();
        labels.sort_unstable();
        labels
    }

    /// Number of code points of the longest text, and of labels of the longest code.
    pub fn longest(&self) -> (usize, usize) {
        let text = self.texts.iter().map(Vec::len).max();
        (text.unwrap_or(0), self.labels.iter().map(Vec::len).max().unwrap_or(0).max(1))
    }

    /// Reads one more label at a position. Calls `emit` for what it completes
    /// and returns the position after it.
    ///
    /// Labels are read like a codec decodes them: from the left; one that no code
    /// goes on with is dropped.
    pub fn step(&self, at: u32, label: u32, emit: &mut impl FnMut(Emission)) -> u32 {
        if at == START
            && let Some(text) = self.single(label)
        {
            emit(Emission::Text(text));
            return START;
        }
        if let Some(&node) = self.children.get(&(at, label)) {
            return match self.ends.get(&node) {
                Some(&text) => {
                    emit(Emission::Text(text));
                    START
                }
                None => node,
            };
        }
        emit(Emission::Dropped);
        if at == START {
            return START;
        }
        // The first label was no code's beginning after all: read on from the second.
        let again = &self.labels[at as usize][1..];
        let at = again.iter().fold(START, |at, &l| self.step(at, l, emit));
        self.step(at, label, emit)
    }

    /// Ends the sequence of labels at a position.
    pub fn end(&self, at: u32, emit: &mut impl FnMut(Emission)) {
        let mut at = at;
        while at != START {
            emit(Emission::Dropped);
            let again = &self.labels[at as usize][1..];
            at = again.iter().fold(START, |at, &l| self.step(at, l, emit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(codes: &Codes, labels: &[u32]) -> String {
        let mut out = String::new();
        let mut emit = |e: Emission| match e {
            Emission::Text(t) => out.extend(codes.text(t)),
            Emission::Dropped => out.push('?'),
        };
        let at = labels.iter().fold(START, |at, &l| codes.step(at, l, &mut emit));
        codes.end(at, &mut emit);
        out
    }

    #[test]
    fn codes_of_one_and_of_several_labels() -> Result<()> {
        let pairs = [(vec![1], "a".into()), (vec![2, 3], "b".into()), (vec![2, 4, 5], "ffi".into())];
        let codes = Codes::new(&pairs)?;
        assert_eq!(read(&codes, &[1, 2, 3, 2, 4, 5]), "abffi");
        assert_eq!(read(&codes, &[2, 1, 9, 2, 4]), "?a???");
        assert_eq!(read(&codes, &[2, 2, 3, 2, 4, 1]), "?b??a");
        assert_eq!(codes.longest(), (3, 3));
        Ok(())
    }

    #[test]
    fn codes_must_be_told_apart() {
        assert!(Codes::new(&[(vec![], "a".into())]).is_err());
        assert!(Codes::new(&[(vec![1], "a".into()), (vec![1], "b".into())]).is_err());
        assert!(Codes::new(&[(vec![1], "a".into()), (vec![1, 2], "b".into())]).is_err());
        assert!(Codes::new(&[(vec![1, 2], "a".into()), (vec![1, 2, 3], "b".into())]).is_err());
    }
}
