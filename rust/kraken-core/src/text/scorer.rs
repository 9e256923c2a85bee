//! What a text is worth beside its image: language model, length, word list.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::codes::{Codes, Emission, START};
use super::lexicon::{Lexicon, Place};
use super::lm::{NgramModel, State};
use crate::{Error, Result};

const NONE: u32 = u32::MAX;

/// How much each source counts, in natural logarithms.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    /// Factor of the language model's logarithm.
    pub alpha: f64,
    /// Reward of every code point.
    pub beta: f64,
    /// Cost of every word that isn't in the word list; infinite to forbid them.
    pub unknown_word: f64,
}

/// Gives the text of a sequence of labels a score, label by label.
///
/// The score is `alpha · ln p(text and its end) + beta · code points -
/// unknown_word · unlisted words`. A label that belongs to no code counts as
/// one unknown code point of the language model.
#[derive(Debug)]
pub struct Scorer {
    codes: Codes,
    model: Option<Arc<NgramModel>>,
    lexicon: Option<Arc<Lexicon>>,
    weights: Weights,
    /// Factor of the model's log10-probabilities.
    alpha10: f64,
    /// Place of every symbol of the model in a row, none for those that aren't needed.
    slot: Vec<u32>,
    /// Row of the empty context.
    shortest: Vec<f64>,
    /// Labels that stand for one code point: label, place in a row, code point.
    simple: Vec<(u32, u32, char)>,
}

/// What the score of the next label depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Context {
    code: u32,
    model: State,
    word: Option<Place>,
}

impl Scorer {
    /// A scorer for labellings of a codec.
    ///
    /// # Errors
    ///
    /// [`Error::Range`] for weights that aren't finite or are negative where
    /// that makes no sense.
    pub fn new(
        codes: Codes,
        model: Option<Arc<NgramModel>>,
        lexicon: Option<Arc<Lexicon>>,
        weights: Weights,
    ) -> Result<Self> {
        let finite = [("alpha", weights.alpha, 0.0), ("beta", weights.beta, f64::MIN)];
        for (arg, value, least) in finite {
            if !(value.is_finite() && value >= least) {
                return Err(Error::range(arg, format!("{value}, need a finite number from {least:.0}")));
            }
        }
        if weights.unknown_word.is_nan() || weights.unknown_word < 0.0 {
            let detail = format!("{}, need a number from 0, or infinity", weights.unknown_word);
            return Err(Error::range("unknown_word", detail));
        }
        let mut scorer = Self {
            codes,
            model,
            lexicon,
            weights,
            alpha10: weights.alpha * std::f64::consts::LN_10,
            slot: Vec::new(),
            shortest: Vec::new(),
            simple: Vec::new(),
        };
        scorer.index();
        Ok(scorer)
    }

    /// Prepares rows of scores: one place per symbol of the model that a label of
    /// its own stands for.
    fn index(&mut self) {
        let Some(model) = self.model.clone() else { return };
        self.slot = vec![NONE; model.tokens().len()];
        let labels = self.codes.labels();
        for label in labels {
            let Some(text) = self.codes.single(label) else { continue };
            let &[c] = self.codes.text(text) else { continue };
            // A code point that the model can't know has no row; it is rare enough.
            let Some(symbol) = model.symbol_of(c) else { continue };
            let slot = &mut self.slot[symbol as usize];
            if *slot == NONE {
                *slot = self.shortest.len() as u32;
                self.shortest.push(model.score(0, Some(symbol)).0);
            }
            self.simple.push((label, *slot, c));
        }
    }

    fn begin(&self) -> Context {
        Context {
            code: START,
            model: self.model.as_ref().map_or(0, |m| m.begin()),
            word: self.lexicon.as_ref().map(|_| Place::Outside),
        }
    }

    /// Takes what labels mean into account.
    fn take(&self, emission: Emission, context: &mut Context, score: &mut f64) {
        let model = |context: &mut Context, score: &mut f64, symbol: Option<u32>| {
            if let Some(model) = &self.model {
                let (log10, state) = model.score(context.model, symbol);
                *score += self.alpha10 * log10;
                context.model = state;
            }
        };
        match emission {
            Emission::Dropped => {
                let unknown = self.model.as_ref().and_then(|m| m.symbol(super::lm::Token::Unknown));
                model(context, score, unknown);
            }
            Emission::Text(text) => {
                for &c in self.codes.text(text) {
                    model(context, score, self.model.as_ref().and_then(|m| m.symbol_of(c)));
                    *score += self.weights.beta + self.word(&mut context.word, c);
                }
            }
        }
    }

    /// Score of a code point by the word list alone.
    fn word(&self, place: &mut Option<Place>, c: char) -> f64 {
        let (Some(lexicon), Some(at)) = (&self.lexicon, *place) else { return 0.0 };
        let (next, unknown) = lexicon.step(at, c);
        *place = Some(next);
        if unknown { -self.weights.unknown_word } else { 0.0 }
    }

    fn step(&self, context: Context, label: u32) -> (f64, Context) {
        let (mut next, mut score) = (context, 0.0);
        let code = self.codes.step(context.code, label, &mut |e| self.take(e, &mut next, &mut score));
        next.code = code;
        (score, next)
    }

    fn end(&self, context: Context) -> f64 {
        let (mut last, mut score) = (context, 0.0);
        self.codes.end(context.code, &mut |e| self.take(e, &mut last, &mut score));
        if let Some(model) = &self.model {
            score += self.alpha10 * model.end(last.model);
        }
        if let (Some(lexicon), Some(place)) = (&self.lexicon, last.word)
            && lexicon.end(place)
        {
            score -= self.weights.unknown_word;
        }
        score
    }

    /// Score of a whole labelling.
    pub fn score(&self, labels: &[usize]) -> f64 {
        let mut context = self.begin();
        let mut total = 0.0;
        for &label in labels {
            let (score, next) = self.step(context, label as u32);
            total += score;
            context = next;
        }
        total + self.end(context)
    }

    /// More than any label can be worth.
    fn ceiling(&self) -> f64 {
        let (text, labels) = self.codes.longest();
        self.weights.beta.max(0.0) * (text * labels) as f64
    }
}

/// The contexts that one line leads to, with the scores of all labels in them.
pub struct Rows<'a> {
    scorer: &'a Scorer,
    classes: usize,
    /// All labels, those that aren't one code point each first, and their number.
    labels: Vec<u32>,
    others: usize,
    index: HashMap<Context, u32>,
    contexts: Vec<Context>,
    /// Place of a context's scores in `scores`, `NONE` before they are needed.
    place: Vec<u32>,
    scores: Vec<f64>,
    top: Vec<f64>,
    buffer: Vec<f64>,
}

impl<'a> Rows<'a> {
    /// No contexts but the first, which is 0.
    pub fn new(scorer: &'a Scorer, classes: usize) -> Self {
        let simple: HashSet<u32> = scorer.simple.iter().map(|s| s.0).collect();
        let mut labels: Vec<u32> = (1..classes as u32).collect();
        labels.sort_by_key(|label| simple.contains(label));
        let mut rows = Self {
            scorer,
            classes,
            others: labels.iter().filter(|&label| !simple.contains(label)).count(),
            labels,
            index: HashMap::new(),
            contexts: Vec::new(),
            place: Vec::new(),
            scores: Vec::new(),
            top: Vec::new(),
            buffer: Vec::new(),
        };
        rows.intern(scorer.begin());
        rows
    }

    fn intern(&mut self, context: Context) -> u32 {
        let next = self.contexts.len() as u32;
        let found = *self.index.entry(context).or_insert(next);
        if found == next {
            self.contexts.push(context);
            self.place.push(NONE);
        }
        found
    }

    /// The context after a label.
    pub fn next(&mut self, context: u32, label: u32) -> u32 {
        let (_, next) = self.scorer.step(self.contexts[context as usize], label);
        self.intern(next)
    }

    /// Scores of all labels in a context, and the largest of them.
    pub fn row(&mut self, context: u32) -> (&[f64], f64) {
        let mut place = self.place[context as usize];
        if place == NONE {
            place = self.top.len() as u32;
            self.place[context as usize] = place;
            self.fill(self.contexts[context as usize]);
        }
        let start = place as usize * self.classes;
        (&self.scores[start..start + self.classes], self.top[place as usize])
    }

    fn fill(&mut self, context: Context) {
        let scorer = self.scorer;
        let start = self.scores.len();
        // The blank, label 0, has no score of its own.
        self.scores.resize(start + self.classes, 0.0);
        let row = &mut self.scores[start..];
        let quick = scorer.model.as_ref().filter(|_| context.code == START);
        if let Some(model) = quick {
            model.fill_row(context.model, &scorer.slot, &scorer.shortest, &mut self.buffer);
            for &(label, slot, c) in &scorer.simple {
                let Some(score) = row.get_mut(label as usize) else { break };
                let mut word = context.word;
                *score = scorer.alpha10 * self.buffer[slot as usize] + scorer.weights.beta;
                *score += scorer.word(&mut word, c);
            }
        }
        let rest = if quick.is_some() { &self.labels[..self.others] } else { &self.labels[..] };
        for &label in rest {
            row[label as usize] = scorer.step(context, label).0;
        }
        self.top.push(row.iter().skip(1).copied().fold(f64::NEG_INFINITY, f64::max));
    }

    /// Score of the end in a context.
    pub fn end(&self, context: u32) -> f64 {
        self.scorer.end(self.contexts[context as usize])
    }

    /// More than any label can be worth in any context.
    pub fn ceiling(&self) -> f64 {
        self.scorer.ceiling()
    }
}
