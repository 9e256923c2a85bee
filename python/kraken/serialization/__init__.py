"""Documents out: ALTO, PageXML, hOCR, abbyyXML, searchable PDF, custom templates and evaluation reports.

Nothing here imports torch.
"""

from __future__ import annotations

from kraken.serialization.geometry import max_bbox as max_bbox
from kraken.serialization.pdf import write_pdf as write_pdf
from kraken.serialization.report import render_html_report as render_html_report
from kraken.serialization.report import render_report
from kraken.serialization.serialize import serialize

__all__ = ["render_report", "serialize"]
