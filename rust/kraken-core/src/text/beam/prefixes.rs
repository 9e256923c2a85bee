//! The prefixes that a search has seen.

use super::super::ctc::BLANK;

pub(super) const NONE: u32 = u32::MAX;

/// One prefix.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub parent: u32,
    pub label: u32,
    pub depth: u32,
    first_child: u32,
    next_sibling: u32,
    /// What the scorer gives for the prefix, and its context after it.
    pub bonus: f64,
    pub context: u32,
}

/// A set of prefixes as a tree; node 0 is the empty one.
pub(super) struct Prefixes {
    nodes: Vec<Node>,
}

impl Prefixes {
    pub fn new() -> Self {
        let (parent, label) = (NONE, BLANK as u32);
        let root =
            Node { parent, label, depth: 0, first_child: NONE, next_sibling: NONE, bonus: 0.0, context: 0 };
        Self { nodes: vec![root] }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn get(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// The node of a prefix that is one label longer. `score` gives bonus and
    /// context of one that is new.
    pub fn child(&mut self, node: u32, label: u32, score: impl FnOnce(&Node) -> (f64, u32)) -> u32 {
        // Few prefixes have more than a handful of children that ever survived.
        let mut at = self.get(node).first_child;
        while at != NONE {
            if self.get(at).label == label {
                return at;
            }
            at = self.get(at).next_sibling;
        }
        let parent = *self.get(node);
        let (bonus, context) = score(&parent);
        let child = self.len() as u32;
        self.nodes.push(Node {
            parent: node,
            label,
            depth: parent.depth + 1,
            first_child: NONE,
            next_sibling: parent.first_child,
            bonus,
            context,
        });
        self.nodes[node as usize].first_child = child;
        child
    }

    /// The labels of a prefix.
    pub fn labels(&self, mut node: u32) -> Vec<usize> {
        let mut out = Vec::with_capacity(self.get(node).depth as usize);
        while self.get(node).parent != NONE {
            out.push(self.get(node).label as usize);
            node = self.get(node).parent;
        }
        out.reverse();
        out
    }
}
