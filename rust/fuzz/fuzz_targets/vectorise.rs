//! Any small heatmap: no panic, lines inside the map, simple rings.

#![no_main]

use kraken_core::geom::{Point, polygon};
use kraken_core::seg::vectorise::lines::{Heatmaps, LineOptions, vectorise_lines};
use kraken_core::seg::vectorise::regions::vectorise_regions;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Values of one map: strokes on nothing, then single pixels.
fn map(u: &mut Unstructured<'_>, width: usize, height: usize) -> Result<Vec<f32>> {
    let mut map = vec![0.0; width * height];
    for _ in 0..u.int_in_range(0..=12_u8)? {
        let value = match u.arbitrary::<u8>()? {
            255 => f32::from_bits(u.arbitrary()?),
            v => f32::from(v) / 254.0,
        };
        let [x, y, w, h] = u.arbitrary::<[u8; 4]>()?.map(usize::from);
        let slope = i64::from(u.arbitrary::<i8>()?);
        for i in 0..w.min(width) {
            for j in 0..1 + h % 12 {
                let (x, y) = ((x + i) as i64, (y + j) as i64 + slope * i as i64 / 64);
                if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                    map[y as usize * width + x as usize] = value;
                }
            }
        }
    }
    for _ in 0..u.int_in_range(0..=16_u8)? {
        let at = u.arbitrary::<u16>()?;
        if !map.is_empty() {
            let at = usize::from(at) % map.len();
            map[at] = 1.0 - map[at];
        }
    }
    Ok(map)
}

fn run(data: &[u8]) -> Result<()> {
    let mut u = Unstructured::new(data);
    let (width, height) = (u.int_in_range(0..=48_usize)?, u.int_in_range(0..=32_usize)?);
    let options = LineOptions {
        threshold: f32::from(u.arbitrary::<u8>()?) / 255.0,
        min_length: f64::from(u.arbitrary::<u8>()?) / 8.0,
        vertical: u.arbitrary()?,
        threads: 1,
    };
    let baseline = map(&mut u, width, height)?;
    let (start, end) = (map(&mut u, width, height)?, map(&mut u, width, height)?);
    let maps = Heatmaps { start: &start, end: &end, baseline: &baseline, width, height };
    let lines = vectorise_lines(&maps, &options).expect("sizes and threshold are right");
    for line in &lines {
        assert!(line.len() > 1, "{line:?}");
        let inside = |p: &[i64; 2]| (0..width as i64).contains(&p[0]) && (0..height as i64).contains(&p[1]);
        assert!(line.iter().all(inside), "{line:?}");
    }
    for ring in vectorise_regions(&baseline, width, height, options.threshold).expect("the size is right") {
        let points: Vec<Point> = ring.iter().map(|p| p.map(|v| v as f64)).collect();
        assert!(ring.first() == ring.last() && polygon::is_simple(polygon::open(&points)), "{ring:?}");
        let inside = |p: &[i64; 2]| (0..width as i64).contains(&p[0]) && (0..height as i64).contains(&p[1]);
        assert!(ring.iter().all(inside), "{ring:?}");
    }
    Ok(())
}

fuzz_target!(|data: &[u8]| -> Corpus { if run(data).is_ok() { Corpus::Keep } else { Corpus::Reject } });
