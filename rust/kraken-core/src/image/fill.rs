//! Filling of polygons on the pixel grid.

use std::ops::Range;

use super::raster::{Raster, View};
use crate::geom::Point;
use crate::geom::polygon::open;

/// Vertices beyond this are moved to it, so that arithmetic can't overflow.
/// Single precision holds all integers up to here.
const FAR: f64 = 16_777_216.0;

/// An edge that isn't horizontal.
#[derive(Debug, Clone, Copy)]
struct Edge {
    x: f32,
    y: f32,
    slope: f32,
    top: i64,
    bottom: i64,
}

impl Edge {
    fn at(&self, y: i64) -> f32 {
        (y as f32 - self.y) * self.slope + self.x
    }

    fn covers(&self, y: i64) -> bool {
        self.top <= y && y <= self.bottom
    }
}

/// Rounds half away from zero.
fn round_out(v: f32) -> f32 {
    v.signum() * (v.abs() + 0.5).floor()
}

/// Rounds half towards zero.
fn round_in(v: f32) -> f32 {
    v.signum() * (v.abs() - 0.5).ceil()
}

/// Calls `span(y, x0..x1)` for the pixels of the polygon `ring` that lie in
/// `width × height`. Spans come in rising y and may overlap.
///
/// Pixel centres are whole coordinates; vertices are truncated to them. Per
/// row, the fill runs between pairs of crossings (even-odd rule), each rounded
/// to the nearest pixel; vertices and horizontal edges belong to the polygon,
/// so that one without area still has pixels. Crossings are in single
/// precision and tips are handled as in Pillow's `ImageDraw.polygon`, whose
/// pixels old line images were cut with.
pub fn fill_spans(ring: &[Point], width: usize, height: usize, mut span: impl FnMut(usize, Range<usize>)) {
    let ring: Vec<[i64; 2]> =
        open(ring).iter().map(|p| p.map(|v| v.trunc().clamp(-FAR, FAR) as i64)).collect();
    let mut put = |y: i64, from: f32, to: f32| {
        let x1 = (to as i64 + 1).clamp(0, width as i64);
        let x0 = (from as i64).clamp(0, x1);
        if x0 < x1 {
            span(y as usize, x0 as usize..x1 as usize);
        }
    };
    let Some(last_row) = ring.iter().map(|p| p[1]).max() else { return };
    let mut edges = Vec::with_capacity(ring.len());
    let mut level: Vec<(i64, i64, i64)> = Vec::new();
    for (i, &[x0, y0]) in ring.iter().enumerate() {
        let [x1, y1] = ring[(i + 1) % ring.len()];
        if y0 == y1 {
            level.push((y0, x0.min(x1), x0.max(x1)));
            continue;
        }
        let slope = (x1 - x0) as f32 / (y1 - y0) as f32;
        edges.push(Edge { x: x0 as f32, y: y0 as f32, slope, top: y0.min(y1), bottom: y0.max(y1) });
    }
    level.retain(|l| 0 <= l.0 && l.0 < height as i64);
    level.sort_unstable();
    edges.retain(|e| e.bottom >= 0);
    edges.sort_by_key(|e| e.top); // stable: tips look at earlier edges
    let (mut next, mut next_level) = (0, 0);
    let mut active: Vec<Edge> = Vec::new();
    let mut xs: Vec<f32> = Vec::new();
    let first_row = ring.iter().map(|p| p[1]).min().unwrap_or(0).max(0);
    for y in first_row..=last_row.min(height as i64 - 1) {
        active.retain(|e| e.bottom >= y);
        while let Some(e) = edges.get(next).filter(|e| e.top <= y) {
            active.push(*e);
            next += 1;
        }
        crossings(&active, y, last_row, &mut xs);
        for pair in xs.chunks_exact(2) {
            put(y, round_out(pair[0]), round_in(pair[1]));
        }
        while let Some(l) = level.get(next_level).filter(|l| l.0 == y) {
            put(y, l.1 as f32, l.2 as f32);
            next_level += 1;
        }
    }
}

/// Sorted crossings of row `y`. An edge counts twice where it ends above the
/// last row, so that a vertex that the outline passes through counts oddly.
fn crossings(active: &[Edge], y: i64, last_row: i64, xs: &mut Vec<f32>) {
    xs.clear();
    for (i, edge) in active.iter().enumerate().filter(|(_, e)| e.covers(y)) {
        let x = edge.at(y);
        xs.push(x);
        if y == edge.bottom && y < last_row {
            xs.push(x);
        } else if edge.slope != 0.0 && (y == edge.top || y == edge.bottom) {
            let partner = active[..i]
                .iter()
                .find(|o| o.covers(y) && o.slope * edge.slope > 0.0 && o.at(y) == x)
                .and_then(|other| tip(edge, other, x, y));
            if let (Some(moved), Some(slot)) = (partner, xs.last_mut()) {
                *slot = moved;
            }
        }
    }
    xs.sort_unstable_by(f32::total_cmp);
}

/// Where two edges that meet in a flat tip at (x, y) reach to: next to the
/// pixels of the neighbouring row, so that the tip isn't cut off.
fn tip(edge: &Edge, other: &Edge, x: f32, y: i64) -> Option<f32> {
    let beside = if y == edge.bottom { y - 1 } else { y + 1 };
    if !other.covers(beside) {
        return None;
    }
    let (a, b) = (edge.at(beside), other.at(beside));
    if x > a + 1.0 && x > b + 1.0 {
        Some(a.max(b).round() + 1.0)
    } else if x < a - 1.0 && x < b - 1.0 {
        Some(a.min(b).round() - 1.0)
    } else {
        None
    }
}

/// Copies the pixels of `view` that lie in the polygon; the others are 0.
pub fn masked<T: Copy + Default>(view: View<'_, T>, ring: &[Point]) -> Raster<T> {
    let c = view.channels();
    let mut out = Raster::zeros(view.width(), view.height(), c);
    let width = out.width;
    fill_spans(ring, width, out.height, |y, xs| {
        let (from, to) = (xs.start * c, xs.end * c);
        out.data[y * width * c..][from..to].copy_from_slice(&view.row(y)[from..to]);
    });
    out
}

/// The same with a border of one pixel, in which the outermost pixels are repeated.
pub fn masked_bordered<T: Copy + Default>(view: View<'_, T>, ring: &[Point]) -> Raster<T> {
    let c = view.channels();
    let mut out = Raster::zeros(view.width() + 2, view.height() + 2, c);
    let stride = out.width * c;
    fill_spans(ring, view.width(), view.height(), |y, xs| {
        let (from, to) = (xs.start * c, xs.end * c);
        out.data[(y + 1) * stride + c..][from..to].copy_from_slice(&view.row(y)[from..to]);
    });
    if view.width() == 0 || view.height() == 0 {
        return out;
    }
    for row in out.data.chunks_exact_mut(stride) {
        row.copy_within(c..2 * c, 0);
        row.copy_within(stride - 2 * c..stride - c, stride - c);
    }
    let last = out.data.len() - stride;
    out.data.copy_within(stride..2 * stride, 0);
    out.data.copy_within(last - stride..last, last);
    out
}

/// Mask of the polygon: 255 inside, 0 outside.
pub fn mask(ring: &[Point], width: usize, height: usize) -> Raster<u8> {
    let mut out = Raster::zeros(width, height, 1);
    fill_spans(ring, width, height, |y, xs| out.data[y * width..][xs].fill(255));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(mask: &Raster<u8>) -> usize {
        mask.data.iter().map(|v| usize::from(*v) / 255).sum()
    }

    #[test]
    fn outline_belongs_to_the_polygon() {
        let square = [[1.0, 1.0], [3.9, 1.0], [3.0, 3.0], [1.0, 3.0]];
        let m = mask(&square, 6, 6);
        assert_eq!(count(&m), 9);
        assert_eq!(count(&mask(&[[2.0, 2.0]], 5, 5)), 1);
        assert_eq!(count(&mask(&[[0.0, 2.0], [4.0, 2.0]], 5, 5)), 5);
    }

    #[test]
    fn far_and_empty_polygons_are_clipped() {
        let far = [[-1e300, -1e300], [1e300, -1e300], [f64::NAN, 1e300]];
        assert_eq!(mask(&far, 3, 3).data.len(), 9);
        assert!(mask(&[], 3, 3).data.iter().all(|v| *v == 0));
        assert!(mask(&far, 0, 0).data.is_empty());
    }
}
