//! Which of many rings overlap.

use crate::geom::{Point, dist_to_segment, polygon};

/// Height in pixels of the bands that edges are sorted into.
const BAND: f64 = 16.0;

/// An edge and the ring it belongs to.
type Edge = (usize, Point, Point);

/// Marks the simple rings that cross, touch or contain another one. Rings may
/// share single points: vertices of both. Pairs without a suspect are taken to
/// be apart.
///
/// Edges are compared only within bands of rows, and there only if they
/// overlap in x; the cost is about linear in the length of the rings.
pub(super) fn rings_that_meet(rings: &[&[Point]], suspects: &[bool]) -> Vec<bool> {
    let top = rings.iter().copied().flatten().fold(f64::INFINITY, |m, p| m.min(p[1]));
    let band = |y: f64| ((y - top) / BAND) as usize;
    let mut bands: Vec<Vec<Edge>> = Vec::new();
    for (r, ring) in rings.iter().enumerate() {
        for (a, b) in polygon::edges(ring) {
            let last = band(a[1].max(b[1]));
            if bands.len() <= last {
                bands.resize_with(last + 1, Vec::new);
            }
            for edges in &mut bands[band(a[1].min(b[1]))..=last] {
                edges.push((r, a, b));
            }
        }
    }
    let mut meeting = vec![false; rings.len()];
    let left = |e: &Edge| e.1[0].min(e.2[0]);
    for edges in &mut bands {
        edges.sort_by(|e, f| left(e).total_cmp(&left(f)));
        for (k, &(r, a, b)) in edges.iter().enumerate() {
            let right = a[0].max(b[0]);
            for &(s, c, d) in edges[k + 1..].iter().take_while(|f| left(f) <= right) {
                let open = r != s && (suspects[r] || suspects[s]) && !(meeting[r] && meeting[s]);
                if open && polygon::segments_touch(a, b, c, d) && !share_a_vertex(rings, (r, a, b), (s, c, d))
                {
                    meeting[r] = true;
                    meeting[s] = true;
                }
            }
        }
    }
    for (r, ring) in rings.iter().enumerate() {
        // A ring inside of another one, whose edges don't meet, is inside with
        // all of its points; the second is looked at in case one is shared.
        for &p in ring.iter().take(2) {
            for s in around(&bands[band(p[1])], p) {
                let open = r != s && (suspects[r] || suspects[s]) && !(meeting[r] && meeting[s]);
                if open && polygon::strictly_contains(rings[s], p) {
                    meeting[r] = true;
                    meeting[s] = true;
                }
            }
        }
    }
    meeting
}

/// Whether two edges that touch do so at a vertex of both rings.
fn share_a_vertex(rings: &[&[Point]], (r, a, b): Edge, (s, c, d): Edge) -> bool {
    [a, b].iter().any(|v| dist_to_segment(*v, c, d) == 0.0 && rings[s].contains(v))
        || [c, d].iter().any(|v| dist_to_segment(*v, a, b) == 0.0 && rings[r].contains(v))
}

/// Rings that a ray to the left of `p` leaves an odd number of times.
fn around(edges: &[Edge], p: Point) -> Vec<usize> {
    let mut crossed: Vec<usize> = edges
        .iter()
        .take_while(|(_, a, b)| a[0].min(b[0]) <= p[0])
        .filter(|(_, a, b)| (a[1] > p[1]) != (b[1] > p[1]))
        .filter(|(_, a, b)| (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] <= p[0])
        .map(|(r, ..)| *r)
        .collect();
    crossed.sort_unstable();
    crossed.chunk_by(|r, s| r == s).filter(|c| c.len() % 2 == 1).map(|c| c[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, size: f64) -> Vec<Point> {
        vec![[x, y], [x + size, y], [x + size, y + size], [x, y + size]]
    }

    fn meeting(rings: &[Vec<Point>]) -> Vec<bool> {
        let rings: Vec<&[Point]> = rings.iter().map(Vec::as_slice).collect();
        rings_that_meet(&rings, &vec![true; rings.len()])
    }

    #[test]
    fn crossing_nested_and_apart() {
        let rings = [
            square(0.0, 0.0, 50.0),
            square(40.0, 40.0, 30.0),
            square(5.0, 20.0, 4.0),
            square(90.0, 0.0, 5.0),
        ];
        assert_eq!(meeting(&rings), vec![true, true, true, false]);
        assert_eq!(meeting(&rings[2..]), vec![false, false]);
        assert!(meeting(&[]).is_empty());
    }

    #[test]
    fn a_common_corner_is_allowed_but_not_a_corner_on_a_side() {
        assert_eq!(meeting(&[square(0.0, 0.0, 5.0), square(5.0, 5.0, 5.0)]), vec![false, false]);
        assert_eq!(meeting(&[square(0.0, 0.0, 5.0), square(5.0, 2.0, 9.0)]), vec![true, true]);
    }
}
