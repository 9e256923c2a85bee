//! Images as PNG data.

use png::{BitDepth, ColorType, Compression, Encoder};

use crate::{Error, Result};

/// Encodes an image of bytes: grey, grey with opacity, colour, or colour with opacity, by its number of channels.
///
/// Speed counts more than size: files are about a tenth larger than those of slower encoders.
///
/// # Errors
/// The sides don't fit the pixels, the image is empty, or there is no such kind of image.
pub fn encode(pixels: &[u8], width: usize, height: usize, channels: usize) -> Result<Vec<u8>> {
    let kind = match channels {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        other => return Err(Error::shape("image", format!("{other} channels, must be 1 to 4"))),
    };
    if pixels.is_empty() {
        return Err(Error::Empty { arg: "image" });
    }
    let sides = (u32::try_from(width), u32::try_from(height));
    let (Ok(columns), Ok(rows)) = sides else {
        return Err(Error::range("image", format!("{width}×{height} pixels are too many for PNG")));
    };
    let unusable = |error: png::EncodingError| Error::shape("image", error.to_string());
    let mut out = Vec::with_capacity(pixels.len() / 2 + 1024);
    let mut encoder = Encoder::new(&mut out, columns, rows);
    encoder.set_color(kind);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fastest);
    let mut writer = encoder.write_header().map_err(unusable)?;
    writer.write_image_data(pixels).map_err(unusable)?;
    writer.finish().map_err(unusable)?;
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "this is how a test fails")]
mod tests {
    use super::*;

    fn decode(data: &[u8]) -> (Vec<u8>, u32, u32, ColorType) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(data)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (pixels, info.width, info.height, info.color_type)
    }

    #[test]
    fn pixels_survive() {
        for (channels, kind) in [
            (1, ColorType::Grayscale),
            (2, ColorType::GrayscaleAlpha),
            (3, ColorType::Rgb),
            (4, ColorType::Rgba),
        ] {
            let pixels: Vec<u8> = (0..7 * 5 * channels).map(|i| (i * i % 251) as u8).collect();
            let data = encode(&pixels, 7, 5, channels).unwrap();
            assert_eq!(decode(&data), (pixels, 7, 5, kind));
        }
    }

    #[test]
    fn faulty_sizes_are_refused() {
        assert!(encode(&[], 0, 0, 1).is_err());
        assert!(encode(&[1, 2, 3], 2, 1, 1).is_err());
        assert!(encode(&[1, 2, 3, 4, 5], 1, 1, 5).is_err());
        assert!(encode(&[1], usize::MAX, 1, 1).is_err());
    }
}
