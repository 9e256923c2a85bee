//! Reading order of pages with columns.
//!
//! Recursive cutting along the white space between columns, in the manner of
//! Nagy & Seth's XY cut (1984), with Breuel's (2002) rule that whatever crosses
//! a column separator is read between what lies above and below it. Everything
//! is done in a frame in which text runs along u and lines follow each other
//! along v, so that all text directions share one rule.

use super::order::assign_regions;
use super::table;
use super::text_frame::{Item, enclosing, items_of, straighten};
use crate::geom::Point;
use crate::{Error, Result};

pub use super::text_frame::Flow;

/// Candidates for a gutter are looked for once in each of so many bins.
const BINS: usize = 256;

/// Cuts within cuts. Deeper ones don't occur on pages; the limit bounds the
/// time for arbitrary input.
const DEPTH: usize = 48;

/// A region of a page as far as it matters for the order of its lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its outline.
    pub outline: Vec<Point>,
    /// Whether its lines are to be read row by row.
    pub table: bool,
}

/// Orders lines column by column: indices into `lines`.
///
/// A column ends where white space (a *gutter*) separates it from the next one.
/// Lines that cross a gutter, such as headings, are read between what is above
/// and what is below them. Running heads and page numbers that stand apart are
/// read first and last. Notes in the margin before a column follow the column.
/// Tables are read row by row: areas that are marked as such, and groups of
/// columns whose rows are level and whose cells are of unequal width or leave
/// much white space. Lines of an area stay together; each belongs to the first
/// area that contains its middle. Pages slightly askew are straightened by the
/// median direction of their lines.
///
/// `boxes`: the lines are the diagonals of boxes (two points), otherwise they
/// are baselines.
///
/// About `n log n` in time for real pages; at worst some 10⁴ steps per line.
///
/// # Errors
/// If a line is empty or a coordinate isn't finite.
pub fn order_columns(lines: &[Vec<Point>], areas: &[Area], flow: Flow, boxes: bool) -> Result<Vec<usize>> {
    if lines.iter().any(Vec::is_empty) {
        return Err(Error::Empty { arg: "lines" });
    }
    if lines.iter().flatten().flatten().any(|v| !v.is_finite()) {
        return Err(Error::NonFinite { arg: "lines" });
    }
    let mut framed: Vec<Vec<Point>> =
        lines.iter().map(|l| l.iter().map(|&p| flow.frame(p)).collect()).collect();
    if !boxes {
        straighten(&mut framed);
    }
    let (items, pitch) = items_of(&framed, boxes);
    let page = Page { pitch };

    let outlines: Vec<Vec<Point>> = areas.iter().map(|a| a.outline.clone()).collect();
    let mut members = vec![Vec::new(); areas.len()];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut outer: Vec<Item> = Vec::new();
    for (i, area) in assign_regions(lines, &outlines).into_iter().enumerate() {
        if let Some(a) = area {
            members[a].push(items[i]);
        } else {
            outer.push(Item { index: groups.len(), ..items[i] });
            groups.push(vec![i]);
        }
    }
    for (area, members) in areas.iter().zip(members) {
        let Some(item) = enclosing(&members, groups.len()) else { continue };
        outer.push(item);
        groups.push(if area.table { page.rows(members) } else { page.layout(members) });
    }
    Ok(page.layout(outer).into_iter().flat_map(|k| std::mem::take(&mut groups[k])).collect())
}

/// A gutter between the items `from..to` of a list.
#[derive(Debug, Clone, Copy)]
struct Gutter {
    from: usize,
    to: usize,
    strength: f64,
    /// Number of columns into which the white space divides these items.
    columns: usize,
}

struct Page {
    /// Distance from one line to the next.
    pitch: f64,
}

impl Page {
    /// The indices of the items in order.
    fn layout(&self, mut items: Vec<Item>) -> Vec<usize> {
        items.sort_by(|a, b| {
            a.centre().total_cmp(&b.centre()).then(a.u[0].total_cmp(&b.u[0])).then(a.index.cmp(&b.index))
        });
        let mut out = Vec::with_capacity(items.len());
        self.cut(&items, DEPTH, &mut out);
        out
    }

    /// The indices of the items row by row.
    fn rows(&self, items: Vec<Item>) -> Vec<usize> {
        let mut items = items;
        items.sort_by(|a, b| a.centre().total_cmp(&b.centre()).then(a.index.cmp(&b.index)));
        let mut out = Vec::with_capacity(items.len());
        for row in table::rows(&items, self.pitch) {
            out.extend(row.iter().map(|i| i.index));
        }
        out
    }

    /// Extent of an item along the text without what may stick out into a gutter.
    fn core(&self, item: &Item) -> [f64; 2] {
        let trim = (self.pitch / 2.0).min(item.length() * 0.05);
        [item.u[0] + trim, item.u[1] - trim]
    }

    /// Appends `items`, which are sorted by v, in order.
    fn cut(&self, items: &[Item], depth: usize, out: &mut Vec<usize>) {
        let gutter = if depth > 0 { self.best_gutter(items) } else { None };
        let Some(Gutter { mut from, mut to, .. }) = gutter else {
            out.extend(items.iter().map(|i| i.index));
            return;
        };
        while self.stands_apart(&items[from..to], true) {
            from += 1;
        }
        while self.stands_apart(&items[from..to], false) {
            to -= 1;
        }
        self.cut(&items[..from], depth - 1, out);
        let mut columns = self.columns(&items[from..to]);
        if let Some(rows) = table::detect(&columns, self.pitch) {
            out.extend(rows.iter().flatten().map(|i| i.index));
        } else {
            if columns.len() > 1 && self.is_marginal(&columns[0], &columns[1], items) {
                columns.swap(0, 1);
            }
            for column in &columns {
                self.cut(column, depth - 1, out);
            }
        }
        self.cut(&items[to..], depth - 1, out);
    }

    /// Whether the first (or last) item is a line far from all others, as
    /// running heads and page numbers are.
    fn stands_apart(&self, items: &[Item], first: bool) -> bool {
        let (Some(item), true) = (if first { items.first() } else { items.last() }, items.len() > 2) else {
            return false;
        };
        let others = if first { &items[1..] } else { &items[..items.len() - 1] };
        let nearest = others
            .iter()
            .map(|o| if first { o.v[0] - item.v[1] } else { item.v[0] - o.v[1] })
            .fold(f64::INFINITY, f64::min);
        item.height() <= 2.0 * self.pitch && nearest > 1.5 * self.pitch
    }

    /// Items that overlap along the text, directly or through others, together;
    /// from the first column to the last, each sorted as before.
    fn columns(&self, items: &[Item]) -> Vec<Vec<Item>> {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by(|&a, &b| self.core(&items[a])[0].total_cmp(&self.core(&items[b])[0]));
        let (mut column, mut end) = (0, f64::NEG_INFINITY);
        let mut owner = vec![0; items.len()];
        for (k, &i) in order.iter().enumerate() {
            let [from, to] = self.core(&items[i]);
            if k > 0 && from >= end {
                column += 1;
            }
            end = end.max(to);
            owner[i] = column;
        }
        let mut columns = vec![Vec::new(); column + 1];
        for (item, c) in items.iter().zip(owner) {
            columns[c].push(*item);
        }
        columns
    }

    /// Whether `note` is a column of notes in the margin of `text`: lines less
    /// than half as long, fewer of them, and none of the other items reaches
    /// into the margin (as lines do below an initial).
    fn is_marginal(&self, note: &[Item], text: &[Item], all: &[Item]) -> bool {
        let height = |column: &[Item]| column.iter().map(Item::height).sum::<f64>();
        let edge = note.iter().map(|i| self.core(i)[1]).fold(f64::NEG_INFINITY, f64::max);
        table::median_length(note) < 0.5 * table::median_length(text)
            && height(note) < 0.6 * height(text)
            && all.iter().map(|i| self.core(i)).all(|[from, to]| to <= edge || from >= edge)
    }

    /// The gutter along which most text stands on both sides; of equal ones
    /// that which comes with most columns (a line above that ends before the
    /// gutter hides others), with most items, the first.
    fn best_gutter(&self, items: &[Item]) -> Option<Gutter> {
        if items.len() < 2 {
            return None;
        }
        let cores: Vec<[f64; 2]> = items.iter().map(|i| self.core(i)).collect();
        let mut best: Option<Gutter> = None;
        for u in candidates(&cores) {
            let mut from = 0;
            while from < items.len() {
                let crosses = |c: &[f64; 2]| c[0] < u && c[1] > u;
                if crosses(&cores[from]) {
                    from += 1;
                    continue;
                }
                let to = cores[from..].iter().position(crosses).map_or(items.len(), |k| from + k);
                let strength = strength(&items[from..to], &cores[from..to], u);
                let rival = best.as_ref().map_or(0.0, |b| b.strength);
                if strength > 0.0 && strength >= rival {
                    let columns = self.columns(&items[from..to]).len();
                    let size = |g: &Gutter| (g.columns, g.to - g.from);
                    let found = Gutter { from, to, strength, columns };
                    if best.as_ref().is_none_or(|b| strength > b.strength || size(&found) > size(b)) {
                        best = Some(found);
                    }
                }
                from = to;
            }
        }
        best
    }
}

/// Ends of items after which a gutter may begin: the last one in each of a
/// number of equal bins.
fn candidates(cores: &[[f64; 2]]) -> Vec<f64> {
    let lo = cores.iter().map(|c| c[0]).fold(f64::INFINITY, f64::min);
    let hi = cores.iter().map(|c| c[1]).fold(f64::NEG_INFINITY, f64::max);
    let last_start = cores.iter().map(|c| c[0]).fold(f64::NEG_INFINITY, f64::max);
    let mut bins = [f64::NEG_INFINITY; BINS];
    for &[_, end] in cores.iter().filter(|c| c[1] <= last_start) {
        let k = ((end - lo) / (hi - lo) * BINS as f64) as usize;
        let bin = &mut bins[k.min(BINS - 1)];
        *bin = bin.max(end);
    }
    bins.into_iter().filter(|u| u.is_finite()).collect()
}

/// How much text stands on both sides of u at the same height: the length of v
/// that items of the side with less of it cover. 0 if one side is above the other.
fn strength(items: &[Item], cores: &[[f64; 2]], u: f64) -> f64 {
    let mut extents = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    for (item, core) in items.iter().zip(cores) {
        let e = &mut extents[usize::from(core[0] >= u)];
        *e = [e[0].min(item.v[0]), e[1].max(item.v[1])];
    }
    let (top, bottom) = (extents[0][0].max(extents[1][0]), extents[0][1].min(extents[1][1]));
    if top >= bottom {
        return 0.0;
    }
    let (mut covered, mut ends) = ([0.0; 2], [top; 2]);
    for (item, core) in items.iter().zip(cores) {
        let (from, to) = (item.v[0].max(top), item.v[1].min(bottom));
        // Lines that only just reach into each other's height follow one another.
        if to - from > 0.3 * item.height() {
            let side = usize::from(core[0] >= u);
            covered[side] += (to - from.max(ends[side])).max(0.0);
            ends[side] = ends[side].max(to);
        }
    }
    covered[0].min(covered[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(u0: f64, u1: f64, v: f64) -> Vec<Point> {
        vec![[u0, v], [u1, v]]
    }

    #[test]
    fn a_heading_is_read_between_what_it_parts() {
        let mut lines = vec![line(0.0, 210.0, 60.0)];
        for (from, to) in [(0.0, 100.0), (110.0, 210.0)] {
            lines
                .extend((0..12).filter(|k| !(5..8).contains(k)).map(|k| line(from, to, 10.0 * f64::from(k))));
        }
        let order = order_columns(&lines, &[], Flow::LeftToRight, false);
        let expected: Vec<usize> = (1..6).chain(10..15).chain([0]).chain(6..10).chain(15..19).collect();
        assert_eq!(order, Ok(expected));
    }

    #[test]
    fn bad_lines() {
        let order = |lines: &[Vec<Point>]| order_columns(lines, &[], Flow::RightToLeft, false);
        assert_eq!(order(&[]), Ok(vec![]));
        assert!(order(&[vec![]]).is_err());
        assert!(order(&[vec![[f64::INFINITY, 0.0]]]).is_err());
        assert_eq!(order(&[vec![[5.0, 5.0]], vec![[5.0, 5.0]]]), Ok(vec![0, 1]));
    }
}
