//! Natural strokes: how the chains of a skeleton continue each other.

use super::graph::{Graph, Node};
use crate::geom::{Point, cross, dist, dot, polyline, sub};

/// Cosine of the sharpest turn (some 66°) that a stroke makes at a junction.
const STRAIGHT: f64 = 0.4;

/// Junctions with more chains than this are knots of noise, in which nothing
/// continues anything.
const KNOT: usize = 32;

/// A stroke of the pen through the skeleton.
#[derive(Debug)]
pub(super) struct Stroke {
    /// Pixel centres in order.
    pub points: Vec<Point>,
    /// Whether each end is free, and not at the side of another stroke.
    pub free: [bool; 2],
    /// A pixel of it, as an index into the image.
    pub pixel: u32,
}

/// A chain's end: (chain, 0 or 1).
type End = (usize, usize);

struct Strokes<'a> {
    graph: &'a Graph,
    width: usize,
    length: Vec<f64>,
    alive: Vec<bool>,
    /// Living chain ends at each junction.
    meeting: Vec<usize>,
    /// What continues each chain end.
    link: Vec<[Option<End>; 2]>,
}

/// Puts the chains of a graph together: at a junction those go on that turn
/// least. Spurs not longer than the stroke is wide, which the thinning of
/// blunt ends and rough edges leaves, are dropped, and so is the second bank
/// of a hole narrower than the stroke. Each remaining chain becomes part of
/// one stroke. Rings are opened at one place.
///
/// `breadth(pixel)` is the mean width of the blob around a pixel.
pub(super) fn strokes(graph: &Graph, width: usize, breadth: impl Fn(u32) -> f64) -> Vec<Stroke> {
    let n = graph.chains.len();
    let mut all = Strokes {
        graph,
        width,
        length: Vec::with_capacity(n),
        alive: vec![true; n],
        meeting: graph.incident.iter().map(Vec::len).collect(),
        link: vec![[None; 2]; n],
    };
    all.length = (0..n).map(|c| polyline::length(&all.chain_points(c))).collect();
    all.drop_spurs(&breadth);
    for junction in 0..graph.junctions.len() {
        all.pair(junction, &breadth);
    }
    let (mut result, chains_of) = all.assemble();
    drop_second_banks(&mut result, &chains_of, &breadth);
    result
}

impl Strokes<'_> {
    fn at(&self, pixel: u32) -> Point {
        [(pixel as usize % self.width) as f64, (pixel as usize / self.width) as f64]
    }

    /// A chain's points with the junctions that it ends at.
    fn chain_points(&self, c: usize) -> Vec<Point> {
        let chain = &self.graph.chains[c];
        let node = |end: usize| match chain.ends[end] {
            Node::Free if end == 1 && chain.closed => chain.pixels.first().copied(),
            Node::Free => None,
            Node::Junction(j) => Some(self.graph.junctions[j]),
        };
        let pixels = node(0).into_iter().chain(chain.pixels.iter().copied()).chain(node(1));
        pixels.map(|p| self.at(p)).collect()
    }

    /// Drops chains between a junction and a line end that are no longer than
    /// the blob is wide. What stays of a junction with one chain left is the
    /// end of that chain, which may be a spur of the next junction in turn,
    /// together with what was dropped before it. If a junction has nothing but
    /// spurs, the two longest stay.
    fn drop_spurs(&mut self, breadth: &impl Fn(u32) -> f64) {
        let mut dropped = vec![0.0_f64; self.graph.junctions.len()];
        let mut queue: Vec<usize> = (0..self.graph.junctions.len()).collect();
        while let Some(j) = queue.pop() {
            let limit = breadth(self.graph.junctions[j]);
            let living: Vec<End> =
                self.graph.incident[j].iter().copied().filter(|(c, _)| self.alive[*c]).collect();
            if living.len() < 2 {
                continue;
            }
            let mut spurs: Vec<(f64, usize)> = living
                .iter()
                .filter_map(|&(c, end)| {
                    let gone = match self.graph.chains[c].ends[1 - end] {
                        Node::Free => 0.0,
                        Node::Junction(k) if k != j && self.meeting[k] == 1 => dropped[k],
                        Node::Junction(_) => return None,
                    };
                    let reach = self.length[c] + gone;
                    (reach <= limit).then_some((reach, c))
                })
                .collect();
            spurs.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            if spurs.len() == living.len() {
                spurs.truncate(living.len() - 2);
            }
            for &(reach, c) in &spurs {
                self.alive[c] = false;
                self.meeting[j] -= 1;
                dropped[j] = dropped[j].max(reach);
            }
            if self.meeting[j] == 1 && !spurs.is_empty() {
                let last = living.iter().find(|(c, _)| self.alive[*c]);
                if let Some(Node::Junction(k)) = last.map(|&(c, end)| self.graph.chains[c].ends[1 - end]) {
                    queue.push(k);
                }
            }
        }
    }

    /// Unit vector in which a chain leaves its end.
    fn direction(&self, (c, end): End, reach: usize) -> Point {
        let chain = &self.graph.chains[c];
        let last = chain.pixels.len() - 1;
        let k = reach.min(last);
        let to = self.at(chain.pixels[if end == 0 { k } else { last - k }]);
        let from = match chain.ends[end] {
            Node::Junction(j) => self.at(self.graph.junctions[j]),
            Node::Free => self.at(chain.pixels[if end == 0 { 0 } else { last }]),
        };
        let (d, l) = (sub(to, from), dist(to, from));
        if l > 0.0 { [d[0] / l, d[1] / l] } else { d }
    }

    /// Links the chain ends at a junction, the straightest pairs first; two
    /// that are alone continue each other however they turn.
    fn pair(&mut self, junction: usize, breadth: &impl Fn(u32) -> f64) {
        let living: Vec<End> =
            self.graph.incident[junction].iter().copied().filter(|(c, _)| self.alive[*c]).collect();
        if living.len() > KNOT {
            return;
        }
        // Close to the junction the skeleton bends towards it.
        let reach = breadth(self.graph.junctions[junction]).clamp(5.0, 20.0) as usize;
        let directions: Vec<Point> = living.iter().map(|&e| self.direction(e, reach)).collect();
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for i in 0..living.len() {
            for j in i + 1..living.len() {
                let straightness = -dot(directions[i], directions[j]);
                if straightness >= STRAIGHT || living.len() == 2 {
                    pairs.push((straightness, i, j));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (_, i, j) in pairs {
            let ((c, e), (d, f)) = (living[i], living[j]);
            if self.link[c][e].is_none() && self.link[d][f].is_none() {
                self.link[c][e] = Some((d, f));
                self.link[d][f] = Some((c, e));
            }
        }
    }

    /// Walks along the links; returns the strokes and, for each, the junctions
    /// it touches with their places in its points.
    fn assemble(&self) -> (Vec<Stroke>, Vec<Vec<(usize, usize)>>) {
        let mut done: Vec<bool> = self.alive.iter().map(|a| !a).collect();
        let (mut strokes, mut touched) = (Vec::new(), Vec::new());
        // Strokes with an end first; what is left are cycles of links.
        for cycles in [false, true] {
            for c in 0..done.len() {
                let start = (0..2).find(|&e| cycles || self.link[c][e].is_none());
                if let (false, Some(start)) = (done[c], start) {
                    let (stroke, junctions) = self.walk((c, start), &mut done);
                    strokes.push(stroke);
                    touched.push(junctions);
                }
            }
        }
        (strokes, touched)
    }

    fn walk(&self, start: End, done: &mut [bool]) -> (Stroke, Vec<(usize, usize)>) {
        let mut points: Vec<Point> = Vec::new();
        let mut junctions = Vec::new();
        let is_free = |(c, e): End| match self.graph.chains[c].ends[e] {
            Node::Free => !self.graph.chains[c].closed,
            Node::Junction(j) => self.meeting[j] == 1,
        };
        let mut at = start;
        loop {
            let (c, enter) = at;
            done[c] = true;
            let mut part = self.chain_points(c);
            if enter == 1 {
                part.reverse();
            }
            let skip = usize::from(!points.is_empty());
            if let (0, Node::Junction(j)) = (points.len(), self.graph.chains[c].ends[enter]) {
                junctions.push((j, 0));
            }
            points.extend(part.into_iter().skip(skip));
            let leave = (c, 1 - enter);
            if let Node::Junction(j) = self.graph.chains[c].ends[1 - enter] {
                junctions.push((j, points.len() - 1));
            }
            match self.link[c][1 - enter] {
                Some(next) if !done[next.0] => at = next,
                next => {
                    let free = [is_free(start), next.is_none() && is_free(leave)];
                    let pixel = self.graph.chains[c].pixels[0];
                    return (Stroke { points, free, pixel }, junctions);
                }
            }
        }
    }
}

/// Drops strokes that only run along a hole in another one: both ends lie on
/// it, and what they enclose with it is narrower than the stroke is wide.
fn drop_second_banks(
    strokes: &mut Vec<Stroke>,
    touched: &[Vec<(usize, usize)>],
    breadth: &impl Fn(u32) -> f64,
) {
    let mut through: std::collections::HashMap<usize, Vec<(usize, usize)>> = std::collections::HashMap::new();
    for (s, junctions) in touched.iter().enumerate() {
        for &(j, place) in junctions {
            through.entry(j).or_default().push((s, place));
        }
    }
    let mut keep = vec![true; strokes.len()];
    for s in 0..strokes.len() {
        let (Some(&(a, 0)), Some(&(b, last))) = (touched[s].first(), touched[s].last()) else { continue };
        let stroke = &strokes[s];
        if touched[s].len() != 2 || last + 1 != stroke.points.len() || stroke.free != [false; 2] {
            continue;
        }
        let length = polyline::length(&stroke.points);
        let narrow = |area: f64| area <= breadth(stroke.pixel) * length;
        let other_banks = through[&a].iter().take(KNOT).flat_map(|&(t, i)| {
            let places = through[&b].iter().take(KNOT);
            places.filter(move |(u, _)| *u == t).map(move |&(_, k)| (t, i.min(k), i.max(k), i > k))
        });
        let is_second = other_banks.filter(|(t, ..)| *t != s && keep[*t]).any(|(t, from, to, flip)| {
            // Also keeps the cost in proportion to the stroke's own length.
            if to - from > 2 * stroke.points.len() + 10 {
                return false;
            }
            let mut bank = strokes[t].points[from..=to].to_vec();
            if !flip {
                bank.reverse();
            }
            narrow(enclosed(&stroke.points, &bank))
        });
        keep[s] = !is_second;
    }
    let mut kept = keep.iter();
    strokes.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Area between a line and the way back.
fn enclosed(there: &[Point], back: &[Point]) -> f64 {
    let Some(&origin) = there.first() else { return 0.0 };
    let ring: Vec<Point> = there.iter().chain(back).chain([&origin]).map(|p| sub(*p, origin)).collect();
    ring.windows(2).map(|w| cross(w[0], w[1])).sum::<f64>().abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &[&str], breadth: f64) -> Vec<Stroke> {
        let skeleton: Vec<u8> = rows.iter().flat_map(|r| r.bytes().map(|b| u8::from(b == b'#'))).collect();
        strokes(&Graph::new(skeleton, rows[0].len(), rows.len()), rows[0].len(), |_| breadth)
    }

    const T: [&str; 6] =
        ["###########", ".....#.....", ".....#.....", ".....#.....", ".....#.....", ".....#....."];

    #[test]
    fn a_t_is_a_bar_and_a_stem() {
        let mut lines = drawn(&T, 1.0);
        lines.sort_by_key(|s| s.points.len());
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].free, [true, true]);
        assert!(lines[1].points.iter().all(|p| p[1] <= 1.0));
        assert_eq!(lines[0].free.iter().filter(|f| **f).count(), 1);
    }

    #[test]
    fn short_spurs_are_dropped() {
        let lines = drawn(&[&T[..3], &["..........."]].concat(), 3.0);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].points[0], lines[0].free), ([0.0, 0.0], [true, true]));
    }

    #[test]
    fn a_ring_is_opened_once() {
        let lines = drawn(&["..###..", ".#...#.", "#.....#", ".#...#.", "..###.."], 1.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].points.first(), lines[0].points.last());
        assert_eq!(lines[0].free, [false, false]);
    }
}
