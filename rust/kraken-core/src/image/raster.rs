//! Row-major images of interleaved channels: borrowed views and owned rasters.

use crate::{Error, Result};

/// A rectangle of someone else's pixels.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    data: &'a [T],
    width: usize,
    height: usize,
    channels: usize,
    stride: usize,
}

impl<'a, T: Copy> View<'a, T> {
    /// A whole image: `data` has `height · width · channels` elements.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of elements doesn't fit or there are no channels.
    pub fn new(data: &'a [T], width: usize, height: usize, channels: usize) -> Result<Self> {
        let need = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
        if channels == 0 || need != Some(data.len()) {
            let detail =
                format!("{} elements for {width}×{height} pixels of {channels} channels", data.len());
            return Err(Error::shape("image", detail));
        }
        Ok(Self { data, width, height, channels, stride: width * channels })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Components per pixel.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Components of row `y`; empty if there is no such row.
    #[inline]
    pub fn row(&self, y: usize) -> &'a [T] {
        if y >= self.height {
            return &[];
        }
        &self.data[y * self.stride..][..self.width * self.channels]
    }

    /// All pixels from the first of this view on, and how many of them there
    /// are per row of the image it was cut from. `C` is the number of channels.
    pub fn pixels<const C: usize>(&self) -> (&'a [[T; C]], usize) {
        (self.data.as_chunks().0, self.stride / C)
    }

    /// The part of columns `x0..x1` and rows `y0..y1` that lies inside.
    #[must_use]
    pub fn crop(&self, [x0, y0, x1, y1]: [usize; 4]) -> Self {
        let (x1, y1) = (x1.min(self.width), y1.min(self.height));
        if x0 >= x1 || y0 >= y1 {
            return Self { data: &[], width: 0, height: 0, ..*self };
        }
        let start = y0 * self.stride + x0 * self.channels;
        Self { data: &self.data[start..], width: x1 - x0, height: y1 - y0, ..*self }
    }

    /// Bounding box `[x0, y0, x1, y1]` (half-open) of the pixels that are not
    /// 0; if `alpha`, of those whose last component isn't. `None` if there are none.
    pub fn content(&self, alpha: bool) -> Option<[usize; 4]>
    where
        T: Default + PartialEq,
    {
        let (zero, c) = (T::default(), self.channels);
        let hit = |px: &[T]| {
            if alpha { px.last().is_some_and(|v| *v != zero) } else { px.iter().any(|v| *v != zero) }
        };
        let filled = |y: usize| self.row(y).chunks_exact(c).any(hit);
        let y0 = (0..self.height).find(|&y| filled(y))?;
        let y1 = (0..self.height).rev().find(|&y| filled(y))? + 1;
        let (mut x0, mut x1) = (self.width, 0);
        for y in y0..y1 {
            let row = self.row(y);
            if let Some(x) = row[..x0 * c].chunks_exact(c).position(hit) {
                x0 = x;
            }
            if let Some(x) = row[x1 * c..].chunks_exact(c).rposition(hit) {
                x1 += x + 1;
            }
        }
        Some([x0, y0, x1, y1])
    }
}

/// An image that owns its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster<T> {
    /// Components, row by row.
    pub data: Vec<T>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Components per pixel.
    pub channels: usize,
}

impl<T: Copy + Default> Raster<T> {
    /// An image of zeros.
    pub fn zeros(width: usize, height: usize, channels: usize) -> Self {
        Self { data: vec![T::default(); width * height * channels], width, height, channels }
    }

    /// All of it as a view.
    pub fn view(&self) -> View<'_, T> {
        let stride = self.width * self.channels;
        View { data: &self.data, width: self.width, height: self.height, channels: self.channels, stride }
    }

    /// All but a border of one pixel; empty if there is nothing inside of it.
    pub fn inner(&self) -> View<'_, T> {
        self.view().crop([1, 1, self.width.saturating_sub(1), self.height.saturating_sub(1)])
    }

    /// The bounding box of what isn't 0 (see [`View::content`]); the whole
    /// image if everything is.
    #[must_use]
    pub fn trimmed(self, alpha: bool) -> Self
    where
        T: PartialEq,
    {
        let Some(bbox) = self.view().content(alpha) else { return self };
        if bbox == [0, 0, self.width, self.height] {
            return self;
        }
        let part = self.view().crop(bbox);
        let mut data = Vec::with_capacity(part.width() * part.height() * self.channels);
        for y in 0..part.height() {
            data.extend_from_slice(part.row(y));
        }
        Self { data, width: part.width(), height: part.height(), channels: self.channels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_keeps_only_content() {
        let mut im = Raster::<u8>::zeros(5, 4, 2);
        im.data[(5 + 3) * 2] = 9;
        im.data[(2 * 5 + 1) * 2 + 1] = 7;
        assert_eq!(im.view().content(false), Some([1, 1, 4, 3]));
        assert_eq!(im.view().content(true), Some([1, 2, 2, 3]));
        let part = im.trimmed(true);
        assert_eq!((part.width, part.height, part.data), (1, 1, vec![0, 7]));
        let blank = Raster::<u8>::zeros(2, 2, 1);
        assert_eq!(blank.clone().trimmed(false), blank);
        assert!(View::new(&[0_u8; 5], 2, 2, 1).is_err());
    }

    #[test]
    fn crops_outside_are_empty() -> Result<()> {
        let data = [1_u8; 6];
        let view = View::new(&data, 3, 2, 1)?;
        assert_eq!(view.crop([5, 0, 9, 2]).width(), 0);
        assert_eq!(view.crop([1, 1, 9, 9]).row(0), &[1, 1]);
        assert!(view.crop([2, 0, 1, 2]).content(false).is_none());
        Ok(())
    }
}
