//! Line images as inputs of recognition networks.

use crate::image::raster::Raster;
use crate::image::resample::resize;
use crate::{Error, Result};

/// What a network wants lines to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Height in px that lines are scaled to, with their proportions kept.
    pub height: usize,
    /// 1 (grey) or 3 (colour).
    pub channels: usize,
    /// White border in px: left, top, right, bottom.
    pub padding: [usize; 4],
}

/// A line as a network gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Values, channel by channel and row by row: 0 where the image is
    /// brightest, 1 for black on white.
    pub data: Vec<f32>,
    /// Width with the border.
    pub width: usize,
    /// Height with the border.
    pub height: usize,
    /// Width of the line image before it was scaled.
    pub line_width: usize,
}

impl Input {
    /// Scales, pads, and turns the values of a line image upside down.
    ///
    /// # Errors
    /// [`Error::Shape`] if the image has neither 1 nor 3 channels,
    /// [`Error::Range`] if the input wants others, [`Error::Geometry`] if
    /// nothing is left of the line or it's too large.
    pub fn prepare(&self, image: &Raster<u8>) -> Result<Prepared> {
        if !matches!(self.channels, 1 | 3) {
            return Err(Error::range("channels", format!("{} is neither 1 nor 3", self.channels)));
        }
        if image.height == 0 {
            return Err(Error::Geometry("the line image is empty".to_owned()));
        }
        let image = recoloured(image, self.channels)?;
        let width = (image.width as f64 * self.height as f64 / image.height as f64) as usize;
        let scaled = resize(&image, width, self.height)?;
        self.padded(&scaled, image.width)
    }

    fn padded(&self, image: &Raster<u8>, line_width: usize) -> Result<Prepared> {
        let [left, top, right, bottom] = self.padding;
        let size = |inner: usize, a: usize, b: usize| inner.checked_add(a)?.checked_add(b);
        let sides = (size(image.width, left, right), size(image.height, top, bottom));
        let (Some(width), Some(height)) = sides else { return Err(too_large(self)) };
        let pixels = width.checked_mul(height).filter(|n| *n <= super::MAX_PIXELS);
        let area = pixels.ok_or_else(|| too_large(self))?;
        let border = self.padding != [0; 4];
        let max = if border { 255 } else { image.data.iter().copied().max().unwrap_or_default() };
        let brightest = f32::from(max) / 255.0;
        let mut values = [0.0; 256];
        for (byte, value) in (0_u8..=255).zip(&mut values) {
            *value = brightest - f32::from(byte) / 255.0;
        }
        let mut data = vec![values[255]; area * self.channels];
        for (channel, plane) in data.chunks_exact_mut(area).enumerate() {
            let rows = image.data.chunks_exact(image.width * self.channels);
            for (from, to) in rows.zip(plane[top * width..].chunks_exact_mut(width)) {
                let from = from.iter().skip(channel).step_by(self.channels);
                for (t, &v) in to[left..].iter_mut().zip(from) {
                    *t = values[usize::from(v)];
                }
            }
        }
        Ok(Prepared { data, width, height, line_width })
    }
}

fn too_large(input: &Input) -> Error {
    Error::range("padding", format!("{:?} makes the line larger than memory allows", input.padding))
}

/// The image in grey or in colour, by the luma weights of ITU-R 601-2.
fn recoloured(image: &Raster<u8>, channels: usize) -> Result<std::borrow::Cow<'_, Raster<u8>>> {
    use std::borrow::Cow::{Borrowed, Owned};
    let of = |data: Vec<u8>| Owned(Raster { data, channels, ..*image });
    Ok(match (image.channels, channels) {
        (a, b) if a == b => Borrowed(image),
        (3, 1) => {
            let luma = |[r, g, b]: &[u8; 3]| {
                let [r, g, b] = [r, g, b].map(|v| u32::from(*v));
                ((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16) as u8
            };
            of(image.data.as_chunks::<3>().0.iter().map(luma).collect())
        }
        (1, 3) => of(image.data.iter().flat_map(|&v| [v; 3]).collect()),
        (other, _) => return Err(Error::shape("image", format!("{other} channels instead of 1 or 3"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_border_is_zero() -> Result<()> {
        let image = Raster { data: vec![0, 255, 0, 255], width: 2, height: 2, channels: 1 };
        let input = Input { height: 2, channels: 3, padding: [1, 0, 2, 1] };
        let out = input.prepare(&image)?;
        assert_eq!((out.width, out.height, out.line_width), (5, 3, 2));
        let plane = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(out.data, plane.repeat(3));
        Ok(())
    }

    #[test]
    fn the_brightest_pixel_is_zero_without_border() -> Result<()> {
        let image = Raster { data: vec![50, 100], width: 2, height: 1, channels: 1 };
        let out = Input { height: 1, channels: 1, padding: [0; 4] }.prepare(&image)?;
        assert_eq!(out.data, [100.0 / 255.0 - 50.0 / 255.0, 0.0]);
        Ok(())
    }

    #[test]
    fn hopeless_lines_are_errors() {
        let input = Input { height: 10, channels: 1, padding: [0; 4] };
        let tall = Raster::zeros(1, 50, 1);
        assert!(input.prepare(&tall).is_err());
        assert!(input.prepare(&Raster::zeros(0, 0, 1)).is_err());
        assert!(input.prepare(&Raster::zeros(5, 5, 2)).is_err());
        assert!(Input { channels: 2, ..input }.prepare(&Raster::zeros(50, 50, 1)).is_err());
        let padding = [usize::MAX, 0, 1, 0];
        assert!(Input { padding, ..input }.prepare(&Raster::zeros(50, 50, 1)).is_err());
    }
}
