//! Rules P2–P3 and X1–X9: paragraph direction and explicit levels.

use super::Class;

const MAX_DEPTH: u8 = 125;

/// For every isolate initiator the index of its matching PDI and the reverse
/// (BD9); `None` where there is no match.
pub(super) fn matching_isolates(classes: &[Class]) -> Vec<Option<usize>> {
    let mut matching = vec![None; classes.len()];
    let mut open = Vec::new();
    for (i, class) in classes.iter().enumerate() {
        if class.is_isolate_initiator() {
            open.push(i);
        } else if *class == Class::PDI
            && let Some(start) = open.pop()
        {
            matching[start] = Some(i);
            matching[i] = Some(start);
        }
    }
    matching
}

/// P2 and P3 on `classes[start..end]`: whether the first strong character
/// outside of isolates is right-to-left.
pub(super) fn first_strong_is_rtl(
    classes: &[Class],
    matching: &[Option<usize>],
    start: usize,
    end: usize,
) -> bool {
    let mut i = start;
    while i < end {
        if classes[i].is_strong() {
            return classes[i] != Class::L;
        }
        i = match matching[i] {
            _ if !classes[i].is_isolate_initiator() => i + 1,
            Some(pdi) => pdi,
            None => end,
        };
    }
    false
}

/// The characters that X9 leaves.
pub(super) struct Kept {
    /// Index in the text.
    pub index: Vec<usize>,
    /// Explicit embedding level.
    pub level: Vec<u8>,
    /// Class after overrides; FSI is replaced by LRI or RLI.
    pub class: Vec<Class>,
}

/// An entry of the directional status stack (BD16).
#[derive(Clone, Copy)]
struct Status {
    level: u8,
    forced: Option<Class>,
    isolate: bool,
}

/// State of X1–X8 while the text is read.
struct Machine {
    stack: Vec<Status>,
    /// Always the top of the stack; the bottom entry is never popped.
    top: Status,
    overflow_isolates: usize,
    overflow_embeddings: usize,
    valid_isolates: usize,
}

impl Machine {
    fn new(paragraph: u8) -> Self {
        let top = Status { level: paragraph, forced: None, isolate: false };
        Self { stack: Vec::new(), top, overflow_isolates: 0, overflow_embeddings: 0, valid_isolates: 0 }
    }

    fn next_level(&self, rtl: bool) -> Option<u8> {
        let level = if rtl { (self.top.level + 1) | 1 } else { (self.top.level + 2) & !1 };
        (level <= MAX_DEPTH && self.overflow_isolates == 0 && self.overflow_embeddings == 0).then_some(level)
    }

    fn push(&mut self, status: Status) {
        self.stack.push(self.top);
        self.top = status;
    }

    fn pop(&mut self) {
        if let Some(below) = self.stack.pop() {
            self.top = below;
        }
    }

    /// X2–X5.
    fn embed(&mut self, rtl: bool, forced: Option<Class>) {
        if let Some(level) = self.next_level(rtl) {
            self.push(Status { level, forced, isolate: false });
        } else if self.overflow_isolates == 0 {
            self.overflow_embeddings += 1;
        }
    }

    /// X5a–X5c.
    fn isolate(&mut self, rtl: bool) {
        if let Some(level) = self.next_level(rtl) {
            self.valid_isolates += 1;
            self.push(Status { level, forced: None, isolate: true });
        } else {
            self.overflow_isolates += 1;
        }
    }

    /// X6a.
    fn end_isolate(&mut self) {
        if self.overflow_isolates > 0 {
            self.overflow_isolates -= 1;
        } else if self.valid_isolates > 0 {
            self.overflow_embeddings = 0;
            while !self.top.isolate && !self.stack.is_empty() {
                self.pop();
            }
            self.pop();
            self.valid_isolates -= 1;
        }
    }

    /// X7.
    fn end_embedding(&mut self) {
        if self.overflow_isolates > 0 {
            return;
        }
        if self.overflow_embeddings > 0 {
            self.overflow_embeddings -= 1;
        } else if !self.top.isolate {
            self.pop();
        }
    }
}

/// X1–X9. A paragraph separator gets the paragraph's level but, since the
/// text is one paragraph, doesn't reset the state.
pub(super) fn resolve(classes: &[Class], matching: &[Option<usize>], paragraph: u8) -> Kept {
    let mut machine = Machine::new(paragraph);
    let mut kept = Kept { index: Vec::new(), level: Vec::new(), class: Vec::new() };
    for (i, &class) in classes.iter().enumerate() {
        match class {
            Class::LRE => machine.embed(false, None),
            Class::RLE => machine.embed(true, None),
            Class::LRO => machine.embed(false, Some(Class::L)),
            Class::RLO => machine.embed(true, Some(Class::R)),
            Class::PDF => machine.end_embedding(),
            _ => {}
        }
        if class.is_removed() {
            continue;
        }
        if class == Class::PDI {
            machine.end_isolate();
        }
        let is_initiator = class.is_isolate_initiator();
        let rtl = match class {
            Class::FSI => first_strong_is_rtl(classes, matching, i + 1, matching[i].unwrap_or(classes.len())),
            _ => class == Class::RLI,
        };
        let plain = match class {
            Class::FSI if rtl => Class::RLI,
            Class::FSI => Class::LRI,
            other => other,
        };
        let (level, class) = match class {
            Class::B => (paragraph, plain),
            _ => (machine.top.level, machine.top.forced.unwrap_or(plain)),
        };
        kept.index.push(i);
        kept.level.push(level);
        kept.class.push(class);
        if is_initiator {
            machine.isolate(rtl);
        }
    }
    kept
}
