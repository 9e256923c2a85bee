//! Rules X10, W1–W7, N0–N2, I1–I2: levels by content.

use super::Class::{self, AL, AN, B, CS, EN, ES, ET, FSI, L, LRI, NSM, ON, PDI, R, RLI, S, WS};
use super::explicit::Kept;
use super::tables;

const BRACKET_STACK: usize = 63;

/// Levels of the kept characters after all rules up to I2.
pub(super) fn resolve(
    text: &[u32],
    classes: &[Class],
    matching: &[Option<usize>],
    kept: &Kept,
    paragraph: u8,
) -> Vec<u8> {
    let mut levels = kept.level.clone();
    for positions in isolating_run_sequences(classes, matching, kept) {
        let Some(mut sequence) = Sequence::new(&positions, text, classes, matching, kept, paragraph) else {
            continue;
        };
        sequence.weak();
        sequence.brackets();
        sequence.neutral();
        for (&k, class) in positions.iter().zip(&sequence.class) {
            let odd = kept.level[k] % 2 == 1;
            levels[k] += match class {
                R if !odd => 1,
                AN | EN if !odd => 2,
                L | AN | EN if odd => 1,
                _ => 0,
            };
        }
    }
    levels
}

/// BD13: positions in `kept` of the characters of each sequence.
fn isolating_run_sequences(classes: &[Class], matching: &[Option<usize>], kept: &Kept) -> Vec<Vec<usize>> {
    let n = kept.index.len();
    let mut sequences: Vec<Vec<usize>> = Vec::new();
    // Sequence that waits for the PDI at this index of the text.
    let mut waiting = std::collections::HashMap::new();
    let mut start = 0;
    while start < n {
        let end = start + kept.level[start..].iter().take_while(|&&l| l == kept.level[start]).count();
        let first = kept.index[start];
        let target = waiting.remove(&first).unwrap_or_else(|| {
            sequences.push(Vec::new());
            sequences.len() - 1
        });
        sequences[target].extend(start..end);
        let last = kept.index[end - 1];
        if classes[last].is_isolate_initiator()
            && let Some(pdi) = matching[last]
        {
            waiting.insert(pdi, target);
        }
        start = end;
    }
    sequences
}

/// One isolating run sequence.
struct Sequence {
    code: Vec<u32>,
    /// Class before W1, for the marks that follow brackets.
    original: Vec<Class>,
    class: Vec<Class>,
    /// Direction of the embedding, L or R.
    embedding: Class,
    sos: Class,
    eos: Class,
}

fn direction(level: u8) -> Class {
    if level % 2 == 1 { R } else { L }
}

fn is_neutral(class: Class) -> bool {
    matches!(class, B | S | WS | ON | FSI | LRI | RLI | PDI)
}

/// Direction that a resolved class counts as in N0–N2.
fn strong(class: Class) -> Option<Class> {
    match class {
        L => Some(L),
        R | EN | AN => Some(R),
        _ => None,
    }
}

impl Sequence {
    /// X10: collects the characters and finds the types at both ends.
    fn new(
        positions: &[usize],
        text: &[u32],
        classes: &[Class],
        matching: &[Option<usize>],
        kept: &Kept,
        paragraph: u8,
    ) -> Option<Self> {
        let (&first, &last) = (positions.first()?, positions.last()?);
        let level = kept.level[first];
        let before = first.checked_sub(1).map_or(paragraph, |k| kept.level[k]);
        let last_index = kept.index[last];
        let unmatched = classes[last_index].is_isolate_initiator() && matching[last_index].is_none();
        let after = match kept.level.get(last + 1) {
            Some(&l) if !unmatched => l,
            _ => paragraph,
        };
        let class: Vec<Class> = positions.iter().map(|&k| kept.class[k]).collect();
        Some(Self {
            code: positions.iter().map(|&k| text[kept.index[k]]).collect(),
            original: class.clone(),
            class,
            embedding: direction(level),
            sos: direction(level.max(before)),
            eos: direction(level.max(after)),
        })
    }

    fn weak(&mut self) {
        self.weak_marks_and_letters();
        self.weak_separators();
        self.weak_terminators();
        // W7, after W6 has turned left-over separators and terminators into ON.
        let mut last_strong = self.sos;
        for class in &mut self.class {
            match *class {
                ES | ET | CS => *class = ON,
                L | R => last_strong = *class,
                EN if last_strong == L => *class = L,
                _ => {}
            }
        }
    }

    /// W1–W3.
    fn weak_marks_and_letters(&mut self) {
        let mut previous = self.sos;
        for class in &mut self.class {
            if *class == NSM {
                *class = if matches!(previous, LRI | RLI | FSI | PDI) { ON } else { previous };
            }
            previous = *class;
        }
        let mut last_strong = self.sos;
        for class in &mut self.class {
            match *class {
                L | R | AL => last_strong = *class,
                EN if last_strong == AL => *class = AN,
                _ => {}
            }
        }
        for class in &mut self.class {
            if *class == AL {
                *class = R;
            }
        }
    }

    /// W4.
    fn weak_separators(&mut self) {
        for i in 1..self.class.len().saturating_sub(1) {
            let (previous, next) = (self.class[i - 1], self.class[i + 1]);
            match (self.class[i], previous, next) {
                (ES | CS, EN, EN) => self.class[i] = EN,
                (CS, AN, AN) => self.class[i] = AN,
                _ => {}
            }
        }
    }

    /// W5.
    fn weak_terminators(&mut self) {
        let n = self.class.len();
        let mut i = 0;
        while i < n {
            let end = i + self.class[i..].iter().take_while(|&&c| c == ET).count();
            let after_number = i > 0 && self.class[i - 1] == EN;
            let before_number = end < n && self.class[end] == EN;
            if after_number || before_number {
                self.class[i..end].fill(EN);
            }
            i = end + 1;
        }
    }

    /// BD16: pairs of brackets, by position of the opening one.
    fn bracket_pairs(&self) -> Vec<(usize, usize)> {
        let mut stack: Vec<(u32, usize)> = Vec::new();
        let mut pairs = Vec::new();
        for (i, &code) in self.code.iter().enumerate() {
            if self.class[i] != ON {
                continue;
            }
            match bracket(code) {
                Some(Bracket::Open(closing)) => {
                    if stack.len() == BRACKET_STACK {
                        break;
                    }
                    stack.push((closing, i));
                }
                Some(Bracket::Close(closing)) => {
                    if let Some(k) = stack.iter().rposition(|&(c, _)| c == closing) {
                        pairs.push((stack[k].1, i));
                        stack.truncate(k);
                    }
                }
                None => {}
            }
        }
        pairs.sort_unstable();
        pairs
    }

    /// N0.
    fn brackets(&mut self) {
        let mut preceding = Preceding { next: 0, strong: self.sos };
        for (open, close) in self.bracket_pairs() {
            let context = preceding.advance(&self.class, open);
            let mut opposite = false;
            let mut same = false;
            for class in &self.class[open + 1..close] {
                match strong(*class) {
                    Some(d) if d == self.embedding => same = true,
                    Some(_) => opposite = true,
                    None => {}
                }
                if same {
                    break;
                }
            }
            if same {
                self.set_bracket(open, self.embedding);
                self.set_bracket(close, self.embedding);
            } else if opposite {
                // Opposite context makes both opposite, any other context makes
                // both the embedding's direction: either way they follow it.
                self.set_bracket(open, context);
                self.set_bracket(close, context);
            }
        }
    }

    /// Sets a bracket and the combining marks right after it.
    fn set_bracket(&mut self, i: usize, class: Class) {
        self.class[i] = class;
        for k in i + 1..self.class.len() {
            if self.original[k] != NSM {
                break;
            }
            self.class[k] = class;
        }
    }

    /// N1 and N2.
    fn neutral(&mut self) {
        let n = self.class.len();
        let mut i = 0;
        let mut before = self.sos;
        while i < n {
            let end = i + self.class[i..].iter().take_while(|&&c| is_neutral(c)).count();
            let after = match self.class.get(end) {
                Some(&class) => strong(class).unwrap_or(self.embedding),
                None => self.eos,
            };
            let resolved = if before == after { before } else { self.embedding };
            self.class[i..end].fill(resolved);
            before = after;
            i = end + 1;
        }
    }
}

/// The last strong type before the opening brackets, which come in ascending
/// order, found in one pass. A bracket pair changes positions before the next
/// opening bracket only if they are its own opening bracket and marks (still
/// ahead of the scan) or closing ones, which lie inside the scanned part only
/// if they come before that bracket, and are then ahead of the scan as well.
struct Preceding {
    next: usize,
    strong: Class,
}

impl Preceding {
    fn advance(&mut self, classes: &[Class], until: usize) -> Class {
        for class in &classes[self.next..until] {
            if let Some(s) = strong(*class) {
                self.strong = s;
            }
        }
        self.next = until;
        self.strong
    }
}

enum Bracket {
    /// With the canonical form of the closing bracket that it needs.
    Open(u32),
    /// Its canonical form.
    Close(u32),
}

/// `Bidi_Paired_Bracket` with canonical equivalents folded (U+2329/232A are
/// U+3008/3009).
fn bracket(code: u32) -> Option<Bracket> {
    let canonical = match code {
        0x2329 => 0x3008,
        0x232A => 0x3009,
        other => other,
    };
    if let Ok(k) = tables::BRACKETS.binary_search_by_key(&canonical, |&(open, _)| open) {
        return Some(Bracket::Open(tables::BRACKETS[k].1));
    }
    tables::BRACKETS.iter().any(|&(_, close)| close == canonical).then_some(Bracket::Close(canonical))
}
