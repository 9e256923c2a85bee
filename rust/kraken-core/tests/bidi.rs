//! Display order against the crate `unicode-bidi`.
//!
//! The alphabet keeps to what both treat alike: characters whose class didn't
//! change since that crate's tables. Texts are too short for its bracket stack.

use kraken_core::text::bidi::{self, BaseDirection, Class};
use proptest::prelude::*;
use unicode_bidi::{Level, ParagraphBidiInfo};

const ALPHABET: &str = "abאבدر12٣,.:+-$%# \t\n()[]<\u{2329}\u{3009}!\u{301}\u{5B0}\u{200E}\u{200F}\u{61C}\u{200C}\
                        \u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}\u{AD}";

/// Indices that X9 and the rules of the output leave, in display order.
fn oracle(text: &str, base: BaseDirection) -> Vec<usize> {
    let level = match base {
        BaseDirection::Auto => None,
        BaseDirection::LeftToRight => Some(Level::ltr()),
        BaseDirection::RightToLeft => Some(Level::rtl()),
    };
    let info = ParagraphBidiInfo::new(text, level);
    let levels = info.reordered_levels_per_char(0..text.len());
    let classes: Vec<Class> = text.chars().map(|c| bidi::class(u32::from(c))).collect();
    let removed =
        |c: Class| matches!(c, Class::BN | Class::LRE | Class::RLE | Class::LRO | Class::RLO | Class::PDF);
    let isolate = |c: Class| matches!(c, Class::LRI | Class::RLI | Class::FSI | Class::PDI);
    let kept: Vec<usize> = (0..classes.len()).filter(|&i| !removed(classes[i])).collect();
    let kept_levels: Vec<Level> = kept.iter().map(|&i| levels[i]).collect();
    ParagraphBidiInfo::reorder_visual(&kept_levels)
        .into_iter()
        .map(|k| kept[k])
        .filter(|&i| !isolate(classes[i]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn order_equals_unicode_bidi(
        chars in prop::collection::vec(prop::sample::select(ALPHABET.chars().collect::<Vec<_>>()), 0..40),
        base in prop::sample::select(vec![
            BaseDirection::Auto, BaseDirection::LeftToRight, BaseDirection::RightToLeft,
        ]),
    ) {
        let text: String = chars.iter().collect();
        let codes: Vec<u32> = chars.iter().map(|&c| u32::from(c)).collect();
        prop_assert_eq!(bidi::display_map(&codes, base).1, oracle(&text, base));
    }

    #[test]
    fn any_code_points_are_mapped_at_most_once(
        codes in prop::collection::vec(0..0x0011_0100_u32, 0..60),
    ) {
        let (display, mut order) = bidi::display_map(&codes, BaseDirection::Auto);
        prop_assert_eq!(display.len(), order.len());
        let n = order.len();
        order.sort_unstable();
        order.dedup();
        prop_assert_eq!(order.len(), n);
        prop_assert!(order.iter().all(|&i| i < codes.len()));
    }
}
