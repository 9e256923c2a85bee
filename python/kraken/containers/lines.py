"""Text lines, as baselines with polygons or as boxes."""

# Annotations are evaluated (no future import), so that tools which resolve them
# needn't know that the classes pose as members of the package.
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

__all__ = ["BBoxLine", "BaselineLine", "ocr_line"]

BaseDirection = Literal["L", "R"]
TextDirection = Literal["horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl"]


@dataclass
class ocr_line:
    """What lines of both kinds have in common.

    Attributes:
        id: Unique identifier.
        text: Transcription.
        base_dir: Direction of the paragraph for the Unicode bidirectional
            algorithm: ``'L'``, ``'R'`` or None for that of the first strong character.
        imagename: Path of the image that the line is on.
        tags: Lists of values by tag name, e.g. ``{'type': [{'type': 'heading'}]}``.
        split: Data set that the line belongs to.
        regions: Identifiers of the regions that hold the line.
        language: Language codes.
    """

    __module__ = "kraken.containers"

    id: str
    text: str | None = None
    base_dir: BaseDirection | None = None
    imagename: str | os.PathLike[str] | None = None
    tags: dict[str, list[dict[str, str]]] | None = None
    split: Literal["train", "validation", "test"] | None = None
    regions: list[str] | None = None
    language: list[str] | None = None

    def _shared(self) -> dict[str, Any]:
        """The fields of this class, for a line of the other kind."""
        return {field.name: getattr(self, field.name) for field in fields(ocr_line)}


@dataclass
class BaselineLine(ocr_line):
    """A line given by its baseline and the polygon around it.

    Attributes:
        type: ``'baselines'``.
        baseline: Points (x, y) from the line's start to its end.
        boundary: Points (x, y) of the polygon, the first one repeated at the end.
    """

    __module__ = "kraken.containers"

    type: str = "baselines"
    baseline: Sequence[Sequence[int]] | None = None
    boundary: Sequence[Sequence[int]] | None = None

    def to_bbox(self, text_direction: TextDirection = "horizontal-lr") -> "BBoxLine":
        """The line as a box around its polygon, or its baseline if it has none.

        Raises:
            ValueError: if it has neither.
        """
        points = self.baseline if self.boundary is None or not len(self.boundary) else self.boundary
        if points is None or not len(points):
            raise ValueError(f"Line {self.id!r} has neither boundary nor baseline to take a box from.")
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        box = (min(xs), min(ys), max(xs), max(ys))
        return BBoxLine(**self._shared(), bbox=box, text_direction=text_direction)


@dataclass
class BBoxLine(ocr_line):
    """A line given by an axis-parallel box.

    Attributes:
        type: ``'bbox'``.
        bbox: (xmin, ymin, xmax, ymax).
        text_direction: Orientation of the line and reading direction.
    """

    __module__ = "kraken.containers"

    type: str = "bbox"
    bbox: tuple[int, int, int, int] | None = None
    text_direction: TextDirection = "horizontal-lr"

    def to_baseline(self, topline: bool | None = False) -> BaselineLine:
        """The line as a straight baseline with the box as polygon.

        Args:
            topline: False puts the baseline at the foot of the text (a quarter
                of the box from its edge), True at its head, None in the middle.

        Raises:
            ValueError: if the line has no box.
        """
        if self.bbox is None:
            raise ValueError(f"Line {self.id!r} has no bbox to take a baseline from.")
        x0, y0, x1, y1 = self.bbox
        w, h = x1 - x0, y1 - y0
        baseline: list[tuple[int, int]]
        if self.text_direction.startswith("horizontal"):
            y = y0 + (h // 2 if topline is None else h // 4 if topline else 3 * h // 4)
            baseline = [(x0, y), (x1, y)]
            if self.text_direction != "horizontal-lr":
                baseline.reverse()
        else:
            # The foot of a vertical line is on the side where the previous line
            # of a left-to-right page stands.
            far = bool(topline) == (self.text_direction == "vertical-lr")
            x = x0 + (w // 2 if topline is None else 3 * w // 4 if far else w // 4)
            baseline = [(x, y0), (x, y1)]
        boundary = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        return BaselineLine(**self._shared(), baseline=baseline, boundary=boundary)
