"""Documents in: ALTO and PageXML files as lines, regions and reading orders.

Nothing here imports torch.
"""

from __future__ import annotations

from kraken.containers import Segmentation
from kraken.lib.xml.alto import alto_regions, parse_alto
from kraken.lib.xml.document import logger
from kraken.lib.xml.orders import flatten_order_to_lines, flatten_order_to_regions, validate_and_clean_order
from kraken.lib.xml.page import page_regions, parse_page
from kraken.lib.xml.words import Glyph, Word
from kraken.lib.xml.xmlpage import XMLPage

__all__ = [
    "Glyph",
    "Segmentation",
    "Word",
    "XMLPage",
    "alto_regions",
    "flatten_order_to_lines",
    "flatten_order_to_regions",
    "logger",
    "page_regions",
    "parse_alto",
    "parse_page",
    "validate_and_clean_order",
]
