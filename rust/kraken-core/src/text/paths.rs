//! Paths of a labelling through the output of a CTC network.
//!
//! `columns` holds log-probabilities, one column of `classes` values after the
//! other; `classes` is above 0.

use super::ctc::BLANK;

/// Natural logarithm of the sum of two probabilities given as logarithms.
pub(super) fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    // Below this the smaller one is lost in rounding; this also holds for two zeros.
    if low < high - 40.0 || low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// The labelling of the path that takes the most probable label of every column.
pub(super) fn best_path(columns: &[f64], classes: usize) -> Vec<usize> {
    let mut labels = Vec::new();
    let mut previous = BLANK;
    for column in columns.chunks_exact(classes) {
        let top = (1..classes).fold(BLANK, |best, c| if column[c] > column[best] { c } else { best });
        if top != BLANK && top != previous {
            labels.push(top);
        }
        previous = top;
    }
    labels
}

/// The states that matter before column `t` of `width`: those that a path can
/// have reached by then, and that can still reach the end.
fn reachable(states: usize, t: usize, width: usize) -> std::ops::Range<usize> {
    let left = 2 * (width - t);
    states.saturating_sub(left + 1)..states.min(2 * t + 2)
}

/// Log-probability of a labelling, summed over all of its paths (the forward
/// variables of Graves et al., 2006).
pub(super) fn log_probability(labels: &[usize], columns: &[f64], classes: usize) -> f64 {
    let states = 2 * labels.len() + 1;
    let mut score = vec![f64::NEG_INFINITY; states];
    // Before the first column: from here a path stays or goes on to state 1.
    score[0] = 0.0;
    let width = columns.len() / classes;
    for (t, column) in columns.chunks_exact(classes).enumerate() {
        for s in reachable(states, t, width).rev() {
            let mut total = score[s];
            if s >= 1 {
                total = log_add(total, score[s - 1]);
            }
            if s >= 3 && s % 2 == 1 && labels[s / 2] != labels[s / 2 - 1] {
                total = log_add(total, score[s - 2]);
            }
            score[s] = total + column[if s % 2 == 1 { labels[s / 2] } else { BLANK }];
        }
    }
    match states {
        1 => score[0],
        _ => log_add(score[states - 1], score[states - 2]),
    }
}

/// The most probable path of a labelling: first and last column of every symbol.
///
/// Viterbi over the labels with optional blanks between them; a blank is
/// needed between equal neighbours. On ties a path stays where it is.
pub(super) fn viterbi(labels: &[usize], columns: &[f64], classes: usize) -> Vec<(usize, usize)> {
    let states = 2 * labels.len() + 1;
    let width = columns.len() / classes;
    let label_of = |s: usize| if s % 2 == 1 { labels[s / 2] } else { BLANK };
    let mut score = vec![f64::NEG_INFINITY; states];
    // Before the first column: from here a path stays or goes on to state 1.
    score[0] = 0.0;
    let mut back = vec![0_u8; states * width];
    for (t, column) in columns.chunks_exact(classes).enumerate() {
        for s in reachable(states, t, width).rev() {
            let mut best = (score[s], 0_u8);
            if s >= 1 && score[s - 1] > best.0 {
                best = (score[s - 1], 1);
            }
            if s >= 2 && s % 2 == 1 && label_of(s) != label_of(s - 2) && score[s - 2] > best.0 {
                best = (score[s - 2], 2);
            }
            score[s] = best.0 + column[label_of(s)];
            back[t * states + s] = best.1;
        }
    }
    let mut s = states - 1;
    if states > 1 && score[s - 1] >= score[s] {
        s -= 1;
    }
    let mut spans = vec![(usize::MAX, 0); labels.len()];
    for t in (0..width).rev() {
        if s % 2 == 1 {
            let span = &mut spans[s / 2];
            span.0 = t;
            span.1 = span.1.max(t);
        }
        s -= usize::from(back[t * states + s]);
    }
    spans
}
