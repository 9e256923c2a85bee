//! Embedding levels (rules P2 to I2) by the crate `unicode-bidi`.
//!
//! The crate gets the property values of `tables`, not its own, which are of
//! an older Unicode version (its feature `hardcoded-data` is off).

use unicode_bidi::data_source::BidiMatchedOpeningBracket;
use unicode_bidi::{BidiDataSource, Level, ParagraphBidiInfo};

use super::{BaseDirection, Class, class, is_removed, tables};

/// Stands for what no Rust string can hold, such as lone surrogates; like them
/// it has class L.
const NO_CHARACTER: char = 'a';

const LRI: char = '\u{2066}';
const RLI: char = '\u{2067}';
const SEPARATOR: char = '\u{2029}';

/// From this level on the probe of an isolate can't tell one that counts from
/// one that is too deep: the deepest level is 125.
const OVERFLOW: u8 = 124;

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
    let text: Vec<char> = codes.map(|c| char::from_u32(c).unwrap_or(NO_CHARACTER)).collect();
    let level = match base {
        BaseDirection::Auto => None,
        BaseDirection::LeftToRight => Some(Level::ltr()),
        BaseDirection::RightToLeft => Some(Level::rtl()),
    };
    let whole = run_crate(&text, level);
    let levels = if whole.classes.iter().any(|&c| is_isolate_initiator(c)) {
        resolve_by_isolate(&text, &whole)
    } else {
        whole.levels
    };
    (levels, whole.paragraph.number())
}

/// What the crate finds, one entry a character.
struct Resolved {
    levels: Vec<u8>,
    /// Classes of the text, FSI replaced by LRI or RLI if a letter decides it.
    classes: Vec<Class>,
    paragraph: Level,
}

fn run_crate(text: &[char], level: Option<Level>) -> Resolved {
    let joined: String = text.iter().collect();
    let info = ParagraphBidiInfo::new_with_data_source(&Properties, &joined, level);
    // The crate gives one entry a byte.
    let (levels, classes) =
        joined.char_indices().map(|(i, _)| (info.levels[i].number(), info.original_classes[i])).unzip();
    Resolved { levels, classes, paragraph: info.paragraph_level }
}

fn is_isolate_initiator(class: Class) -> bool {
    matches!(class, Class::LRI | Class::RLI | Class::FSI)
}

/// Levels of a text with isolates, where the content of each is resolved apart
/// from the text around it.
///
/// An isolating run sequence of several level runs is what release 0.3.18 of
/// the crate gets wrong: it searches the strong type before a bracket (N0)
/// forwards in the earlier runs, goes on to pair brackets in the later runs
/// after its stack is full (BD16), and takes any PDI that starts a run for the
/// match of the last initiator, though a separator may stand before that one's
/// own PDI. Without its content an isolate is an initiator and a PDI side by
/// side, and every sequence is one run.
fn resolve_by_isolate(text: &[char], whole: &Resolved) -> Vec<u8> {
    let mut levels = vec![0; text.len()];
    for Part { level, members } in parts(text, whole) {
        // Initiators that raise the level by one each lead to the content, so
        // that separators in it still get the level of the paragraph.
        let opened = whole.paragraph.number()..level;
        let start = opened.len();
        let opening = opened.map(|l| if l % 2 == 0 { RLI } else { LRI });
        let content = members.iter().map(|member| member.map_or(SEPARATOR, |i| text[i]));
        let resolved = run_crate(&opening.chain(content).collect::<Vec<char>>(), Some(whole.paragraph));
        for (member, &level) in members.iter().zip(&resolved.levels[start..]) {
            if let Some(i) = *member {
                levels[i] = level;
            }
        }
    }
    levels
}

/// What the crate resolves at once.
struct Part {
    level: u8,
    /// Indices in the text; `None` is a separator put in.
    members: Vec<Option<usize>>,
}

/// The text without the content of its isolates, and that of each.
fn parts(text: &[char], whole: &Resolved) -> Vec<Part> {
    let mut isolates = isolates(text, whole).into_iter();
    let mut parts = vec![Part { level: whole.paragraph.number(), members: Vec::new() }];
    let mut current = 0;
    let mut open = Vec::new();
    for (i, &class) in whole.classes.iter().enumerate() {
        if class == Class::PDI
            && let Some(outer) = open.pop()
        {
            current = outer;
        }
        parts[current].members.push(Some(i));
        if !is_isolate_initiator(class) {
            continue;
        }
        open.push(current);
        match isolates.next() {
            Some(Isolate::Apart(level)) => {
                current = parts.len();
                parts.push(Part { level, members: Vec::new() });
            }
            // Keeps the crate from continuing the sequence at a PDI.
            Some(Isolate::Split) => parts[current].members.push(None),
            Some(Isolate::TooDeep) | None => {}
        }
    }
    parts
}

#[derive(Clone, Copy)]
enum Isolate {
    /// Its content has this level and runs from the initiator to the PDI.
    Apart(u8),
    /// A separator at its edge is in one run with its initiator or PDI, so that
    /// no sequence leads from the one to the other (BD13).
    Split,
    /// It may not count (X5a to X5c) and stays in the run around it.
    TooDeep,
}

/// Kind of the isolate that each initiator opens. The crate tells the levels
/// of its inside and outside by letters put on both sides of the initiator.
fn isolates(text: &[char], whole: &Resolved) -> Vec<Isolate> {
    let mut probe = Vec::with_capacity(text.len());
    let mut inside = Vec::new();
    for (&c, &class) in text.iter().zip(&whole.classes) {
        if is_isolate_initiator(class) {
            probe.extend([letter(whole.paragraph.is_rtl()), c, letter(class == Class::RLI)]);
            inside.push(probe.len() - 1);
        } else {
            probe.push(c);
        }
    }
    let levels = run_crate(&probe, Some(whole.paragraph)).levels;
    let kind = |(i, touches): (usize, bool)| match levels[i] {
        OVERFLOW.. => Isolate::TooDeep,
        _ if touches && levels[i - 2] == whole.paragraph.number() => Isolate::Split,
        level => Isolate::Apart(level),
    };
    inside.into_iter().zip(touching_separators(&whole.classes)).map(kind).collect()
}

fn letter(rtl: bool) -> char {
    if rtl { 'א' } else { 'a' }
}

/// For each isolate whether its content begins with a separator or ends with
/// one before its PDI.
fn touching_separators(classes: &[Class]) -> Vec<bool> {
    let mut touching = Vec::new();
    let mut open = Vec::new();
    let mut previous = Class::ON;
    for &class in classes.iter().filter(|&&c| !is_removed(c)) {
        if class == Class::B
            && is_isolate_initiator(previous)
            && let Some(last) = touching.last_mut()
        {
            *last = true;
        } else if class == Class::PDI
            && let Some(k) = open.pop()
            && previous == Class::B
        {
            touching[k] = true;
        } else if is_isolate_initiator(class) {
            open.push(touching.len());
            touching.push(false);
        }
        previous = class;
    }
    touching
}
