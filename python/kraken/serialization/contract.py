"""The variables that custom templates see: plain dicts and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kraken.containers import Segmentation
from kraken.serialization.geometry import Points
from kraken.serialization.model import Block, Line, Page, Segment, typology


def _points(points: Points | None) -> list[list[Any]]:
    return [list(point) for point in points] if points is not None else []


def _segment(segment: Segment) -> dict[str, Any]:
    described: dict[str, Any] = {
        "index": segment.index,
        "text": segment.text,
        "bbox": segment.box,
        "confidences": segment.confidences,
        "cuts": [_points(cut) for cut in segment.cuts],
        "recognition": [
            {"index": index, "text": text, "bbox": box, "boundary": _points(cut), "confidence": confidence}
            for index, text, box, cut, confidence in segment.glyphs
        ],
    }
    if segment.boundary is not None:
        described["boundary"] = _points(segment.boundary)
    return described


def _line(line: Line) -> dict[str, Any]:
    source = line.source
    described: dict[str, Any] = {
        "type": "line",
        "id": line.id,
        "bbox": line.box if line.box is not None else [],
        "boundary": _points(line.boundary),
        "language": source.language,
        "base_dir": source.base_dir,
        "cuts": [_points(cut) for cut in line.cuts],
        "confidences": line.confidences,
        "recognition": [_segment(segment) for segment in line.segments],
    }
    if source.tags is not None:
        described["tags"] = source.tags
    if line.baseline is not None:
        described["baseline"] = _points(line.baseline)
    if line.text is not None:
        described["text"] = line.text
    return described


def _entity(block: Block) -> dict[str, Any]:
    region = block.region
    if region is None:
        return _line(block.lines[0])
    described: dict[str, Any] = {
        "type": "region",
        "id": block.id,
        "bbox": block.box if block.box is not None else [],
        "boundary": _points(block.boundary),
        "tags": region.tags,
        "lines": [_line(line) for line in block.lines],
    }
    if block.lines:
        described["language"] = region.language
    return described


def describe(
    segmentation: Segmentation,
    page: Page,
    *,
    image_size: tuple[Any, Any],
    writing_mode: str,
    scripts: Iterable[str] | None,
    date: str,
    line_orders: list[list[str]],
) -> dict[str, Any]:
    """The variable ``page`` of custom templates, as the specification lists it."""
    return {
        "name": segmentation.imagename,
        "size": image_size,
        "writing_mode": writing_mode,
        "scripts": scripts,
        "date": date,
        "seg_type": segmentation.type,
        "typology": list(typology(segmentation)),
        "line_orders": line_orders,
        "entities": [_entity(block) for block in page.blocks],
    }
