//! Polygons and thick lines on the pixel grid, and the maps that layout
//! networks learn.

use std::ops::Range;

use super::raster::Raster;
use crate::geom::buffer::{self, Cap};
use crate::geom::{Point, polygon, polyline};
use crate::{Error, Result};

/// Vertices beyond this are moved to it, so that products fit into 64 bits.
const FAR: f64 = 16_777_216.0;

/// Which points of the plane a ring that crosses itself encloses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Those from which a ray meets the ring an odd number of times.
    EvenOdd,
    /// Those that the ring runs around clockwise on the screen more often than
    /// counter-clockwise.
    Positive,
}

/// Calls `span(y, x0..x1)` for the pixels whose centres lie in the polygon or
/// on its outline, as far as they are in `width × height`. Spans may overlap.
///
/// Pixel centres are whole coordinates; vertices are truncated to them.
pub fn fill(
    ring: &[Point],
    rule: Rule,
    width: usize,
    height: usize,
    mut span: impl FnMut(usize, Range<usize>),
) {
    let ring: Vec<[i64; 2]> =
        polygon::open(ring).iter().map(|p| p.map(|v| v.trunc().clamp(-FAR, FAR) as i64)).collect();
    let mut put = |y: i64, from: i64, to: i64| {
        if (0..height as i64).contains(&y) {
            let end = (to + 1).clamp(0, width as i64);
            let start = from.clamp(0, end);
            if start < end {
                span(y as usize, start as usize..end as usize);
            }
        }
    };
    let mut edges: Vec<([i64; 2], [i64; 2], i32)> = Vec::with_capacity(ring.len());
    for (i, &a) in ring.iter().enumerate() {
        let b = ring[(i + 1) % ring.len()];
        put(a[1], a[0], a[0]);
        match a[1].cmp(&b[1]) {
            std::cmp::Ordering::Less => edges.push((a, b, -1)),
            std::cmp::Ordering::Greater => edges.push((b, a, 1)),
            std::cmp::Ordering::Equal => put(a[1], a[0].min(b[0]), a[0].max(b[0])),
        }
    }
    edges.sort_by_key(|(top, ..)| top[1]);
    let Some(bottom) = edges.iter().map(|(_, b, _)| b[1]).max() else { return };
    let mut active: Vec<([i64; 2], [i64; 2], i32)> = Vec::new();
    let mut next = 0;
    let mut crossings: Vec<(f64, i64, i64, i32)> = Vec::new();
    for y in edges[0].0[1].max(0)..bottom.min(height as i64) {
        active.retain(|(_, b, _)| b[1] > y);
        while let Some(edge) = edges.get(next).filter(|(top, ..)| top[1] <= y) {
            next += 1;
            if edge.1[1] > y {
                active.push(*edge);
            }
        }
        crossings.clear();
        crossings.extend(active.iter().map(|&(a, b, sign)| {
            let (num, den) = ((y - a[1]) * (b[0] - a[0]), b[1] - a[1]);
            let floor = a[0] + num.div_euclid(den);
            let ceil = floor + i64::from(num.rem_euclid(den) != 0);
            (a[0] as f64 + num as f64 / den as f64, floor, ceil, sign)
        }));
        crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut winding, mut from) = (0, 0);
        for &(_, floor, ceil, sign) in &crossings {
            let inside = winding > 0;
            winding = if rule == Rule::EvenOdd { 1 - winding } else { winding + sign };
            if !inside && winding > 0 {
                from = ceil;
            } else if inside && winding <= 0 {
                put(y, from, floor);
            }
        }
    }
}

/// Sets the pixels of the polygon in one map of `width` columns.
fn paint(map: &mut [u8], width: usize, ring: &[Point], rule: Rule, value: u8) {
    let height = map.len().checked_div(width).unwrap_or(0);
    fill(ring, rule, width, height, |y, xs| map[y * width..][xs].fill(value));
}

/// Mask of a polygon by the even-odd rule, outline included: 1 inside, 0 outside.
pub fn polygon_map(ring: &[Point], width: usize, height: usize) -> Raster<u8> {
    let mut out = Raster::zeros(width, height, 1);
    paint(&mut out.data, width, ring, Rule::EvenOdd, 1);
    out
}

/// Mask of a line of a given width: 1 on it, 0 elsewhere. Empty if the line has
/// no length.
pub fn line_map(line: &[Point], line_width: f64, cap: Cap, width: usize, height: usize) -> Raster<u8> {
    let mut out = Raster::zeros(width, height, 1);
    if let Some(ring) = buffer::outline(line, line_width / 2.0, cap) {
        paint(&mut out.data, width, &ring, Rule::Positive, 1);
    }
    out
}

/// Half the length of the stretch at an end of a line that a separator marks.
const SEPARATOR: f64 = 5.0;

/// Gap between a separator's stretch and the rest of the line.
const GAP: f64 = 0.001;

/// Maps that a layout network learns from: `channels × height × width`, row-major, 0 or 1.
///
/// Channel 0 marks the starts of lines, 1 their ends, the others are classes.
/// Each line is drawn `line_width` wide with flat ends into its channel. Then
/// its first 5 pixels (or half of it) are drawn twice as wide, and that much
/// longer, into channel 0 and its last into channel 1, and both channels are
/// cleared where the line itself is. Lines follow one another, so one may
/// clear the separators of another. Areas are filled last.
///
/// # Errors
/// If there is a channel below 2 or above the last, or the maps don't fit into memory.
pub fn layout_target(
    [channels, height, width]: [usize; 3],
    lines: &[(usize, Vec<Point>)],
    areas: &[(usize, Vec<Point>)],
    line_width: f64,
) -> Result<Vec<u8>> {
    let plane = width.checked_mul(height).filter(|n| n.checked_mul(channels).is_some_and(|n| n <= 1 << 34));
    let Some(plane) = plane else {
        return Err(Error::range("shape", format!("{channels} maps of {width} × {height} pixels")));
    };
    let bad = |c: &&(usize, Vec<Point>)| c.0 < 2 || c.0 >= channels;
    if let Some((c, _)) = lines.iter().chain(areas).find(bad) {
        return Err(Error::range("channel", format!("{c} isn't from 2 to {}", channels.saturating_sub(1))));
    }
    let mut maps = vec![0; channels * plane];
    if plane == 0 {
        return Ok(maps);
    }
    for (channel, line) in lines {
        let line = polyline::dedup(line);
        let Some(body) = buffer::outline(&line, line_width / 2.0, Cap::Flat) else { continue };
        paint(&mut maps[channel * plane..][..plane], width, &body, Rule::Positive, 1);
        let length = polyline::length(&line);
        let stretch = SEPARATOR.min(length / 2.0);
        let stretch = if stretch > 2.0 * GAP { stretch - GAP } else { stretch / 2.0 };
        let ends =
            [polyline::substring(&line, 0.0, stretch), polyline::substring(&line, length - stretch, length)];
        for (k, end) in ends.iter().enumerate() {
            let map = &mut maps[k * plane..][..plane];
            if let Some(separator) = buffer::outline(end, line_width, Cap::Square) {
                paint(map, width, &separator, Rule::Positive, 1);
            }
            paint(map, width, &body, Rule::Positive, 0);
        }
    }
    for (channel, area) in areas {
        let area: Vec<Point> = area.iter().map(|p| p.map(|v| v.max(0.0))).collect();
        paint(&mut maps[channel * plane..][..plane], width, &area, Rule::EvenOdd, 1);
    }
    Ok(maps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(map: &Raster<u8>) -> Vec<usize> {
        map.data.chunks(map.width).map(|r| r.iter().map(|v| usize::from(*v)).sum()).collect()
    }

    #[test]
    fn outlines_belong_to_polygons() {
        assert_eq!(
            rows(&polygon_map(&[[1.0, 1.0], [3.9, 1.0], [3.0, 3.0], [1.0, 3.0]], 5, 5)),
            [0, 3, 3, 3, 0]
        );
        assert_eq!(rows(&polygon_map(&[[2.0, 0.0], [4.0, 4.0], [0.0, 4.0]], 5, 5)), [1, 1, 3, 3, 5]);
        assert_eq!(rows(&polygon_map(&[[0.0, 0.0], [4.0, 4.0]], 5, 5)), [1, 1, 1, 1, 1]);
        assert_eq!(rows(&polygon_map(&[[2.0, 2.0]], 4, 4)), [0, 0, 1, 0]);
        assert_eq!(rows(&polygon_map(&[], 2, 2)), [0, 0]);
    }

    #[test]
    fn lines_that_turn_back_are_whole() {
        let line = [[2.0, 5.0], [20.0, 5.0], [4.0, 6.0]];
        let map = line_map(&line, 6.0, Cap::Flat, 30, 12);
        assert!((4..21).all(|x| map.data[5 * 30 + x] == 1));
        assert_eq!(line_map(&line[..1], 6.0, Cap::Flat, 30, 12).data, [0; 360]);
    }

    #[test]
    fn hostile_shapes() {
        let far = vec![[-1e300, -1e300], [1e300, 5.0], [f64::NAN, 1e300]];
        assert_eq!(layout_target([3, 0, 0], &[(2, far.clone())], &[], 4.0), Ok(vec![]));
        let maps = layout_target([3, 4, 4], &[(2, far.clone())], &[(2, far.clone())], 4.0);
        assert!(maps.is_ok_and(|m| m.len() == 48));
        assert!(layout_target([3, 4, 4], &[(1, far)], &[], 4.0).is_err());
        assert!(layout_target([usize::MAX, 4, 4], &[], &[], 4.0).is_err());
    }
}
