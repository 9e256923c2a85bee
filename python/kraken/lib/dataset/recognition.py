"""Text lines on page images as training data (spec chapter datasets §2)."""

from __future__ import annotations

import logging
import math
from abc import abstractmethod
from dataclasses import replace
from os import fspath
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from kraken.containers import BaselineLine, BBoxLine, Segmentation
from kraken.lib.dataset.arrow import ArrowIPCRecognitionDataset
from kraken.lib.dataset.augment import DefaultAugmenter
from kraken.lib.dataset.lines import LineDataset, source_of
from kraken.lib.dataset.pages import BoundedCache, image_bytes
from kraken.lib.segmentation import extract_polygons
from kraken.lib.util import open_image

if TYPE_CHECKING:
    from kraken.lib.xml import XMLPage

__all__ = ["ArrowIPCRecognitionDataset", "DefaultAugmenter", "GroundTruthDataset", "PolygonGTDataset"]

logger = logging.getLogger("kraken")

#: memory in which page images stay decoded, and in which line images are kept, per process
PAGE_CACHE_BYTES = 192 << 20
LINE_CACHE_BYTES = 192 << 20


class _PageLines(LineDataset):
    """Lines that are cut out of page images when they are sampled."""

    _line_class: type[Any]
    seg_type: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lines: list[Any] = []
        self._texts: list[str] = []
        self._labels: list[torch.Tensor] = []
        self._pages: BoundedCache[Image.Image] = BoundedCache(PAGE_CACHE_BYTES, image_bytes)
        self._images: BoundedCache[Image.Image] = BoundedCache(LINE_CACHE_BYTES, image_bytes)

    def add(self, line: Any = None, page: Segmentation | XMLPage | None = None) -> None:
        """Adds a line, or all lines of a page.

        Faulty lines of a page are left out with a message.

        Args:
            line: The line.
            page: The page.

        Raises:
            ValueError: There's neither, they are of the wrong kind, or the line is unusable.
        """
        if page is not None:
            self._add_page(page)
        elif line is not None:
            self._add_line(line)
        else:
            raise ValueError("Neither line nor page data provided in dataset builder")

    def _add_page(self, page: Any) -> None:
        if page.type != self.seg_type:
            raise ValueError(f'Invalid segmentation of type {page.type} (expected "{self.seg_type}")')
        lines = page.lines.values() if isinstance(page.lines, dict) else page.lines or ()
        for line in lines:
            try:
                self._add_line(replace(line, imagename=page.imagename))
            except ValueError as error:
                self.rejected.append(f"{page.imagename}: {error}")
                logger.warning("%s. Skipping.", self.rejected[-1])

    def _add_line(self, line: Any) -> None:
        if line.type != self.seg_type:
            raise ValueError(f'Invalid line {line.id} of type {line.type} (expected "{self.seg_type}")')
        text = self.transform_text(line.text)
        if not text and self.skip_empty_lines:
            raise ValueError(f"Text of line {line.id} is empty after transformation")
        self._check_line(line)
        self._lines.append(line)
        self._texts.append(text)
        self.alphabet.update(text)
        self._labels = []

    @abstractmethod
    def _check_line(self, line: Any) -> None:
        """Raises ValueError if the line has no place on the page."""

    def __len__(self) -> int:
        return len(self._lines)

    def text_of(self, index: int) -> str:
        """Transformed text of a line."""
        return self._texts[index]

    def labels_of(self, index: int) -> torch.Tensor:
        """Labels of a line."""
        return self._labels[index]

    def name_of(self, index: int) -> str:
        """Image file and id of a line."""
        line = self._lines[index]
        return f"{line.id} of {line.imagename}"

    def _encode_all(self) -> None:
        assert self.codec is not None  # the caller set it
        self._labels = [self.codec.encode(text) for text in self._texts]

    def _sample(self, index: int) -> dict[str, Any]:
        if self.codec is not None and len(self._labels) != len(self._lines):
            self._encode_all()
        return super()._sample(index)

    def image_of(self, index: int) -> Image.Image:
        """Image of a line, before the transforms."""
        return self._images.get(index, lambda: self._cut(self._lines[index]))

    def _page_of(self, line: Any) -> Image.Image:
        source = source_of(line)
        return self._pages.get(fspath(source), lambda: open_image(source))

    @abstractmethod
    def _cut(self, line: Any) -> Image.Image:
        """Image of a line, cut from its page."""

    def _extract(self, line: Any, legacy: bool = False) -> Image.Image:
        bounds = Segmentation(
            type=self.seg_type,  # type: ignore[arg-type]
            imagename=source_of(line),
            text_direction=getattr(line, "text_direction", "horizontal-lr"),
            script_detection=False,
            lines=[line],
        )
        return next(extract_polygons(self._page_of(line), bounds, legacy=legacy))[0]


class PolygonGTDataset(_PageLines):
    """Lines with baselines and polygons.

    Args:
        legacy_polygons: Cut lines out the way that models before release 5 expect.
        **kwargs: See :class:`~kraken.lib.dataset.lines.LineDataset`.
    """

    _line_class = BaselineLine
    seg_type = "baselines"

    def __init__(self, *args: Any, legacy_polygons: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.legacy_polygons = legacy_polygons

    def _check_line(self, line: Any) -> None:
        if not line.baseline:
            raise ValueError(f"No baseline given for line {line.id}")
        if not line.boundary:
            raise ValueError(f"No boundary given for line {line.id}")

    def size_of(self, index: int) -> tuple[int, int]:
        """About the width and height of a line's image: length of the baseline, area of the polygon."""
        line = self._lines[index]
        ends = zip(line.baseline, line.baseline[1:], strict=False)
        length = sum(math.dist(a, b) for a, b in ends)
        area = abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in _sides(line.boundary))) / 2
        return max(1, round(length)), max(1, round(area / max(1.0, length)))

    def _cut(self, line: Any) -> Image.Image:
        return self._extract(line, self.legacy_polygons)


class GroundTruthDataset(_PageLines):
    """Lines with boxes; arguments as for :class:`~kraken.lib.dataset.lines.LineDataset`."""

    _line_class = BBoxLine
    seg_type = "bbox"

    def _check_line(self, line: Any) -> None:
        if not line.bbox:
            raise ValueError(f"No bounding box given for line {line.id}")

    def size_of(self, index: int) -> tuple[int, int]:
        """Width and height of a line's box."""
        line = self._lines[index]
        x0, y0, x1, y1 = line.bbox
        if line.text_direction.startswith("vertical"):
            return max(1, y1 - y0), max(1, x1 - x0)
        return max(1, x1 - x0), max(1, y1 - y0)

    def _cut(self, line: Any) -> Image.Image:
        return self._extract(line)


def _sides(polygon: Any) -> Any:
    """Pairs of neighbouring corners."""
    return zip(polygon, [*polygon[1:], polygon[0]], strict=True)
