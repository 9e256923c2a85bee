//! Polygons for lines that no seam was found for.

use super::region::Segment;
use crate::geom::{Point, polygon, repair};

/// Half the width that obstacles are given.
const OBSTACLE_RADIUS: f64 = 1.5;
/// Obstacles further than this from the surroundings of a line's box don't matter to [`hug`].
pub const OBSTACLE_REACH: f64 = OBSTACLE_RADIUS + 6.0;

/// The line's surroundings within `radius`, outlined as it runs, without what
/// belongs to obstacles. The radius shrinks while that encloses anything else
/// (a ring around another line). `None` if there is no cell to take.
pub fn hug(line: &[Point], obstacles: &[Segment], radius: f64, size: [f64; 2]) -> Option<Vec<Point>> {
    let mut radius = radius.max(1.0);
    loop {
        let mut cells = repair::Cells::around(line, radius + 1.0, size)?;
        cells.draw(line, radius, true);
        for o in obstacles {
            cells.draw(&[o.a, o.b], OBSTACLE_RADIUS, false);
        }
        cells.draw(line, 1.0, true);
        let hole = cells.keep_largest()?;
        if hole && radius > 1.0 {
            radius = (radius / 2.0).max(1.0);
            continue;
        }
        let ring = repair::simplify_ring(&cells.outline());
        return polygon::is_simple(&ring).then_some(ring);
    }
}

/// The smallest box of whole pixels around the line, at least 1 px on each
/// side where the image has room. `None` if the image is 1 px wide or high.
pub fn bounding_box(line: &[Point], size: [f64; 2]) -> Option<Vec<Point>> {
    let b = polygon::bounds(line)?;
    let lo = [0, 1].map(|k| (b[k].floor() - 1.0).clamp(0.0, size[k] - 2.0));
    let hi = [0, 1].map(|k| (b[k + 2].ceil() + 1.0).clamp(1.0, size[k] - 1.0));
    let ring = vec![lo, [hi[0], lo[1]], hi, [lo[0], hi[1]]];
    polygon::is_simple(&ring).then_some(ring)
}
