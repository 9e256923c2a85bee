//! Rings: closed chains of points. Functions accept rings with or without a
//! repeated last point unless they say otherwise.

use super::{Point, cross, sub};

/// The ring without its repeated last point.
pub fn open(ring: &[Point]) -> &[Point] {
    match ring {
        [first, rest @ .., last] if !rest.is_empty() && first == last => &ring[..ring.len() - 1],
        _ => ring,
    }
}

/// Edges of the ring in order, the closing one last. Zero-length edges occur
/// if points repeat.
pub fn edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    let ring = open(ring);
    (0..ring.len()).map(move |i| (ring[i], ring[(i + 1) % ring.len()]))
}

/// Signed area in px²; positive for rings that run clockwise on the screen.
pub fn signed_area(ring: &[Point]) -> f64 {
    edges(ring).map(|(a, b)| cross(a, b)).sum::<f64>() / 2.0
}

/// Bounding box `[x0, y0, x1, y1]`, `None` for an empty ring.
pub fn bounds(points: &[Point]) -> Option<[f64; 4]> {
    let first = points.first()?;
    let start = [first[0], first[1], first[0], first[1]];
    Some(points.iter().fold(start, |b, p| [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])]))
}

/// The ring cut to the rectangle from `lo` to `hi`. Where it leaves the
/// rectangle several times the parts stay connected along the border, so the
/// result may touch itself; its signed area is right.
///
/// Sutherland & Hodgman, "Reentrant polygon clipping" (1974).
pub fn clip_to_box(ring: &[Point], lo: Point, hi: Point) -> Vec<Point> {
    let mut out = open(ring).to_vec();
    for (axis, limit, sign) in [(0, lo[0], 1.0), (0, hi[0], -1.0), (1, lo[1], 1.0), (1, hi[1], -1.0)] {
        let depth = |p: Point| sign * (p[axis] - limit);
        let mut cut = Vec::with_capacity(out.len() + 4);
        for (a, b) in edges(&out) {
            if depth(a) >= 0.0 {
                cut.push(a);
            }
            if (depth(a) < 0.0) != (depth(b) < 0.0) {
                let mut q = super::along(a, sub(b, a), depth(a) / (depth(a) - depth(b)));
                q[axis] = limit;
                cut.push(q);
            }
        }
        out = cut;
    }
    out
}

/// Even-odd test; a point on an edge (inside its box and with a cross product
/// below 1e-10) counts as outside, as in spec chapter geometry §1a.
pub fn strictly_contains(ring: &[Point], p: Point) -> bool {
    let mut inside = false;
    for (a, b) in edges(ring) {
        let on_box = p[0] >= a[0].min(b[0])
            && p[0] <= a[0].max(b[0])
            && p[1] >= a[1].min(b[1])
            && p[1] <= a[1].max(b[1]);
        if on_box && cross(sub(b, a), sub(p, a)).abs() < 1e-10 {
            return false;
        }
        if (a[1] > p[1]) != (b[1] > p[1]) {
            let x = (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0];
            if p[0] < x {
                inside = !inside;
            }
        }
    }
    inside
}

/// Centroid by area; the mean of the points where the area is 0. `None` for
/// an empty ring.
pub fn centroid(ring: &[Point]) -> Option<Point> {
    let ring = open(ring);
    let origin = *ring.first()?;
    let (mut area2, mut cx, mut cy) = (0.0, 0.0, 0.0);
    for (a, b) in edges(ring) {
        let (a, b) = (sub(a, origin), sub(b, origin));
        let c = cross(a, b);
        area2 += c;
        cx += (a[0] + b[0]) * c;
        cy += (a[1] + b[1]) * c;
    }
    if area2 == 0.0 {
        let n = ring.len() as f64;
        let sum = ring.iter().fold([0.0, 0.0], |s, p| [s[0] + p[0], s[1] + p[1]]);
        return Some([sum[0] / n, sum[1] / n]);
    }
    Some([origin[0] + cx / (3.0 * area2), origin[1] + cy / (3.0 * area2)])
}

/// Whether the segments `a`–`b` and `c`–`d` have a point in common.
pub fn segments_touch(a: Point, b: Point, c: Point, d: Point) -> bool {
    let side = |p: Point, q: Point, r: Point| cross(sub(q, p), sub(r, p));
    let within = |p: Point, q: Point, r: Point| {
        r[0] >= p[0].min(q[0]) && r[0] <= p[0].max(q[0]) && r[1] >= p[1].min(q[1]) && r[1] <= p[1].max(q[1])
    };
    let (s1, s2) = (side(a, b, c), side(a, b, d));
    let (s3, s4) = (side(c, d, a), side(c, d, b));
    if s1 * s2 < 0.0 && s3 * s4 < 0.0 {
        return true;
    }
    (s1 == 0.0 && within(a, b, c))
        || (s2 == 0.0 && within(a, b, d))
        || (s3 == 0.0 && within(c, d, a))
        || (s4 == 0.0 && within(c, d, b))
}

/// Whether the ring is simple: at least three distinct points, no zero-length
/// edge, no two edges that touch or cross apart from neighbours at their
/// common point, and an area above 0 (OGC Simple Features, `Polygon`).
///
/// Edges are sorted by their lowest x, so that only those that overlap in x
/// are compared.
pub fn is_simple(ring: &[Point]) -> bool {
    let ring = open(ring);
    let n = ring.len();
    if n < 3 || signed_area(ring) == 0.0 || ring.iter().flatten().any(|v| !v.is_finite()) {
        return false;
    }
    let edge: Vec<(Point, Point)> = edges(ring).collect();
    if edge.iter().any(|(a, b)| a == b) {
        return false;
    }
    // A neighbour may only share the common vertex: it must not fold back.
    for i in 0..n {
        let (a, b) = edge[i];
        let c = edge[(i + 1) % n].1;
        let (u, v) = (sub(b, a), sub(c, b));
        if cross(u, v) == 0.0 && super::dot(u, v) < 0.0 {
            return false;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| edge[i].0[0].min(edge[i].1[0]).total_cmp(&edge[j].0[0].min(edge[j].1[0])));
    for (k, &i) in order.iter().enumerate() {
        let (a, b) = edge[i];
        let right = a[0].max(b[0]);
        for &j in &order[k + 1..] {
            let (c, d) = edge[j];
            if c[0].min(d[0]) > right {
                break;
            }
            let neighbours = (i + 1) % n == j || (j + 1) % n == i;
            if !neighbours && segments_touch(a, b, c, d) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [Point; 5] = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]];

    #[test]
    fn square() {
        assert_eq!(signed_area(&SQUARE), 100.0);
        assert_eq!(centroid(&SQUARE), Some([5.0, 5.0]));
        assert!(is_simple(&SQUARE));
        assert!(strictly_contains(&SQUARE, [5.0, 5.0]));
        assert!(!strictly_contains(&SQUARE, [10.0, 5.0]));
        assert!(!strictly_contains(&SQUARE, [11.0, 5.0]));
    }

    #[test]
    fn clipping() {
        assert_eq!(signed_area(&clip_to_box(&SQUARE, [5.0, -5.0], [20.0, 4.0])), 20.0);
        assert!(clip_to_box(&SQUARE, [11.0, 0.0], [20.0, 4.0]).is_empty());
        assert_eq!(clip_to_box(&SQUARE, [-1.0, -1.0], [20.0, 20.0]), SQUARE[..4]);
    }

    #[test]
    fn rings_that_touch_themselves_are_not_simple() {
        let bow = [[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]];
        let spike = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [10.0, 20.0], [10.0, 10.0], [0.0, 10.0]];
        let pinch = [[0.0, 0.0], [5.0, 5.0], [10.0, 0.0], [10.0, 10.0], [5.0, 5.0], [0.0, 10.0]];
        for ring in [&bow[..], &spike, &pinch, &SQUARE[..2]] {
            assert!(!is_simple(ring));
        }
    }
}
