//! Points, polylines, polygons.

pub mod buffer;
pub mod clean_section;
mod farthest;
pub mod polygon;
pub mod polyline;
pub mod repair;
pub mod section;

/// A point `[x, y]` in pixels, y pointing down.
pub type Point = [f64; 2];

/// `a - b`.
pub fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

/// `a + t · d`.
pub fn along(a: Point, d: Point, t: f64) -> Point {
    [a[0] + t * d[0], a[1] + t * d[1]]
}

/// Scalar product.
pub fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Cross product `a.x·b.y − a.y·b.x`; positive if b points to the right of a
/// on the screen.
pub fn cross(a: Point, b: Point) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

/// Euclidean distance.
pub fn dist(a: Point, b: Point) -> f64 {
    dot(sub(a, b), sub(a, b)).sqrt()
}

/// Distance of `p` from the segment `a`–`b`.
pub fn dist_to_segment(p: Point, a: Point, b: Point) -> f64 {
    let d = sub(b, a);
    let len2 = dot(d, d);
    if len2 == 0.0 {
        return dist(p, a);
    }
    let t = (dot(sub(p, a), d) / len2).clamp(0.0, 1.0);
    dist(p, along(a, d, t))
}
