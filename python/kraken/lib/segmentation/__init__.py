"""Geometry of lines and regions: from heatmaps to baselines, polygons, line images and reading order.

A typed façade over the compiled kernels; nothing here loads torch on import.
"""

from __future__ import annotations

from kraken.containers import compute_polygon_section, precompute_polygon_sections
from kraken.lib.segmentation.extraction import apply_polygonal_mask, extract_polygons, make_polygonal_mask
from kraken.lib.segmentation.fragments import join_baseline_fragments, split_at_regions
from kraken.lib.segmentation.polygons import calculate_polygonal_environment
from kraken.lib.segmentation.reading_order import (
    column_reading_order,
    is_in_region,
    line_regions,
    neural_reading_order,
    polygonal_reading_order,
    reading_order,
    topsort,
)
from kraken.lib.segmentation.scaling import scale_polygonal_lines, scale_regions
from kraken.lib.segmentation.vectorise import boundary_tracing, vectorize_lines, vectorize_regions

__all__ = [
    "apply_polygonal_mask",
    "boundary_tracing",
    "calculate_polygonal_environment",
    "column_reading_order",
    "compute_polygon_section",
    "extract_polygons",
    "is_in_region",
    "join_baseline_fragments",
    "line_regions",
    "make_polygonal_mask",
    "neural_reading_order",
    "polygonal_reading_order",
    "precompute_polygon_sections",
    "reading_order",
    "scale_polygonal_lines",
    "scale_regions",
    "split_at_regions",
    "topsort",
    "vectorize_lines",
    "vectorize_regions",
]
