//! Pages to measure on: one drawn here and, where `../shared` lies beside the
//! project, the page that speed is quoted on.

use std::error::Error;
use std::fs::{File, read};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use kraken_core::geom::Point;
use serde_json::Value;

/// What the kernels work on.
pub struct Page {
    /// For the names of benchmarks.
    pub name: &'static str,
    /// Grey values, row by row.
    pub grey: Vec<u8>,
    /// Size of the page in pixels.
    pub size: [usize; 2],
    /// Baselines and the polygons around them.
    pub lines: Vec<(Vec<Point>, Vec<Point>)>,
    /// Start, end and baseline maps, one after the other.
    pub heat: Vec<f32>,
    /// Size of each map in pixels.
    pub heat_size: [usize; 2],
}

/// All pages there are.
#[must_use]
pub fn pages() -> Vec<Page> {
    std::iter::once(drawn()).chain(quoted().ok()).collect()
}

/// 1200 × 1800 pixels with 33 wavy lines, on the page and in the heatmap.
#[must_use]
pub fn drawn() -> Page {
    let size @ [width, height] = [1200, 1800];
    let mut grey: Vec<u8> = (0..width * height).map(|i| 230 + (i * 7919 % 23) as u8).collect();
    let mut heat = vec![0.0; 3 * width * height];
    let mut lines = Vec::new();
    for k in 0..33_u32 {
        let foot = |x: f64| 150.0 + 45.0 * f64::from(k) + 4.0 * (x / 90.0 + f64::from(k)).sin();
        let xs: Vec<f64> = (0..9).map(|i| 120.0 + 100.0 * f64::from(i)).collect();
        let at = |dy: f64| xs.iter().map(move |&x| [x, foot(x) + dy]);
        let ring = at(-22.0).chain(at(9.0).collect::<Vec<Point>>().into_iter().rev()).collect();
        lines.push((at(0.0).collect(), ring));
        for x in 120..920 {
            let y = foot(x as f64) as usize;
            for d in 0..13 {
                let t = (d as f32 - 6.0) / 4.0;
                heat[(2 * height + y + d - 6) * width + x] = (-t * t).exp();
            }
            for d in 0..16 {
                if (x * 31 + d * 17) % 11 < 5 {
                    grey[(y - d) * width + x] = 40;
                }
            }
        }
        for (map, x) in [(0, 120), (1, 920)] {
            for y in foot(x as f64) as usize - 8..foot(x as f64) as usize + 8 {
                heat[(map * height + y) * width + x - 8..][..16].fill(1.0);
            }
        }
    }
    Page { name: "drawn", grey, size, lines, heat, heat_size: size }
}

/// The page that speed is quoted on.
fn quoted() -> Result<Page, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench");
    let (grey, size) = grey(folder.join("page-33-lines.webp"))?;
    let segmentation: Value = serde_json::from_slice(&read(folder.join("page-33-lines.seg.json"))?)?;
    let lines = segmentation["lines"].as_array().ok_or("no lines")?;
    let lines = lines.iter().map(|l| (points(&l["baseline"]), points(&l["boundary"]))).collect();
    let (heat, heat_size) = heat(folder.join("page-33-lines.heat.npz"))?;
    Ok(Page { name: "page-33-lines", grey, size, lines, heat, heat_size })
}

fn points(value: &Value) -> Vec<Point> {
    let coordinate = |p: &Value, k: usize| p[k].as_f64().unwrap_or_default();
    value.as_array().into_iter().flatten().map(|p| [coordinate(p, 0), coordinate(p, 1)]).collect()
}

fn grey(file: PathBuf) -> Result<(Vec<u8>, [usize; 2]), Box<dyn Error>> {
    let mut decoder = image_webp::WebPDecoder::new(BufReader::new(File::open(file)?))?;
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or("too large")?];
    decoder.read_image(&mut pixels)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let luma = |p: &[u8]| {
        ((19595 * u32::from(p[0]) + 38470 * u32::from(p[1]) + 7471 * u32::from(p[2]) + 0x8000) >> 16) as u8
    };
    Ok((pixels.chunks_exact(channels).map(luma).collect(), [width as usize, height as usize]))
}

/// The array `heat` (3, H, W) of bytes in a file of numpy's.
fn heat(file: PathBuf) -> Result<(Vec<f32>, [usize; 2]), Box<dyn Error>> {
    let mut bytes = Vec::new();
    zip::ZipArchive::new(File::open(file)?)?.by_name("heat.npy")?.read_to_end(&mut bytes)?;
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..10 + length]).into_owned();
    let shape = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).ok_or("no shape")?.0;
    let shape = shape.split(',').map(|n| n.trim().parse()).collect::<Result<Vec<usize>, _>>()?;
    let values = bytes[10 + length..].iter().map(|v| f32::from(*v) / 255.0).collect();
    Ok((values, [shape[2], shape[1]]))
}
