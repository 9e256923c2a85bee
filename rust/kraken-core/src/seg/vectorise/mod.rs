//! From heatmaps to baselines and regions.

mod graph;
pub mod lines;
pub mod regions;
mod strokes;
