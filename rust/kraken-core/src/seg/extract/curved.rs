//! Lines with a bent baseline: the image is straightened along it.

use super::frame::{Canvas, Segment, segments, smooth_boundary};
use super::placement::smooth_offsets;
use super::{Line, Options, checked_size};
use crate::Result;
use crate::geom::{Point, along, cross, dot};
use crate::image::fill::masked_bordered;
use crate::image::raster::{Raster, View};
use crate::image::sample::Sample;
use crate::image::warp::{Column, Sampler, warp_columns};

/// Places in the patch that the upper and the lower end of a column come from.
pub type Ends = [Point; 2];

/// A position across the result whose ends are given; between two of them,
/// ends are interpolated, so that quadrilaterals are mapped bilinearly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// Distance from the left edge of the result.
    pub x: f64,
    /// Where its upper and lower end lie.
    pub ends: Ends,
}

/// A station before it's known how far the image reaches across.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    /// Length along the baseline.
    x: f64,
    /// Place of the baseline in the patch.
    point: Point,
    /// Unit vector along the baseline.
    direction: Point,
}

/// Straightens the masked patch along the baseline.
pub fn extract<T: Sample>(line: &Line<'_>, patch: View<'_, T>, options: Options) -> Result<Raster<T>> {
    let ring = smooth_boundary(line.boundary);
    let source = masked_bordered(patch, &line.in_patch(&ring));
    let segments = segments(&line.in_patch(&line.baseline));
    let points: Vec<Point> = line.in_patch(&ring).iter().map(|p| line_coordinates(&segments, *p)).collect();
    let first = line.baseline.first().copied().unwrap_or_default();
    let canvas = Canvas::new(&points, first);
    let [width, height] = checked_size(canvas.width, canvas.height)?;
    let stations = stations(&segments, canvas);
    let exact = sample(&stations, width);
    let offsets = smooth_offsets(&stations, &exact);
    let columns: Vec<Column> = exact
        .iter()
        .zip(offsets)
        .map(|(ends, offset)| {
            let [top, bottom] = [0, 1].map(|k| [ends[k][0] + offset[k][0], ends[k][1] + offset[k][1]]);
            let normal = [(bottom[0] - top[0]) / canvas.height, (bottom[1] - top[1]) / canvas.height];
            Column { origin: top, normal }
        })
        .collect();
    let sampler = Sampler::bordered(&source, options.sampling(), options.alpha);
    Ok(warp_columns(sampler, &columns, 0.5, height))
}

/// Position of `p` along and across the baseline, by the segment that it
/// overshoots least.
fn line_coordinates(segments: &[Segment], p: Point) -> Point {
    let mut best = (f64::INFINITY, [0.0, 0.0]);
    for segment in segments {
        let [x, y] = segment.project(p);
        let over = segment.overshoot(x);
        if over < best.0 {
            best = (over, [segment.before + x, y]);
        }
    }
    best.1
}

/// Stations for a canvas: one at each edge and several around each inner
/// vertex, where the corner is replaced by a quadratic curve, so that the
/// normal turns gradually.
fn stations(segments: &[Segment], canvas: Canvas) -> Vec<Station> {
    let mut anchors = Vec::new();
    if let Some(s) = segments.first() {
        anchors.push(Anchor { x: 0.0, point: s.start, direction: s.direction });
    }
    for pair in segments.windows(2) {
        corner(pair[0], pair[1], canvas.height, &mut anchors);
    }
    if let Some(s) = segments.last() {
        let point = along(s.start, s.direction, s.length);
        anchors.push(Anchor { x: s.before + s.length, point, direction: s.direction });
    }
    // The edges of the canvas lie on the straight continuation of the ends,
    // unless the image begins or ends further inside.
    let (left, right) = (-canvas.start[0], canvas.width - canvas.start[0]);
    let n = anchors.len();
    if n >= 2 && left < anchors[1].x {
        anchors[0] = moved(anchors[0], left);
    }
    if n >= 2 && right > anchors[n - 2].x {
        anchors[n - 1] = moved(anchors[n - 1], right);
    }
    let station = |a: &Anchor| {
        let normal = [-a.direction[1], a.direction[0]];
        let end = |d: f64| along(a.point, normal, d);
        let (top, bottom) = (-canvas.start[1], canvas.height - canvas.start[1]);
        Station { x: a.x + canvas.start[0], ends: [end(top), end(bottom)] }
    };
    anchors.iter().map(station).collect()
}

/// The anchor at length `x` on the straight line through `a`.
fn moved(a: Anchor, x: f64) -> Anchor {
    Anchor { x, point: along(a.point, a.direction, x - a.x), direction: a.direction }
}

/// Anchors on the curve that replaces the vertex between two segments.
fn corner(prev: Segment, next: Segment, height: f64, anchors: &mut Vec<Anchor>) {
    let a = (prev.length / 2.0).min(height / 3.0);
    let b = (next.length / 2.0).min(height / 3.0);
    let steps = ((a + b) / (height / 6.0)).ceil().max(1.0) as usize;
    for i in 0..=steps {
        let t = i as f64 / steps as f64;
        let (u, v) = (a * (1.0 - t), b * t);
        let point = along(along(next.start, prev.direction, -u * (1.0 - t)), next.direction, v * t);
        let direction = tangent(prev.direction, next.direction, u, v);
        anchors.push(Anchor { x: next.before - u * (1.0 - t) + v * t, point, direction });
    }
}

/// Unit vector of `u · a + v · b`. Where a line doubles back the sum vanishes:
/// then the direction half-way of the turn.
fn tangent(a: Point, b: Point, u: f64, v: f64) -> Point {
    let sum = [u * a[0] + v * b[0], u * a[1] + v * b[1]];
    let length = dot(sum, sum).sqrt();
    if length > 1e-9 * (u + v) {
        return [sum[0] / length, sum[1] / length];
    }
    if cross(a, b) >= 0.0 { [-a[1], a[0]] } else { [a[1], -a[0]] }
}

/// Ends of the columns 0, 1, … `width − 1`, taken at their middle.
pub fn sample(stations: &[Station], width: usize) -> Vec<Ends> {
    let (Some(head), Some(tail)) = (stations.first(), stations.last()) else { return Vec::new() };
    let mut k = 0;
    (0..width)
        .map(|i| {
            let x = i as f64 + 0.5;
            if x <= head.x {
                return head.ends;
            }
            if x >= tail.x {
                return tail.ends;
            }
            while k + 2 < stations.len() && stations[k + 1].x < x {
                k += 1;
            }
            let (p, q) = (&stations[k], &stations[k + 1]);
            let t = if q.x > p.x { (x - p.x) / (q.x - p.x) } else { 0.0 };
            [0, 1].map(|e| {
                let (a, b) = (p.ends[e], q.ends[e]);
                [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
            })
        })
        .collect()
}
