//! Products of spectra over all tiles: the gradient of a kernel.

use pulp::{Arch, Simd, WithSimd};

use super::dft::TILE;
use super::{check_channels, check_len};
use crate::{Error, Result, par};

/// Pairs of numbers in the spectrum of a tile.
const PAIRS: usize = TILE / 2;
/// Tiles whose products are summed before the sums go back to memory.
const BLOCK: usize = 96;
/// Rows and vectors of sums that are held in registers.
const ROWS: usize = 4;
const VECTORS: usize = 2;

/// Size of two arrays of spectra, of a layer's input and of its output's gradient.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of images.
    pub count: usize,
    /// Rows of an image.
    pub height: usize,
    /// Tiles of a row.
    pub tiles: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Rows of the kernel, an odd number.
    pub rows: usize,
}

/// Per frequency and row of the kernel, the products of all output and input channels, summed over all tiles.
///
/// `out` is 32 × rows × 2·outputs × 2·inputs; pairs are real and imaginary parts.
///
/// # Errors
/// The arrays don't fit the shape.
pub fn sum_products(
    x: &[f32],
    gradient: &[f32],
    shape: Shape,
    threads: usize,
    out: &mut [f32],
) -> Result<()> {
    let Shape { count, height, tiles, inputs, outputs, rows } = shape;
    check_channels("inputs", inputs)?;
    check_channels("outputs", outputs)?;
    check_len("x", x.len(), &[count, height, tiles, TILE, inputs])?;
    check_len("gradient", gradient.len(), &[count, height, tiles, TILE, outputs])?;
    check_len("out", out.len(), &[PAIRS, rows, 2 * outputs, 2 * inputs])?;
    if rows.is_multiple_of(2) {
        return Err(Error::range("rows", format!("{rows} isn't odd")));
    }
    par::for_row_strips(out, rows * 4 * outputs * inputs, 1, threads, |pair, sums| {
        sums.fill(0.0);
        let mut blocks = Blocks { shape, pair, x: Vec::new(), gradient: Vec::new() };
        for image in 0..count {
            for start in (0..height * tiles).step_by(BLOCK) {
                blocks.sum(x, gradient, image, start, sums);
            }
        }
    });
    Ok(())
}

/// Copies of the numbers of one frequency, which in the arrays lie so that they would share cache lines.
struct Blocks {
    shape: Shape,
    pair: usize,
    x: Vec<f32>,
    gradient: Vec<f32>,
}

impl Blocks {
    /// Adds the products of a block of tiles.
    fn sum(&mut self, x: &[f32], gradient: &[f32], image: usize, start: usize, sums: &mut [f32]) {
        let Shape { height, tiles, inputs, outputs, rows, .. } = self.shape;
        let all = height * tiles;
        let end = (start + BLOCK).min(all);
        let halo = rows / 2 * tiles;
        let (low, high) = (start.saturating_sub(halo), (end + halo).min(all));
        collect(x, image * all, low..high, self.pair, inputs, &mut self.x);
        collect(gradient, image * all, start..end, self.pair, outputs, &mut self.gradient);
        for (row, sums) in sums.chunks_exact_mut(4 * outputs * inputs).enumerate() {
            // the kernel's row sees the image's row that is `row * tiles - halo` tiles further
            let first = (start + row * tiles).max(halo) - halo;
            let skipped = (first + halo) - (start + row * tiles);
            let last = (end + row * tiles).saturating_sub(halo).min(all);
            let length = last.saturating_sub(first);
            if length == 0 {
                continue;
            }
            Arch::new().dispatch(Sum {
                gradient: &self.gradient[skipped * 2 * outputs..][..length * 2 * outputs],
                x: &self.x[(first - low) * 2 * inputs..][..length * 2 * inputs],
                outputs: 2 * outputs,
                inputs: 2 * inputs,
                sums,
            });
        }
    }
}

/// One pair of numbers of all channels of some tiles.
fn collect(
    from: &[f32],
    image: usize,
    tiles: std::ops::Range<usize>,
    pair: usize,
    channels: usize,
    to: &mut Vec<f32>,
) {
    to.clear();
    for tile in tiles {
        let place = ((image + tile) * PAIRS + pair) * 2 * channels;
        to.extend_from_slice(&from[place..][..2 * channels]);
    }
}

/// Adds gradientᵀ · x.
struct Sum<'a> {
    gradient: &'a [f32],
    x: &'a [f32],
    outputs: usize,
    inputs: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (x, _) = S::as_simd_f32s(self.x);
        let (sums, _) = S::as_mut_simd_f32s(self.sums);
        let width = self.inputs / S::F32_LANES;
        // both are multiples of 32, and vectors hold 16 numbers at most
        for output in (0..self.outputs).step_by(ROWS) {
            for v in (0..width).step_by(VECTORS) {
                let mut block: [[S::f32s; VECTORS]; ROWS] =
                    std::array::from_fn(|r| std::array::from_fn(|k| sums[(output + r) * width + v + k]));
                for (x, gradient) in x.chunks_exact(width).zip(self.gradient.chunks_exact(self.outputs)) {
                    let (x, gradient) = (&x[v..v + VECTORS], &gradient[output..output + ROWS]);
                    for r in 0..ROWS {
                        let factor = simd.splat_f32s(gradient[r]);
                        for k in 0..VECTORS {
                            block[r][k] = simd.mul_add_f32s(factor, x[k], block[r][k]);
                        }
                    }
                }
                for (r, row) in block.iter().enumerate() {
                    sums[(output + r) * width + v..][..VECTORS].copy_from_slice(row);
                }
            }
        }
    }
}
