"""Lines, regions, segmentations and recognition results.

Plain dataclasses with coordinates ``(x, y)`` in pixels, y pointing down; nothing
is validated or converted on construction. Importing this package loads no torch.
"""

from kraken.containers.lines import BaselineLine, BBoxLine, ocr_line
from kraken.containers.records import BaselineOCRRecord, BBoxOCRRecord, ocr_record
from kraken.containers.regions import Region
from kraken.containers.sections import compute_polygon_section, precompute_polygon_sections
from kraken.containers.segmentation import Segmentation
from kraken.containers.steps import ProcessingStep

__all__ = [
    "BBoxLine",
    "BBoxOCRRecord",
    "BaselineLine",
    "BaselineOCRRecord",
    "ProcessingStep",
    "Region",
    "Segmentation",
    "compute_polygon_section",
    "ocr_line",
    "ocr_record",
    "precompute_polygon_sections",
]
