//! Skeletons one pixel wide.

use super::{check_size, set_pixels};
use crate::Result;

/// Neighbours in the order of Zhang and Suen's P2…P9: up, then clockwise.
pub(crate) const AROUND: [[i32; 2]; 8] =
    [[0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]];

const FIRST: u8 = 1;
const SECOND: u8 = 2;
const CORNER: u8 = 4;

/// What the pattern of neighbours allows: deletion in the first or second half
/// of a pass, or as a redundant corner afterwards.
const RULES: [u8; 256] = rules();

const fn rules() -> [u8; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let [n, e, s, w] = [code & 1, (code >> 2) & 1, (code >> 4) & 1, (code >> 6) & 1];
        let (mut count, mut rises, mut components) = (0, 0, 0);
        let mut k = 0;
        while k < 8 {
            let (a, b, c) = (code >> k & 1, code >> ((k + 1) % 8) & 1, code >> ((k + 2) % 8) & 1);
            count += a;
            rises += (1 - a) * b;
            if k % 2 == 0 {
                components += (1 - a) - (1 - a) * (1 - b) * (1 - c);
            }
            k += 1;
        }
        if count >= 2 && count <= 6 && rises == 1 {
            if n * e * s == 0 && e * s * w == 0 {
                table[code] |= FIRST;
            }
            if n * e * w == 0 && n * s * w == 0 {
                table[code] |= SECOND;
            }
        }
        if count >= 2 && components == 1 {
            table[code] |= CORNER;
        }
        code += 1;
    }
    table
}

/// Bits of a pixel: it is set; it is in the queue.
const SET: u8 = 1;
const QUEUED: u8 = 2;

/// An image with a frame of background, so that neighbours always exist.
struct Framed {
    data: Vec<u8>,
    stride: usize,
    around: [isize; 8],
}

impl Framed {
    fn new(mask: &[u8], width: usize, height: usize) -> Self {
        let stride = width + 2;
        let mut data = vec![0; stride * (height + 2)];
        for y in 0..height {
            let inner = &mut data[(y + 1) * stride + 1..][..width];
            for (d, &m) in inner.iter_mut().zip(&mask[y * width..]) {
                *d = u8::from(m != 0) * SET;
            }
        }
        let around = AROUND.map(|[dx, dy]| dy as isize * stride as isize + dx as isize);
        Self { data, stride, around }
    }

    /// Bit k is set if neighbour k is.
    fn pattern(&self, at: u32) -> usize {
        let corner = at as usize - self.stride - 1;
        let row = |k: usize| -> [u8; 3] {
            self.data[corner + k * self.stride..].first_chunk().copied().unwrap_or_default()
        };
        let ([nw, n, ne], [w, _, e], [sw, s, se]) = (row(0), row(1), row(2));
        let around = [n, ne, e, se, s, sw, w, nw];
        around.iter().enumerate().fold(0, |code, (k, v)| code | usize::from(v & SET) << k)
    }

    /// Adds the set neighbours of `of` to `queue` unless they are in it.
    fn queue_neighbours(&mut self, of: &[u32], queue: &mut Vec<u32>) {
        for &i in of {
            for step in self.around {
                let j = (i as isize + step) as u32;
                let pixel = &mut self.data[j as usize];
                if *pixel == SET {
                    *pixel |= QUEUED;
                    queue.push(j);
                }
            }
        }
    }

    /// Forgets which pixels are in the queue.
    fn unmark(&mut self, queue: &[u32]) {
        for &i in queue {
            self.data[i as usize] &= SET;
        }
    }
}

/// Thins the non-zero pixels of `mask` to 8-connected lines one pixel wide;
/// the result is 1 on the skeleton.
///
/// Zhang & Suen, "A fast parallel algorithm for thinning digital patterns"
/// (1984), with a queue: only pixels whose neighbourhood has changed are
/// looked at again, so the cost is linear in the pixels deleted. The method
/// leaves corners of staircases; a last sweep in raster order deletes every
/// pixel that neither ends a line nor holds its neighbours together.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn thin(mask: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
    check_size("mask", mask.len(), width, height)?;
    check_size("mask", (width + 2) * (height + 2), width + 2, height + 2)?;
    let mut image = Framed::new(mask, width, height);
    let mut queue: Vec<u32> = set_pixels(&image.data).filter(|&i| image.pattern(i) != 255).collect();
    let mut changed = Vec::new();
    while !queue.is_empty() {
        changed.clear();
        for half in [FIRST, SECOND] {
            let known = changed.len();
            queue.retain(|&i| {
                let goes = RULES[image.pattern(i)] & half != 0;
                if goes {
                    changed.push(i);
                }
                !goes
            });
            for &i in &changed[known..] {
                image.data[i as usize] = 0;
            }
            // The second half looks at what was left and at what it uncovered.
            if half == FIRST {
                for &i in &queue {
                    image.data[i as usize] |= QUEUED;
                }
                image.queue_neighbours(&changed, &mut queue);
                image.unmark(&queue);
            }
        }
        queue.clear();
        image.queue_neighbours(&changed, &mut queue);
        image.unmark(&queue);
    }
    let left: Vec<u32> = set_pixels(&image.data).collect();
    for i in left {
        if RULES[image.pattern(i)] & CORNER != 0 {
            image.data[i as usize] = 0;
        }
    }
    let mut skeleton = Vec::with_capacity(mask.len());
    for y in 0..height {
        skeleton.extend_from_slice(&image.data[(y + 1) * image.stride + 1..][..width]);
    }
    Ok(skeleton)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_becomes_a_line() {
        let (w, h) = (40, 9);
        let mask: Vec<u8> =
            (0..w * h).map(|i| u8::from((2..7).contains(&(i / w)) && (3..37).contains(&(i % w)))).collect();
        let skeleton = thin(&mask, w, h).unwrap_or_default();
        let rows: Vec<usize> = (0..w * h).filter(|&i| skeleton[i] != 0).map(|i| i / w).collect();
        assert!(rows.len() > 25 && rows.iter().all(|&y| y == 4));
    }

    #[test]
    fn empty_and_wrong_sizes() {
        assert_eq!(thin(&[], 0, 5), Ok(vec![]));
        assert_eq!(thin(&[1], 1, 1), Ok(vec![1]));
        assert!(thin(&[1, 1], 1, 1).is_err());
    }
}
