//! From heatmaps and pages to lines, polygons, line images and reading order.

pub mod extract;
