//! Markup of the words and characters of a recognised line.
//!
//! A page has thousands of characters and a document of them is nearly nothing else; the pattern
//! for one is filled in here, with its box, outline and confidence.

use std::fmt::Write as _;

use super::pattern::{Field, Pattern, Piece};
use crate::{Error, Result};

/// Patterns for the parts of a line.
pub struct Patterns {
    /// Markup of a character.
    pub glyph: Pattern,
    /// Markup of a word.
    pub word: Pattern,
    /// Markup of a word's outline.
    pub outline: Pattern,
    /// Markup of white space behind a word, if it's another than that of words.
    pub space: Option<Pattern>,
}

/// Quadrangles, eight coordinates each, and for each whether it's whole; of others only the
/// first two points count.
#[derive(Clone, Copy)]
pub struct Outlines<'a> {
    /// x and y of four points each.
    pub corners: &'a [i64],
    /// One for each outline.
    pub whole: &'a [bool],
}

/// A line of text, cut into words and runs of white space.
pub struct Line<'a> {
    /// The characters.
    pub text: &'a str,
    /// Index of the first character of each segment; ascending, the first is 0.
    pub starts: &'a [usize],
    /// Outline of each character.
    pub glyphs: Outlines<'a>,
    /// Outline of each segment, or none for boxes.
    pub words: Option<Outlines<'a>>,
    /// Confidence of each character.
    pub confidences: &'a [f64],
    /// Running number of the first segment in the document.
    pub first_segment: usize,
    /// Running number of the first character in the document.
    pub first_glyph: usize,
    /// Largest x and y that are written; what lies beyond is moved there.
    pub limits: [i64; 2],
}

/// What a pattern can show of a segment or character.
struct Row<'a> {
    number: usize,
    text: &'a str,
    corners: &'a [[i64; 2]],
    bounds: [i64; 4],
    confidence: f64,
    start: bool,
}

/// Markup of all segments of a line.
///
/// Fields are described at [`Field`]. White space counts as such behind the first segment only.
///
/// # Errors
///
/// If numbers of characters, outlines and confidences don't fit, `starts` isn't ascending, or a
/// confidence isn't between 0 and 1.
pub fn segments(line: &Line<'_>, patterns: &Patterns) -> Result<String> {
    let offsets: Vec<usize> = line.text.char_indices().map(|(at, _)| at).chain([line.text.len()]).collect();
    check(line, offsets.len() - 1)?;
    let glyphs = line.glyphs.points(line.limits);
    let words = line.words.map(|outlines| outlines.points(line.limits));
    let mut writer = Writer { line, patterns, offsets, glyphs, words, out: String::new() };
    let ends = line.starts.iter().skip(1).copied().chain([line.confidences.len()]);
    for (i, (&start, end)) in line.starts.iter().zip(ends).enumerate() {
        writer.segment(i, start, end);
    }
    Ok(writer.out)
}

fn check(line: &Line<'_>, count: usize) -> Result<()> {
    let need = |arg, found: usize, wanted: usize| {
        let message = || Error::shape(arg, format!("{found} values, need {wanted}"));
        if found == wanted { Ok(()) } else { Err(message()) }
    };
    need("confidences", line.confidences.len(), count)?;
    need("whole", line.glyphs.whole.len(), count)?;
    need("corners", line.glyphs.corners.len(), 8 * count)?;
    if let Some(words) = line.words {
        need("word_whole", words.whole.len(), line.starts.len())?;
        need("word_corners", words.corners.len(), 8 * line.starts.len())?;
    }
    let ascending = line.starts.windows(2).all(|pair| pair[0] < pair[1]);
    let inside = line.starts.first().is_none_or(|&s| s == 0) && line.starts.last().is_none_or(|&s| s < count);
    if !ascending || !inside || line.starts.is_empty() != (count == 0) {
        return Err(Error::range("starts", format!("need ascending indices from 0 to below {count}")));
    }
    if line.confidences.iter().all(|c| (0.0..=1.0).contains(c)) {
        return Ok(());
    }
    Err(Error::range("confidences", "need values between 0 and 1"))
}

impl Outlines<'_> {
    /// The outlines' points, moved into the limits.
    fn points(&self, [right, bottom]: [i64; 2]) -> Vec<([[i64; 2]; 4], bool)> {
        let corner = |p: &[i64]| [p[0].min(right).max(0), p[1].min(bottom).max(0)];
        let quad = |q: &[i64]| [corner(&q[0..2]), corner(&q[2..4]), corner(&q[4..6]), corner(&q[6..8])];
        self.corners.chunks_exact(8).map(quad).zip(self.whole.iter().copied()).collect()
    }
}

/// The points of an outline that count.
fn shown((points, whole): &([[i64; 2]; 4], bool)) -> &[[i64; 2]] {
    if *whole { points } else { &points[..2] }
}

/// Box around points.
fn around<'a>(points: impl IntoIterator<Item = &'a [i64; 2]>) -> [i64; 4] {
    points.into_iter().fold([i64::MAX, i64::MAX, 0, 0], |[x0, y0, x1, y1], &[x, y]| {
        [x0.min(x), y0.min(y), x1.max(x), y1.max(y)]
    })
}

struct Writer<'a> {
    line: &'a Line<'a>,
    patterns: &'a Patterns,
    offsets: Vec<usize>,
    glyphs: Vec<([[i64; 2]; 4], bool)>,
    words: Option<Vec<([[i64; 2]; 4], bool)>>,
    out: String,
}

impl Writer<'_> {
    fn segment(&mut self, i: usize, start: usize, end: usize) {
        let text = &self.line.text[self.offsets[start]..self.offsets[end]];
        let glyphs = &self.glyphs[start..end];
        let bounds = around(glyphs.iter().flat_map(shown));
        let [x0, y0, x1, y1] = bounds;
        let own = self.words.as_ref().and_then(|words| words.get(i)).copied();
        let boxed = ([[x0, y0], [x0, y1], [x1, y1], [x1, y0]], true);
        let outline = own.unwrap_or(boxed);
        let values = &self.line.confidences[start..end];
        let row = Row {
            number: self.line.first_segment + i,
            text,
            corners: shown(&outline),
            bounds,
            confidence: values.iter().sum::<f64>() / values.len() as f64,
            start: true,
        };
        let patterns = self.patterns;
        let space =
            if i > 0 && text.chars().all(char::is_whitespace) { patterns.space.as_ref() } else { None };
        for piece in &space.unwrap_or(&patterns.word).pieces {
            match piece {
                Piece::Field(Field::Glyphs) => self.characters(start, end),
                Piece::Field(Field::Outline) if own.is_some() => {
                    patterns.outline.pieces.iter().for_each(|piece| put(&mut self.out, piece, &row));
                }
                Piece::Field(Field::Confidences) => {
                    let texts: Vec<String> = values.iter().map(|&value| repr(value)).collect();
                    self.out.push_str(&texts.join(" "));
                }
                piece => put(&mut self.out, piece, &row),
            }
        }
    }

    fn characters(&mut self, start: usize, end: usize) {
        for i in start..end {
            let corners = shown(&self.glyphs[i]);
            let row = Row {
                number: self.line.first_glyph + i,
                text: &self.line.text[self.offsets[i]..self.offsets[i + 1]],
                corners,
                bounds: around(corners),
                confidence: self.line.confidences[i],
                start: i == start,
            };
            self.patterns.glyph.pieces.iter().for_each(|piece| put(&mut self.out, piece, &row));
        }
    }
}

/// Writes a piece of a pattern. Parts of a line that a row doesn't have give nothing.
fn put(out: &mut String, piece: &Piece, row: &Row<'_>) {
    let [x0, y0, x1, y1] = row.bounds;
    match piece {
        Piece::Literal(text) => out.push_str(text),
        Piece::Field(field) => match field {
            Field::Number => integer(out, row.number as u64),
            Field::Text => escape(out, row.text),
            Field::X => coordinate(out, x0),
            Field::Y => coordinate(out, y0),
            Field::Right => coordinate(out, x1),
            Field::Bottom => coordinate(out, y1),
            Field::Width => coordinate(out, x1 - x0),
            Field::Height => coordinate(out, y1 - y0),
            Field::Points => points(out, row.corners, ' '),
            Field::Pairs => points(out, row.corners, ','),
            Field::Confidence => confidence(out, row.confidence),
            Field::Percent => integer(out, (100.0 * row.confidence) as u64),
            Field::Start => out.push(if row.start { '1' } else { '0' }),
            Field::Glyphs | Field::Outline | Field::Confidences => {}
        },
    }
}

fn points(out: &mut String, corners: &[[i64; 2]], between: char) {
    for (i, &[x, y]) in corners.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        coordinate(out, x);
        out.push(between);
        coordinate(out, y);
    }
}

/// A coordinate, which isn't negative.
fn coordinate(out: &mut String, value: i64) {
    integer(out, value.unsigned_abs());
}

/// Decimal digits; several times as fast as the formatting machinery.
fn integer(out: &mut String, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}

/// A value between 0 and 1 with one to four decimals.
fn confidence(out: &mut String, value: f64) {
    // Writing to a string can't fail.
    let _ = write!(out, "{value:.4}");
    let trimmed = out.trim_end_matches('0').len();
    out.truncate(trimmed);
    if out.ends_with('.') {
        out.push('0');
    }
}

/// A value between 0 and 1 as Python prints it.
fn repr(value: f64) -> String {
    if value == 0.0 || value >= 1e-4 {
        return format!("{value:?}");
    }
    match format!("{value:e}").split_once("e-") {
        Some((mantissa, exponent)) => format!("{mantissa}e-{exponent:0>2}"),
        None => format!("{value:?}"),
    }
}

/// Text with what means something in XML and HTML escaped.
fn escape(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(glyph: &str, word: &str, outline: &str, space: Option<&str>) -> Patterns {
        let parse = |text: &str| Pattern::parse(text).unwrap_or_default();
        Patterns { glyph: parse(glyph), word: parse(word), outline: parse(outline), space: space.map(parse) }
    }

    fn line<'a>(text: &'a str, starts: &'a [usize], corners: &'a [i64], values: &'a [f64]) -> Line<'a> {
        Line {
            text,
            starts,
            glyphs: Outlines { corners, whole: &[true; 9][..values.len()] },
            words: None,
            confidences: values,
            first_segment: 7,
            first_glyph: 40,
            limits: [i64::MAX; 2],
        }
    }

    #[test]
    fn words_hold_their_characters() {
        let corners: Vec<i64> =
            (0..4).flat_map(|i| [10 * i, 5, 10 * i + 10, 5, 10 * i + 10, 9, 10 * i, 9]).collect();
        let line = line("a< é", &[0, 2, 3], &corners, &[0.5, 0.25, 1.0, 0.00005]);
        let patterns = patterns(
            "<{number} {text} {x} {width} {confidence}>",
            "[{number} {text} {pairs} {confidence} {glyphs}]",
            "",
            Some("_{number} {x} {y} {right} {bottom}_"),
        );
        assert_eq!(
            segments(&line, &patterns),
            Ok("[7 a&lt; 0,5 0,9 20,9 20,5 0.375 <40 a 0 10 0.5><41 &lt; 10 10 0.25>]_8 20 5 30 9_\
                [9 é 30,5 30,9 40,9 40,5 0.0001 <43 é 30 10 0.0001>]"
                .to_owned())
        );
    }

    #[test]
    fn coordinates_stay_inside_and_numbers_print_as_in_python() {
        let mut line = line("a", &[0], &[-5, 0, 20, 0, 20, 900, -5, i64::MAX], &[5e-5]);
        line.limits = [15, 100];
        let patterns = patterns("{points}", "{confidences} {percent} {start} {glyphs}", "", None);
        assert_eq!(segments(&line, &patterns), Ok("5e-05 0 1 0 0 15 0 15 100 0 100".to_owned()));
    }

    #[test]
    fn bad_input_is_named() {
        let patterns = patterns("", "", "", None);
        let corners = [0; 16];
        assert!(segments(&line("", &[], &[], &[]), &patterns).is_ok());
        assert!(segments(&line("ab", &[0], &corners, &[0.5]), &patterns).is_err());
        assert!(segments(&line("ab", &[0], &corners[1..], &[0.5; 2]), &patterns).is_err());
        assert!(segments(&line("ab", &[0], &corners, &[0.5, f64::NAN]), &patterns).is_err());
        for starts in [&[1][..], &[0, 0], &[0, 2], &[]] {
            assert!(segments(&line("ab", starts, &corners, &[0.5; 2]), &patterns).is_err());
        }
    }
}
