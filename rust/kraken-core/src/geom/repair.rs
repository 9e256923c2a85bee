//! Repair of rings: any chain of points becomes a simple ring of whole pixels.
//!
//! Works on a raster instead of on edges: cells (the squares between four
//! pixel centres) are filled, the largest 4-connected part is kept without its
//! holes, and its outline is walked. Such an outline can't touch itself: where
//! two cells met only in a corner, one of the two empty cells beside them would
//! be cut off from the outside, hence a hole, hence filled.

use super::{Point, dist_to_segment, polygon, polyline};

/// Cells that a raster has at most; larger rings are repaired at a coarser scale.
const MAX_CELLS: f64 = (1_u32 << 24) as f64;
/// Tolerances of the outline's simplification, tried until the ring stays simple.
const TOLERANCES: [f64; 3] = [1.0, 0.75, 0.5];
/// How far outside of the image a point may lie to be simply moved onto the border.
const NUDGE: f64 = 2.0;

/// A window of cells; cell (x, y) has the corners (x, y) … (x + 1, y + 1).
#[derive(Debug, Clone)]
pub struct Cells {
    x0: i64,
    y0: i64,
    width: usize,
    height: usize,
    data: Vec<bool>,
}

impl Cells {
    /// An empty window over the cells around `points`, `margin` px wider, cut
    /// to an image of `size` (whose cells end at its last pixel's centre).
    /// `None` if that leaves no cell.
    pub fn around(points: &[Point], margin: f64, size: [f64; 2]) -> Option<Self> {
        let b = polygon::bounds(points)?;
        let lo = [0, 1].map(|k| (b[k] - margin).floor().max(0.0));
        let hi = [0, 1].map(|k| (b[k + 2] + margin).ceil().min((size[k] - 1.0).floor()));
        let (w, h) = (hi[0] - lo[0], hi[1] - lo[1]);
        if !(w >= 1.0 && h >= 1.0 && w * h <= MAX_CELLS) {
            return None;
        }
        let (width, height) = (w as usize, h as usize);
        Some(Self { x0: lo[0] as i64, y0: lo[1] as i64, width, height, data: vec![false; width * height] })
    }

    /// Sets the cells whose centre the ring winds around.
    pub fn fill(&mut self, ring: &[Point]) {
        let mut crossings: Vec<Vec<(f64, i32)>> = vec![Vec::new(); self.height];
        for (a, b) in polygon::edges(ring) {
            let (top, bottom, winding) = if a[1] < b[1] { (a, b, 1) } else { (b, a, -1) };
            let row = |y: f64| (y - self.y0 as f64 - 0.5).ceil().clamp(0.0, self.height as f64) as usize;
            for (r, row) in crossings.iter_mut().enumerate().take(row(bottom[1])).skip(row(top[1])) {
                let y = self.y0 as f64 + r as f64 + 0.5;
                let x = top[0] + (bottom[0] - top[0]) * (y - top[1]) / (bottom[1] - top[1]);
                row.push((x, winding));
            }
        }
        for (row, mut hits) in self.data.chunks_exact_mut(self.width).zip(crossings) {
            hits.sort_by(|p, q| p.0.total_cmp(&q.0));
            let mut winding = 0;
            for pair in hits.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    let cell =
                        |x: f64| (x - self.x0 as f64 - 0.5).ceil().clamp(0.0, row.len() as f64) as usize;
                    let (s, e) = (cell(pair[0].0), cell(pair[1].0));
                    row[s..e.max(s)].fill(true);
                }
            }
        }
    }

    /// Sets (or clears) the cells whose centre is within `radius` of the line.
    pub fn draw(&mut self, line: &[Point], radius: f64, value: bool) {
        for w in line.windows(2) {
            let Some(b) = polygon::bounds(w) else { continue };
            let range = |lo: f64, hi: f64, origin: i64, n: usize| {
                let from = (lo - radius - 1.0 - origin as f64).floor().clamp(0.0, n as f64) as usize;
                let to = (hi + radius + 1.0 - origin as f64).ceil().clamp(0.0, n as f64) as usize;
                from..to
            };
            for y in range(b[1], b[3], self.y0, self.height) {
                for x in range(b[0], b[2], self.x0, self.width) {
                    let centre = [self.x0 as f64 + x as f64 + 0.5, self.y0 as f64 + y as f64 + 0.5];
                    if dist_to_segment(centre, w[0], w[1]) <= radius {
                        self.data[y * self.width + x] = value;
                    }
                }
            }
        }
    }

    /// The largest 4-connected part, its holes filled. Returns whether there
    /// was a hole, or `None` if no cell is set.
    pub fn keep_largest(&mut self) -> Option<bool> {
        let (labels, areas) = self.label(&self.data);
        let largest = (0..areas.len()).max_by_key(|&k| (areas[k], std::cmp::Reverse(k)))? as u32 + 1;
        for (d, l) in self.data.iter_mut().zip(&labels) {
            *d = *l == largest;
        }
        let background: Vec<bool> = self.data.iter().map(|d| !d).collect();
        let (labels, areas) = self.label(&background);
        let mut outside = vec![false; areas.len() + 1];
        let (w, h) = (self.width, self.height);
        for k in (0..w).flat_map(|x| [x, (h - 1) * w + x]).chain((0..h).flat_map(|y| [y * w, y * w + w - 1]))
        {
            outside[labels[k] as usize] = true;
        }
        let mut hole = false;
        for (d, l) in self.data.iter_mut().zip(&labels) {
            if *l > 0 && !outside[*l as usize] {
                *d = true;
                hole = true;
            }
        }
        Some(hole)
    }

    /// 4-connected components of `mask`: labels from 1 and their areas.
    fn label(&self, mask: &[bool]) -> (Vec<u32>, Vec<usize>) {
        let mut labels = vec![0; mask.len()];
        let mut areas = Vec::new();
        let mut stack = Vec::new();
        for seed in 0..mask.len() {
            if !mask[seed] || labels[seed] != 0 {
                continue;
            }
            let label = areas.len() as u32 + 1;
            let mut area = 0;
            labels[seed] = label;
            stack.push(seed);
            while let Some(k) = stack.pop() {
                area += 1;
                let x = k % self.width;
                let next = [
                    (x > 0).then(|| k - 1),
                    (x + 1 < self.width).then_some(k + 1),
                    k.checked_sub(self.width),
                    Some(k + self.width).filter(|n| *n < mask.len()),
                ];
                for n in next.into_iter().flatten() {
                    if mask[n] && labels[n] == 0 {
                        labels[n] = label;
                        stack.push(n);
                    }
                }
            }
            areas.push(area);
        }
        (labels, areas)
    }

    /// Corners of the outline of a mask without holes, in one 4-connected
    /// part, clockwise on the screen. Empty if no cell is set.
    pub fn outline(&self) -> Vec<Point> {
        let Some(first) = self.data.iter().position(|d| *d) else { return Vec::new() };
        let (w, h) = (self.width as i64, self.height as i64);
        let set = |x: i64, y: i64| x >= 0 && y >= 0 && x < w && y < h && self.data[(y * w + x) as usize];
        let start = (first as i64 % w, first as i64 / w);
        let (mut x, mut y) = start;
        let (mut dx, mut dy) = (1, 0);
        let mut ring = Vec::new();
        loop {
            ring.push([(x + self.x0) as f64, (y + self.y0) as f64]);
            // Straight on while the cell to the right is set and that to the left isn't.
            loop {
                (x, y) = (x + dx, y + dy);
                let left = set(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2);
                let right = set(x + (dx - dy - 1) / 2, y + (dx + dy - 1) / 2);
                if left {
                    (dx, dy) = (dy, -dx);
                } else if !right {
                    (dx, dy) = (-dy, dx);
                } else {
                    continue;
                }
                break;
            }
            if (x, y) == start {
                return ring;
            }
        }
    }
}

/// Drops points of a ring of whole pixels as long as it stays simple.
pub fn simplify_ring(ring: &[Point]) -> Vec<Point> {
    let far = |from: Point| {
        let d = |i: &usize| super::dist(ring[*i], from);
        (0..ring.len()).max_by(|i, j| d(i).total_cmp(&d(j)))
    };
    let Some(cut) = ring.first().and_then(|p| far(*p)) else { return Vec::new() };
    let mut back = ring[cut..].to_vec();
    back.push(ring[0]);
    for tolerance in TOLERANCES {
        let mut out = polyline::simplify(&ring[..=cut], tolerance);
        out.pop();
        out.extend(polyline::simplify(&back, tolerance));
        out.pop();
        if polygon::is_simple(&out) {
            return out;
        }
    }
    ring.to_vec()
}

/// A simple ring of whole pixels inside `[0, w − 1] × [0, h − 1]` with the
/// shape of `ring`, which may cross or touch itself and leave the image.
///
/// Coordinates are truncated. A ring that is simple then and inside the image
/// comes back as it is, without its repeated last point; else the largest part
/// of what it winds around inside the image is outlined, to within about 1 px.
/// Parts that are thinner than a pixel are widened to one. `None` if the ring
/// covers no area in the image, or holds a value that isn't finite.
pub fn make_valid(ring: &[Point], size: [f64; 2]) -> Option<Vec<Point>> {
    if ring.iter().flatten().chain(&size).any(|v| !v.is_finite()) || size.iter().any(|s| *s < 2.0) {
        return None;
    }
    let whole: Vec<Point> = ring.iter().map(|p| p.map(f64::trunc)).collect();
    let limit = size.map(|s| s.floor() - 1.0);
    let inside: Vec<Point> = polyline::dedup(polygon::open(&polyline::dedup(
        &whole.iter().map(|p| [p[0].clamp(0.0, limit[0]), p[1].clamp(0.0, limit[1])]).collect::<Vec<_>>(),
    )));
    let near =
        whole.iter().zip(ring).all(|(p, _)| (0..2).all(|k| p[k] >= -NUDGE && p[k] <= limit[k] + NUDGE));
    if near && polygon::is_simple(&inside) {
        return Some(inside);
    }
    if is_flat(&whole) {
        return None;
    }
    let extent = (limit[0].max(1.0)) * limit[1].max(1.0);
    let b = polygon::bounds(&inside)?;
    let area = (b[2] - b[0] + 2.0) * (b[3] - b[1] + 2.0);
    if area.min(extent) > MAX_CELLS {
        let scale = (area / MAX_CELLS).sqrt() * 1.01;
        let small: Vec<Point> = ring.iter().map(|p| p.map(|v| v / scale)).collect();
        let valid = make_valid(&small, size.map(|s| (s - 1.0) / scale))?;
        let back: Vec<Point> = valid.iter().map(|p| p.map(|v| (v * scale).trunc())).collect();
        return polygon::is_simple(&back).then_some(back);
    }
    outline_of(&whole, size)
}

/// Whether all points lie on one line.
fn is_flat(ring: &[Point]) -> bool {
    let Some(&a) = ring.first() else { return true };
    let Some(&b) = ring.iter().find(|p| **p != a) else { return true };
    ring.iter().all(|&p| super::cross(super::sub(b, a), super::sub(p, a)) == 0.0)
}

/// The outline of what the ring winds around inside the image.
fn outline_of(ring: &[Point], size: [f64; 2]) -> Option<Vec<Point>> {
    let mut cells = Cells::around(ring, 1.0, size)?;
    cells.fill(ring);
    if cells.keep_largest().is_none() {
        // Thinner than a cell everywhere: take the cells that its edges run through.
        let mut closed = polygon::clip_to_box(ring, [0.0; 2], size.map(|s| s.floor() - 1.0));
        if is_flat(&closed) {
            return None;
        }
        closed.extend(closed.first().copied());
        cells.draw(&closed, 0.75, true);
        cells.keep_largest()?;
    }
    let valid = simplify_ring(&cells.outline());
    polygon::is_simple(&valid).then_some(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f64; 2] = [50.0, 40.0];

    #[test]
    fn valid_rings_come_back_unchanged() {
        let ring = [[1.0, 1.0], [20.0, 3.0], [20.0, 10.0], [2.0, 9.0]];
        assert_eq!(make_valid(&ring, SIZE).as_deref(), Some(&ring[..]));
    }

    #[test]
    fn a_bow_tie_keeps_its_larger_wing() {
        let bow = [[0.0, 0.0], [30.0, 20.0], [30.0, 0.0], [0.0, 10.0]];
        let valid = make_valid(&bow, SIZE).unwrap_or_default();
        assert!(polygon::is_simple(&valid));
        assert!(polygon::strictly_contains(&valid, [28.0, 10.0]), "{valid:?}");
    }

    #[test]
    fn rings_are_cut_to_the_image() {
        let ring = [[-100.0, -100.0], [200.0, -100.0], [200.0, 20.0], [-100.0, 20.0]];
        let valid = make_valid(&ring, SIZE).unwrap_or_default();
        assert_eq!(polygon::bounds(&valid), Some([0.0, 0.0, 49.0, 20.0]));
        assert_eq!(polygon::signed_area(&valid).abs(), 980.0);
    }

    #[test]
    fn rings_without_area_are_none() {
        let flat = [[0.0, 0.0], [30.0, 30.0], [10.0, 10.0]];
        for ring in [&flat[..], &flat[..1], &[], &[[f64::NAN, 0.0], [1.0, 1.0], [0.0, 5.0]]] {
            assert_eq!(make_valid(ring, SIZE), None);
        }
        assert_eq!(make_valid(&[[60.0, 60.0], [90.0, 60.0], [90.0, 90.0]], SIZE), None);
        assert_eq!(make_valid(&[[0.0, 0.0], [5.0, 0.0], [5.0, 5.0]], [1.0, 40.0]), None);
    }

    #[test]
    fn slivers_are_widened() {
        let sliver = [[0.0, 0.0], [20.0, 1.0], [0.0, 0.0], [20.0, 0.0]];
        let valid = make_valid(&sliver, SIZE).unwrap_or_default();
        assert!(polygon::is_simple(&valid));
    }

    #[test]
    fn huge_rings_are_repaired_at_a_coarser_scale() {
        let s = 100_000.0;
        let bow = [[0.0, 0.0], [s, s], [s, 0.0], [0.0, 0.9 * s]];
        let valid = make_valid(&bow, [s, s]).unwrap_or_default();
        assert!(polygon::is_simple(&valid));
        assert!(polygon::signed_area(&valid).abs() > 0.2 * s * s);
    }
}
