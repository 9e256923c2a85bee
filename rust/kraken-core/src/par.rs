//! Parallel loops. The only module that starts threads.
//!
//! Threads are scoped to one call: no pool survives it, so a process may fork
//! at any time (data-loader workers do) and calls from several Python threads
//! don't share state. Starting a thread costs some 20 µs, so work below about
//! a millisecond should pass `threads = 1`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Number of threads to use for a request: `0` means all that the machine offers.
pub fn resolve_threads(requested: usize) -> usize {
    if requested > 0 {
        return requested;
    }
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Applies `f` to `0..n` with up to `threads` threads (`0`: all of the
/// machine's) and returns the results in order. The results do not depend on
/// the number of threads.
pub fn map_indices<R, F>(n: usize, threads: usize, f: F) -> Vec<R>
where
    R: Send,
    F: Fn(usize) -> R + Sync,
{
    let threads = resolve_threads(threads).min(n);
    if threads <= 1 {
        return (0..n).map(f).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return done;
            }
            done.push((i, f(i)));
        }
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut all = worker();
        for helper in helpers {
            match helper.join() {
                Ok(part) => all.extend(part),
                Err(payload) => std::panic::resume_unwind(payload),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, r)| r).collect()
}

/// Runs `f(first_row, rows)` on bands of whole rows of a row-major buffer.
///
/// `width` is the length of a row; a last incomplete row is given to the last
/// band. Bands are disjoint, so `f` may write without locks.
pub fn for_row_bands<T, F>(data: &mut [T], width: usize, threads: usize, f: F)
where
    T: Send,
    F: Fn(usize, &mut [T]) + Sync,
{
    let threads = resolve_threads(threads);
    let rows = if width == 0 { 0 } else { data.len().div_ceil(width) };
    if threads <= 1 || rows < 2 {
        f(0, data);
        return;
    }
    let band = rows.div_ceil(threads);
    let f = &f;
    std::thread::scope(|scope| {
        for (k, chunk) in data.chunks_mut(band * width).enumerate() {
            scope.spawn(move || f(k * band, chunk));
        }
    });
}

/// Runs `f(first_row, rows, other_rows)` on bands of whole rows of two row-major buffers of the same
/// layout. Otherwise as [`for_row_bands`].
pub fn for_paired_row_bands<T, U, F>(data: &mut [T], other: &mut [U], width: usize, threads: usize, f: F)
where
    T: Send,
    U: Send,
    F: Fn(usize, &mut [T], &mut [U]) + Sync,
{
    let threads = resolve_threads(threads);
    let rows = if width == 0 { 0 } else { data.len().div_ceil(width) };
    if threads <= 1 || rows < 2 {
        f(0, data, other);
        return;
    }
    let band = rows.div_ceil(threads);
    let f = &f;
    std::thread::scope(|scope| {
        for (k, (chunk, partner)) in
            data.chunks_mut(band * width).zip(other.chunks_mut(band * width)).enumerate()
        {
            scope.spawn(move || f(k * band, chunk, partner));
        }
    });
}

/// Runs `f(first_row, rows)` on strips of `rows` whole rows of a row-major
/// buffer; whichever thread is free takes the next strip, so strips may differ
/// in cost. Otherwise as [`for_row_bands`].
pub fn for_row_strips<T, F>(data: &mut [T], width: usize, rows: usize, threads: usize, f: F)
where
    T: Send,
    F: Fn(usize, &mut [T]) + Sync,
{
    let (rows, strip) = (rows.max(1), rows.max(1) * width.max(1));
    let threads = resolve_threads(threads).min(data.len().div_ceil(strip));
    if threads <= 1 {
        for (k, chunk) in data.chunks_mut(strip).enumerate() {
            f(k * rows, chunk);
        }
        return;
    }
    let strips = Mutex::new(data.chunks_mut(strip).enumerate());
    let worker = || {
        loop {
            // Nothing panics while the lock is held, so it can't be poisoned.
            let next = strips.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((k, chunk)) = next else { return };
            f(k * rows, chunk);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_for_any_number_of_threads() {
        let expected: Vec<usize> = (0..100).map(|i| i * i).collect();
        for threads in [0, 1, 2, 7, 200] {
            assert_eq!(map_indices(100, threads, |i| i * i), expected);
        }
        assert!(map_indices(0, 4, |i| i).is_empty());
    }

    #[test]
    fn bands_cover_every_row_once() {
        let mut data = vec![0_usize; 7 * 5];
        for_row_bands(&mut data, 5, 3, |first, rows| {
            for (k, v) in rows.iter_mut().enumerate() {
                *v += first + k / 5 + 1;
            }
        });
        let expected: Vec<usize> = (0..35).map(|k| k / 5 + 1).collect();
        assert_eq!(data, expected);
    }

    #[test]
    fn paired_bands_are_of_the_same_rows() {
        for threads in [1, 2, 5, 30] {
            let (mut data, mut other) = (vec![0_usize; 7 * 5], vec![0_u8; 7 * 5]);
            for_paired_row_bands(&mut data, &mut other, 5, threads, |first, rows, partners| {
                for (k, (v, w)) in rows.iter_mut().zip(partners).enumerate() {
                    *v += first + k / 5 + 1;
                    *w += (first + k / 5 + 1) as u8;
                }
            });
            assert_eq!(data, (0..35).map(|k| k / 5 + 1).collect::<Vec<usize>>());
            assert_eq!(other, (0..35).map(|k| k / 5 + 1).collect::<Vec<u8>>());
        }
        for_paired_row_bands(&mut [0_u8; 0], &mut [0_u8; 0], 5, 2, |_, _, _| {});
    }

    #[test]
    fn strips_cover_every_row_once() {
        for (width, rows, threads) in [(5, 2, 1), (5, 2, 3), (5, 0, 2), (5, 100, 2), (0, 3, 2)] {
            let mut data = vec![0_usize; 7 * 5];
            for_row_strips(&mut data, width, rows, threads, |first, strip| {
                for (k, v) in strip.iter_mut().enumerate() {
                    *v += first * width.max(1) + k + 1;
                }
            });
            assert_eq!(data, (1..=35).collect::<Vec<usize>>());
        }
        for_row_strips(&mut [0_u8; 0], 5, 2, 2, |_, _| {});
    }
}
