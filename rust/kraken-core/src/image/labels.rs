//! Connected components.

use super::{check_size, next_set};
use crate::Result;

/// Which neighbours of a pixel are connected to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// The four that share an edge.
    Four,
    /// The eight that share an edge or a corner.
    Eight,
}

/// Labels of an image's components: 0 is background, components are numbered
/// from 1 in the raster order of their first pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// One label per pixel, row-major.
    pub of: Vec<u32>,
    /// Number of components.
    pub count: usize,
}

/// Set pixels of a row next to each other: indices into the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    start: u32,
    end: u32,
    label: u32,
}

/// The same as [`Labels`] by runs of pixels, which take less memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledRuns {
    /// In raster order.
    runs: Vec<Run>,
    count: usize,
}

impl LabelledRuns {
    /// Label of a pixel (index into the image), 0 for background.
    pub fn of(&self, pixel: u32) -> u32 {
        let k = self.runs.partition_point(|r| r.end <= pixel);
        self.runs.get(k).filter(|r| r.start <= pixel).map_or(0, |r| r.label)
    }

    /// Number of pixels of each component; entry 0, the background, has none.
    pub fn areas(&self) -> Vec<usize> {
        let mut areas = vec![0; self.count + 1];
        for run in &self.runs {
            areas[run.label as usize] += (run.end - run.start) as usize;
        }
        areas
    }
}

/// Labels the non-zero pixels of `mask`.
///
/// Runs of neighbouring rows are joined in a union-find forest:
/// Rosenfeld & Pfaltz, "Sequential operations in digital picture processing"
/// (1966). Linear in the number of pixels.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn label_runs(
    mask: &[u8],
    width: usize,
    height: usize,
    connectivity: Connectivity,
) -> Result<LabelledRuns> {
    check_size("mask", mask.len(), width, height)?;
    let reach = u32::from(connectivity == Connectivity::Eight);
    let mut runs: Vec<Run> = Vec::new();
    let mut parent = vec![0_u32];
    let mut above = 0..0;
    for y in 0..height {
        let begin = runs.len();
        let line = &mask[y * width..][..width];
        // The start of this row and the same column of the one above.
        let (base, up) = ((y * width) as u32, width as u32);
        let mut x = 0;
        while let Some(from) = next_set(line, x) {
            x = from + line[from..].iter().take_while(|&&v| v != 0).count();
            let (start, end) = (base + from as u32, base + x as u32);
            while above.start < above.end && runs[above.start].end + up + reach <= start {
                above.start += 1;
            }
            let mut label = 0;
            for run in &runs[above.clone()] {
                if run.start + up >= end + reach {
                    break;
                }
                label = if label == 0 {
                    root(&mut parent, run.label)
                } else {
                    join(&mut parent, label, run.label)
                };
            }
            if label == 0 {
                label = parent.len() as u32;
                parent.push(label);
            }
            runs.push(Run { start, end, label });
        }
        above = begin..runs.len();
    }
    // The smaller of two joined names is the root, so names keep raster order.
    let mut final_name = vec![0_u32; parent.len()];
    let mut count = 0;
    for name in 1..parent.len() {
        let top = root(&mut parent, name as u32) as usize;
        if top == name {
            count += 1;
            final_name[name] = count;
        } else {
            final_name[name] = final_name[top];
        }
    }
    for run in &mut runs {
        run.label = final_name[run.label as usize];
    }
    Ok(LabelledRuns { runs, count: count as usize })
}

/// Labels the non-zero pixels of `mask` as [`label_runs`], pixel by pixel.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn label(mask: &[u8], width: usize, height: usize, connectivity: Connectivity) -> Result<Labels> {
    let LabelledRuns { runs, count } = label_runs(mask, width, height, connectivity)?;
    let mut of = vec![0_u32; mask.len()];
    for run in &runs {
        of[run.start as usize..run.end as usize].fill(run.label);
    }
    Ok(Labels { of, count })
}

fn root(parent: &mut [u32], mut name: u32) -> u32 {
    while parent[name as usize] != name {
        let up = parent[parent[name as usize] as usize];
        parent[name as usize] = up;
        name = up;
    }
    name
}

fn join(parent: &mut [u32], a: u32, b: u32) -> u32 {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b) as usize] = a.min(b);
    a.min(b)
}

/// `mask` with all holes filled: background that can't be reached from
/// outside of the image by steps to the four nearest neighbours.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn fill_holes(mask: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
    check_size("mask", mask.len(), width, height)?;
    let background: Vec<u8> = mask.iter().map(|&v| u8::from(v == 0)).collect();
    let labels = label(&background, width, height, Connectivity::Four)?;
    let mut outside = vec![false; labels.count + 1];
    for y in 0..height {
        let step = if y == 0 || y + 1 == height { 1 } else { width.max(2) - 1 };
        for x in (0..width).step_by(step) {
            outside[labels.of[y * width + x] as usize] = true;
        }
    }
    outside[0] = false;
    Ok(labels.of.iter().map(|&l| u8::from(!outside[l as usize])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagonal_pixels_are_one_component_of_eight_and_two_of_four() {
        let mask = [1, 0, 0, 1];
        assert_eq!(label(&mask, 2, 2, Connectivity::Eight).map(|l| l.count), Ok(1));
        assert_eq!(label(&mask, 2, 2, Connectivity::Four).map(|l| l.of), Ok(vec![1, 0, 0, 2]));
        assert!(label(&mask, 3, 2, Connectivity::Four).is_err());
        assert_eq!(label(&[], 0, 7, Connectivity::Four).map(|l| l.count), Ok(0));
    }

    #[test]
    fn runs_tell_the_labels_of_pixels() -> Result<()> {
        let mask = [1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1];
        let runs = label_runs(&mask, 4, 3, Connectivity::Eight)?;
        let dense = label(&mask, 4, 3, Connectivity::Eight)?;
        assert_eq!((0..12).map(|p| runs.of(p)).collect::<Vec<u32>>(), dense.of);
        assert_eq!((runs.of(12), runs.areas()), (0, vec![0, 2, 4, 1]));
        Ok(())
    }

    #[test]
    fn holes_are_filled_but_bays_are_not() {
        let mask = [1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0];
        let filled = [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0];
        assert_eq!(fill_holes(&mask, 4, 4), Ok(filled.to_vec()));
        assert_eq!(fill_holes(&[0], 1, 1), Ok(vec![0]));
    }
}
