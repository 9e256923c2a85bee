//! Outlines of pixel sets.

use std::collections::HashSet;

/// The eight neighbours, clockwise on the screen from the right.
const NEIGHBOURS: [[i64; 2]; 8] = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];

/// Traces the outer boundary of the 8-connected set that `inside` describes,
/// clockwise on the screen, from `start`: its first pixel in raster order.
///
/// Moore-neighbour tracing; ends when the start is about to be left the same
/// way again (Jacob's criterion), so pixels of one-pixel bridges occur twice.
/// The start isn't repeated at the end. A lone pixel is its own boundary.
pub fn trace(start: [i64; 2], inside: impl Fn([i64; 2]) -> bool) -> Vec<[i64; 2]> {
    // The pixel to the left of the first pixel in raster order is outside.
    let (mut at, mut back) = (start, 4);
    let mut first = None;
    let mut outline = Vec::new();
    loop {
        let step = |k: usize| {
            let d = NEIGHBOURS[(back + k) % 8];
            [at[0] + d[0], at[1] + d[1]]
        };
        let Some(k) = (1..8).find(|&k| inside(step(k))) else {
            return vec![start];
        };
        let direction = (back + k) % 8;
        if at == start {
            if first == Some(direction) {
                return outline;
            }
            first.get_or_insert(direction);
        }
        outline.push(at);
        at = step(k);
        // Direction from the new pixel to the last outside pixel looked at.
        back = (direction + if direction % 2 == 0 { 6 } else { 5 }) % 8;
    }
}

/// [`trace`] for a list of pixels `[x, y]`: the outline of the component of
/// the first pixel in raster order that has a neighbour, or of the first
/// pixel if none has. Empty for an empty list.
pub fn trace_pixels(pixels: &[[i64; 2]]) -> Vec<[i64; 2]> {
    // Coordinates at the ends of the integer range have no neighbour to ask for.
    let limit = |p: &&[i64; 2]| p.iter().all(|v| v.abs() < i64::MAX / 4);
    let set: HashSet<[i64; 2]> = pixels.iter().filter(limit).copied().collect();
    let connected = |p: &&[i64; 2]| NEIGHBOURS.iter().any(|d| set.contains(&[p[0] + d[0], p[1] + d[1]]));
    let raster = |p: &&[i64; 2]| [p[1], p[0]];
    match set.iter().filter(connected).min_by_key(raster) {
        Some(&start) => trace(start, |p| set.contains(&p)),
        None => pixels.iter().min_by_key(raster).map(|&p| vec![p]).unwrap_or_default(),
    }
}

/// Cuts a closed walk where it visits a pixel again, giving rings without
/// repeated points; those of fewer than three points, which enclose nothing,
/// are dropped.
pub fn split_at_repeats(walk: &[[i64; 2]]) -> Vec<Vec<[i64; 2]>> {
    let mut on_path = std::collections::HashMap::new();
    let mut path: Vec<[i64; 2]> = Vec::new();
    let mut rings = Vec::new();
    for &p in walk {
        if let Some(&k) = on_path.get(&p) {
            let ring = path.split_off(k);
            for q in &ring {
                on_path.remove(q);
            }
            rings.push(ring);
        }
        on_path.insert(p, path.len());
        path.push(p);
    }
    rings.push(path);
    rings.retain(|r| r.len() > 2);
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outline_of_a_rectangle_runs_clockwise_without_its_inside() {
        let pixels: Vec<[i64; 2]> = (0..3).flat_map(|y| (0..3).map(move |x| [x, y])).collect();
        let outline = vec![[0, 0], [1, 0], [2, 0], [2, 1], [2, 2], [1, 2], [0, 2], [0, 1]];
        assert_eq!(trace_pixels(&pixels), outline);
    }

    #[test]
    fn bridges_are_walked_twice_and_split_off() {
        // Each square takes the first pixel of the bridge into its ring, diagonally.
        let two_squares =
            [[0, 0], [1, 0], [5, 0], [6, 0], [0, 1], [1, 1], [2, 1], [3, 1], [4, 1], [5, 1], [6, 1]];
        let walk = trace_pixels(&two_squares);
        assert_eq!(walk.iter().filter(|p| **p == [3, 1]).count(), 2);
        let rings = split_at_repeats(&walk);
        assert_eq!(rings.iter().map(Vec::len).collect::<Vec<_>>(), vec![5, 5]);
    }

    #[test]
    fn lone_pixels() {
        assert_eq!(trace_pixels(&[[5, 2]]), vec![[5, 2]]);
        assert_eq!(trace_pixels(&[[9, 9], [5, 2], [0, 9]]), vec![[5, 2]]);
        assert!(trace_pixels(&[]).is_empty());
        assert_eq!(trace_pixels(&[[i64::MAX, i64::MIN]]).len(), 1);
    }
}
