//! The search itself: from the beam before a column to that after it.

use super::super::scorer::{Rows, Scorer};
use super::columns::Column;
use super::pool::{Candidate, Pool};
use super::prefixes::{NONE, Prefixes};
use super::{Options, Scored};

/// A prefix in the beam.
#[derive(Clone, Copy)]
struct Entry {
    node: u32,
    /// Log-probability of all paths.
    total: f64,
    /// Shares of the paths that end in a blank and in the last symbol. Shares
    /// save logarithms; what is too small for one doesn't change the total.
    blank: f64,
    symbol: f64,
    /// `total` with what the scorer gives for the text.
    score: f64,
    /// Position in the beam of the prefix without the last symbol.
    parent: u32,
    /// Prefixes in the beam that continue this one, as a list.
    first_child: u32,
    next_child: u32,
}

impl Entry {
    fn new(node: u32, total: f64, blank: f64, symbol: f64, score: f64) -> Self {
        Self { node, total, blank, symbol, score, parent: NONE, first_child: NONE, next_child: NONE }
    }
}

pub(super) struct Search<'o> {
    options: &'o Options,
    prefixes: Prefixes,
    /// Best first.
    beam: Vec<Entry>,
    /// The beam's prefixes after a column without a new symbol.
    stayed: Vec<Entry>,
    /// Position in the beam of a node, `NONE` if it isn't in it.
    place: Vec<u32>,
    pool: Pool,
    /// Labels that may start a symbol and their logarithms, most probable first.
    starters: Vec<(f64, u32)>,
    rows: Option<Rows<'o>>,
    ceiling: f64,
}

impl<'o> Search<'o> {
    pub fn new(options: &'o Options, scorer: Option<&'o Scorer>, classes: usize) -> Self {
        let rows = scorer.map(|scorer| Rows::new(scorer, classes));
        Self {
            options,
            prefixes: Prefixes::new(),
            beam: vec![Entry::new(0, 0.0, 1.0, 0.0, 0.0)],
            stayed: Vec::new(),
            place: vec![0],
            pool: Pool::new(options.beam_size),
            starters: Vec::new(),
            ceiling: rows.as_ref().map_or(0.0, Rows::ceiling),
            rows,
        }
    }

    pub fn step(&mut self, column: &Column<'_>) {
        self.stay(column);
        self.pool.clear();
        for (k, entry) in self.stayed.iter().enumerate() {
            let depth = self.prefixes.get(entry.node).depth;
            self.pool.push(Candidate {
                score: entry.score,
                total: entry.total,
                depth,
                from: k as u32,
                label: NONE,
            });
        }
        self.pool.tighten();
        let quiet = self.options.blank_prune.is_some_and(|p| column.blank() >= p.ln());
        if !quiet {
            self.expand(column);
        }
        self.advance();
    }

    /// The beam's prefixes after one more column without a new prefix: blank,
    /// repeated symbol, or arrival from the parent if that is in the beam too.
    fn stay(&mut self, column: &Column<'_>) {
        let blank = column.relative(0);
        self.stayed.clear();
        for entry in &self.beam {
            let node = self.prefixes.get(entry.node);
            let (mut base, mut own, mut arriving) = (entry.total, 1.0, 0.0);
            if let Some(parent) = self.beam.get(entry.parent as usize) {
                // The same symbol again is only new after a blank.
                let share =
                    if self.prefixes.get(parent.node).label == node.label { parent.blank } else { 1.0 };
                if parent.total > entry.total {
                    (base, own, arriving) = (parent.total, (entry.total - parent.total).exp(), share);
                } else {
                    arriving = share * (parent.total - entry.total).exp();
                }
            }
            let ends_in_blank = own * blank;
            let symbol = own * entry.symbol + arriving;
            let ends_in_symbol = if symbol > 0.0 { symbol * column.relative(node.label) } else { 0.0 };
            let all = ends_in_blank + ends_in_symbol;
            let total = base + all.ln() + column.top;
            let (blank, symbol) =
                if all > 0.0 { (ends_in_blank / all, ends_in_symbol / all) } else { (0.0, 0.0) };
            self.stayed.push(Entry::new(entry.node, total, blank, symbol, total + node.bonus));
        }
    }

    /// Finds the labels that may start a symbol in this column.
    fn find_starters(&mut self, column: &Column<'_>) {
        // The beam is sorted, so its first entry bounds them all.
        let best = self.beam.first().map_or(f64::NEG_INFINITY, |e| e.score);
        let least = (self.pool.bound() - best - self.ceiling)
            .max(self.options.min_probability.map_or(f64::NEG_INFINITY, f64::ln));
        self.starters.clear();
        let labels = column.logs.iter().copied().zip(0..).skip(1);
        self.starters.extend(labels.filter(|&(log, _)| log >= least && log > f64::NEG_INFINITY));
        self.starters.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.starters.truncate(self.options.top_k.unwrap_or(usize::MAX));
    }

    /// Whether the prefix that continues `entry` with `label` is in the beam.
    fn continues(&self, entry: &Entry, label: u32) -> bool {
        let mut at = entry.first_child;
        while let Some(child) = self.beam.get(at as usize) {
            if self.prefixes.get(child.node).label == label {
                return true;
            }
            at = child.next_child;
        }
        false
    }

    /// Adds the prefixes that are one symbol longer than one of the beam.
    fn expand(&mut self, column: &Column<'_>) {
        self.find_starters(column);
        let Some(&(top, _)) = self.starters.first() else { return };
        let mut rows = self.rows.take();
        for (k, entry) in self.beam.iter().enumerate() {
            if entry.score + top + self.ceiling < self.pool.bound() {
                break;
            }
            let node = *self.prefixes.get(entry.node);
            let (row, ceiling) = match &mut rows {
                Some(rows) => {
                    let (row, ceiling) = rows.row(node.context);
                    (Some(row), ceiling)
                }
                None => (None, 0.0),
            };
            for &(log, label) in &self.starters {
                let bound = self.pool.bound();
                if entry.score + log + ceiling < bound {
                    break;
                }
                // The same symbol again is only new after a blank.
                let repeated = if node.label == label { entry.blank.ln() } else { 0.0 };
                let total = entry.total + repeated + log;
                let score = total + node.bonus + row.map_or(0.0, |row| row[label as usize]);
                if score == f64::NEG_INFINITY || score < bound || self.continues(entry, label) {
                    continue;
                }
                let depth = node.depth + 1;
                self.pool.push(Candidate { score, total, depth, from: k as u32, label });
            }
        }
        self.rows = rows;
    }

    /// Makes the best candidates the new beam.
    fn advance(&mut self) {
        for old in &self.beam {
            self.place[old.node as usize] = NONE;
        }
        self.beam.clear();
        for c in self.pool.sorted().iter().filter(|c| c.score > f64::NEG_INFINITY) {
            let from = self.stayed[c.from as usize];
            if c.label == NONE {
                self.beam.push(from);
                continue;
            }
            let rows = &mut self.rows;
            let node = self.prefixes.child(from.node, c.label, |parent| match rows {
                None => (0.0, 0),
                Some(rows) => {
                    let bonus = parent.bonus + rows.row(parent.context).0[c.label as usize];
                    (bonus, rows.next(parent.context, c.label))
                }
            });
            self.beam.push(Entry::new(node, c.total, 0.0, 1.0, c.score));
        }
        self.place.resize(self.prefixes.len(), NONE);
        for (k, entry) in self.beam.iter().enumerate() {
            self.place[entry.node as usize] = k as u32;
        }
        for k in 0..self.beam.len() {
            let parent = self.prefixes.get(self.beam[k].node).parent;
            let place = self.place.get(parent as usize).copied().unwrap_or(NONE);
            if place != NONE {
                self.beam[k].parent = place;
                self.beam[k].next_child = self.beam[place as usize].first_child;
                self.beam[place as usize].first_child = k as u32;
            }
        }
    }

    /// The labellings in the beam.
    pub fn finish(self) -> Vec<Scored> {
        let end = |context| self.rows.as_ref().map_or(0.0, |rows| rows.end(context));
        let scored =
            |e: &Entry| (self.prefixes.labels(e.node), e.score + end(self.prefixes.get(e.node).context));
        self.beam.iter().map(scored).collect()
    }
}
