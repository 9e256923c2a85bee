//! From n-grams order by order to a model.

use super::{NgramModel, ROOT, Token};

/// An n-gram to add: its context (all but the last symbol) and its last symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gram {
    pub context: u32,
    pub symbol: u32,
    pub prob: f32,
    pub backoff: f32,
}

/// A model to which one order after the other is added.
pub(super) struct Builder {
    model: NgramModel,
}

impl Builder {
    /// A model without n-grams over a sorted vocabulary.
    pub fn new(order: usize, tokens: Vec<Token>) -> Self {
        let model = NgramModel {
            order,
            tokens,
            symbol: vec![u32::MAX],
            prob: vec![0.0],
            backoff: vec![0.0],
            suffix: vec![ROOT],
            children: vec![],
            levels: vec![1],
            unknown: 0.0,
        };
        Self { model }
    }

    /// The node of an n-gram of an order that was added already.
    pub fn find(&self, node: u32, symbol: u32) -> Option<u32> {
        self.model.child(node, symbol)
    }

    /// Adds all n-grams of the next order. Returns the nodes that they get, or
    /// the index of one that is there twice.
    pub fn add(&mut self, grams: &[Gram]) -> Result<Vec<u32>, usize> {
        let m = &mut self.model;
        let first = m.symbol.len() as u32;
        let mut sorted: Vec<u32> = (0..grams.len() as u32).collect();
        let key = |k: u32| (grams[k as usize].context, grams[k as usize].symbol);
        if !sorted.is_sorted_by_key(|&k| key(k)) {
            sorted.sort_by_key(|&k| key(k));
        }
        if let Some(pair) = sorted.windows(2).find(|pair| key(pair[0]) == key(pair[1])) {
            return Err(pair[1] as usize);
        }
        let mut nodes = vec![0; grams.len()];
        for (node, &k) in (first..).zip(&sorted) {
            let gram = grams[k as usize];
            // Nodes up to this context have their children complete.
            while m.children.len() <= gram.context as usize {
                m.children.push(node);
            }
            nodes[k as usize] = node;
            let suffix = if gram.context == ROOT { ROOT } else { longest_suffix(m, gram) };
            m.symbol.push(gram.symbol);
            m.prob.push(gram.prob);
            m.backoff.push(gram.backoff);
            m.suffix.push(suffix);
        }
        // The rest of the last order has no children; what follows begins here.
        let end = m.symbol.len() as u32;
        m.children.resize(first as usize + 1, end);
        m.levels.push(end);
        Ok(nodes)
    }

    /// The finished model.
    pub fn finish(mut self) -> NgramModel {
        let m = &mut self.model;
        let end = m.symbol.len() as u32;
        m.children.resize(m.symbol.len() + 1, end);
        m.levels.resize(m.order + 1, end);
        let known = m.tokens.binary_search(&Token::Unknown).ok();
        // Without a probability for unknown code points they count as ten times
        // rarer than the rarest known one.
        let rarest = m.prob[1..=m.tokens.len()].iter().copied().filter(|&p| p > -90.0).fold(0.0, f32::min);
        m.unknown = known.map_or(rarest - 1.0, |k| m.prob[1 + k]);
        self.model
    }
}

/// The longest n-gram of the model that `gram` ends in, itself excepted.
fn longest_suffix(m: &NgramModel, gram: Gram) -> u32 {
    let mut context = m.suffix[gram.context as usize];
    loop {
        if let Some(node) = m.child(context, gram.symbol) {
            return node;
        }
        if context == ROOT {
            return ROOT;
        }
        context = m.suffix[context as usize];
    }
}
