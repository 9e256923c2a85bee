//! Filters, labels and contours of single-channel images.

pub mod center;
pub mod contour;
pub mod draw;
pub mod fill;
pub mod filter;
pub mod labels;
pub mod max_filter;
pub mod nlbin;
pub mod png;
pub mod raster;
pub mod resample;
pub mod ridge;
mod runs;
pub mod sample;
pub mod sobel;
pub mod thin;
pub mod warp;

use crate::{Error, Result};

/// Fails unless a buffer of `len` elements is an image of `width` × `height`
/// whose pixels can be counted in 32 bits.
pub(crate) fn check_size(arg: &'static str, len: usize, width: usize, height: usize) -> Result<()> {
    match width.checked_mul(height) {
        Some(n) if n == len && n < u32::MAX as usize / 2 => Ok(()),
        _ => Err(Error::shape(arg, format!("{len} values can't be an image of {width} × {height} pixels"))),
    }
}

/// Index of the first non-zero byte from `from` on. Most of a page's masks is
/// empty, so zeros are skipped a word at a time.
pub(crate) fn next_set(mask: &[u8], from: usize) -> Option<usize> {
    let rest = mask.get(from..)?;
    let words = rest.as_chunks::<8>().0;
    let skipped = 8 * words.iter().take_while(|w| u64::from_ne_bytes(**w) == 0).count();
    rest[skipped..].iter().position(|&v| v != 0).map(|k| from + skipped + k)
}

/// Indices of the non-zero bytes.
pub(crate) fn set_pixels(mask: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        // Set pixels come in runs.
        let i = if mask.get(next).is_some_and(|&v| v != 0) { next } else { next_set(mask, next)? };
        next = i + 1;
        Some(i as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_pixels_of_any_offset() {
        for at in 0..40 {
            let mut mask = [0; 40];
            mask[at] = 7;
            mask[39] = 1;
            let expected: Vec<u32> = if at == 39 { vec![39] } else { vec![at as u32, 39] };
            assert_eq!(set_pixels(&mask).collect::<Vec<u32>>(), expected);
            assert_eq!(next_set(&mask[..39], at + 1), None);
        }
        assert_eq!(set_pixels(&[]).next(), None);
        assert_eq!(next_set(&[1], 5), None);
    }
}
