//! Embedding levels (rules P2 to I2) by the crate `unicode-bidi`.
//!
//! The crate gets the property values of `tables`, not its own, which are of
//! an older Unicode version (its feature `hardcoded-data` is off).

use unicode_bidi::data_source::BidiMatchedOpeningBracket;
use unicode_bidi::{BidiDataSource, Level, ParagraphBidiInfo};

use super::{BaseDirection, Class, class, tables};

/// Stands for what no Rust string can hold, such as lone surrogates; like them
/// it has class L.
const NO_CHARACTER: char = 'a';

/// The property values that the rules use.
struct Properties;

impl BidiDataSource for Properties {
    fn bidi_class(&self, c: char) -> Class {
        class(u32::from(c))
    }

    fn bidi_matched_opening_bracket(&self, c: char) -> Option<BidiMatchedOpeningBracket> {
        let (opening, is_open) = bracket(u32::from(c))?;
        Some(BidiMatchedOpeningBracket { opening: char::from_u32(opening)?, is_open })
    }
}

/// Canonical form of the opening bracket of the pair that a bracket belongs to
/// (U+2329/232A are U+3008/3009), and whether it is the opening one.
fn bracket(code: u32) -> Option<(u32, bool)> {
    let canonical = match code {
        0x2329 => 0x3008,
        0x232A => 0x3009,
        other => other,
    };
    if tables::BRACKETS.binary_search_by_key(&canonical, |&(open, _)| open).is_ok() {
        return Some((canonical, true));
    }
    let pair = tables::BRACKETS.iter().find(|&&(_, close)| close == canonical)?;
    Some((pair.0, false))
}

/// Levels of the characters of one paragraph and the level of the paragraph.
///
/// Paragraph separators don't split it: the crate gives them the paragraph's
/// level and goes on with the state of the embeddings.
pub(super) fn resolve(codes: impl Iterator<Item = u32>, base: BaseDirection) -> (Vec<u8>, u8) {
    let text: String = codes.map(|c| char::from_u32(c).unwrap_or(NO_CHARACTER)).collect();
    let level = match base {
        BaseDirection::Auto => None,
        BaseDirection::LeftToRight => Some(Level::ltr()),
        BaseDirection::RightToLeft => Some(Level::rtl()),
    };
    let info = ParagraphBidiInfo::new_with_data_source(&Properties, &text, level);
    // The crate gives one level a byte.
    let levels = text.char_indices().map(|(i, _)| info.levels[i].number()).collect();
    (levels, info.paragraph_level.number())
}
