//! Steps of the segmenter that finds lines as boxes, after T. Breuel's page segmentation: what
//! needs a look at single components, columns or pixels. Filters are elsewhere.

pub mod nearest;
pub mod seeds;

use crate::Result;
use crate::image::check_size;
use crate::image::labels::{Connectivity, label};

/// First column, first row, and the column and row behind the last ones.
pub type Box4 = [usize; 4];

/// Labels of four-connected components and their boxes, by label from 1 on.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn components(mask: &[u8], width: usize, height: usize) -> Result<(Vec<u32>, Vec<Box4>)> {
    let found = label(mask, width, height, Connectivity::Four)?;
    let boxes = bounds(&found.of, width, found.count, |_| true);
    Ok((found.of, boxes))
}

/// Boxes of labels 1 to `count` over those pixels that count; empty ones are all 0.
fn bounds(labels: &[u32], width: usize, count: usize, counts: impl Fn(usize) -> bool) -> Vec<Box4> {
    let mut boxes = vec![[usize::MAX, usize::MAX, 0, 0]; count];
    for (i, &label) in labels.iter().enumerate().filter(|(_, label)| **label > 0) {
        let Some(found) = boxes.get_mut(label as usize - 1).filter(|_| counts(i)) else { continue };
        let (x, y) = (i % width, i / width);
        *found = [found[0].min(x), found[1].min(y), found[2].max(x + 1), found[3].max(y + 1)];
    }
    boxes.into_iter().map(|found| if found[2] == 0 { [0; 4] } else { found }).collect()
}

fn area([x0, y0, x1, y1]: Box4) -> usize {
    (x1 - x0) * (y1 - y0)
}

fn rows([x0, y0, x1, y1]: Box4, width: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (y0..y1).map(move |y| y * width + x0..y * width + x1)
}

/// Size of the script: the median, over the pixels of boxes, of the square root of the area of the
/// smallest box there, as far as it's between 3 and 100. None without such a pixel.
///
/// # Errors
/// If a mask doesn't have `width * height` pixels.
pub fn script_size(mask: &[u8], width: usize, height: usize) -> Result<Option<f64>> {
    let (_, mut boxes) = components(mask, width, height)?;
    boxes.sort_by_key(|&found| area(found));
    let mut taken = vec![false; mask.len()];
    // Size and number of pixels, by ascending size.
    let mut sizes: Vec<(f64, usize)> = Vec::new();
    for found in boxes {
        if rows(found, width).any(|row| taken[row].contains(&true)) {
            continue;
        }
        rows(found, width).for_each(|row| taken[row].fill(true));
        let size = (area(found) as f64).sqrt();
        if size > 3.0 && size < 100.0 {
            sizes.push((size, area(found)));
        }
    }
    let total: usize = sizes.iter().map(|(_, count)| count).sum();
    let at = |place: usize| {
        let mut seen = 0;
        sizes.iter().find(|(_, count)| {
            seen += count;
            seen > place
        })
    };
    let middle = total.checked_sub(1).and_then(|last| Some(f64::midpoint(at(last / 2)?.0, at(total / 2)?.0)));
    Ok(middle)
}

/// The pixels of all components of a mask whose box meets a condition.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn select(
    mask: &[u8],
    width: usize,
    height: usize,
    keep: impl Fn(&[Box4]) -> Vec<bool>,
) -> Result<Vec<u8>> {
    let (labels, boxes) = components(mask, width, height)?;
    let kept = keep(&boxes);
    let is_kept = |label: u32| label > 0 && kept.get(label as usize - 1) == Some(&true);
    Ok(labels.into_iter().map(|label| u8::from(is_kept(label))).collect())
}

/// The components that extend more than `min` along an axis (0: rows, 1: columns), of these the
/// `most` largest ones.
///
/// # Errors
/// As [`select`].
pub fn longest(
    mask: &[u8],
    [width, height]: [usize; 2],
    axis: usize,
    min: f64,
    most: usize,
) -> Result<Vec<u8>> {
    let extent = |found: &Box4| if axis == 0 { found[3] - found[1] } else { found[2] - found[0] };
    select(mask, width, height, |boxes| {
        let mut order: Vec<usize> = (0..boxes.len()).filter(|&i| extent(&boxes[i]) as f64 > min).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(extent(&boxes[i])));
        let mut kept = vec![false; boxes.len()];
        order.iter().take(most).for_each(|&i| kept[i] = true);
        kept
    })
}

/// The boxes of components whose area is that of a square with a side from `low` to `high`, filled.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn filled_boxes(mask: &[u8], width: usize, height: usize, low: f64, high: f64) -> Result<Vec<u8>> {
    let (_, boxes) = components(mask, width, height)?;
    // Sums of corners: every pixel is touched once, however many boxes overlap.
    let mut corners = vec![0_i64; (width + 1) * (height + 1)];
    for found in boxes.into_iter().filter(|&found| (low..=high).contains(&(area(found) as f64).sqrt())) {
        let [x0, y0, x1, y1] = found;
        for (x, y, sign) in [(x0, y0, 1), (x1, y0, -1), (x0, y1, -1), (x1, y1, 1)] {
            corners[y * (width + 1) + x] += sign;
        }
    }
    let mut above = vec![0_i64; width];
    let mut out = vec![0; mask.len()];
    for y in 0..height {
        let mut sum = 0;
        for x in 0..width {
            sum += corners[y * (width + 1) + x];
            above[x] += sum;
            out[y * width + x] = u8::from(above[x] > 0);
        }
    }
    Ok(out)
}

/// Boxes of lines: ink takes the label of the seed that its component in `boxmap` touches, or else
/// of the nearest seed closer than `reach`; components that touch several seeds have no label.
///
/// # Errors
/// If a mask doesn't have `width * height` pixels.
pub fn grow(
    seeds: &[u8],
    boxmap: &[u8],
    ink: &[u8],
    [width, height]: [usize; 2],
    reach: f64,
) -> Result<Vec<Box4>> {
    check_size("ink", ink.len(), width, height)?;
    let seeds = label(seeds, width, height, Connectivity::Four)?;
    let parts = label(boxmap, width, height, Connectivity::Four)?;
    let mut owner = vec![0_u32; parts.count + 1];
    for (&part, &seed) in parts.of.iter().zip(&seeds.of).filter(|(part, seed)| **part > 0 && **seed > 0) {
        let known = &mut owner[part as usize];
        // A label that no seed has stands for several.
        *known = if *known == 0 || *known == seed { seed } else { u32::MAX };
    }
    let spread = nearest::spread(&seeds.of, width, height, reach);
    let own = |part: u32| if owner[part as usize] == u32::MAX { 0 } else { owner[part as usize] };
    let labels: Vec<u32> = parts
        .of
        .iter()
        .zip(spread)
        .map(|(&part, near)| if own(part) > 0 { own(part) } else { near })
        .collect();
    Ok(bounds(&labels, width, seeds.count, |i| ink[i] > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two squares of 4 pixels a side, and a bar of 12 × 1 below.
    fn page() -> Vec<u8> {
        let ink = |x: usize, y: usize| (y < 4 && (x < 4 || (8..12).contains(&x))) || (y == 6 && x < 12);
        (0..14 * 8).map(|i| u8::from(ink(i % 14, i / 14))).collect()
    }

    #[test]
    fn sizes_and_boxes() {
        assert_eq!(
            components(&page(), 14, 8).map(|c| c.1),
            Ok(vec![[0, 0, 4, 4], [8, 0, 12, 4], [0, 6, 12, 7]])
        );
        assert_eq!(script_size(&page(), 14, 8), Ok(Some(4.0)));
        assert_eq!(script_size(&[0; 6], 2, 3), Ok(None));
        let filled = filled_boxes(&page(), 14, 8, 3.9, 5.0).unwrap_or_default();
        assert_eq!(filled.iter().filter(|v| **v > 0).count(), 32);
        let tall = longest(&page(), [14, 8], 0, 3.0, 1).unwrap_or_default();
        assert_eq!(tall.iter().filter(|v| **v > 0).count(), 16);
        let wide = longest(&page(), [14, 8], 1, 11.9, 9).unwrap_or_default();
        assert_eq!(wide.iter().filter(|v| **v > 0).count(), 12);
    }

    #[test]
    fn seeds_grow_over_what_they_touch() {
        let mut seeds = vec![0; 14 * 8];
        seeds[14] = 1;
        seeds[6 * 14] = 1;
        let found = grow(&seeds, &page(), &page(), [14, 8], 3.0);
        assert_eq!(found, Ok(vec![[0, 0, 4, 4], [0, 6, 12, 7]]));
        seeds[14 + 3] = 1;
        // Two seeds in one component: what is left goes to the nearest one.
        let found = grow(&seeds, &page(), &page(), [14, 8], 1.5);
        assert_eq!(found, Ok(vec![[0, 0, 2, 3], [2, 0, 4, 3], [0, 6, 12, 7]]));
        assert!(grow(&seeds, &page(), &page()[1..], [14, 8], 1.5).is_err());
    }
}
