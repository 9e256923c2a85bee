"""Tables in plain text, the same in terminals and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["render_table"]


def render_table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A title, a header and rows in columns; whole numbers and decimals are right-aligned.

    Args:
        title: First line.
        header: Names of the columns.
        rows: Cells; numbers with a fraction are given three decimals, None is empty.
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    numeric = [
        bool(rows) and all(isinstance(row[i], int | float) or row[i] in (None, "N/A") for row in rows)
        for i in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([title, line(header), rule, *(line(row) for row in texts)])


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
