//! Connected components.

use super::check_size;
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

impl Labels {
    /// Number of pixels of each component; entry 0 is the background.
    pub fn areas(&self) -> Vec<usize> {
        let mut areas = vec![0; self.count + 1];
        for &l in &self.of {
            areas[l as usize] += 1;
        }
        areas
    }
}

/// Labels the non-zero pixels of `mask`.
///
/// Two passes over runs of equal rows with a union-find forest in between:
/// Rosenfeld & Pfaltz, "Sequential operations in digital picture processing"
/// (1966). Linear in the number of pixels.
///
/// # Errors
/// If `mask` doesn't have `width * height` pixels.
pub fn label(mask: &[u8], width: usize, height: usize, connectivity: Connectivity) -> Result<Labels> {
    check_size("mask", mask.len(), width, height)?;
    let mut of = vec![0_u32; mask.len()];
    let mut parent = vec![0_u32];
    let reach = usize::from(connectivity == Connectivity::Eight);
    for y in 0..height {
        let row = y * width;
        let (above, current) = of.split_at_mut(row);
        let above = if y == 0 { above } else { &above[row - width..] };
        let mut x = 0;
        while x < width {
            if mask[row + x] == 0 {
                x += 1;
                continue;
            }
            let run = mask[row + x..row + width].iter().take_while(|&&v| v != 0).count();
            let mut name = 0;
            if y > 0 {
                let (from, to) = (x.saturating_sub(reach), (x + run + reach).min(width));
                for &other in above[from..to].iter().filter(|&&l| l != 0) {
                    name = if name == 0 { root(&mut parent, other) } else { join(&mut parent, name, other) };
                }
            }
            if name == 0 {
                name = parent.len() as u32;
                parent.push(name);
            }
            current[x..x + run].fill(name);
            x += run;
        }
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
    for l in &mut of {
        *l = final_name[*l as usize];
    }
    Ok(Labels { of, count: count as usize })
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
    fn holes_are_filled_but_bays_are_not() {
        let mask = [1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0];
        let filled = [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0];
        assert_eq!(fill_holes(&mask, 4, 4), Ok(filled.to_vec()));
        assert_eq!(fill_holes(&[0], 1, 1), Ok(vec![0]));
    }
}
