"""Documents out: ALTO, PageXML, hOCR, abbyyXML, searchable PDF, custom templates and evaluation reports.

Nothing here imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kraken.serialization.geometry import max_bbox as max_bbox
from kraken.serialization.report import render_html_report as render_html_report
from kraken.serialization.report import render_report
from kraken.serialization.serialize import serialize

if TYPE_CHECKING:
    from kraken.serialization.pdf import write_pdf as write_pdf

__all__ = ["render_report", "serialize"]


def __getattr__(name: str) -> Any:
    if name == "write_pdf":
        # Only PDF needs Pillow; documents are also written where no picture is at hand.
        from kraken.serialization.pdf import write_pdf

        return write_pdf
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
