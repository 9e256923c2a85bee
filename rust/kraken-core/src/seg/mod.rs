//! From heatmaps and pages to lines, polygons, line images and reading order.

pub mod boxes;
pub mod columns;
pub mod detection;
pub mod extract;
pub mod join;
pub mod order;
pub mod polygonise;
pub mod relation;
mod table;
mod text_frame;
pub mod vectorise;
