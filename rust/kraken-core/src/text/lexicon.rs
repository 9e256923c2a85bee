//! Word lists that a decoder prefers.

use std::collections::{HashMap, HashSet};

/// Where in a word the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Between words.
    Outside,
    /// Inside a word that the list may hold. `complete` says whether what was
    /// read before signs at the end, such as an apostrophe, is in the list.
    Inside {
        /// Node of the trie.
        node: u32,
        /// See above.
        complete: bool,
    },
    /// Inside a word that the list doesn't hold.
    Unknown,
}

/// A list of words, as a trie.
///
/// A word starts with a letter, and goes on with letters and with whatever signs
/// a word of the list has at that place (`don’t`). All else separates words:
/// blanks, digits, punctuation. A lower-case word of the list also stands for
/// the same word with a capital and in capitals.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    children: HashMap<(u32, char), u32>,
    ends: HashSet<u32>,
    nodes: u32,
}

/// Letters and the marks on them. Marks have no property of their own in the
/// standard library, but lie in few blocks that hold nothing else; those of most
/// scripts count as alphabetic already.
fn is_letter(c: char) -> bool {
    c.is_alphabetic()
        || matches!(u32::from(c), 0x300..=0x36F | 0x483..=0x489 | 0x591..=0x5C7 | 0x610..=0x61A
            | 0x64B..=0x65F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE00..=0xFE0F
            | 0xFE20..=0xFE2F)
}

impl Lexicon {
    /// A list of the given words. Signs before the first letter and after the
    /// last one are ignored.
    pub fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut lexicon = Self { nodes: 1, ..Self::default() };
        for word in words {
            let word = word.trim_matches(|c| !is_letter(c));
            lexicon.insert(word.chars());
            if word.chars().all(|c| !c.is_uppercase()) {
                let mut rest = word.chars();
                if let Some(first) = rest.next() {
                    lexicon.insert(first.to_uppercase().chain(rest));
                }
                lexicon.insert(word.to_uppercase().chars());
            }
        }
        lexicon
    }

    fn insert(&mut self, word: impl Iterator<Item = char>) {
        let mut node = 0;
        for c in word {
            let next = self.nodes;
            node = *self.children.entry((node, c)).or_insert(next);
            if node == next {
                self.nodes += 1;
            }
        }
        if node != 0 {
            self.ends.insert(node);
        }
    }

    /// Number of words, those with capitals included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Reads one more code point: the place after it, and whether it makes known
    /// that a word isn't in the list.
    pub fn step(&self, place: Place, c: char) -> (Place, bool) {
        let node = match place {
            Place::Outside => 0,
            Place::Inside { node, .. } => node,
            Place::Unknown if is_letter(c) => return (Place::Unknown, false),
            Place::Unknown => return (Place::Outside, false),
        };
        let letter = is_letter(c);
        if let Some(&child) = self.children.get(&(node, c)).filter(|_| letter || node != 0) {
            let known = self.ends.contains(&child);
            let complete = known || (!letter && matches!(place, Place::Inside { complete: true, .. }));
            return (Place::Inside { node: child, complete }, false);
        }
        if letter { (Place::Unknown, true) } else { (Place::Outside, self.end(place)) }
    }

    /// Whether the word that ends here isn't in the list.
    pub fn end(&self, place: Place) -> bool {
        matches!(place, Place::Inside { complete: false, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown_words(lexicon: &Lexicon, text: &str) -> usize {
        let mut place = Place::Outside;
        let mut count = 0;
        for c in text.chars() {
            let (next, unknown) = lexicon.step(place, c);
            place = next;
            count += usize::from(unknown);
        }
        count + usize::from(lexicon.end(place))
    }

    #[test]
    fn counts_words_that_are_not_listed() {
        let lexicon = Lexicon::new(["the", "don’t", "McX", "of,", "cafe\u{301}"].into_iter());
        for (text, expected) in [
            ("", 0),
            ("the The THE tHE", 1),
            ("“the” (of) 12,5 of.", 0),
            ("don’t don’ don", 2),
            ("the’ the’s", 1),
            ("McX mcx", 1),
            ("th", 1),
            ("them 7them", 2),
            ("cafe\u{301} cafe", 1),
        ] {
            assert_eq!(unknown_words(&lexicon, text), expected, "{text}");
        }
        assert!(Lexicon::new(["", "12"].into_iter()).is_empty());
    }
}
