//! Language models over code points: n-grams with back-off.
//!
//! A model says how probable a code point is after the last `order - 1` ones.
//! What it hasn't seen in a context it looks up in the next shorter one,
//! weighted with the longer context's back-off (Katz, 1987).

mod arpa;
mod build;
mod counts;
mod estimate;
mod packed;
mod token;

pub use arpa::{read, write};
pub use estimate::{Estimate, estimate};
pub use packed::{pack, unpack};
pub use token::Token;

/// A context of a model: what was read so far, as far as the model looks back.
pub type State = u32;

const ROOT: State = 0;

/// An n-gram model with back-off.
///
/// The n-grams form a trie in the order of a breadth-first walk: node 0 is the
/// empty one, the children of a node follow one another, sorted by symbol. A
/// symbol is an index into the vocabulary. All logarithms are to base 10, as in
/// ARPA files.
#[derive(Debug, Clone, PartialEq)]
pub struct NgramModel {
    order: usize,
    /// The vocabulary, sorted. Node `1 + s` is the unigram of symbol `s`.
    tokens: Vec<Token>,
    symbol: Vec<u32>,
    prob: Vec<f32>,
    backoff: Vec<f32>,
    /// The longest n-gram of the model that a node ends in, itself excepted.
    suffix: Vec<u32>,
    /// Children of node `i` are `children[i]..children[i + 1]`.
    children: Vec<u32>,
    /// First node of every order from 1, and the number of nodes.
    levels: Vec<u32>,
    /// Probability of code points that the model doesn't know.
    unknown: f32,
}

impl NgramModel {
    /// Length of the longest n-grams.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Number of n-grams of every order from 1.
    pub fn counts(&self) -> Vec<usize> {
        self.levels.windows(2).map(|w| (w[1] - w[0]) as usize).collect()
    }

    /// The vocabulary, sorted.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The symbol of a token.
    pub fn symbol(&self, token: Token) -> Option<u32> {
        self.tokens.binary_search(&token).ok().map(|k| k as u32)
    }

    /// The symbol of a code point, that of the unknown one if there is none.
    pub fn symbol_of(&self, c: char) -> Option<u32> {
        self.symbol(Token::Char(c)).or_else(|| self.symbol(Token::Unknown))
    }

    /// The context at the beginning of a line.
    pub fn begin(&self) -> State {
        self.symbol(Token::Begin).map_or(ROOT, |s| self.context(1 + s))
    }

    fn child(&self, node: u32, symbol: u32) -> Option<u32> {
        if node == ROOT {
            return ((symbol as usize) < self.tokens.len()).then_some(1 + symbol);
        }
        let start = self.children[node as usize];
        let siblings = &self.symbol[start as usize..self.children[node as usize + 1] as usize];
        siblings.binary_search(&symbol).ok().map(|k| start + k as u32)
    }

    /// The longest part of a node that can be a context.
    fn context(&self, node: u32) -> State {
        let last = self.levels[self.order - 1];
        if node >= last { self.suffix[node as usize] } else { node }
    }

    /// Log10-probability of a symbol (none: a code point that the model can't
    /// know) after `state`, and the state after it.
    pub fn score(&self, state: State, symbol: Option<u32>) -> (f64, State) {
        let mut weight = 0.0;
        let mut node = state;
        let Some(symbol) = symbol else { return (self.unseen(state), ROOT) };
        loop {
            if let Some(found) = self.child(node, symbol) {
                return (weight + f64::from(self.prob[found as usize]), self.context(found));
            }
            if node == ROOT {
                return (weight + f64::from(self.unknown), ROOT);
            }
            weight += f64::from(self.backoff[node as usize]);
            node = self.suffix[node as usize];
        }
    }

    /// Log10-probability of a code point that no n-gram has.
    fn unseen(&self, state: State) -> f64 {
        self.chain(state).map(|node| f64::from(self.backoff[node as usize])).sum::<f64>()
            + f64::from(self.unknown)
    }

    /// Log10-probability of the end of the line after `state`; 0 if the model
    /// has no ends.
    pub fn end(&self, state: State) -> f64 {
        self.symbol(Token::End).map_or(0.0, |s| self.score(state, Some(s)).0)
    }

    /// The contexts from `state` to the shortest one, the empty one excepted.
    fn chain(&self, state: State) -> impl Iterator<Item = State> + '_ {
        std::iter::successors(Some(state), |&node| Some(self.suffix[node as usize]))
            .take_while(|&node| node != ROOT)
    }

    /// Log10-probabilities of many symbols after `state`: `slot[symbol]` is the
    /// place in `row` for its value, `u32::MAX` if it isn't wanted; `shortest`
    /// are the values of the empty context.
    pub fn fill_row(&self, state: State, slot: &[u32], shortest: &[f64], row: &mut Vec<f64>) {
        row.clear();
        row.extend_from_slice(shortest);
        self.refine_row(state, slot, row);
    }

    /// Replaces the values of the empty context by those of `node`, shorter contexts first.
    fn refine_row(&self, node: State, slot: &[u32], row: &mut [f64]) {
        if node == ROOT {
            return;
        }
        self.refine_row(self.suffix[node as usize], slot, row);
        let weight = f64::from(self.backoff[node as usize]);
        for value in row.iter_mut() {
            *value += weight;
        }
        let children = self.children[node as usize] as usize..self.children[node as usize + 1] as usize;
        for (&symbol, &prob) in self.symbol[children.clone()].iter().zip(&self.prob[children]) {
            if let Some(value) = row.get_mut(slot[symbol as usize] as usize) {
                *value = f64::from(prob);
            }
        }
    }

    /// Log10-probabilities of the code points of a line and, if `end`, of its end.
    pub fn score_line(&self, line: impl Iterator<Item = char>, begin: bool, end: bool) -> Vec<f64> {
        let mut state = if begin { self.begin() } else { ROOT };
        let mut scores = Vec::new();
        for c in line {
            let (score, next) = self.score(state, self.symbol_of(c));
            scores.push(score);
            state = next;
        }
        if end {
            scores.push(self.end(state));
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;

    const SMALL: &str = "\\data\\\nngram 1=5\nngram 2=3\n\n\\1-grams:\n-1.0\t<unk>\n-99\t<s>\t-0.5\n-0.6\t</s>\n\
        -0.4\ta\t-0.25\n-0.5\t<space>\n\n\\2-grams:\n-0.1\t<s> a\n-0.2\ta <space>\n-0.3\ta a\n\n\\end\\\n";

    #[test]
    fn scores_back_off() -> Result<()> {
        let model = read(SMALL.as_bytes())?;
        assert_eq!((model.order(), model.counts()), (2, vec![5, 3]));
        let scores = model.score_line("aa x".chars(), true, true);
        let expected = [-0.1, -0.3, -0.2, -1.0, -0.6];
        for (s, e) in scores.iter().zip(expected) {
            assert!((s - e).abs() < 1e-6, "{scores:?}");
        }
        // back-off of "a", then the unigram
        let scores = model.score_line("ax".chars(), false, false);
        assert!((scores[1] + 1.25).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn rows_equal_single_scores() -> Result<()> {
        let model = read(SMALL.as_bytes())?;
        let slot: Vec<u32> = (0..5).collect();
        let shortest: Vec<f64> = (0..5).map(|s| model.score(ROOT, Some(s)).0).collect();
        let mut row = Vec::new();
        for state in 0..6 {
            model.fill_row(state, &slot, &shortest, &mut row);
            for s in 0..5 {
                assert_eq!(row[s as usize], model.score(state, Some(s)).0);
            }
        }
        Ok(())
    }

    #[test]
    fn files_survive_a_round_trip() -> Result<()> {
        let model = read(SMALL.as_bytes())?;
        assert_eq!(read(write(&model).as_bytes())?, model);
        Ok(())
    }
}
