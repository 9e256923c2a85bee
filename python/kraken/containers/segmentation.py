"""Layout of a page: lines, regions and their order."""

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kraken.containers.lines import BaselineLine, BBoxLine, TextDirection
from kraken.containers.regions import Region

__all__ = ["Segmentation"]


@dataclass
class Segmentation:
    """Result of layout analysis or recognition.

    Lines and regions may be given as mappings of their fields, so that
    ``Segmentation(**dataclasses.asdict(segmentation))`` restores a segmentation,
    also after a round trip through JSON. (Recognition results in ``lines`` are
    reduced to lines by ``asdict``; serialisation keeps them.)

    Attributes:
        type: ``'baselines'`` or ``'bbox'``: the class of lines given as mappings.
        imagename: Path of the image.
        text_direction: Orientation of lines and reading direction of the page.
        script_detection: Whether lines have tags.
        lines: Lines in reading order.
        regions: Lists of regions by type.
        line_orders: Alternative reading orders, lists of line indices.
        language: Language codes.

    Raises:
        TypeError: for unknown fields of a line or region, naming the field.
    """

    __module__ = "kraken.containers"

    type: Literal["baselines", "bbox"]
    imagename: str | os.PathLike[str]
    text_direction: TextDirection
    script_detection: bool
    lines: Sequence[BaselineLine | BBoxLine] | None = None
    regions: dict[str, list[Region]] | None = None
    line_orders: list[list[int]] | None = None
    language: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.lines is not None and not hasattr(self.lines, "__len__"):
            # An iterator would be used up by looking at it.
            self.lines = list(self.lines)
        self.lines = self.lines or []
        self.regions = self.regions or {}
        self.line_orders = self.line_orders or []
        self.language = self.language or None
        if not all(isinstance(line, BBoxLine | BaselineLine) for line in self.lines):
            self.lines = [self._line(line) for line in self.lines]
        if not all(isinstance(region, Region) for group in self.regions.values() for region in group or ()):
            self.regions = {
                kind: [_region(region) for region in group or ()] for kind, group in self.regions.items()
            }

    def _line(self, line: Any) -> BaselineLine | BBoxLine:
        if isinstance(line, BBoxLine | BaselineLine):
            return line
        if not isinstance(line, Mapping):
            raise TypeError(
                f"A line is a {type(line).__name__}, need a line object or a mapping of its fields."
            )
        return BBoxLine(**line) if self.type == "bbox" else BaselineLine(**line)

    def to_bbox(self) -> "Segmentation":
        """The segmentation with boxes for lines, nothing shared with this one but names."""
        if self.type == "bbox":
            return copy.deepcopy(self)

        def convert(line: BaselineLine | BBoxLine) -> BBoxLine:
            return (
                line.to_bbox(self.text_direction) if isinstance(line, BaselineLine) else copy.deepcopy(line)
            )

        return self._converted("bbox", [convert(line) for line in self.lines or ()])

    def to_baselines(self, topline: bool | None = False) -> "Segmentation":
        """The segmentation with straight baselines for lines.

        Args:
            topline: Where in the box baselines run, see :meth:`BBoxLine.to_baseline`.
        """
        if self.type == "baselines":
            return copy.deepcopy(self)

        def convert(line: BaselineLine | BBoxLine) -> BaselineLine:
            return line.to_baseline(topline) if isinstance(line, BBoxLine) else copy.deepcopy(line)

        return self._converted("baselines", [convert(line) for line in self.lines or ()])

    def _converted(
        self, type: Literal["baselines", "bbox"], lines: Sequence[BaselineLine | BBoxLine]
    ) -> "Segmentation":
        return Segmentation(
            type=type,
            imagename=self.imagename,
            text_direction=self.text_direction,
            script_detection=self.script_detection,
            lines=lines,
            regions=copy.deepcopy(self.regions),
            line_orders=copy.deepcopy(self.line_orders),
            language=copy.deepcopy(self.language),
        )


def _region(region: Any) -> Region:
    if isinstance(region, Region):
        return region
    if not isinstance(region, Mapping):
        raise TypeError(f"A region is a {type(region).__name__}, need a Region or a mapping of its fields.")
    return Region(**region)
