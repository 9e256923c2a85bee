//! A skeleton as a graph: chains of pixels between line ends and junctions.

use std::collections::HashMap;

use crate::image::set_pixels;
use crate::image::thin::AROUND;

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// At a pixel with no further neighbour.
    Free,
    /// At a junction.
    Junction(usize),
}

/// A chain of pixels with two neighbours each.
#[derive(Debug)]
pub(super) struct Chain {
    /// Its pixels, as indices into the image, in order.
    pub pixels: Vec<u32>,
    /// What it ends at before the first and after the last pixel.
    pub ends: [Node; 2],
    /// Whether the last pixel is followed by the first one: a ring.
    pub closed: bool,
}

/// A skeleton's chains and junctions.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Chains, in raster order of the pixel from which they were found.
    pub chains: Vec<Chain>,
    /// The pixel that stands for each junction: the one closest to the centre
    /// of the touching pixels with three or more neighbours that form it.
    pub junctions: Vec<u32>,
    /// Chain ends that meet at each junction: (chain, end).
    pub incident: Vec<Vec<(usize, usize)>>,
}

/// Bits of a pixel beside that of the skeleton, 1.
const VISITED: u8 = 2;
const JUNCTION: u8 = 4;

struct Builder {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
    /// Names of the junctions that pixels are part of.
    junction_of: HashMap<u32, usize>,
    graph: Graph,
}

impl Graph {
    /// Takes a skeleton from [`thin`](crate::image::thin::thin) apart. Linear
    /// in the number of pixels.
    pub(super) fn new(skeleton: Vec<u8>, width: usize, height: usize) -> Self {
        let mut builder =
            Builder { pixels: skeleton, width, height, junction_of: HashMap::new(), graph: Self::default() };
        let mut of_degree: [Vec<u32>; 3] = Default::default();
        for p in set_pixels(&builder.pixels) {
            match builder.neighbours(p).count() {
                0 => {}
                degree => of_degree[degree.min(3) - 1].push(p),
            }
        }
        let [line_ends, inner, junctions] = of_degree;
        builder.gather_junctions(&junctions);
        for &p in &junctions {
            let around: Vec<u32> = builder.neighbours(p).collect();
            for q in around {
                if builder.pixels[q as usize] & JUNCTION == 0 {
                    builder.trace(q, builder.junction(p), p);
                }
            }
        }
        for p in line_ends.into_iter().chain(inner) {
            builder.trace(p, Node::Free, p);
        }
        builder.graph
    }
}

impl Builder {
    fn neighbours(&self, p: u32) -> impl Iterator<Item = u32> + use<'_> {
        let (x, y) = ((p as usize % self.width) as i32, (p as usize / self.width) as i32);
        AROUND.iter().filter_map(move |[dx, dy]| {
            let (x, y) = (x + dx, y + dy);
            let inside = x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height;
            let q = inside.then(|| y as usize * self.width + x as usize)?;
            (self.pixels[q] != 0).then_some(q as u32)
        })
    }

    /// Numbers the groups of touching junction pixels.
    fn gather_junctions(&mut self, pixels: &[u32]) {
        for &p in pixels {
            self.pixels[p as usize] |= VISITED | JUNCTION;
        }
        for &p in pixels {
            if self.junction_of.contains_key(&p) {
                continue;
            }
            let name = self.graph.junctions.len();
            self.junction_of.insert(p, name);
            let mut group = vec![p];
            let mut next = 0;
            while let Some(&q) = group.get(next) {
                next += 1;
                let around: Vec<u32> = self.neighbours(q).collect();
                for r in around {
                    if self.pixels[r as usize] & JUNCTION != 0 && !self.junction_of.contains_key(&r) {
                        self.junction_of.insert(r, name);
                        group.push(r);
                    }
                }
            }
            let centre = self.central(&group);
            self.graph.junctions.push(centre);
            self.graph.incident.push(Vec::new());
        }
    }

    /// The junction that a pixel marked as part of one belongs to.
    fn junction(&self, p: u32) -> Node {
        self.junction_of.get(&p).map_or(Node::Free, |&j| Node::Junction(j))
    }

    fn central(&self, group: &[u32]) -> u32 {
        let at = |p: u32| [(p as usize % self.width) as f64, (p as usize / self.width) as f64];
        let n = group.len() as f64;
        let mean = [0, 1].map(|k| group.iter().map(|&p| at(p)[k]).sum::<f64>() / n);
        let distance = |p: &u32| crate::geom::dist(at(*p), mean);
        group
            .iter()
            .copied()
            .min_by(|p, q| distance(p).total_cmp(&distance(q)).then(p.cmp(q)))
            .unwrap_or_default()
    }

    /// Follows the chain that starts at the unvisited pixel `start`, coming
    /// from `origin` (the pixel itself if it has no predecessor).
    fn trace(&mut self, start: u32, from: Node, origin: u32) {
        if self.pixels[start as usize] & VISITED != 0 {
            return;
        }
        let (mut previous, mut at) = (origin, start);
        let mut pixels = Vec::new();
        let (mut to, mut closed) = (Node::Free, false);
        loop {
            self.pixels[at as usize] |= VISITED;
            pixels.push(at);
            let next = self.neighbours(at).find(|&q| q != previous);
            previous = at;
            let Some(q) = next else { break };
            if self.pixels[q as usize] & JUNCTION != 0 {
                to = self.junction(q);
                break;
            }
            if self.pixels[q as usize] & VISITED != 0 {
                closed = true;
                break;
            }
            at = q;
        }
        let chain = self.graph.chains.len();
        for (end, node) in [from, to].into_iter().enumerate() {
            if let Node::Junction(j) = node {
                self.graph.incident[j].push((chain, end));
            }
        }
        self.graph.chains.push(Chain { pixels, ends: [from, to], closed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(rows: &[&str]) -> Graph {
        let skeleton: Vec<u8> = rows.iter().flat_map(|r| r.bytes().map(|b| u8::from(b == b'#'))).collect();
        Graph::new(skeleton, rows[0].len(), rows.len())
    }

    #[test]
    fn a_curve_is_one_chain_and_a_ring_is_closed() {
        let curve = graph(&["#....", ".###.", "....#"]);
        assert_eq!(curve.chains.len(), 1);
        assert_eq!(curve.chains[0].pixels, vec![0, 6, 7, 8, 14]);
        let ring = graph(&[".##.", "#..#", ".##."]);
        assert_eq!(ring.chains.len(), 1);
        assert!(ring.chains[0].closed && ring.chains[0].pixels.len() == 6);
    }

    #[test]
    fn a_t_has_three_chains_at_one_junction() {
        let t = graph(&["#########", "....#....", "....#....", "....#...."]);
        assert_eq!(t.junctions.len(), 1);
        assert_eq!(t.incident[0].len(), 3);
        let free = |c: &Chain| c.ends.iter().filter(|e| **e == Node::Free).count();
        assert!(t.chains.iter().all(|c| free(c) == 1));
    }

    #[test]
    fn pixels_on_their_own() {
        let dots = graph(&["#..", "..#"]);
        assert!(dots.chains.is_empty() && dots.junctions.is_empty());
        assert!(graph(&["...", "..."]).chains.is_empty());
    }
}
