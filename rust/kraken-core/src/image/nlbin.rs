//! Adaptive binarisation by levelling the background: T. Breuel's "nlbin".

use super::check_size;
use super::filter::gaussian::{Gaussian, gaussian};
use super::filter::rank;
use super::filter::spline::{Axis, resample, resample_into};
use crate::{Error, Result, par};

/// Standard deviation of the blur that tells ink from ground, at scale 1.
const SPREAD: f64 = 20.0;
/// Side of the square by which places with ink are widened, at scale 1.
const REACH: f64 = 50.0;
/// Share of the strongest variation that counts as ink.
const STRONG: f64 = 0.3;
/// Sides shorter than this have no background to speak of.
const SMALLEST: usize = 3;

/// How to binarise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Levelled brightness above which a pixel is white.
    pub threshold: f64,
    /// Scale at which the background is estimated.
    pub zoom: f64,
    /// Scale of the masks for the estimate of black and white.
    pub escale: f64,
    /// Share of each side that this estimate ignores.
    pub border: f64,
    /// Percentile of the background filters.
    pub perc: f64,
    /// Length of their windows.
    pub range: usize,
    /// Percentile that becomes black.
    pub low: f64,
    /// Percentile that becomes white.
    pub high: f64,
}

impl Params {
    fn check(&self) -> Result<()> {
        let need = |good: bool, arg: &'static str, value: f64, range: &str| {
            if good { Ok(()) } else { Err(Error::range(arg, format!("{value}, need {range}"))) }
        };
        let Self { threshold, zoom, escale, border, perc, range, low, high } = *self;
        need((0.0..1.0).contains(&threshold), "threshold", threshold, "0 to below 1")?;
        need(zoom > 0.0 && zoom <= 4.0, "zoom", zoom, "above 0 to 4")?;
        need(escale > 0.0 && escale <= 100.0, "escale", escale, "above 0 to 100")?;
        need((0.0..0.5).contains(&border), "border", border, "0 to below 0.5")?;
        need((1.0..=100.0).contains(&perc), "perc", perc, "1 to 100")?;
        need((1..=10_000).contains(&range), "range", range as f64, "1 to 10000")?;
        need((0.0..=100.0).contains(&low), "low", low, "0 to 100")?;
        need((0.0..=100.0).contains(&high) && low < high, "high", high, "more than low, up to 100")
    }
}

/// Black (0) and white (255) for every pixel of a grey page.
///
/// # Errors
/// If `grey` doesn't have `width * height` pixels, isn't of more than one value, or a parameter is
/// out of its range.
pub fn nlbin(grey: &[u8], width: usize, height: usize, params: &Params, threads: usize) -> Result<Vec<u8>> {
    params.check()?;
    check_size("image", grey.len(), width, height)?;
    let (min, max) = grey.iter().fold((u8::MAX, u8::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    if min >= max {
        return Err(Error::Empty { arg: "image" });
    }
    let global = |level: f64| {
        let level = f64::from(min) + level * f64::from(max - min);
        grey.iter().map(|&v| if f64::from(v) > level { 255 } else { 0 }).collect()
    };
    let zoomed = [height, width].map(|side| (side as f64 * params.zoom).round_ties_even() as usize);
    if zoomed.iter().any(|&side| side < SMALLEST) {
        return Ok(global(0.5));
    }
    let unit = 1.0 / 255.0;
    let (low, span) = (f64::from(min) * unit, f64::from(max) * unit - f64::from(min) * unit);
    let mut page: Vec<f64> = grey.iter().map(|&v| (f64::from(v) * unit - low) / span).collect();
    let background = background(&page, [width, height], zoomed, params, threads)?;
    let place = |small: usize, side: usize| {
        Axis::new(small, (0..side).map(move |i| i as f64 * (small as f64 / side as f64)))
    };
    let axes = [&place(zoomed[0], height), &place(zoomed[1], width)];
    resample_into(background, [zoomed[1], zoomed[0]], axes, &mut page, threads, |value, ground| {
        *value = (*value - ground + 1.0).clamp(0.0, 1.0);
    })?;
    let Some((black, white)) = levels(&page, [width, height], params, threads)? else {
        return Ok(global(0.5));
    };
    let range = white - black;
    let bit =
        |value: &f64| if ((value - black) / range).clamp(0.0, 1.0) > params.threshold { 255 } else { 0 };
    Ok(page.iter().map(bit).collect())
}

/// Brightness of the paper, at a smaller scale.
fn background(
    page: &[f64],
    [width, height]: [usize; 2],
    [rows, columns]: [usize; 2],
    params: &Params,
    threads: usize,
) -> Result<Vec<f64>> {
    let axes = [&Axis::between_ends(height, rows), &Axis::between_ends(width, columns)];
    let small = resample(page.to_vec(), [width, height], axes, threads)?;
    let small = rank::percentile(&small, [columns, rows], [params.range, 2], params.perc, threads)?;
    rank::percentile(&small, [columns, rows], [2, params.range], params.perc, threads)
}

/// Brightness of ink and paper where there's ink; none if they don't differ.
fn levels(
    page: &[f64],
    [width, height]: [usize; 2],
    params: &Params,
    threads: usize,
) -> Result<Option<(f64, f64)>> {
    let cut = |side: usize| (params.border * side as f64) as usize;
    let (left, top) = (cut(width), cut(height));
    let size = [width - 2 * left, height - 2 * top];
    let inner = page.chunks_exact(width).skip(top).take(size[1]);
    let area: Vec<f64> = inner.flat_map(|row| &row[left..left + size[0]]).copied().collect();
    let blur = [Gaussian::blur(params.escale * SPREAD); 2];
    let mut variation = gaussian(area.clone(), size, blur, threads)?;
    for (value, pixel) in variation.iter_mut().zip(&area) {
        *value = (pixel - *value) * (pixel - *value);
    }
    let variation = gaussian(variation, size, blur, threads)?;
    let limit = STRONG * STRONG * variation.iter().copied().fold(0.0, f64::max);
    let strong: Vec<u8> = variation.iter().map(|&v| u8::from(v > limit)).collect();
    drop(variation);
    let reach = (params.escale * REACH) as usize;
    let near = dilated(&strong, size, reach.max(1), threads);
    let mut seen: Vec<f64> = area.iter().zip(&near).filter(|(_, near)| **near > 0).map(|(v, _)| *v).collect();
    if seen.is_empty() {
        return Ok(None);
    }
    let (black, white) = (percentile(&mut seen, params.low), percentile(&mut seen, params.high));
    Ok((white - black > 1e-9).then_some((black, white)))
}

/// The mask dilated by a column and then by a row of `size` pixels, which reach `size / 2` pixels
/// up and to the left and `(size - 1) / 2` down and to the right of each pixel of the mask.
fn dilated(mask: &[u8], [width, height]: [usize; 2], size: usize, threads: usize) -> Vec<u8> {
    let turned = super::filter::transposed(mask, width, height, threads);
    let tall = super::filter::transposed(&widened(&turned, height, size, threads), height, width, threads);
    widened(&tall, width, size, threads)
}

fn widened(mask: &[u8], width: usize, size: usize, threads: usize) -> Vec<u8> {
    let (before, after) = (size / 2, (size - 1) / 2);
    let mut out = vec![0; mask.len()];
    par::for_row_bands(&mut out, width, threads, |first, band| {
        for (y, row) in band.chunks_exact_mut(width).enumerate() {
            let from = &mask[(first + y) * width..][..width];
            let mut filled = 0;
            for x in (0..width).filter(|&x| from[x] > 0) {
                let end = (x + after + 1).min(width);
                let start = x.saturating_sub(before).max(filled).min(end);
                row[start..end].fill(1);
                filled = end;
            }
        }
    });
    out
}

/// A percentile of at least one value, interpolated between neighbours.
fn percentile(values: &mut [f64], percent: f64) -> f64 {
    let place = (values.len() - 1) as f64 * percent / 100.0;
    let index = place.floor() as usize;
    let (_, &mut below, rest) = values.select_nth_unstable_by(index, f64::total_cmp);
    let above = rest.iter().copied().fold(f64::INFINITY, f64::min);
    if above.is_finite() { below + (above - below) * (place - index as f64) } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Params = Params {
        threshold: 0.5,
        zoom: 0.5,
        escale: 1.0,
        border: 0.1,
        perc: 80.0,
        range: 20,
        low: 5.0,
        high: 90.0,
    };

    #[test]
    fn ink_on_uneven_paper() {
        let (width, height) = (120, 90);
        let ink = |x: usize, y: usize| (20..100).contains(&x) && y % 18 < 3;
        let grey: Vec<u8> = (0..width * height)
            .map(|i| (i % width, i / width))
            .map(|(x, y)| (if ink(x, y) { 30 + x / 2 } else { 150 + x / 2 }) as u8)
            .collect();
        let found = nlbin(&grey, width, height, &DEFAULTS, 2).unwrap_or_default();
        // Rounding of sizes leaves the last row and column without background.
        let wrong = |i: &usize| (found[*i] == 0) != ink(i % width, i / width);
        assert_eq!(found.len(), grey.len());
        assert_eq!((0..width * (height - 2)).filter(wrong).count(), 0);
    }

    #[test]
    fn odd_images() {
        let run = |grey: &[u8], width| nlbin(grey, width, grey.len() / width, &DEFAULTS, 1);
        assert_eq!(run(&[9, 200, 10], 3), Ok(vec![0, 255, 0]));
        assert!(run(&[9; 30], 3).is_err());
        assert!(nlbin(&[], 0, 0, &DEFAULTS, 1).is_err());
        assert!(nlbin(&[1, 2], 3, 1, &DEFAULTS, 1).is_err());
        let mut spot = vec![255; 900];
        spot[0] = 0;
        assert!(
            run(&spot, 30).is_ok_and(|found| found.iter().map(|&v| usize::from(v == 0)).sum::<usize>() < 9)
        );
    }

    #[test]
    fn percentiles_are_interpolated() {
        let mut values = [4.0, 1.0, 2.0];
        assert_eq!(
            [0.0, 25.0, 50.0, 75.0, 100.0].map(|p| percentile(&mut values, p)),
            [1.0, 1.5, 2.0, 3.0, 4.0]
        );
    }

    #[test]
    fn parameters_are_checked() {
        let bad = [
            Params { threshold: 1.0, ..DEFAULTS },
            Params { zoom: f64::NAN, ..DEFAULTS },
            Params { escale: 0.0, ..DEFAULTS },
            Params { border: 0.5, ..DEFAULTS },
            Params { perc: 0.0, ..DEFAULTS },
            Params { range: 0, ..DEFAULTS },
            Params { low: -1.0, ..DEFAULTS },
            Params { low: 90.0, ..DEFAULTS },
            Params { high: 101.0, ..DEFAULTS },
        ];
        for params in bad {
            assert!(nlbin(&[0, 255], 2, 1, &params, 1).is_err());
        }
    }
}
