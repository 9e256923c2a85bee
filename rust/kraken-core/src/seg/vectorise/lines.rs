//! Baselines from heatmaps.

use super::graph::Graph;
use super::strokes::{Stroke, strokes};
use crate::geom::{Point, along, dist, polyline, sub};
use crate::image::labels::{Connectivity, label_runs};
use crate::image::ridge::ridge_mask;
use crate::image::set_pixels;
use crate::image::thin::thin;
use crate::{Error, Result};

/// Scales at which ridges are looked for: lines of up to some 20 px. Those that
/// most lines show up at come first.
const SIGMAS: [f64; 5] = [3.0, 5.0, 1.0, 7.0, 9.0];

/// Deviation that the simplification of a line may cause, in pixels.
const TOLERANCE: f64 = 3.0;

/// How far a line's last segment may be prolonged, in its own lengths.
const PROLONGATION: f64 = 10.0;

/// Separators are looked up in windows from this many pixels before a line's
/// end to this many (exclusive) after it.
const WINDOW: i64 = 10;

/// Difference of the separators at an end that counts as evidence.
const EVIDENCE: f32 = 0.2;

/// What a network says about each pixel: three maps of one size, values 0…1.
#[derive(Debug, Clone, Copy)]
pub struct Heatmaps<'a> {
    /// Where lines start.
    pub start: &'a [f32],
    /// Where lines end.
    pub end: &'a [f32],
    /// Baselines.
    pub baseline: &'a [f32],
    /// Width of each map in pixels.
    pub width: usize,
    /// Height of each map in pixels.
    pub height: usize,
}

/// How baselines are found in a heatmap.
#[derive(Debug, Clone, Copy)]
pub struct LineOptions {
    /// Ridge strength above which a pixel is part of a line.
    pub threshold: f32,
    /// Shorter lines are dropped, in pixels.
    pub min_length: f64,
    /// Whether lines without separators run down, not to the right.
    pub vertical: bool,
    /// Number of threads, 0 for all.
    pub threads: usize,
}

/// Finds the baselines of a heatmap: ridges are thinned to a skeleton, which
/// falls apart into natural strokes; these are simplified, prolonged to the
/// edge of the blob they lie in, and given the direction that the separators
/// tell. In raster order of the skeleton's parts.
///
/// # Errors
/// If a map doesn't have `width * height` values, or the threshold is negative
/// or not a number.
pub fn vectorise_lines(maps: &Heatmaps<'_>, options: &LineOptions) -> Result<Vec<Vec<[i64; 2]>>> {
    let &Heatmaps { start, end, baseline, width, height } = maps;
    for map in [start, end] {
        crate::image::check_size("im", map.len(), width, height)?;
    }
    if options.threshold.is_nan() || options.threshold < 0.0 {
        return Err(Error::range("threshold", format!("{} isn't a number from 0 on", options.threshold)));
    }
    let mask = ridge_mask(baseline, width, height, &SIGMAS, options.threshold, options.threads)?;
    let found = find_strokes(&mask, width, height)?;
    let finish = |stroke: &Stroke| {
        let mut line = whole_pixels(&prolong(stroke, &mask, width, height), width, height);
        if runs_backwards(&line, maps, options.vertical) {
            line.reverse();
        }
        let exact: Vec<Point> = line.iter().map(|p| p.map(|v| v as f64)).collect();
        (line.len() > 1 && polyline::length(&exact) >= options.min_length).then_some(line)
    };
    Ok(found.iter().filter_map(finish).collect())
}

fn find_strokes(mask: &[u8], width: usize, height: usize) -> Result<Vec<Stroke>> {
    let labels = label_runs(mask, width, height, Connectivity::Eight)?;
    let areas = labels.areas();
    let skeleton = thin(mask, width, height)?;
    let mut lengths = vec![0_usize; areas.len()];
    for pixel in set_pixels(&skeleton) {
        lengths[labels.of(pixel) as usize] += 1;
    }
    let breadth = |pixel: u32| {
        let blob = labels.of(pixel) as usize;
        areas[blob] as f64 / lengths[blob].max(1) as f64
    };
    Ok(strokes(&Graph::new(skeleton, width, height), width, breadth))
}

/// The simplified stroke, its free ends moved on to the edge of the blob.
fn prolong(stroke: &Stroke, mask: &[u8], width: usize, height: usize) -> Vec<Point> {
    let mut line = polyline::simplify(&stroke.points, TOLERANCE);
    for side in 0..2 {
        if let ([.., before, last], true) = (&line[..], stroke.free[1 - side])
            && let Some(edge) = edge_of_blob(*before, *last, mask, width, height)
        {
            let n = line.len();
            line[n - 1] = edge;
        }
        line.reverse();
    }
    line
}

/// The last pixel of the blob in the direction of a segment, seen from its
/// end; `None` if the blob goes on for too long.
fn edge_of_blob(from: Point, to: Point, mask: &[u8], width: usize, height: usize) -> Option<Point> {
    let length = dist(from, to);
    if length == 0.0 {
        return None;
    }
    let direction = sub(to, from).map(|v| v / length);
    let inside = |p: Point| {
        let [x, y] = p.map(f64::round);
        x >= 0.0
            && y >= 0.0
            && (x as usize) < width
            && (y as usize) < height
            && mask[y as usize * width + x as usize] != 0
    };
    let steps = (PROLONGATION * length).min((width + height) as f64) as usize;
    let outside = (1..=steps).find(|&t| !inside(along(to, direction, t as f64)))?;
    let last = along(to, direction, (outside - 1) as f64);
    Some(last.map(f64::round))
}

/// Truncated to pixels of the map, repeated points dropped.
fn whole_pixels(line: &[Point], width: usize, height: usize) -> Vec<[i64; 2]> {
    let mut out: Vec<[i64; 2]> = Vec::with_capacity(line.len());
    for p in line {
        let q = [(p[0] as i64).clamp(0, width as i64 - 1), (p[1] as i64).clamp(0, height as i64 - 1)];
        if out.last() != Some(&q) {
            out.push(q);
        }
    }
    out
}

/// Whether a line must be turned round: separators at both ends say so, or,
/// where they are weak, it runs against the direction of the text.
fn runs_backwards(line: &[[i64; 2]], maps: &Heatmaps<'_>, vertical: bool) -> bool {
    let [Some(&first), Some(&last)] = [line.first(), line.last()] else { return false };
    let evidence = |p| strongest(maps.start, p, maps) - strongest(maps.end, p, maps);
    let (at_first, at_last) = (evidence(first), evidence(last));
    if at_first > EVIDENCE && at_last < -EVIDENCE {
        return false;
    }
    if at_first < -EVIDENCE && at_last > EVIDENCE {
        return true;
    }
    let key = |p: [i64; 2]| if vertical { [p[1], p[0]] } else { p };
    key(first) > key(last)
}

/// Maximum of a separator map around a point.
fn strongest(map: &[f32], [x, y]: [i64; 2], maps: &Heatmaps<'_>) -> f32 {
    let window = |c: i64, len: usize| (c - WINDOW).max(0) as usize..((c + WINDOW).max(0) as usize).min(len);
    let columns = window(x, maps.width);
    window(y, maps.height)
        .flat_map(|row| &map[row * maps.width..][columns.clone()])
        .fold(0.0, |m, &v| m.max(v))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: LineOptions =
        LineOptions { threshold: 0.17, min_length: 5.0, vertical: false, threads: 1 };

    fn lines_of(map: &[f32], width: usize, start: &[f32], end: &[f32]) -> Vec<Vec<[i64; 2]>> {
        let maps = Heatmaps { start, end, baseline: map, width, height: map.len() / width };
        vectorise_lines(&maps, &OPTIONS).unwrap_or_default()
    }

    fn bar(width: usize, height: usize, xs: std::ops::Range<usize>, ys: std::ops::Range<usize>) -> Vec<f32> {
        (0..width * height)
            .map(|i| if xs.contains(&(i % width)) && ys.contains(&(i / width)) { 1.0 } else { 0.0 })
            .collect()
    }

    #[test]
    fn a_bar_is_a_line_from_edge_to_edge() {
        let map = bar(200, 60, 20..180, 30..35);
        let none = vec![0.0; map.len()];
        let lines = lines_of(&map, 200, &none, &none);
        assert_eq!(lines.len(), 1);
        let (a, b) = (lines[0][0], lines[0][lines[0].len() - 1]);
        assert!((17..=21).contains(&a[0]) && (178..=182).contains(&b[0]), "{a:?} {b:?}");
        let (starts, ends) = (bar(200, 60, 175..185, 30..35), bar(200, 60, 15..25, 30..35));
        let turned = lines_of(&map, 200, &starts, &ends);
        assert_eq!(turned[0].iter().rev().collect::<Vec<_>>(), lines[0].iter().collect::<Vec<_>>());
    }

    #[test]
    fn lengths() {
        let none = vec![0.0; 50 * 50];
        assert!(lines_of(&bar(50, 50, 20..24, 20..23), 50, &none, &none).is_empty());
        assert_eq!(lines_of(&bar(50, 50, 20..30, 20..23), 50, &none, &none).len(), 1);
        assert!(lines_of(&none, 50, &none, &none).is_empty());
    }

    #[test]
    fn bad_arguments() {
        let maps = Heatmaps { start: &[], end: &[], baseline: &[0.0; 4], width: 2, height: 2 };
        assert!(vectorise_lines(&maps, &OPTIONS).is_err());
        let nothing = Heatmaps { baseline: &[], width: 0, height: 0, ..maps };
        assert_eq!(vectorise_lines(&nothing, &OPTIONS), Ok(vec![]));
        assert!(vectorise_lines(&nothing, &LineOptions { threshold: f32::NAN, ..OPTIONS }).is_err());
    }
}
