//! Tiles of Winograd's algorithm F(4×4, 3×3), into which images are transformed and back.
//!
//! After Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016). Tiles of 4×4 outputs
//! see 6×6 inputs, which overlap by two pixels; a tile becomes 36 numbers per channel. The matrices of the
//! transforms are sparse and separable: columns first, then rows, by additions and few products.
//!
//! An image is H×W×C with any number of channels, the transform of some of its rows of tiles
//! 36×rows×⌈W/4⌉×C, so that the products with a kernel are those of 36 matrices.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use super::check_len;
use crate::{Error, Result, par};

/// Rows and columns of outputs of a tile, and of what a tile is transformed to.
const OUT: usize = 4;
const SIDE: usize = 6;

/// Some rows of tiles of an image.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// Height of the image in pixels.
    pub height: usize,
    /// Width of the image in pixels.
    pub width: usize,
    /// Channels of the image.
    pub channels: usize,
    /// First row of tiles.
    pub first: usize,
    /// Number of rows of tiles.
    pub rows: usize,
}

impl Band {
    /// Tiles of a row.
    fn columns(&self) -> usize {
        self.width.div_ceil(OUT)
    }

    fn check(&self, image: usize, tiles: usize) -> Result<()> {
        check_len("image", image, &[self.height, self.width, self.channels])?;
        check_len("tiles", tiles, &[SIDE * SIDE, self.rows, self.columns(), self.channels])?;
        let all = self.height.div_ceil(OUT);
        if self.first.checked_add(self.rows).is_none_or(|end| end > all) {
            return Err(Error::range(
                "row",
                format!("{} rows of tiles from row {} on, but the image has {all}", self.rows, self.first),
            ));
        }
        Ok(())
    }

    /// The row of pixels that a tile row sees as its `i`-th one, if it is on the image.
    fn line<'a>(&self, image: &'a [f32], row: usize, i: usize, margin: usize) -> Option<&'a [f32]> {
        let y = (row * OUT + i).checked_sub(margin).filter(|&y| y < self.height)?;
        let line = self.width * self.channels;
        image.get(y * line..(y + 1) * line)
    }
}

/// Transforms inputs: Bᵀ d B of tiles of 6×6 pixels, with zeros around the image.
///
/// # Errors
/// The arrays don't fit the band.
pub fn analyse_inputs(image: &[f32], band: Band, threads: usize, out: &mut [f32]) -> Result<()> {
    analyse::<Inputs, SIDE>(image, band, threads, out)
}

/// Transforms gradients of outputs, the transpose of [`synthesise`] without bias: A g Aᵀ of tiles of 4×4
/// pixels, with zeros around the image.
///
/// # Errors
/// The arrays don't fit the band.
pub fn analyse_gradients(image: &[f32], band: Band, threads: usize, out: &mut [f32]) -> Result<()> {
    analyse::<Gradients, OUT>(image, band, threads, out)
}

/// Pixels of products: Aᵀ m A plus bias, cut at the image's borders.
///
/// Only the rows of the band are written. An empty bias stands for none.
///
/// # Errors
/// The arrays don't fit the band.
pub fn synthesise(
    products: &[f32],
    bias: &[f32],
    band: Band,
    threads: usize,
    image: &mut [f32],
) -> Result<()> {
    band.check(image.len(), products.len())?;
    if !bias.is_empty() {
        check_len("bias", bias.len(), &[band.channels])?;
    }
    if image.is_empty() {
        return Ok(());
    }
    let line = band.width * band.channels;
    let first = (band.first * OUT).min(band.height);
    let last = ((band.first + band.rows) * OUT).min(band.height);
    let image = &mut image[first * line..last * line];
    if image.is_empty() {
        return Ok(());
    }
    par::for_row_bands(image, OUT * line, threads, |first, rows| {
        for (y, pixels) in rows.chunks_mut(OUT * line).enumerate() {
            Arch::new().dispatch(Synthesis { products, bias, band, row: first + y, pixels });
        }
    });
    Ok(())
}

/// factor · x + sum.
#[inline(always)]
fn times<S: Simd>(simd: S, factor: f32, x: S::f32s, sum: S::f32s) -> S::f32s {
    simd.mul_add_f32s(simd.splat_f32s(factor), x, sum)
}

/// One of the transforms of N numbers to 6.
trait Transform<const N: usize>: Sync {
    /// Pixels by which a tile is further up and left than its outputs.
    const MARGIN: usize;

    fn apply<S: Simd>(simd: S, x: [S::f32s; N]) -> [S::f32s; SIDE];
}

/// Bᵀ.
struct Inputs;

impl Transform<SIDE> for Inputs {
    const MARGIN: usize = 1;

    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; SIDE]) -> [S::f32s; SIDE] {
        let (near, far) = (simd.sub_f32s(e, c), simd.sub_f32s(d, b));
        [
            times(simd, 4.0, a, times(simd, -5.0, c, e)),
            times(simd, -4.0, simd.add_f32s(b, c), simd.add_f32s(d, e)),
            times(simd, 4.0, simd.sub_f32s(b, c), simd.sub_f32s(e, d)),
            times(simd, 2.0, far, near),
            times(simd, -2.0, far, near),
            times(simd, 4.0, b, times(simd, -5.0, d, f)),
        ]
    }
}

/// A.
struct Gradients;

impl Transform<OUT> for Gradients {
    const MARGIN: usize = 0;

    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; OUT]) -> [S::f32s; SIDE] {
        let (even, odd) = (simd.add_f32s(a, c), simd.add_f32s(b, d));
        let (even_2, odd_2) = (times(simd, 4.0, c, a), times(simd, 4.0, d, b));
        [
            a,
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            times(simd, 2.0, odd_2, even_2),
            times(simd, -2.0, odd_2, even_2),
            d,
        ]
    }
}

/// Aᵀ, of 6 numbers to 4.
#[inline(always)]
fn outputs<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; SIDE]) -> [S::f32s; OUT] {
    let (sum, difference) = (simd.add_f32s(b, c), simd.sub_f32s(b, c));
    let (sum_2, difference_2) = (simd.add_f32s(d, e), simd.sub_f32s(d, e));
    [
        simd.add_f32s(a, simd.add_f32s(sum, sum_2)),
        times(simd, 2.0, difference_2, difference),
        times(simd, 4.0, sum_2, sum),
        times(simd, 8.0, difference_2, simd.add_f32s(difference, f)),
    ]
}

/// The `i`-th vector of some channels; beyond the last one there are zeros.
#[inline(always)]
fn load<S: Simd>(simd: S, (whole, rest): (&[S::f32s], &[f32]), i: usize) -> S::f32s {
    match whole.get(i) {
        Some(&vector) => vector,
        None => simd.partial_load_f32s(rest),
    }
}

#[inline(always)]
fn store<S: Simd>(simd: S, (whole, rest): &mut (&mut [S::f32s], &mut [f32]), i: usize, value: S::f32s) {
    match whole.get_mut(i) {
        Some(vector) => *vector = value,
        None => simd.partial_store_f32s(rest, value),
    }
}

/// Numbers of one row of tiles: for each of the 6×6 places of a tile all columns with all channels.
type Places<'a> = [[&'a mut [f32]; SIDE]; SIDE];

fn analyse<T: Transform<N>, const N: usize>(
    image: &[f32],
    band: Band,
    threads: usize,
    out: &mut [f32],
) -> Result<()> {
    band.check(image.len(), out.len())?;
    if out.is_empty() {
        return Ok(());
    }
    let row = band.columns() * band.channels;
    let mut places: Vec<_> =
        out.chunks_exact_mut(band.rows * row).map(|place| place.chunks_exact_mut(row)).collect();
    let mut rows: Vec<Places> = (0..band.rows)
        .map(|_| {
            let mut next = places.iter_mut().map(|place| place.next().unwrap_or_default());
            std::array::from_fn(|_| std::array::from_fn(|_| next.next().unwrap_or_default()))
        })
        .collect();
    par::for_row_bands(&mut rows, 1, threads, |first, rows| {
        let zeros = vec![0.0; band.channels];
        for (y, places) in rows.iter_mut().enumerate() {
            let row = band.first + first + y;
            let lines: [Option<&[f32]>; N] = std::array::from_fn(|i| band.line(image, row, i, T::MARGIN));
            Arch::new().dispatch(Analysis::<T, N> { lines, zeros: &zeros, places, transform: PhantomData });
        }
    });
    Ok(())
}

/// Transform of one row of tiles.
struct Analysis<'a, 'b, T, const N: usize> {
    /// The rows of pixels that the tiles see.
    lines: [Option<&'a [f32]>; N],
    /// A pixel beyond the image.
    zeros: &'a [f32],
    places: &'a mut Places<'b>,
    transform: PhantomData<T>,
}

impl<T: Transform<N>, const N: usize> WithSimd for Analysis<'_, '_, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Analysis { lines, zeros, places, .. } = self;
        let channels = zeros.len();
        let vectors = channels.div_ceil(S::F32_LANES);
        // columns of the tile after the transform down; neighbours share those that overlap
        let mut down = vec![simd.splat_f32s(0.0); N * SIDE * vectors];
        let mut done = 0;
        for tile in 0..places[0][0].len() / channels {
            let start = tile * OUT;
            for x in start.max(done)..start + N {
                let pixels: [_; N] = std::array::from_fn(|i| {
                    let found = match (lines[i], x.checked_sub(T::MARGIN)) {
                        (Some(line), Some(x)) => line.get(x * channels..(x + 1) * channels),
                        _ => None,
                    };
                    S::as_simd_f32s(found.unwrap_or(zeros))
                });
                let column = &mut down[x % N * SIDE * vectors..][..SIDE * vectors];
                for v in 0..vectors {
                    let values = T::apply(simd, std::array::from_fn(|i| load(simd, pixels[i], v)));
                    for (k, value) in values.into_iter().enumerate() {
                        column[k * vectors + v] = value;
                    }
                }
            }
            done = start + N;
            for (i, places) in places.iter_mut().enumerate() {
                let mut places = places
                    .each_mut()
                    .map(|place| S::as_mut_simd_f32s(&mut place[tile * channels..][..channels]));
                let row: [&[S::f32s]; N] =
                    std::array::from_fn(|j| &down[((start + j) % N * SIDE + i) * vectors..][..vectors]);
                #[allow(clippy::needless_range_loop, reason = "the vectors of all rows of the array")]
                for v in 0..vectors {
                    let values = T::apply(simd, std::array::from_fn(|j| row[j][v]));
                    for (place, value) in places.iter_mut().zip(values) {
                        store(simd, place, v, value);
                    }
                }
            }
        }
    }
}

/// Pixels of one row of tiles.
struct Synthesis<'a> {
    products: &'a [f32],
    bias: &'a [f32],
    band: Band,
    /// Row of tiles of the band.
    row: usize,
    /// Rows of the image, 4 or what is left of it.
    pixels: &'a mut [f32],
}

impl WithSimd for Synthesis<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Synthesis { products, bias, band, row, pixels } = self;
        let (channels, columns) = (band.channels, band.columns());
        let place = band.rows * columns * channels;
        let vectors = channels.div_ceil(S::F32_LANES);
        let zeros = vec![0.0; channels];
        let bias = S::as_simd_f32s(if bias.is_empty() { &zeros } else { bias });
        let mut down = vec![simd.splat_f32s(0.0); OUT * SIDE * vectors];
        for tile in 0..columns {
            let start = (row * columns + tile) * channels;
            for j in 0..SIDE {
                let column: [_; SIDE] = std::array::from_fn(|i| {
                    S::as_simd_f32s(&products[(i * SIDE + j) * place + start..][..channels])
                });
                for v in 0..vectors {
                    let values = outputs(simd, std::array::from_fn(|i| load(simd, column[i], v)));
                    for (r, value) in values.into_iter().enumerate() {
                        down[(r * SIDE + j) * vectors + v] = value;
                    }
                }
            }
            let lines = pixels.chunks_exact_mut(band.width * channels);
            for (line, values) in lines.zip(down.chunks_exact(SIDE * vectors)) {
                let mut line = line[tile * OUT * channels..].chunks_exact_mut(channels);
                // pixels beyond the image are empty, nothing is stored there
                let mut targets: [_; OUT] =
                    std::array::from_fn(|_| S::as_mut_simd_f32s(line.next().unwrap_or_default()));
                for v in 0..vectors {
                    let found = outputs(simd, std::array::from_fn(|j| values[j * vectors + v]));
                    for (target, value) in targets.iter_mut().zip(found) {
                        store(simd, target, v, simd.add_f32s(value, load(simd, bias, v)));
                    }
                }
            }
        }
    }
}
