//! Language models as few bytes: one column of small numbers after the other, for a compressor.
//!
//! Numbers are whole and written in groups of seven bits, the lowest first. In order:
//!
//! 1. the order of the model and the number of its tokens;
//! 2. the tokens, sorted, each as the distance from the one before (0, 1 and 2 are `<unk>`, `<s>` and `</s>`,
//!    code points follow from 3 on);
//! 3. for every n-gram but the longest, order by order, how many n-grams go on from it;
//! 4. the last symbol of every n-gram from order 2 on, as the distance from its elder sibling;
//! 5. the logarithms of all probabilities in tenths, without their sign;
//! 6. the logarithms of the back-offs of all n-grams but the longest in tenths, with their sign in the
//!    lowest bit.

use super::build::{Builder, Gram};
use super::{NgramModel, ROOT, Token};
use crate::{Error, Result};

const ARG: &str = "packed language model";
/// How many steps a logarithm of 1 has.
const STEPS: f32 = 10.0;
/// Longest n-grams that make sense.
const MAX_ORDER: u32 = 64;

fn wrong(detail: impl Into<String>) -> Error {
    Error::Shape { arg: ARG, detail: detail.into() }
}

fn put(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The model in few bytes. Its logarithms are rounded to tenths.
pub fn pack(model: &NgramModel) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, model.order as u32);
    put(&mut out, model.tokens.len() as u32);
    let mut last = 0;
    for &token in &model.tokens {
        put(&mut out, code(token) - last);
        last = code(token);
    }
    let contexts = model.levels[model.order - 1] as usize;
    let siblings = |node: usize| model.children[node] as usize..model.children[node + 1] as usize;
    for node in 1..contexts {
        put(&mut out, siblings(node).len() as u32);
    }
    for node in 1..contexts {
        let mut last = 0;
        for &symbol in &model.symbol[siblings(node)] {
            put(&mut out, symbol - last);
            last = symbol;
        }
    }
    for prob in &model.prob[1..] {
        put(&mut out, (-prob * STEPS).round().max(0.0) as u32);
    }
    for backoff in &model.backoff[1..contexts] {
        let steps = (backoff * STEPS).round();
        put(&mut out, 2 * steps.abs() as u32 + u32::from(steps < 0.0));
    }
    out
}

/// Reads what [`pack`] wrote.
///
/// # Errors
///
/// [`Error::Shape`] for anything else.
pub fn unpack(data: &[u8]) -> Result<NgramModel> {
    let mut rest = Bytes(data);
    let order = rest.number()?;
    if !(1..=MAX_ORDER).contains(&order) {
        return Err(wrong(format!("order {order}, need 1 to {MAX_ORDER}")));
    }
    let order = order as usize;
    let tokens = read_tokens(&mut rest)?;
    let mut counts = vec![vec![tokens.len() as u32]];
    for _ in 1..order {
        let contexts = total(counts.last().map_or(&[], Vec::as_slice), data.len())?;
        counts.push(rest.numbers(contexts)?);
    }
    let mut symbols = vec![(0..tokens.len() as u32).collect::<Vec<u32>>()];
    for level in &counts[1..] {
        symbols.push(read_symbols(&mut rest, level, tokens.len())?);
    }
    let probs = symbols.iter().map(|s| rest.numbers(s.len())).collect::<Result<Vec<_>>>()?;
    let backoffs = symbols[..order - 1].iter().map(|s| rest.numbers(s.len())).collect::<Result<Vec<_>>>()?;
    if !rest.0.is_empty() {
        return Err(wrong(format!("{} bytes follow its end", rest.0.len())));
    }
    let mut builder = Builder::new(order, tokens);
    let mut nodes = vec![ROOT];
    for (level, symbols) in symbols.iter().enumerate() {
        let contexts = nodes.iter().zip(&counts[level]);
        let contexts = contexts.flat_map(|(&node, &count)| std::iter::repeat_n(node, count as usize));
        let grams: Vec<Gram> = contexts
            .zip(symbols)
            .enumerate()
            .map(|(k, (context, &symbol))| Gram {
                context,
                symbol,
                prob: 0.0 - probs[level][k] as f32 / STEPS,
                backoff: backoffs.get(level).map_or(0.0, |values| signed(values[k])),
            })
            .collect();
        nodes = builder.add(&grams).map_err(|_| wrong("an n-gram is there twice"))?;
    }
    Ok(builder.finish())
}

/// The number of a token, in the order of tokens.
fn code(token: Token) -> u32 {
    match token {
        Token::Unknown => 0,
        Token::Begin => 1,
        Token::End => 2,
        Token::Char(c) => 3 + u32::from(c),
    }
}

fn read_tokens(rest: &mut Bytes<'_>) -> Result<Vec<Token>> {
    let count = rest.number()? as usize;
    let mut at = 0_u32;
    let mut tokens = Vec::new();
    for (k, distance) in rest.numbers(count)?.into_iter().enumerate() {
        at = at
            .checked_add(distance)
            .filter(|_| k == 0 || distance > 0)
            .ok_or_else(|| wrong("its tokens aren't sorted"))?;
        tokens.push(match at {
            0 => Token::Unknown,
            1 => Token::Begin,
            2 => Token::End,
            _ => Token::Char(char::from_u32(at - 3).ok_or_else(|| wrong(format!("{at} is no token")))?),
        });
    }
    Ok(tokens)
}

/// The last symbols of the n-grams of an order, given how many go on from each of the order before.
fn read_symbols(rest: &mut Bytes<'_>, counts: &[u32], tokens: usize) -> Result<Vec<u32>> {
    let mut symbols = Vec::with_capacity(total(counts, rest.0.len())?);
    for &count in counts {
        let mut at = 0_u32;
        for k in 0..count {
            let distance = rest.number()?;
            at = at
                .checked_add(distance)
                .filter(|&at| (at as usize) < tokens && (k == 0 || distance > 0))
                .ok_or_else(|| wrong("the n-grams aren't sorted, or one has a token that isn't there"))?;
            symbols.push(at);
        }
    }
    Ok(symbols)
}

/// The sum of counts, which can't be more than there are bytes.
fn total(counts: &[u32], bytes: usize) -> Result<usize> {
    let sum: u64 = counts.iter().map(|&n| u64::from(n)).sum();
    usize::try_from(sum).ok().filter(|&n| n <= bytes).ok_or_else(|| wrong("it is cut off"))
}

fn signed(value: u32) -> f32 {
    let steps = (value >> 1) as f32 / STEPS;
    if value & 1 == 1 { -steps } else { steps }
}

/// Bytes that are still to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn number(&mut self) -> Result<u32> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(|| wrong("it is cut off"))?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| wrong("a number is too large"));
            }
        }
        Err(wrong("a number is too long"))
    }

    fn numbers(&mut self, count: usize) -> Result<Vec<u32>> {
        if count > self.0.len() {
            return Err(wrong("it is cut off"));
        }
        (0..count).map(|_| self.number()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Estimate, estimate, read, write};
    use super::*;

    fn model() -> Result<NgramModel> {
        let lines = ["in der Nacht", "an der See", "ſæpe ꝑ ligna ꝫ \u{e8bf}"];
        estimate(lines.into_iter(), &Estimate { order: 4, prune: vec![0, 0, 0, 1] })
    }

    /// The model that the file of another, rounded to tenths, describes.
    fn rounded(model: &NgramModel) -> NgramModel {
        let tenths = |values: &[f32]| values.iter().map(|v| (v * STEPS).round() / STEPS + 0.0).collect();
        let mut found = model.clone();
        found.prob = tenths(&model.prob);
        found.backoff = tenths(&model.backoff);
        found.unknown = (model.unknown * STEPS).round() / STEPS;
        found
    }

    #[test]
    fn a_packed_model_comes_back_rounded() -> Result<()> {
        let model = model()?;
        let found = unpack(&pack(&model))?;
        let expected = rounded(&model);
        assert_eq!(write(&found), write(&expected));
        assert_eq!(found, expected);
        assert_eq!(unpack(&pack(&found))?, found);
        let text = "\\data\\\nngram 1=2\n\n\\1-grams:\n-99\t<s>\n-0.5\ta\n\n\\end\\\n";
        let small = read(text.as_bytes())?;
        assert_eq!(unpack(&pack(&small))?, small);
        Ok(())
    }

    #[test]
    fn damage_is_an_error() -> Result<()> {
        let data = pack(&model()?);
        for end in 0..data.len() {
            assert!(unpack(&data[..end]).is_err(), "{end}");
        }
        let mut longer = data.clone();
        longer.push(0);
        assert!(unpack(&longer).is_err());
        for at in 0..data.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut damaged = data.clone();
                damaged[at] = value;
                // an error or another model, but no panic
                if let Ok(found) = unpack(&damaged) {
                    found.score_line("der Nacht".chars(), true, true);
                }
            }
        }
        for bytes in [&[0, 0][..], &[65, 0], &[1, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 9], &[2, 1, 0, 200]]
        {
            assert!(unpack(bytes).is_err(), "{bytes:?}");
        }
        Ok(())
    }
}
