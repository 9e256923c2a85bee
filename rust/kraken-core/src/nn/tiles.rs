//! Rows as spectra of overlapping tiles, and back (overlap-save; for gradients overlap-add).
//!
//! With a kernel of `kernel` columns, each tile of [`TILE`] columns yields
//! [`step`]`(kernel)` columns of output. A tile's spectrum is stored as [`TILE`] rows of
//! all channels, so that one frequency of all channels, real parts and then imaginary parts, is
//! contiguous: 64×C. The frequency 0 keeps that of the frequency 32 in place of an imaginary part.

use pulp::{Arch, Simd, WithSimd};

use super::dft::{Dft, TILE};
use super::{check_channels, check_len, check_pool, finish, pooled};
use crate::{Error, Result, par};

/// Columns of output of each tile: even, so that pooling windows don't cross tiles.
///
/// # Errors
/// The kernel is even or wider than half a tile.
pub fn step(kernel: usize) -> Result<usize> {
    if kernel.is_multiple_of(2) || kernel > TILE / 2 {
        return Err(Error::range("kernel", format!("{kernel} isn't odd and at most {}", TILE / 2)));
    }
    Ok((TILE + 1 - kernel) & !1)
}

/// Number of tiles of a row.
///
/// # Errors
/// See [`step`].
pub fn tiles(width: usize, kernel: usize) -> Result<usize> {
    Ok(width.div_ceil(step(kernel)?))
}

/// Size of the images before pooling, and the kernel's width.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of images.
    pub count: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Number of channels.
    pub channels: usize,
    /// Columns of the kernel.
    pub kernel: usize,
}

impl Shape {
    fn spectrum(&self) -> Result<[usize; 5]> {
        check_channels("shape", self.channels)?;
        Ok([self.count, self.height, tiles(self.width, self.kernel)?, TILE, self.channels])
    }

    fn row(&self) -> Result<usize> {
        Ok(tiles(self.width, self.kernel)? * TILE * self.channels)
    }
}

/// Spectra of the tiles of images.
///
/// # Errors
/// The arrays don't fit the shape.
pub fn analyse_images(x: &[f32], shape: Shape, threads: usize, out: &mut [f32]) -> Result<()> {
    let Shape { count, height, width, channels, kernel } = shape;
    check_len("images", x.len(), &[count, height, width, channels])?;
    check_len("out", out.len(), &shape.spectrum()?)?;
    if out.is_empty() {
        return Ok(());
    }
    let (step, row) = (step(kernel)?, shape.row()?);
    par::for_row_bands(out, row, threads, |first, band| {
        let mut tile = vec![0.0; TILE * channels];
        for (y, out) in band.chunks_exact_mut(row).enumerate() {
            let line = &x[(first + y) * width * channels..][..width * channels];
            for (t, spectrum) in out.chunks_exact_mut(TILE * channels).enumerate() {
                // columns of the tile that are on the image
                let (start, left) = (t * step, kernel / 2);
                let low = start.max(left) - left;
                let high = (start + TILE).saturating_sub(left).min(width);
                let skipped = (low + left - start) * channels;
                let used = high.saturating_sub(low) * channels;
                tile[..skipped].fill(0.0);
                tile[skipped + used..].fill(0.0);
                tile[skipped..skipped + used].copy_from_slice(&line[low * channels..][..used]);
                Arch::new().dispatch(Analysis { tile: &tile, spectrum, channels });
            }
        }
    });
    Ok(())
}

/// Spectra of the tiles of gradients, which are first taken back through pooling, dropout and activation.
///
/// `state` tells where the maxima were, `scale` (N×C) what channels were multiplied by.
///
/// # Errors
/// The arrays don't fit the shape.
pub fn analyse_gradients(
    gradient: &[f32],
    state: &[u8],
    scale: &[f32],
    shape: Shape,
    pool: usize,
    threads: usize,
    out: &mut [f32],
) -> Result<()> {
    check_pool(pool)?;
    let Shape { count, height, width, channels, kernel } = shape;
    let (low_height, low_width) = (pooled(height, pool), pooled(width, pool));
    check_len("gradient", gradient.len(), &[count, low_height, low_width, channels])?;
    check_len("state", state.len(), &[count, low_height, low_width, channels])?;
    check_len("scale", scale.len(), &[count, channels])?;
    check_len("out", out.len(), &shape.spectrum()?)?;
    if out.is_empty() {
        return Ok(());
    }
    let (step, row) = (step(kernel)?, shape.row()?);
    par::for_row_bands(out, row, threads, |first, band| {
        let mut tile = vec![0.0; TILE * channels];
        for (y, out) in band.chunks_exact_mut(row).enumerate() {
            let (image, y) = ((first + y) / height, (first + y) % height);
            if y / pool >= low_height {
                out.fill(0.0);
                continue;
            }
            let place = (image * low_height + y / pool) * low_width * channels;
            let line = Gradients {
                gradient: &gradient[place..][..low_width * channels],
                state: &state[place..][..low_width * channels],
                scale: &scale[image * channels..][..channels],
                upper: ((y % pool) * pool) as u8,
                pool,
            };
            for (t, spectrum) in out.chunks_exact_mut(TILE * channels).enumerate() {
                Arch::new().dispatch(Spread { line, start: t * step, step, tile: &mut tile });
                Arch::new().dispatch(Analysis { tile: &tile, spectrum, channels });
            }
        }
    });
    Ok(())
}

/// Images of spectra, with bias added, activated, pooled and scaled.
///
/// # Errors
/// The arrays don't fit the shape.
#[allow(clippy::too_many_arguments, reason = "the arrays of a layer")]
pub fn synthesise_images(
    spectra: &[f32],
    bias: &[f32],
    scale: &[f32],
    shape: Shape,
    pool: usize,
    threads: usize,
    out: &mut [f32],
    state: &mut [u8],
) -> Result<()> {
    check_pool(pool)?;
    let Shape { count, height, width, channels, kernel } = shape;
    let (low_height, low_width) = (pooled(height, pool), pooled(width, pool));
    check_len("spectra", spectra.len(), &shape.spectrum()?)?;
    check_len("bias", bias.len(), &[channels])?;
    check_len("scale", scale.len(), &[count, channels])?;
    check_len("out", out.len(), &[count, low_height, low_width, channels])?;
    check_len("state", state.len(), &[count, low_height, low_width, channels])?;
    if out.is_empty() {
        return Ok(());
    }
    let (step, row, line) = (step(kernel)?, shape.row()?, low_width * channels);
    par::for_paired_row_bands(out, state, line, threads, |first, out, state| {
        let mut tiles = vec![vec![0.0; TILE * channels]; pool];
        for (y, (out, state)) in out.chunks_exact_mut(line).zip(state.chunks_exact_mut(line)).enumerate() {
            let (image, y) = ((first + y) / low_height, (first + y) % low_height);
            let scale = &scale[image * channels..][..channels];
            let rows = &spectra[(image * height + y * pool) * row..][..pool * row];
            let size = step / pool * channels;
            for (t, (out, state)) in out.chunks_mut(size).zip(state.chunks_mut(size)).enumerate() {
                for (tile, spectra) in tiles.iter_mut().zip(rows.chunks_exact(row)) {
                    let spectrum = &spectra[t * TILE * channels..][..TILE * channels];
                    Arch::new().dispatch(Synthesis { spectrum, tile, channels });
                }
                Arch::new().dispatch(Finish { tiles: &tiles, bias, scale, out, state });
            }
        }
    });
    Ok(())
}

/// Gradient of the images that [`analyse_images`] took, of the gradient of their spectra.
///
/// # Errors
/// The arrays don't fit the shape.
pub fn synthesise_gradients(spectra: &[f32], shape: Shape, threads: usize, out: &mut [f32]) -> Result<()> {
    let Shape { count, height, width, channels, kernel } = shape;
    check_len("spectra", spectra.len(), &shape.spectrum()?)?;
    check_len("out", out.len(), &[count, height, width, channels])?;
    if out.is_empty() {
        return Ok(());
    }
    let (step, row) = (step(kernel)?, shape.row()?);
    par::for_row_bands(out, width * channels, threads, |first, band| {
        let mut tile = vec![0.0; TILE * channels];
        for (y, out) in band.chunks_exact_mut(width * channels).enumerate() {
            out.fill(0.0);
            let spectra = &spectra[(first + y) * row..][..row];
            for (t, spectrum) in spectra.chunks_exact(TILE * channels).enumerate() {
                Arch::new().dispatch(Synthesis { spectrum, tile: &mut tile, channels });
                let (start, left) = (t * step, kernel / 2);
                let low = start.max(left) - left;
                let high = (start + TILE).saturating_sub(left).min(width);
                let skipped = (low + left - start) * channels;
                let used = high.saturating_sub(low) * channels;
                let target = &mut out[low * channels..][..used];
                for (sum, value) in target.iter_mut().zip(&tile[skipped..]) {
                    *sum += value;
                }
            }
        }
    });
    Ok(())
}

/// Spectrum of a tile.
struct Analysis<'a> {
    tile: &'a [f32],
    spectrum: &'a mut [f32],
    channels: usize,
}

impl WithSimd for Analysis<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let dft = Dft::new(simd);
        let per_row = self.channels / S::F32_LANES;
        let (tile, _) = S::as_simd_f32s(self.tile);
        let (spectrum, _) = S::as_mut_simd_f32s(self.spectrum);
        for v in 0..per_row {
            let x = std::array::from_fn(|n| tile[n * per_row + v]);
            for (k, value) in dft.analyse(&x).into_iter().enumerate() {
                spectrum[k * per_row + v] = value;
            }
        }
    }
}

/// Tile of a spectrum.
struct Synthesis<'a> {
    spectrum: &'a [f32],
    tile: &'a mut [f32],
    channels: usize,
}

impl WithSimd for Synthesis<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let dft = Dft::new(simd);
        let per_row = self.channels / S::F32_LANES;
        let (spectrum, _) = S::as_simd_f32s(self.spectrum);
        let (tile, _) = S::as_mut_simd_f32s(self.tile);
        for v in 0..per_row {
            let f = std::array::from_fn(|k| spectrum[k * per_row + v]);
            for (n, value) in dft.synthesise(&f).into_iter().enumerate() {
                tile[n * per_row + v] = value;
            }
        }
    }
}

/// A row of gradients of pooled pixels, as one of the rows before pooling sees it.
#[derive(Clone, Copy)]
struct Gradients<'a> {
    gradient: &'a [f32],
    state: &'a [u8],
    scale: &'a [f32],
    /// State of a maximum in this row's first column.
    upper: u8,
    pool: usize,
}

/// Puts gradients where the maxima were.
struct Spread<'a> {
    line: Gradients<'a>,
    start: usize,
    step: usize,
    tile: &'a mut [f32],
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Gradients { gradient, state, scale, upper, pool } = self.line;
        let channels = scale.len();
        let (used, rest) = self.tile.split_at_mut(self.step * channels);
        rest.fill(0.0);
        for (j, out) in used.chunks_exact_mut(channels).enumerate() {
            let place = (self.start + j) / pool * channels;
            if place >= gradient.len() {
                out.fill(0.0);
                continue;
            }
            let wanted = upper + (j % pool) as u8;
            let (gradient, state) = (&gradient[place..][..channels], &state[place..][..channels]);
            for i in 0..channels {
                out[i] = if state[i] == wanted { gradient[i] * scale[i] } else { 0.0 };
            }
        }
    }
}

/// Activated and pooled pixels of a tile.
struct Finish<'a> {
    tiles: &'a [Vec<f32>],
    bias: &'a [f32],
    scale: &'a [f32],
    out: &'a mut [f32],
    state: &'a mut [u8],
}

impl WithSimd for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let c = self.bias.len();
        let pixels = self.out.chunks_exact_mut(c).zip(self.state.chunks_exact_mut(c)).enumerate();
        if let [upper, lower] = self.tiles {
            for (x, (out, state)) in pixels {
                let (a, b) = (&upper[2 * x * c..], &lower[2 * x * c..]);
                finish(&[&a[..c], &a[c..2 * c], &b[..c], &b[c..2 * c]], self.bias, self.scale, out, state);
            }
        } else if let [only] = self.tiles {
            for (x, (out, state)) in pixels {
                finish(&[&only[x * c..][..c]], self.bias, self.scale, out, state);
            }
        }
    }
}
