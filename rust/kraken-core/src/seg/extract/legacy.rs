//! Bent lines as old models know them: a piecewise affine map over the
//! triangulation of boundary and baseline.

use delaunator::triangulate;

use super::frame::{Canvas, Segment, segments, smooth_boundary};
use super::{Line, Options, checked_size};
use crate::Result;
use crate::geom::{Point, cross, dist_to_segment, sub};
use crate::image::fill::masked;
use crate::image::raster::{Raster, View};
use crate::image::sample::Sample;
use crate::image::warp::{Sampler, Sampling};

/// Straightens the masked patch: points of the boundary go to their position
/// along and across their nearest segment, those of the baseline on a line;
/// what lies between them is mapped affinely per triangle.
pub fn extract<T: Sample>(line: &Line<'_>, patch: View<'_, T>, options: Options) -> Result<Raster<T>> {
    let ring = smooth_boundary(line.boundary);
    let source = masked(patch, &line.in_patch(&ring));
    let baseline = line.in_patch(&line.baseline);
    let segments = segments(&baseline);
    let mut from = line.in_patch(&ring);
    let mut to: Vec<Point> = from.iter().map(|p| line_coordinates(&segments, *p)).collect();
    let canvas = Canvas::new(&to, line.baseline.first().copied().unwrap_or_default());
    let [width, height] = checked_size(canvas.width, canvas.height)?;
    from.extend(&baseline);
    to.extend(segments.iter().map(|s| [s.before, 0.0]));
    to.extend(segments.last().map(|s| [s.before + s.length, 0.0]));
    for p in &mut to {
        *p = [p[0] + canvas.start[0], p[1] + canvas.start[1]];
    }
    let sampling = if options.nearest { Sampling::Nearest } else { Sampling::BilinearZero };
    let sampler = Sampler::new(source.view(), sampling, false);
    let mut out = Raster::zeros(width, height, patch.channels());
    let nodes: Vec<delaunator::Point> = to.iter().map(|p| delaunator::Point { x: p[0], y: p[1] }).collect();
    for corners in triangulate(&nodes).triangles.chunks_exact(3) {
        let target = [to[corners[0]], to[corners[1]], to[corners[2]]];
        let origin = [from[corners[0]], from[corners[1]], from[corners[2]]];
        draw_triangle(&mut out, sampler, target, origin);
    }
    Ok(out)
}

/// Position along and across the nearest segment.
fn line_coordinates(segments: &[Segment], p: Point) -> Point {
    let mut best = (f64::INFINITY, [0.0, 0.0]);
    for segment in segments {
        let [x, y] = segment.project(p);
        let end = [
            segment.start[0] + segment.direction[0] * segment.length,
            segment.start[1] + segment.direction[1] * segment.length,
        ];
        let distance = dist_to_segment(p, segment.start, end);
        if distance < best.0 {
            best = (distance, [segment.before + x, y]);
        }
    }
    best.1
}

/// Fills the pixels whose corner (i, j) lies in the triangle `target` from the
/// same barycentric position in `source`.
fn draw_triangle<T: Sample>(
    out: &mut Raster<T>,
    sampler: Sampler<'_, T>,
    target: [Point; 3],
    source: [Point; 3],
) {
    let [a, b, c] = target;
    let (ab, ac) = (sub(b, a), sub(c, a));
    let area = cross(ab, ac);
    if area == 0.0 {
        return;
    }
    let [y0, y1] = range([a[1], b[1], c[1]], out.height);
    let [x0, x1] = range([a[0], b[0], c[0]], out.width);
    let channels = out.channels;
    for j in y0..y1 {
        let d = sub([x0 as f64, j as f64], a);
        let (s, t) = (cross(d, ac) / area, cross(ab, d) / area);
        let (ds, dt) = (ac[1] / area, -ab[1] / area);
        // Most of the box around a long triangle lies outside of it.
        let [from, to] = span([[s, ds], [t, dt], [1.0 - s - t, -ds - dt]], x1 - x0);
        for i in x0 + from..x0 + to {
            let d = sub([i as f64, j as f64], a);
            let (s, t) = (cross(d, ac) / area, cross(ab, d) / area);
            if s < -1e-9 || t < -1e-9 || s + t > 1.0 + 1e-9 {
                continue;
            }
            let at = |axis: usize| {
                let [p, q, r] = source.map(|v| v[axis]);
                p + s * (q - p) + t * (r - p) + 0.5
            };
            let start = (j * out.width + i) * channels;
            sampler.get(at(0), at(1), &mut out.data[start..start + channels]);
        }
    }
}

/// Where linear functions, given by their value at 0 and their slope, aren't
/// negative, within `0..limit`. Rather a bit more than too little.
fn span(functions: [[f64; 2]; 3], limit: usize) -> [usize; 2] {
    let (mut low, mut high) = (0.0_f64, limit as f64);
    for [value, slope] in functions {
        let root = -(value + 1e-6) / slope;
        if slope > 0.0 {
            low = low.max(root.floor() - 1.0);
        } else if slope < 0.0 {
            high = high.min(root.ceil() + 2.0);
        } else if value < -1e-6 {
            return [0, 0];
        }
    }
    let to = high.max(0.0) as usize;
    [(low as usize).min(to), to]
}

/// Whole numbers between the least and greatest value, half-open, within `0..limit`.
fn range(values: [f64; 3], limit: usize) -> [usize; 2] {
    let min = values.into_iter().fold(f64::INFINITY, f64::min);
    let max = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
    [(min - 1e-6).ceil().max(0.0) as usize, ((max + 1e-6).floor() + 1.0).clamp(0.0, limit as f64) as usize]
}
