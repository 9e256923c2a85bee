//! The first layers of a network for grey lines: a convolution of one channel, activated and pooled by
//! 2×2, without a trace of the full-size image, which would be the largest array of the network.

use pulp::{Arch, Simd, WithSimd};

use super::{DEAD, LANES, check_channels, check_len, finish};
use crate::{Error, Result, par};

/// Side of the pooling window.
const POOL: usize = 2;
/// Columns of output that are summed at once, in two rows.
const COLUMNS: usize = 4;
/// Pooled columns whose gradients are collected at once; they stay in the fastest cache.
const BLOCK: usize = 128;
/// Pooled rows whose gradients are summed before they are added to the total.
const ROWS: usize = 4;

/// Size of the images and the kernel.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of images.
    pub count: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Channels of the output.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: (usize, usize),
}

impl Shape {
    fn check(&self) -> Result<()> {
        check_channels("shape", self.channels)?;
        let (rows, columns) = self.kernel;
        if !matches!(rows, 1 | 3 | 5) || columns.is_multiple_of(2) || columns > LANES {
            return Err(Error::range(
                "kernel",
                format!(
                    "{rows}×{columns}: needed are 1, 3 or 5 rows and an odd number of columns up to {LANES}"
                ),
            ));
        }
        Ok(())
    }

    fn low(&self) -> (usize, usize) {
        (self.height / POOL, self.width / POOL)
    }

    /// The rows that a pooled row depends on, with zeros around.
    fn window(&self, x: &[f32], image: usize, y: usize, out: &mut [f32]) {
        let row = out.len() / (self.kernel.0 + 1);
        out.fill(0.0);
        for (k, out) in out.chunks_exact_mut(row).enumerate() {
            let Some(y) = (POOL * y + k).checked_sub(self.kernel.0 / 2).filter(|&y| y < self.height) else {
                continue;
            };
            let line = &x[(image * self.height + y) * self.width..][..self.width];
            out[self.kernel.1 / 2..][..self.width].copy_from_slice(line);
        }
    }

    /// Length of a row with zeros around, read by vectors.
    fn padded(&self) -> usize {
        self.width + self.kernel.1 + LANES + 2 * COLUMNS
    }
}

/// Convolves, activates (`ReLU`), pools and scales.
///
/// Args: images N×H×W, weights (rows × columns × channels) of the kernel, one bias and, per image, one
/// factor per channel; `out` and `state` are N×(H/2)×(W/2)×channels.
///
/// # Errors
/// The arrays don't fit the shape, or the kernel isn't one that is supported.
#[allow(clippy::too_many_arguments, reason = "the arrays of a layer")]
pub fn forward(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    scale: &[f32],
    shape: Shape,
    threads: usize,
    out: &mut [f32],
    state: &mut [u8],
) -> Result<()> {
    shape.check()?;
    let (height, width) = shape.low();
    let channels = shape.channels;
    check_len("images", x.len(), &[shape.count, shape.height, shape.width])?;
    check_len("weight", weight.len(), &[shape.kernel.0, shape.kernel.1, channels])?;
    check_len("bias", bias.len(), &[channels])?;
    check_len("scale", scale.len(), &[shape.count, channels])?;
    check_len("out", out.len(), &[shape.count, height, width, channels])?;
    check_len("state", state.len(), &[shape.count, height, width, channels])?;
    if out.is_empty() {
        return Ok(());
    }
    let line = width * channels;
    par::for_paired_row_bands(out, state, line, threads, |first, out, state| {
        let mut window = vec![0.0; shape.padded() * (shape.kernel.0 + 1)];
        for (y, (out, state)) in out.chunks_exact_mut(line).zip(state.chunks_exact_mut(line)).enumerate() {
            let (image, y) = ((first + y) / height, (first + y) % height);
            shape.window(x, image, y, &mut window);
            let scale = &scale[image * channels..][..channels];
            Arch::new().dispatch(Row { window: &window, weight, bias, scale, shape, out, state });
        }
    });
    Ok(())
}

/// One pooled row of the output.
struct Row<'a> {
    window: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    scale: &'a [f32],
    shape: Shape,
    out: &'a mut [f32],
    state: &'a mut [u8],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (c, vectors) = (self.shape.channels, self.shape.channels / S::F32_LANES);
        let (rows, columns) = self.shape.kernel;
        let padded = self.shape.padded();
        let (weight, _) = S::as_simd_f32s(self.weight);
        // sums of two rows of COLUMNS positions
        let mut sums = vec![0.0_f32; POOL * COLUMNS * c];
        let size = COLUMNS / POOL * c;
        for (block, (out, state)) in self.out.chunks_mut(size).zip(self.state.chunks_mut(size)).enumerate() {
            {
                let (stored, _) = S::as_mut_simd_f32s(&mut sums);
                for v in 0..vectors {
                    let mut sum = [[simd.splat_f32s(0.0); COLUMNS]; POOL];
                    for dy in 0..rows {
                        let upper = &self.window[dy * padded + block * COLUMNS..][..columns + COLUMNS];
                        let lower = &self.window[(dy + 1) * padded + block * COLUMNS..][..columns + COLUMNS];
                        for dx in 0..columns {
                            let w = weight[(dy * columns + dx) * vectors + v];
                            for j in 0..COLUMNS {
                                sum[0][j] = simd.mul_add_f32s(simd.splat_f32s(upper[dx + j]), w, sum[0][j]);
                                sum[1][j] = simd.mul_add_f32s(simd.splat_f32s(lower[dx + j]), w, sum[1][j]);
                            }
                        }
                    }
                    for (place, value) in sum.into_iter().flatten().enumerate() {
                        stored[place * vectors + v] = value;
                    }
                }
            }
            let (upper, lower) = sums.split_at(COLUMNS * c);
            for (x, (out, state)) in out.chunks_exact_mut(c).zip(state.chunks_exact_mut(c)).enumerate() {
                let (a, b) = (&upper[2 * x * c..], &lower[2 * x * c..]);
                let window = [&a[..c], &a[c..2 * c], &b[..c], &b[c..2 * c]];
                finish(&window, self.bias, self.scale, out, state);
            }
        }
    }
}

/// Gradients of the weights (channels × rows × columns) and biases, of the gradient of the output.
///
/// After pooling, only one of four positions has a gradient: only these are visited.
///
/// # Errors
/// The arrays don't fit the shape, or the kernel isn't one that is supported.
pub fn backward(
    x: &[f32],
    gradient: &[f32],
    state: &[u8],
    scale: &[f32],
    shape: Shape,
    threads: usize,
) -> Result<(Vec<f32>, Vec<f32>)> {
    shape.check()?;
    let (height, width) = shape.low();
    let (channels, (rows, columns)) = (shape.channels, shape.kernel);
    check_len("images", x.len(), &[shape.count, shape.height, shape.width])?;
    check_len("gradient", gradient.len(), &[shape.count, height, width, channels])?;
    check_len("state", state.len(), &[shape.count, height, width, channels])?;
    check_len("scale", scale.len(), &[shape.count, channels])?;
    let line = width * channels;
    let lines = shape.count * height;
    // strips don't depend on the number of threads, so sums don't either
    let parts = par::map_indices(lines.div_ceil(ROWS), threads, |strip| {
        let mut sums = Sums { weight: vec![0.0; channels * rows * LANES], bias: vec![0.0; channels] };
        let mut window = vec![0.0; shape.padded() * (rows + 1)];
        for y in strip * ROWS..((strip + 1) * ROWS).min(lines) {
            let (image, low) = (y / height, y % height);
            shape.window(x, image, low, &mut window);
            let row = GradientRow {
                window: &window,
                padded: shape.padded(),
                gradient: &gradient[y * line..][..line],
                state: &state[y * line..][..line],
                scale: &scale[image * channels..][..channels],
                sums: &mut sums,
            };
            match rows {
                1 => Arch::new().dispatch(Rows::<1>(row)),
                3 => Arch::new().dispatch(Rows::<3>(row)),
                _ => Arch::new().dispatch(Rows::<5>(row)),
            }
        }
        sums
    });
    let mut weight = vec![0.0; channels * rows * columns];
    let mut bias = vec![0.0; channels];
    for part in &parts {
        for (total, part) in weight.chunks_exact_mut(columns).zip(part.weight.chunks_exact(LANES)) {
            for (sum, value) in total.iter_mut().zip(part) {
                *sum += value;
            }
        }
        for (sum, value) in bias.iter_mut().zip(&part.bias) {
            *sum += value;
        }
    }
    Ok((weight, bias))
}

/// Gradients of a strip: LANES columns per row of each kernel, of which the last ones aren't used.
struct Sums {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct GradientRow<'a> {
    window: &'a [f32],
    padded: usize,
    gradient: &'a [f32],
    state: &'a [u8],
    scale: &'a [f32],
    sums: &'a mut Sums,
}

/// A row of gradients for a kernel of a number of rows.
struct Rows<'a, const N: usize>(GradientRow<'a>);

impl<const N: usize> WithSimd for Rows<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let GradientRow { window, padded, gradient, state, scale, sums } = self.0;
        let channels = scale.len();
        let size = BLOCK * channels;
        let mut active = vec![0.0_f32; size];
        let mut lists = [[(0.0_f32, 0_usize); BLOCK]; POOL * POOL + 1];
        for (block, (gradient, state)) in gradient.chunks(size).zip(state.chunks(size)).enumerate() {
            for ((active, gradient), state) in active
                .chunks_exact_mut(channels)
                .zip(gradient.chunks_exact(channels))
                .zip(state.chunks_exact(channels))
            {
                for i in 0..channels {
                    active[i] = if state[i] < DEAD { gradient[i] * scale[i] } else { 0.0 };
                    sums.bias[i] += active[i];
                }
            }
            let pixels = gradient.len() / channels;
            for channel in 0..channels {
                // maxima by their position in the pooling window; what is dead isn't looked at again
                let mut counts = [0_usize; POOL * POOL + 1];
                let mut place = channel;
                for x in 0..pixels {
                    let at = usize::from(state[place].min(DEAD));
                    lists[at][counts[at]] = (active[place], POOL * x);
                    counts[at] += 1;
                    place += channels;
                }
                let (stored, _) = S::as_mut_simd_f32s(&mut sums.weight[channel * N * LANES..][..N * LANES]);
                for (at, (list, &count)) in lists.iter().zip(&counts).take(POOL * POOL).enumerate() {
                    let start = at / POOL * padded + POOL * block * BLOCK + at % POOL;
                    let rows: [&[f32]; N] = std::array::from_fn(|dy| {
                        &window[start + dy * padded..][..POOL * BLOCK.min(pixels) + LANES]
                    });
                    add_patches::<S, N>(simd, rows, &list[..count], stored);
                }
            }
        }
    }
}

/// Adds patches of N rows, LANES columns each, times values; `list` holds values and first columns.
#[inline(always)]
fn add_patches<S: Simd, const N: usize>(
    simd: S,
    rows: [&[f32]; N],
    list: &[(f32, usize)],
    stored: &mut [S::f32s],
) {
    // LANES columns are one vector of the widest machines, two of others
    let parts = LANES / S::F32_LANES;
    for part in 0..parts {
        let rows: [&[f32]; N] = std::array::from_fn(|dy| &rows[dy][part * S::F32_LANES..]);
        let mut sum: [S::f32s; N] = std::array::from_fn(|dy| stored[dy * parts + part]);
        for &(value, start) in list {
            let value = simd.splat_f32s(value);
            for dy in 0..N {
                let (columns, _) = S::as_simd_f32s(&rows[dy][start..][..S::F32_LANES]);
                sum[dy] = simd.mul_add_f32s(value, columns[0], sum[dy]);
            }
        }
        for dy in 0..N {
            stored[dy * parts + part] = sum[dy];
        }
    }
}
