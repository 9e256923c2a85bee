//! Patterns of text with named fields in braces.

use crate::{Error, Result};

/// A place in a pattern that is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Running number in the document.
    Number,
    /// The text, escaped.
    Text,
    /// Left side of the box.
    X,
    /// Upper side of the box.
    Y,
    /// Right side of the box.
    Right,
    /// Lower side of the box.
    Bottom,
    /// Width of the box.
    Width,
    /// Height of the box.
    Height,
    /// The outline as `x y x y`.
    Points,
    /// The outline as `x,y x,y`.
    Pairs,
    /// Confidence with four decimals at most; of a word the mean of its characters.
    Confidence,
    /// Confidence in per cents, truncated.
    Percent,
    /// 1 for the first character of a word, else 0.
    Start,
    /// The characters of a word.
    Glyphs,
    /// The outline of a word in its own pattern, nothing for boxes.
    Outline,
    /// Confidences of the characters of a word.
    Confidences,
}

/// Part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stays.
    Literal(String),
    /// A place that is filled in.
    Field(Field),
}

/// Text with places that are filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    pub(super) pieces: Vec<Piece>,
}

impl Pattern {
    /// Reads a pattern such as `x="{x}"`.
    ///
    /// # Errors
    ///
    /// For unknown fields and braces that aren't closed.
    pub fn parse(text: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                return Err(Error::range("pattern", format!("a brace isn't closed in {text:?}")));
            };
            pieces.push(Piece::Literal(literal.to_owned()));
            pieces.push(Piece::Field(field(name)?));
            rest = behind;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Ok(Self { pieces })
    }
}

fn field(name: &str) -> Result<Field> {
    Ok(match name {
        "number" => Field::Number,
        "text" => Field::Text,
        "x" => Field::X,
        "y" => Field::Y,
        "right" => Field::Right,
        "bottom" => Field::Bottom,
        "width" => Field::Width,
        "height" => Field::Height,
        "points" => Field::Points,
        "pairs" => Field::Pairs,
        "confidence" => Field::Confidence,
        "percent" => Field::Percent,
        "start" => Field::Start,
        "glyphs" => Field::Glyphs,
        "outline" => Field::Outline,
        "confidences" => Field::Confidences,
        _ => return Err(Error::range("pattern", format!("there is no field {name:?}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_literals_alternate() {
        let found = Pattern::parse("a{x}{y}b");
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let pieces =
            vec![literal("a"), Piece::Field(Field::X), literal(""), Piece::Field(Field::Y), literal("b")];
        assert_eq!(found, Ok(Pattern { pieces }));
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(Pattern::parse("{x").is_err());
        assert!(Pattern::parse("{z}").is_err());
    }
}
