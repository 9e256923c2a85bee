//! From heatmaps and pages to lines, polygons, line images and reading order.

pub mod columns;
pub mod detection;
pub mod extract;
pub mod order;
pub mod polygonise;
pub mod relation;
mod table;
pub mod vectorise;
