//! Language models as text files in the ARPA format.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::build::{Builder, Gram};
use super::{NgramModel, ROOT, Token};
use crate::{Error, Result};

const ARG: &str = "language model";
/// What SRILM writes for the probability 0.
const IMPOSSIBLE: f32 = -99.0;
/// Longest n-grams that make sense, and a limit to what a damaged file can ask for.
const MAX_ORDER: usize = 64;

fn wrong(line: usize, detail: impl Into<String>) -> Error {
    Error::format(ARG, line, detail)
}

/// The lines of a file that aren't empty, with their numbers.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<Option<&'a str>> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|&b| b == b'\n');
            let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest.get(1..).unwrap_or_default();
            self.number += 1;
            let line = line.trim_ascii();
            if !line.is_empty() {
                return std::str::from_utf8(line)
                    .map(Some)
                    .map_err(|_| wrong(self.number, "the text isn't UTF-8"));
            }
        }
        Ok(None)
    }

    /// The next line; a file that ends instead is cut off.
    fn need(&mut self, what: &str) -> Result<&'a str> {
        self.next()?.ok_or_else(|| wrong(self.number, format!("the file ends where {what} should be")))
    }
}

/// Reads a model.
///
/// Every token must be a single code point, `<space>`, one like `<U+00A0>` (a code
/// point by its hexadecimal number) or one of `<s>`, `</s>` and `<unk>`. In a file
/// without `<space>` the token `▁`, or else `|`, stands for the blank.
///
/// # Errors
///
/// [`Error::Format`] with the number of the line.
pub fn read(data: &[u8]) -> Result<NgramModel> {
    let mut lines = Lines { rest: data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data), number: 0 };
    // Text before the data is a comment.
    while lines.need("\\data\\")? != "\\data\\" {}
    let (counts, mut heading) = read_counts(&mut lines)?;
    let order = counts.len();
    let (mut builder, symbols) = read_unigrams(&mut lines, heading, order, counts[0])?;
    for (n, &count) in (2..).zip(&counts[1..]) {
        heading = lines.need(&format!("\\{n}-grams:"))?;
        let grams = read_section(&mut lines, heading, n, count, |fields, number| {
            context_of(fields, number, &builder, &symbols)
        })?;
        add(&mut builder, &grams)?;
    }
    match lines.need("\\end\\")? {
        "\\end\\" => Ok(builder.finish()),
        other => Err(wrong(lines.number, format!("'{}' stands where \\end\\ should be", excerpt(other)))),
    }
}

/// The beginning of a line, for messages.
fn excerpt(line: &str) -> String {
    line.chars().take(40).collect()
}

/// Numbers of n-grams of every order, and the line after them.
fn read_counts<'a>(lines: &mut Lines<'a>) -> Result<(Vec<usize>, &'a str)> {
    let mut counts = Vec::new();
    loop {
        let line = lines.need("\\1-grams:")?;
        let Some(rest) = line.strip_prefix("ngram") else {
            if counts.is_empty() {
                return Err(wrong(lines.number, "no numbers of n-grams follow \\data\\"));
            }
            return Ok((counts, line));
        };
        let (n, count) = rest
            .split_once('=')
            .and_then(|(n, count)| Some((n.trim().parse().ok()?, count.trim().parse().ok()?)))
            .ok_or_else(|| wrong(lines.number, format!("'{}' isn't 'ngram N=COUNT'", excerpt(line))))?;
        if counts.len() + 1 != n || n > MAX_ORDER {
            let detail = format!("order {n}, expected {} (at most {MAX_ORDER})", counts.len() + 1);
            return Err(wrong(lines.number, detail));
        }
        counts.push(count);
    }
}

/// An n-gram and the line that it stands in.
type Numbered = (Gram, usize);

/// Adds an order to the model.
fn add(builder: &mut Builder, grams: &[Numbered]) -> Result<()> {
    let plain: Vec<Gram> = grams.iter().map(|g| g.0).collect();
    match builder.add(&plain) {
        Ok(_) => Ok(()),
        Err(twice) => Err(wrong(grams[twice].1, "the n-gram is there twice")),
    }
}

/// Reads the n-grams of an order. `place` gives context and symbol of a line's words.
fn read_section<'a>(
    lines: &mut Lines<'a>,
    heading: &str,
    n: usize,
    count: usize,
    mut place: impl FnMut(&[&'a str], usize) -> Result<(u32, u32)>,
) -> Result<Vec<Numbered>> {
    if heading.strip_prefix('\\').and_then(|h| h.strip_suffix("-grams:")) != Some(n.to_string().as_str()) {
        let found = excerpt(heading);
        return Err(wrong(lines.number, format!("'{found}' stands where \\{n}-grams: should be")));
    }
    let mut grams = Vec::new();
    let mut fields: Vec<&str> = Vec::with_capacity(n + 2);
    while grams.len() < count {
        let line = lines.need(&format!("a {n}-gram ({} of {count})", grams.len() + 1))?;
        let number = lines.number;
        fields.clear();
        fields.extend(line.split_ascii_whitespace());
        if fields.len() != n + 1 && fields.len() != n + 2 {
            let detail = format!("'{}' isn't a logarithm and {n} tokens", excerpt(line));
            return Err(wrong(number, detail));
        }
        let prob = logarithm(fields[0], number)?;
        if prob > 0.0 {
            return Err(wrong(number, format!("probability 10^{prob} is above 1")));
        }
        let backoff = fields.get(n + 1).map_or(Ok(0.0), |f| logarithm(f, number))?;
        let (context, symbol) = place(&fields[1..=n], number)?;
        grams.push((Gram { context, symbol, prob, backoff }, number));
    }
    Ok(grams)
}

fn logarithm(field: &str, number: usize) -> Result<f32> {
    match field.parse::<f32>() {
        Ok(v) if v.is_finite() => Ok(v),
        Ok(f32::NEG_INFINITY) => Ok(IMPOSSIBLE),
        _ => Err(wrong(number, format!("'{}' isn't a logarithm", excerpt(field)))),
    }
}

/// The tokens of a file.
struct Symbols {
    of: HashMap<Token, u32>,
    blank: Option<char>,
}

impl Symbols {
    fn token(word: &str, blank: Option<char>, number: usize) -> Result<Token> {
        Token::parse(word, blank).ok_or_else(|| {
            let found = excerpt(word);
            wrong(
                number,
                format!("the token '{found}' isn't a single code point, but this isn't a model of words"),
            )
        })
    }

    fn get(&self, word: &str, number: usize) -> Result<u32> {
        let token = Self::token(word, self.blank, number)?;
        let known = self.of.get(&token).copied();
        known.ok_or_else(|| wrong(number, format!("the token '{word}' isn't among the 1-grams")))
    }
}

fn read_unigrams(
    lines: &mut Lines<'_>,
    heading: &str,
    order: usize,
    count: usize,
) -> Result<(Builder, Symbols)> {
    let mut words: Vec<&str> = Vec::new();
    let mut grams = read_section(lines, heading, 1, count, |fields, _| {
        words.push(fields[0]);
        Ok((ROOT, 0))
    })?;
    let blank = if words.contains(&"<space>") {
        None
    } else {
        ['▁', '|'].into_iter().find(|c| words.iter().any(|w| w.starts_with(*c)))
    };
    let tokens: Vec<Token> = words
        .iter()
        .zip(&grams)
        .map(|(word, gram)| Symbols::token(word, blank, gram.1))
        .collect::<Result<_>>()?;
    let mut sorted = tokens.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let of: HashMap<Token, u32> = sorted.iter().copied().zip(0..).collect();
    for (gram, token) in grams.iter_mut().zip(&tokens) {
        gram.0.symbol = of[token];
    }
    let mut builder = Builder::new(order, sorted);
    add(&mut builder, &grams)?;
    Ok((builder, Symbols { of, blank }))
}

/// Context and last symbol of an n-gram.
fn context_of(words: &[&str], number: usize, builder: &Builder, symbols: &Symbols) -> Result<(u32, u32)> {
    let mut node = ROOT;
    let Some((last, context)) = words.split_last() else { return Ok((ROOT, 0)) };
    for (k, word) in context.iter().enumerate() {
        let symbol = symbols.get(word, number)?;
        node = builder.find(node, symbol).ok_or_else(|| {
            let missing = words[..=k].join(" ");
            wrong(number, format!("the context '{missing}' isn't among the {}-grams", k + 1))
        })?;
    }
    Ok((node, symbols.get(last, number)?))
}

/// The model as the text of a file. Reading it again gives an equal model.
pub fn write(model: &NgramModel) -> String {
    let mut out = String::from("\\data\\\n");
    for (n, count) in (1..).zip(model.counts()) {
        let _ = writeln!(out, "ngram {n}={count}");
    }
    let mut parent = vec![ROOT; model.symbol.len()];
    for node in 0..model.symbol.len() {
        let (start, end) = (model.children[node] as usize, model.children[node + 1] as usize);
        parent[start..end].fill(node as u32);
    }
    // In a file without a blank these signs would be taken for it.
    let blank = model.symbol(Token::Char(' ')).is_some();
    let name = |token: &Token| match token {
        Token::Char(c @ ('▁' | '|')) if !blank => format!("<U+{:04X}>", u32::from(*c)),
        token => token.to_string(),
    };
    let names: Vec<String> = model.tokens.iter().map(name).collect();
    let mut words = Vec::new();
    for n in 1..=model.order {
        let _ = write!(out, "\n\\{n}-grams:\n");
        for node in model.levels[n - 1]..model.levels[n] {
            words.clear();
            let mut at = node;
            while at != ROOT {
                words.push(names[model.symbol[at as usize] as usize].as_str());
                at = parent[at as usize];
            }
            words.reverse();
            let node = node as usize;
            let _ = write!(out, "{}\t{}", model.prob[node], words.join(" "));
            if model.backoff[node] != 0.0 {
                let _ = write!(out, "\t{}", model.backoff[node]);
            }
            out.push('\n');
        }
    }
    out.push_str("\n\\end\\\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        read(text.as_bytes()).map_or_else(|e| e.to_string(), |_| String::new())
    }

    #[test]
    fn damaged_files_are_errors_with_a_line() {
        let head = "\\data\\\nngram 1=1\nngram 2=1\n\\1-grams:\n";
        for (text, expected) in [
            (String::new(), "line 0: the file ends"),
            ("\\data\\\n".into(), "line 1: the file ends"),
            ("\\data\\\nngram 2=1\n".into(), "line 2: order 2, expected 1"),
            ("\\data\\\nngram 1=x\n".into(), "line 2: 'ngram 1=x' isn't"),
            ("\\data\\\nngram 1=99999999999\n\\1-grams:\n-1 a\n".into(), "(2 of 99999999999)"),
            (format!("{head}-1\tthe\n"), "line 5: the token 'the' isn't a single code point"),
            (format!("{head}1\ta\n"), "line 5: probability 10^1 is above 1"),
            (format!("{head}nan\ta\n"), "line 5: 'nan' isn't a logarithm"),
            (format!("{head}-1\ta\n\\2-grams:\n-1\ta b\n"), "line 7: the token 'b' isn't among"),
            (format!("{head}-1\ta\n\\3-grams:\n"), "where \\2-grams: should be"),
            (format!("{head}-1\ta\n\\2-grams:\n-1\ta a\n"), "ends where \\end\\ should be"),
        ] {
            let found = message(&text);
            assert!(found.contains(expected), "{found}");
        }
        assert!(read(b"\\data\\\n\xff\n").is_err());
        let twice = "\\data\\\nngram 1=2\n\\1-grams:\n-1 a\n-1 a\n\\end\\\n";
        assert!(message(twice).contains("line 5: the n-gram is there twice"));
    }

    #[test]
    fn the_blank_has_several_names() -> Result<()> {
        for (tokens, expected) in
            [(["<space>", "|"], [' ', '|']), (["▁", "|"], [' ', '|']), (["|", "a"], [' ', 'a'])]
        {
            let text =
                format!("\\data\\\nngram 1=2\n\\1-grams:\n-1 {}\n-2 {}\n\\end\\\n", tokens[0], tokens[1]);
            let model = read(text.as_bytes())?;
            for (c, prob) in expected.into_iter().zip([-1.0, -2.0]) {
                assert_eq!(model.score_line(std::iter::once(c), false, false), vec![prob]);
            }
        }
        Ok(())
    }
}
