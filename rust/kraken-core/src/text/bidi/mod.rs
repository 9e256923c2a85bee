//! The Unicode Bidirectional Algorithm (UAX #9, Unicode 17) for one line.
//!
//! The whole text is one paragraph (rule P1 is not applied) and one line. X9
//! removes its characters for good; isolates take part in the resolution and
//! are dropped from the output; L3 is not applied.
//!
//! The levels come from the crate `unicode-bidi`; removal, L1, L2, L4 and the
//! indices are made here. Text is handled as code points, because recognised
//! text may hold lone surrogates, which no Rust string can.

mod levels;
mod tables;

/// Version of the Unicode Character Database that the tables come from.
pub const UCD_VERSION: &str = "17.0.0";

/// Values of the property `Bidi_Class`.
pub use unicode_bidi::BidiClass as Class;

/// Short name of the standard.
pub fn class_name(class: Class) -> &'static str {
    match class {
        Class::L => "L",
        Class::R => "R",
        Class::AL => "AL",
        Class::EN => "EN",
        Class::ES => "ES",
        Class::ET => "ET",
        Class::AN => "AN",
        Class::CS => "CS",
        Class::NSM => "NSM",
        Class::BN => "BN",
        Class::B => "B",
        Class::S => "S",
        Class::WS => "WS",
        Class::ON => "ON",
        Class::LRE => "LRE",
        Class::LRO => "LRO",
        Class::RLE => "RLE",
        Class::RLO => "RLO",
        Class::PDF => "PDF",
        Class::LRI => "LRI",
        Class::RLI => "RLI",
        Class::FSI => "FSI",
        Class::PDI => "PDI",
    }
}

fn is_isolate_control(class: Class) -> bool {
    matches!(class, Class::LRI | Class::RLI | Class::FSI | Class::PDI)
}

/// Rule X9.
fn is_removed(class: Class) -> bool {
    matches!(class, Class::LRE | Class::LRO | Class::RLE | Class::RLO | Class::PDF | Class::BN)
}

/// Text of these classes alone stays as it is in a left-to-right paragraph.
fn is_plain(class: Class) -> bool {
    !(matches!(class, Class::R | Class::AL | Class::AN) || is_removed(class) || is_isolate_control(class))
}

/// `Bidi_Class` of a code point; L for anything that isn't one.
pub fn class(code_point: u32) -> Class {
    if code_point > 0x0010_FFFF {
        return Class::L;
    }
    let next = tables::CLASS_RUNS.partition_point(|&(start, _)| start <= code_point);
    next.checked_sub(1).map_or(Class::L, |k| tables::CLASS_RUNS[k].1)
}

/// The mirror glyph of a code point (rule L4).
fn mirror(code_point: u32) -> Option<u32> {
    let k = tables::MIRRORS.binary_search_by_key(&code_point, |&(from, _)| from).ok()?;
    Some(tables::MIRRORS[k].1)
}

/// Direction that the embedding level of the paragraph is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseDirection {
    /// First strong character (P2, P3), left to right if there is none.
    Auto,
    /// Level 0.
    LeftToRight,
    /// Level 1.
    RightToLeft,
}

/// Characters from left to right and the index in the input of each.
pub fn display_map(text: &[u32], base: BaseDirection) -> (Vec<u32>, Vec<usize>) {
    let classes: Vec<Class> = text.iter().map(|&c| class(c)).collect();
    if base != BaseDirection::RightToLeft && classes.iter().all(|&c| is_plain(c)) {
        return (text.to_vec(), (0..text.len()).collect());
    }
    // Of what X9 removes the level rules need the embeddings only.
    let read: Vec<usize> = (0..text.len()).filter(|&i| classes[i] != Class::BN).collect();
    let (levels, paragraph) = levels::resolve(read.iter().map(|&i| text[i]), base);
    let (kept, mut levels): (Vec<usize>, Vec<u8>) =
        read.into_iter().zip(levels).filter(|&(i, _)| !is_removed(classes[i])).unzip();
    reset_white_space(&classes, &kept, &mut levels, paragraph);
    let order = visual_order(&levels);

    let mut display = Vec::with_capacity(order.len());
    let mut indices = Vec::with_capacity(order.len());
    for k in order {
        let i = kept[k];
        if is_isolate_control(classes[i]) {
            continue;
        }
        let mirrored = if levels[k] % 2 == 1 { mirror(text[i]) } else { None };
        display.push(mirrored.unwrap_or(text[i]));
        indices.push(i);
    }
    (display, indices)
}

/// Rule L1: separators, and white space and isolates before them or at the
/// end, get the level of the paragraph.
fn reset_white_space(classes: &[Class], kept: &[usize], levels: &mut [u8], paragraph: u8) {
    let mut trailing = true;
    for (k, &i) in kept.iter().enumerate().rev() {
        let class = classes[i];
        let separator = matches!(class, Class::B | Class::S);
        let space = class == Class::WS || is_isolate_control(class);
        trailing = separator || (trailing && space);
        if trailing {
            levels[k] = paragraph;
        }
    }
}

/// Rule L2: from the highest level to the lowest odd one, runs at that level
/// or above are reversed.
fn visual_order(levels: &[u8]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    let highest = levels.iter().copied().max().unwrap_or(0);
    let lowest_odd = levels.iter().copied().filter(|l| l % 2 == 1).min().unwrap_or(highest + 1);
    for level in (lowest_odd..=highest).rev() {
        let mut start = 0;
        // Reversal inside runs at `level` or above keeps their positions, so
        // the runs can be found in the levels of the unreversed text.
        while start < levels.len() {
            let end = start + levels[start..].iter().take_while(|&&l| l >= level).count();
            order[start..end].reverse();
            start = end + 1;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(text: &str, base: BaseDirection) -> String {
        let codes: Vec<u32> = text.chars().map(u32::from).collect();
        display_map(&codes, base).0.into_iter().filter_map(char::from_u32).collect()
    }

    #[test]
    fn classes_include_the_defaults_of_unassigned_code_points() {
        for (cp, expected) in [
            (0x41, Class::L),
            (0x5D0, Class::R),
            (0x5FF, Class::R),
            (0x627, Class::AL),
            (0x20CF, Class::ET),
            (0xFDD0, Class::BN),
            (0xE0FFF, Class::BN),
            (0xD800, Class::L),
            (0x0011_0000, Class::L),
            (u32::MAX, Class::L),
        ] {
            assert_eq!(class(cp), expected, "{cp:#x}");
        }
    }

    #[test]
    fn tables_are_sorted() {
        assert!(tables::CLASS_RUNS.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 != w[1].1));
        assert!(tables::MIRRORS.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(tables::BRACKETS.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn numbers_and_brackets_in_right_to_left_text() {
        use BaseDirection::{Auto, LeftToRight, RightToLeft};
        assert_eq!(display("abc (12)", Auto), "abc (12)");
        assert_eq!(display("אבג (12) ד", Auto), "ד (12) גבא");
        assert_eq!(display("a\u{200D}b", LeftToRight), "ab");
        assert_eq!(display("ab.", RightToLeft), ".ab");
        assert_eq!(display("\u{2067}a\u{2069}ב", Auto), "בa");
        assert_eq!(display("", Auto), "");
    }

    #[test]
    fn isolates_before_brackets_and_at_separators() {
        use BaseDirection::LeftToRight;
        // The strong type before the bracket is "a": the pair is left-to-right.
        assert_eq!(display("٣a\u{2067}b\u{2069}[ב]ב", LeftToRight), "٣ab[ב]ב");
        let deep = format!("{}\u{2067}א\u{2069}[ב])", "(".repeat(64));
        assert_eq!(display(&deep, LeftToRight), format!("{}א[ב])", "(".repeat(64)));
        assert_eq!(display("אב\u{2067}\n!\u{2069}", LeftToRight), "בא\n!");
        let nested = "(\u{2068}\u{202B}\n".repeat(3000);
        assert_eq!(display(&nested, LeftToRight).chars().count(), 6000);
    }
}
