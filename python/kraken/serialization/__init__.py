"""Documents out: ALTO, PageXML, hOCR, abbyyXML, searchable PDF, METS, custom templates and reports.

Nothing here imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kraken.serialization.geometry import max_bbox as max_bbox
from kraken.serialization.report import render_html_report as render_html_report
from kraken.serialization.report import render_report
from kraken.serialization.serialize import serialize

if TYPE_CHECKING:
    from kraken.serialization.mets import write_mets as write_mets
    from kraken.serialization.pdf import PdfDocument as PdfDocument
    from kraken.serialization.pdf import write_pdf as write_pdf

__all__ = ["render_report", "serialize"]


def __getattr__(name: str) -> Any:
    # Only PDF needs Pillow and only METS lxml; other documents are written without them.
    if name in ("write_pdf", "PdfDocument"):
        from kraken.serialization import pdf

        return getattr(pdf, name)
    if name == "write_mets":
        from kraken.serialization.mets import write_mets

        return write_mets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
