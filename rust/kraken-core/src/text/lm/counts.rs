//! Counts of all n-grams of a text.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// No n-gram: the line ends before.
const NONE: u32 = u32::MAX;

/// Hashes one word. The default hasher resists attacks that a count of
/// n-grams needn't fear, and takes several times longer.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(u64::from(b));
        }
    }
    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// The distinct n-grams of one order in the order of appearance.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Index of the n-gram without its last symbol among those of the order below.
    pub context: Vec<u32>,
    pub symbol: Vec<u32>,
    /// Index of the n-gram without its first symbol among those of the order below.
    pub suffix: Vec<u32>,
    pub count: Vec<u64>,
    /// Whether it starts with the beginning of a line.
    pub begins: Vec<bool>,
}

impl Level {
    pub fn len(&self) -> usize {
        self.symbol.len()
    }

    fn push(&mut self, context: u32, symbol: u32, suffix: u32, begins: bool) {
        self.context.push(context);
        self.symbol.push(symbol);
        self.suffix.push(suffix);
        self.count.push(0);
        self.begins.push(begins);
    }
}

/// Counts the n-grams up to `order` of a sequence of symbols below `size`.
/// `begin` starts every line; no n-gram goes on beyond a line's end.
pub(super) fn count(text: &[u32], size: usize, begin: u32, order: usize) -> Vec<Level> {
    let mut unigrams = Level::default();
    for symbol in 0..size as u32 {
        unigrams.push(0, symbol, 0, symbol == begin);
    }
    for &symbol in text {
        unigrams.count[symbol as usize] += 1;
    }
    // The n-gram that starts at every position.
    let mut at = text.to_vec();
    let mut levels = vec![unigrams];
    for n in 2..=order {
        let mut level = Level::default();
        let mut index: HashMap<u64, u32, BuildHasherDefault<Mix>> = HashMap::default();
        for i in 0..at.len() {
            let (context, last) = (at[i], text.get(i + n - 1).copied());
            let Some(symbol) = last.filter(|&s| context != NONE && s != begin) else {
                at[i] = NONE;
                continue;
            };
            let next = level.len() as u32;
            let gram = *index.entry(u64::from(context) << 32 | u64::from(symbol)).or_insert(next);
            if gram == next {
                level.push(context, symbol, at[i + 1], text[i] == begin);
            }
            level.count[gram as usize] += 1;
            at[i] = gram;
        }
        levels.push(level);
    }
    levels
}
