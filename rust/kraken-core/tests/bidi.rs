//! Display order of arbitrary code points.

use kraken_core::text::bidi::{self, BaseDirection};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

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
