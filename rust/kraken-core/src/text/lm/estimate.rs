//! Estimation of models from text.
//!
//! Interpolated modified Kneser–Ney smoothing: Chen & Goodman, "An Empirical
//! Study of Smoothing Techniques for Language Modeling" (1998), §3.

use super::build::{Builder, Gram};
use super::counts::{Level, count};
use super::{NgramModel, Token};
use crate::{Error, Result};

/// What stands for a probability of 0.
const IMPOSSIBLE: f32 = -99.0;
/// Discounts where the text is too small or too odd to estimate them.
const FALLBACK: [f64; 3] = [0.5, 1.0, 1.5];

/// How to estimate a model.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// Length of the longest n-grams.
    pub order: usize,
    /// N-grams that occur at most that often are left out, per order from 1.
    /// Missing orders take the last value. The first value must be 0.
    pub prune: Vec<u64>,
}

impl Estimate {
    fn check(&self) -> Result<()> {
        if !(1..=16).contains(&self.order) {
            return Err(Error::range("order", format!("{}, need 1 to 16", self.order)));
        }
        if self.prune.first().is_some_and(|&p| p > 0) || !self.prune.is_sorted() {
            let detail = format!("{:?}, need thresholds that start with 0 and never fall", self.prune);
            return Err(Error::range("prune", detail));
        }
        if self.prune.len() > self.order {
            let detail = format!("{} thresholds for order {}", self.prune.len(), self.order);
            return Err(Error::range("prune", detail));
        }
        Ok(())
    }

    fn threshold(&self, n: usize) -> u64 {
        self.prune.get(n - 1).or(self.prune.last()).copied().unwrap_or(0)
    }
}

/// Estimates a model from lines of text.
///
/// # Errors
///
/// [`Error::Range`] for an option, [`Error::Empty`] for a text without code points.
pub fn estimate<'a>(lines: impl Iterator<Item = &'a str>, options: &Estimate) -> Result<NgramModel> {
    options.check()?;
    let (tokens, text) = symbols(lines);
    if tokens.len() == 3 {
        return Err(Error::Empty { arg: "text" });
    }
    let levels = count(&text, tokens.len(), 1, options.order);
    let smoothed: Vec<Smoothed> = (0..options.order)
        .map(|k| Smoothed::new(&levels[k], levels.get(k + 1), k == 0, options.threshold(k + 1)))
        .collect();
    let mut builder = Builder::new(options.order, tokens);
    let mut nodes = vec![0];
    let mut probs: Option<Vec<f64>> = None;
    let mut shares = smoothed[0].gamma(&levels[0], 1);
    for (k, level) in levels.iter().enumerate() {
        let found = smoothed[k].probabilities(level, probs.as_deref(), &shares);
        let backoffs = levels.get(k + 1).map(|longer| smoothed[k + 1].gamma(longer, level.len()));
        let threshold = options.threshold(k + 1);
        let kept: Vec<usize> = (0..level.len()).filter(|&g| k == 0 || level.count[g] > threshold).collect();
        let gram = |&g: &usize| Gram {
            context: nodes[level.context[g] as usize],
            symbol: level.symbol[g],
            prob: if k == 0 && level.begins[g] { IMPOSSIBLE } else { log10(found[g]) },
            backoff: backoffs.as_ref().map_or(0.0, |share| log10(share[g])),
        };
        let grams: Vec<Gram> = kept.iter().map(gram).collect();
        let added = builder.add(&grams).map_err(|_| Error::Empty { arg: "text" })?;
        nodes = vec![u32::MAX; level.len()];
        for (&g, node) in kept.iter().zip(added) {
            nodes[g] = node;
        }
        shares = backoffs.unwrap_or_default();
        probs = Some(found);
    }
    Ok(builder.finish())
}

fn log10(p: f64) -> f32 {
    if p > 0.0 { p.log10().min(0.0) as f32 } else { IMPOSSIBLE }
}

/// The vocabulary, and the text as symbols with the ends of lines. Symbol 0 is
/// the unknown code point, 1 the beginning and 2 the end of a line.
fn symbols<'a>(lines: impl Iterator<Item = &'a str>) -> (Vec<Token>, Vec<u32>) {
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let mut chars: Vec<char> = Vec::new();
    let mut seen = vec![false; char::MAX as usize + 1];
    for c in lines.iter().flat_map(|line| line.chars()) {
        if !std::mem::replace(&mut seen[c as usize], true) {
            chars.push(c);
        }
    }
    chars.sort_unstable();
    let mut symbol = vec![0_u32; chars.last().map_or(0, |&c| c as usize + 1)];
    for (&c, s) in chars.iter().zip(3..) {
        symbol[c as usize] = s;
    }
    let mut text = Vec::with_capacity(lines.iter().map(|line| line.len() + 2).sum());
    for line in lines {
        text.push(1);
        text.extend(line.chars().map(|c| symbol[c as usize]));
        text.push(2);
    }
    let mut tokens = vec![Token::Unknown, Token::Begin, Token::End];
    tokens.extend(chars.into_iter().map(Token::Char));
    (tokens, text)
}

/// The counts of one order after smoothing.
struct Smoothed {
    /// Count less discount, 0 for n-grams that are left out.
    mass: Vec<f64>,
    /// Counts of a context's n-grams, without discounts.
    total: Vec<f64>,
}

impl Smoothed {
    fn new(level: &Level, longer: Option<&Level>, unigrams: bool, threshold: u64) -> Self {
        let adjusted = adjusted_counts(level, longer, unigrams);
        let discounts = discounts(&adjusted);
        let contexts = level.context.iter().max().map_or(0, |&c| c as usize + 1);
        let mut total = vec![0.0; contexts];
        let mut mass = Vec::with_capacity(level.len());
        for (g, &a) in adjusted.iter().enumerate() {
            total[level.context[g] as usize] += a as f64;
            let kept = a > 0 && level.count[g] > threshold;
            mass.push(if kept { a as f64 - discounts[a.min(3) as usize - 1] } else { 0.0 });
        }
        Self { mass, total }
    }

    /// The share of every context that is left to shorter ones; 1 for contexts
    /// that nothing follows.
    fn gamma(&self, level: &Level, contexts: usize) -> Vec<f64> {
        let mut kept = vec![0.0; contexts];
        for (&context, mass) in level.context.iter().zip(&self.mass) {
            kept[context as usize] += mass;
        }
        let share = |(c, kept): (usize, f64)| match self.total.get(c) {
            Some(&total) if total > 0.0 => (total - kept) / total,
            _ => 1.0,
        };
        kept.into_iter().enumerate().map(share).collect()
    }

    /// Probabilities, interpolated with those of the order below (none: with
    /// equal ones for all symbols but the beginning of a line), which have the
    /// `share` of every context.
    fn probabilities(&self, level: &Level, below: Option<&[f64]>, share: &[f64]) -> Vec<f64> {
        let equal = 1.0 / (level.len().max(2) - 1) as f64;
        let of = |g: usize| {
            let context = level.context[g] as usize;
            let shorter = below.map_or(equal, |p| p[level.suffix[g] as usize]);
            self.mass[g] / self.total[context].max(1.0) + share[context] * shorter
        };
        (0..level.len()).map(of).collect()
    }
}

/// How many different symbols precede an n-gram; how often it occurs if it is of
/// the highest order or begins a line. The beginning itself is never predicted.
fn adjusted_counts(level: &Level, longer: Option<&Level>, unigrams: bool) -> Vec<u64> {
    let mut adjusted = match longer {
        None => level.count.clone(),
        Some(longer) => {
            let mut preceding = vec![0; level.len()];
            for &suffix in &longer.suffix {
                preceding[suffix as usize] += 1;
            }
            preceding
        }
    };
    for g in (0..level.len()).filter(|&g| level.begins[g]) {
        adjusted[g] = if unigrams { 0 } else { level.count[g] };
    }
    adjusted
}

/// Discounts of the counts 1, 2, and 3 or more, from the numbers of n-grams that
/// have the counts 1 to 4.
fn discounts(adjusted: &[u64]) -> [f64; 3] {
    let mut with = [0.0; 5];
    for &a in adjusted {
        if let Some(n) = with.get_mut(a as usize) {
            *n += 1.0;
        }
    }
    let y = with[1] / (with[1] + 2.0 * with[2]);
    let of = |r: usize| r as f64 - (r + 1) as f64 * y * with[r + 1] / with[r];
    let found = [of(1), of(2), of(3)];
    // In a small text a count may not occur at all, which gives no number or one
    // that isn't a discount.
    let valid = found.iter().zip([1.0, 2.0, 3.0]).all(|(&d, limit)| d > 0.0 && d <= limit);
    if valid { found } else { FALLBACK }
}
