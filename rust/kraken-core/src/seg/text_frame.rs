//! The frame in which text runs along u and lines follow each other along v,
//! whatever the direction of a script, and the lines of a page in it.

use crate::geom::{Point, dist, sub};

/// Where text and the sequence of its lines run to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Lines run to the right, downwards one after the other.
    LeftToRight,
    /// Lines run to the left, downwards one after the other.
    RightToLeft,
    /// Lines run downwards, to the right one after the other.
    VerticalLeftToRight,
    /// Lines run downwards, to the left one after the other.
    VerticalRightToLeft,
}

impl Flow {
    /// The point in the frame of the text, `[u, v]`.
    pub(super) fn frame(self, [x, y]: Point) -> Point {
        match self {
            Self::LeftToRight => [x, y],
            Self::RightToLeft => [-x, y],
            Self::VerticalLeftToRight => [y, x],
            Self::VerticalRightToLeft => [y, -x],
        }
    }
}

/// Pages that lie more askew than this (radians, some 15°) aren't straightened:
/// the lines are then hardly the rows of a page.
const MAX_SKEW: f64 = 0.26;

/// Height of a line as a share of the distance to the next.
const LINE_SHARE: f64 = 0.7;

/// A line or a region in the frame of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Extent along the text.
    pub u: [f64; 2],
    /// Extent across it.
    pub v: [f64; 2],
    /// Index of the line, or of the group of lines.
    pub index: usize,
}

impl Item {
    pub(super) fn centre(&self) -> f64 {
        self.v[0].midpoint(self.v[1])
    }

    pub(super) fn length(&self) -> f64 {
        self.u[1] - self.u[0]
    }

    pub(super) fn height(&self) -> f64 {
        self.v[1] - self.v[0]
    }
}

/// Turns the lines so that their median direction is level.
pub(super) fn straighten(lines: &mut [Vec<Point>]) {
    let mut angles: Vec<(f64, f64)> = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        let (Some(&a), Some(&b)) = (line.first(), line.last()) else { continue };
        let [du, dv] = sub(b, a);
        // A line drawn against the text has the same slope as one with it.
        let angle = if du < 0.0 { (-dv).atan2(-du) } else { dv.atan2(du) };
        if angle.abs() <= MAX_SKEW {
            angles.push((angle, du.abs()));
        }
    }
    angles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = angles.iter().map(|a| a.1).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let median = angles.iter().find(|(_, weight)| {
        sum += weight;
        sum >= half
    });
    let Some(&(angle, _)) = median.filter(|(angle, _)| *angle != 0.0) else { return };
    let (sin, cos) = angle.sin_cos();
    for [u, v] in lines.iter_mut().flatten() {
        (*u, *v) = (*u * cos + *v * sin, *v * cos - *u * sin);
    }
}

/// The lines as items, and the usual distance from one line to the next.
pub(super) fn items_of(lines: &[Vec<Point>], boxes: bool) -> (Vec<Item>, f64) {
    let mut items: Vec<Item> = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let (mut u, mut v) = ([f64::INFINITY, f64::NEG_INFINITY], [f64::INFINITY, f64::NEG_INFINITY]);
        for p in line {
            u = [u[0].min(p[0]), u[1].max(p[0])];
            v = [v[0].min(p[1]), v[1].max(p[1])];
        }
        if !boxes {
            v = [level(line); 2];
        }
        items.push(Item { u, v, index });
    }
    let pitch = pitch(&items, boxes);
    if !boxes {
        for item in &mut items {
            item.v = [item.v[0] - pitch * LINE_SHARE / 2.0, item.v[1] + pitch * LINE_SHARE / 2.0];
        }
    }
    (items, pitch)
}

/// Mean v of a baseline, by length.
fn level(line: &[Point]) -> f64 {
    let (mut sum, mut length) = (0.0, 0.0);
    for pair in line.windows(2) {
        let l = dist(pair[0], pair[1]);
        sum += l * (pair[0][1] + pair[1][1]) / 2.0;
        length += l;
    }
    if length > 0.0 { sum / length } else { line.first().map_or(0.0, |p| p[1]) }
}

/// Median distance from a line to the next one below or above it; for boxes
/// from their heights. Never 0.
fn pitch(items: &[Item], boxes: bool) -> f64 {
    let mut gaps: Vec<f64> = if boxes {
        items.iter().map(|i| i.height() / LINE_SHARE).collect()
    } else {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by(|&a, &b| items[a].v[0].total_cmp(&items[b].v[0]));
        let next = |k: usize| {
            let a = &items[order[k]];
            order[k + 1..].iter().take(32).map(|&j| &items[j]).find_map(|b| {
                (b.u[0] < a.u[1] && b.u[1] > a.u[0] && b.v[0] > a.v[0]).then(|| b.v[0] - a.v[0])
            })
        };
        (0..order.len()).filter_map(next).collect()
    };
    gaps.retain(|g| *g > 0.0);
    gaps.sort_by(f64::total_cmp);
    match gaps.get(gaps.len() / 2) {
        Some(gap) => *gap,
        None => items.iter().map(Item::length).fold(1.0, f64::max) / 10.0,
    }
}

/// The item that encloses all `members`; `None` if there are none.
pub(super) fn enclosing(members: &[Item], index: usize) -> Option<Item> {
    let mut all = Item { index, ..*members.first()? };
    for m in members {
        all.u = [all.u[0].min(m.u[0]), all.u[1].max(m.u[1])];
        all.v = [all.v[0].min(m.v[0]), all.v[1].max(m.v[1])];
    }
    Some(all)
}
