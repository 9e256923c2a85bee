//! Polygons around baselines: two seams of least edge energy, one above and
//! one below each line, inside the region that neighbours leave to it (spec
//! chapter geometry §4).

mod assemble;
mod fallback;
pub mod frame;
mod grid;
pub mod region;
pub mod seam;

use crate::geom::{Point, dist, polygon, repair};
use crate::{Error, Result, par};
use frame::Frame;
use grid::Grid;
use region::{Limits, Segment};
pub use seam::Energy;
use seam::Side;

/// Distance from the line, into the text, at which the region of the seam
/// begins and the seam is cheapest.
const TEXT_SHIFT: f64 = 8.0;
/// How far the seams are pushed outwards.
const OFFSET: f64 = 4.0;
/// Height of a fallback band as a part of the image's, if no line of the page helps.
const BAND: f64 = 1.0 / 60.0;
/// Total length of lines in pixels from which on a second thread pays.
const PARALLEL_LENGTH: f64 = 500.0;

/// Where the text lies as seen from its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topline {
    /// Above: the line runs along the foot of the text.
    Baseline,
    /// Below: the line runs along the top of the text.
    Topline,
    /// On both sides: the line runs through the middle.
    Centreline,
}

impl Topline {
    /// Seam shift on a side.
    fn shift(self, side: Side) -> f64 {
        match (self, side) {
            (Self::Baseline, Side::Above) | (Self::Topline, Side::Below) => TEXT_SHIFT,
            _ => 0.0,
        }
    }

    /// How far the seams are pushed outwards.
    fn offset(self) -> f64 {
        if self == Self::Centreline { 0.0 } else { OFFSET }
    }

    /// The sides, above and below, that the text stands on.
    fn text_sides(self) -> [bool; 2] {
        [self != Self::Topline, self != Self::Baseline]
    }

    /// Share of a fallback band on either side.
    fn shares(self) -> [f64; 2] {
        match self {
            Self::Baseline => [0.75, 0.25],
            Self::Topline => [0.25, 0.75],
            Self::Centreline => [0.5, 0.5],
        }
    }
}

/// What surrounds the lines of a page.
#[derive(Debug, Clone, Copy, Default)]
pub struct Obstacles<'a> {
    /// Polylines that no polygon may cross.
    pub common: &'a [Vec<Point>],
    /// Polylines that only some lines' polygons must not cross, on the side of
    /// the text: the outlines of their regions often run close by the baseline
    /// and would cut off what hangs below it.
    pub special: &'a [Vec<Point>],
    /// For each line, indices into `special`; empty if there are none.
    pub per_line: &'a [Vec<usize>],
}

/// The polygon of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// A simple ring of whole pixels, without a repeated last point; `None`
    /// for lines without two distinct points in reach of the image.
    pub ring: Option<Vec<Point>>,
    /// Why the method of seams didn't give (all of) the polygon.
    pub problem: Option<&'static str>,
}

/// A line on its way to a polygon.
struct Draft {
    frame: Frame,
    limits: Limits,
    /// `t` of the edge in every column, above and below; `None` without a seam.
    edges: [Option<Vec<f64>>; 2],
    problem: Option<&'static str>,
}

/// Finds the polygons of all `lines` of a page.
///
/// All lines are obstacles to one another. Never fails on account of a line:
/// where no seam can be found the polygon is a band around the line, as high
/// as the page's other lines, and [`Outcome::problem`] says why. The result
/// doesn't depend on `threads`.
///
/// # Errors
/// [`Error::Shape`] if `energy` doesn't hold `width · height` values,
/// [`Error::Range`] if `per_line` names an obstacle that doesn't exist,
/// [`Error::NonFinite`] if an energy value is NaN or infinite.
pub fn polygonise(
    energy: Energy<'_>,
    lines: &[Vec<Point>],
    obstacles: Obstacles<'_>,
    topline: Topline,
    threads: usize,
) -> Result<Vec<Outcome>> {
    check(energy, lines.len(), obstacles)?;
    let size = [energy.width as f64, energy.height as f64];
    let (owners, segments) = owned_segments(lines, obstacles.common);
    let grid = Grid::new(segments.iter(), size);
    let page = Page { energy, size, topline, owners, segments, grid, obstacles };
    let clipped: Vec<std::result::Result<Vec<Point>, &'static str>> =
        lines.iter().map(|l| prepare(l, size)).collect();
    let work: f64 = clipped.iter().flatten().map(|l| crate::geom::polyline::length(l)).sum();
    let threads = if work < PARALLEL_LENGTH { 1 } else { threads };
    let drafts =
        par::map_indices(lines.len(), threads, |i| clipped[i].as_ref().ok().and_then(|l| page.draft(i, l)));
    let band = page.band_height(&drafts);
    Ok(par::map_indices(lines.len(), threads, |i| match (&clipped[i], &drafts[i]) {
        (Err(problem), _) => Outcome { ring: None, problem: Some(problem) },
        (Ok(line), draft) => page.finish(i, line, draft.as_ref(), band),
    }))
}

fn check(energy: Energy<'_>, lines: usize, obstacles: Obstacles<'_>) -> Result<()> {
    if energy.width.checked_mul(energy.height) != Some(energy.data.len()) {
        let found = format!("{} values for {}x{}", energy.data.len(), energy.width, energy.height);
        return Err(Error::shape("energy", found));
    }
    if energy.data.iter().any(|e| !e.is_finite()) {
        return Err(Error::NonFinite { arg: "energy" });
    }
    if !obstacles.per_line.is_empty() && obstacles.per_line.len() != lines {
        let found = format!("{} entries for {lines} lines", obstacles.per_line.len());
        return Err(Error::shape("per_line_obstacles", found));
    }
    if let Some(k) = obstacles.per_line.iter().flatten().find(|k| **k >= obstacles.special.len()) {
        let found = format!("index {k}, but there are {} polylines", obstacles.special.len());
        return Err(Error::range("per_line_obstacles", found));
    }
    Ok(())
}

/// The part of a line inside the image, or why there is nothing to work on.
fn prepare(line: &[Point], size: [f64; 2]) -> std::result::Result<Vec<Point>, &'static str> {
    let finite: Vec<Point> = line.iter().copied().filter(|p| p.iter().all(|v| v.is_finite())).collect();
    if finite.windows(2).all(|w| w[0] == w[1]) {
        return Err("it has no two distinct points");
    }
    if size.iter().any(|s| *s < 2.0) {
        return Err("the image is less than 2 px wide or high");
    }
    let inside = frame::clip(&finite, size);
    if inside.is_empty() { Err("it lies outside of the image") } else { Ok(inside) }
}

/// All pieces of lines and common obstacles; for each the index of the line that it belongs to.
fn owned_segments(lines: &[Vec<Point>], common: &[Vec<Point>]) -> (Vec<Option<usize>>, Vec<Segment>) {
    let own = lines.iter().enumerate().map(|(i, l)| (Some(i), l));
    own.chain(common.iter().map(|l| (None, l)))
        .flat_map(|(owner, line)| segments(line).map(move |s| (owner, s)))
        .unzip()
}

fn segments(line: &[Point]) -> impl Iterator<Item = Segment> + '_ {
    line.windows(2).filter(|w| w.iter().flatten().all(|v| v.is_finite())).map(|w| Segment::new(w[0], w[1]))
}

/// The box of a line, `margin` larger on each side.
fn grown(line: &[Point], margin: f64) -> Option<[f64; 4]> {
    polygon::bounds(line).map(|[x0, y0, x1, y1]| [x0 - margin, y0 - margin, x1 + margin, y1 + margin])
}

/// What all lines share.
struct Page<'a> {
    energy: Energy<'a>,
    size: [f64; 2],
    topline: Topline,
    /// For each of the segments the line that it is a piece of.
    owners: Vec<Option<usize>>,
    segments: Vec<Segment>,
    grid: Grid,
    obstacles: Obstacles<'a>,
}

impl Page<'_> {
    /// Obstacles of this line only.
    fn special_of(&self, line: usize) -> impl Iterator<Item = Segment> {
        let sides = self.topline.text_sides();
        let special = self.obstacles.per_line.get(line).into_iter().flatten();
        special.flat_map(|k| segments(&self.obstacles.special[*k])).map(move |s| Segment { sides, ..s })
    }

    /// Those of the segments with these indices that don't belong to the line.
    fn others<'b>(&'b self, line: usize, indices: &'b [usize]) -> impl Iterator<Item = Segment> + 'b {
        indices.iter().filter(move |i| self.owners[**i] != Some(line)).map(|i| self.segments[*i])
    }

    /// How far the polygon of a line may reach. The search widens until what has been found keeps it
    /// within what has been searched.
    fn limits(&self, index: usize, line: &[Point], frame: &Frame) -> Limits {
        let mut limits = Limits::of_image(frame, self.size);
        limits.narrow(frame, self.special_of(index));
        let mut seen: Vec<usize> = Vec::new();
        let mut margin = self.grid.cell();
        let widest = 4.0 * (self.size[0] + self.size[1]) + 2.0 * margin;
        while let Some(searched) = grown(line, margin) {
            let needed = limits.bounds(frame);
            let part = [0, 1, 2, 3]
                .map(|k| if k < 2 { needed[k].max(searched[k]) } else { needed[k].min(searched[k]) });
            let mut found = self.grid.within(part);
            found.retain(|i| seen.binary_search(i).is_err());
            limits.narrow(frame, self.others(index, &found));
            seen.extend(found);
            seen.sort_unstable();
            let needed = limits.bounds(frame);
            let is_enough = (0..2).all(|k| searched[k] <= needed[k] && needed[k + 2] <= searched[k + 2]);
            if is_enough || margin > widest {
                break;
            }
            margin *= 2.0;
        }
        limits.with_region(frame)
    }

    /// Region and seams of a line; `None` if it has no extent.
    fn draft(&self, index: usize, line: &[Point]) -> Option<Draft> {
        let frame = Frame::new(line)?;
        let limits = self.limits(index, line, &frame);
        let mut problem = None;
        if limits.enclosed {
            return Some(Draft {
                frame,
                limits,
                edges: [None, None],
                problem: Some("it turns around another line"),
            });
        }
        let edges = Side::BOTH.map(|side| {
            let seam = seam::find(self.energy, &frame, &limits, side, self.topline.shift(side));
            match seam {
                Ok(seam) => {
                    let mut edge = assemble::edge_from_seam(&frame, side, &seam, self.topline.offset());
                    assemble::limit(&frame, &limits, side, &mut edge, self.size);
                    Some(edge)
                }
                Err(reason) => {
                    problem = Some(reason);
                    None
                }
            }
        });
        Some(Draft { frame, limits, edges, problem })
    }

    /// Height of a band on either side: the median of what the seams of this
    /// page's lines are away from them.
    fn band_height(&self, drafts: &[Option<Draft>]) -> [f64; 2] {
        let total = self.size[0].max(self.size[1]) * BAND;
        let shares = self.topline.shares();
        Side::BOTH.map(|side| {
            let i = side.index();
            let mut heights: Vec<f64> = drafts
                .iter()
                .flatten()
                .filter_map(|d| {
                    let edge = d.edges[i].as_ref()?;
                    let base = side.edge(&d.frame);
                    let sum: f64 = edge.iter().zip(base).map(|(t, b)| t - side.sign() * b).sum();
                    Some(sum / edge.len() as f64)
                })
                .collect();
            heights.sort_by(f64::total_cmp);
            heights.get(heights.len() / 2).copied().unwrap_or(shares[i] * total).max(1.0)
        })
    }

    /// The ring of a line from its draft, or the simplest ring that serves.
    fn finish(&self, index: usize, line: &[Point], draft: Option<&Draft>, band: [f64; 2]) -> Outcome {
        let mut problem = draft.map_or(Some("it is too short"), |d| d.problem);
        if let Some(draft) = draft.filter(|d| !d.limits.enclosed) {
            let [above, below] = Side::BOTH.map(|side| {
                draft.edges[side.index()].clone().unwrap_or_else(|| {
                    let mut edge = assemble::edge_at(&draft.frame, side, band[side.index()]);
                    assemble::limit(&draft.frame, &draft.limits, side, &mut edge, self.size);
                    edge
                })
            });
            let ring = assemble::ring(&draft.frame, &above, &below, self.size);
            if assemble::is_sound(&ring, line) {
                return Outcome { ring: Some(ring), problem };
            }
            let repaired = repair::make_valid(&ring, self.size).filter(|r| assemble::is_sound(r, line));
            if repaired.is_some() {
                return Outcome { ring: repaired, problem };
            }
            problem = problem.or(Some("its polygon crosses itself"));
        }
        let radius = f64::midpoint(band[0], band[1]);
        let near = grown(line, radius + fallback::OBSTACLE_REACH).map(|area| self.grid.within(area));
        let near = near.unwrap_or_default();
        let near = self.others(index, &near).chain(self.special_of(index));
        let near: Vec<Segment> = near.filter(|s| dist(s.a, s.b) > 0.0).collect();
        let ring = fallback::hug(line, &near, radius, self.size).filter(|r| assemble::is_sound(r, line));
        Outcome { ring: ring.or_else(|| fallback::bounding_box(line, self.size)), problem }
    }
}

#[cfg(test)]
mod tests;
