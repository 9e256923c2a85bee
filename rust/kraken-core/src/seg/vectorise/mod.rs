//! From heatmaps to baselines and regions.

mod graph;
pub mod lines;
mod meeting;
pub mod regions;
mod strokes;
