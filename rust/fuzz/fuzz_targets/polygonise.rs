//! Any lines on any small page: no panic, and the guarantees of polygons.

#![no_main]

use kraken_core::geom::{Point, polygon, repair};
use kraken_core::seg::polygonise::{Energy, Obstacles, Topline, polygonise};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Mostly near the page, sometimes any float at all.
fn coordinate(u: &mut Unstructured<'_>) -> Result<f64> {
    Ok(match u.arbitrary::<u8>()? {
        255 => f64::from_bits(u.arbitrary()?),
        254 => f64::from(u.arbitrary::<i32>()?),
        253 => f64::from(u.arbitrary::<i16>()?) / 256.0,
        near => f64::from(near) - 80.0,
    })
}

fn lines(u: &mut Unstructured<'_>, most: u8) -> Result<Vec<Vec<Point>>> {
    (0..u.int_in_range(0..=most)?)
        .map(|_| (0..u.int_in_range(0..=7_u8)?).map(|_| Ok([coordinate(u)?, coordinate(u)?])).collect())
        .collect()
}

fn run(data: &[u8]) -> Result<()> {
    let mut u = Unstructured::new(data);
    let (width, height) = (u.int_in_range(0..=96_usize)?, u.int_in_range(0..=96_usize)?);
    let topline = *u.choose(&[Topline::Baseline, Topline::Topline, Topline::Centreline])?;
    let baselines = lines(&mut u, 6)?;
    let (common, special) = (lines(&mut u, 3)?, lines(&mut u, 2)?);
    let per_line: Vec<Vec<usize>> = (0..baselines.len())
        .map(|_| (0..special.len()).filter(|_| u.ratio(1, 2).unwrap_or(false)).collect())
        .collect();
    // What is left of the input is repeated over the page.
    let pattern = u.take_rest();
    let pixel = |i: usize| pattern.get(i % pattern.len().max(1)).map_or(0.0, |v| f32::from(*v) / 255.0);
    let energy: Vec<f32> = (0..width * height).map(pixel).collect();
    let energy = Energy { data: &energy, width, height };
    let obstacles = Obstacles { common: &common, special: &special, per_line: &per_line };
    let found = polygonise(energy, &baselines, obstacles, topline, 1).expect("sizes and values are right");
    assert_eq!(found.len(), baselines.len());
    let size = [width as f64, height as f64];
    let inside = |p: &Point| (0..2).all(|k| p[k] >= 0.0 && p[k] <= size[k] - 1.0 && p[k].fract() == 0.0);
    for (outcome, line) in found.iter().zip(&baselines) {
        match &outcome.ring {
            Some(ring) => assert!(polygon::is_simple(ring) && ring.iter().all(inside), "{line:?}: {ring:?}"),
            None => assert!(outcome.problem.is_some(), "{line:?}"),
        }
    }
    for ring in &baselines {
        if let Some(valid) = repair::make_valid(ring, size) {
            assert!(polygon::is_simple(&valid) && valid.iter().all(inside), "{ring:?}: {valid:?}");
        }
    }
    Ok(())
}

fuzz_target!(|data: &[u8]| -> Corpus { if run(data).is_ok() { Corpus::Keep } else { Corpus::Reject } });
