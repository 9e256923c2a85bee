"""Geometry of lines and regions: from heatmaps to baselines, outlines and their reading order.

A typed façade over the compiled kernels; nothing here loads torch on import.
"""

from __future__ import annotations

from kraken.lib.segmentation.reading_order import (
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
    "boundary_tracing",
    "is_in_region",
    "line_regions",
    "neural_reading_order",
    "polygonal_reading_order",
    "reading_order",
    "scale_polygonal_lines",
    "scale_regions",
    "topsort",
    "vectorize_lines",
    "vectorize_regions",
]
