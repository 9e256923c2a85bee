"""Where the characters of a known text stand, with a CTC line recognition network.

Spec chapter recognition §7. The network's output is the same as for recognition;
in place of decoding it, the labels of the line's transcription are located in it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kraken.lib.bidi import get_display
from kraken.lib.ctc_decoder import align_labels
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.recognition_inference import Item, LineReader, Record

if TYPE_CHECKING:
    from PIL import Image

    from kraken.configs import RecognitionInferenceConfig
    from kraken.containers import Segmentation
    from kraken.lib.vgsl.model import TorchVGSLModel

logger = logging.getLogger("kraken")

__all__ = ["align_lines", "character_spans"]

#: A part of a text that one code stands for, and its labels.
Part = tuple[str, list[int]]


def character_spans(
    parts: Sequence[Part], symbols: Sequence[tuple[int, int, int, float]], columns: int
) -> list[tuple[str, int, int, float]]:
    """Turns located labels into code points that tile the line.

    The blank columns between two neighbours are shared half and half. The first and
    the last one grow outwards by up to half of the median gap, since ink doesn't end
    where the network is sure of a character.

    Args:
        parts: Parts of the text with their labels.
        symbols: ``(label, first column, last column, confidence)`` of all of these labels.
        columns: Number of columns of the line.

    Returns:
        ``(code point, first column, last column + 1, confidence)`` of each code point;
        those of one part share its span. Confidences are means over the label columns.
    """
    spans, confidences = [], []
    at = 0
    for _, labels in parts:
        own = symbols[at : at + len(labels)]
        at += len(labels)
        spans.append([own[0][1], own[-1][2] + 1])
        widths = [last - first + 1 for _, first, last, _ in own]
        confidences.append(float(np.average([symbol[3] for symbol in own], weights=widths)))
    gaps = [right[0] - left[1] for left, right in pairwise(spans)]
    outer = int(np.median(gaps)) // 2 if gaps else 0
    for (left, right), gap in zip(pairwise(spans), gaps, strict=True):
        left[1] += gap // 2
        right[0] = left[1]
    if spans:
        spans[0][0] = max(spans[0][0] - outer, 0)
        spans[-1][1] = min(spans[-1][1] + outer, columns)
    return [
        (char, start, end, confidence)
        for (text, _), (start, end), confidence in zip(parts, spans, confidences, strict=True)
        for char in text
    ]


class _Aligner(LineReader):
    """Locates the texts of the lines of one page."""

    task = "aligned"

    def __init__(
        self,
        model: TorchVGSLModel,
        im: Image.Image,
        bounds: Segmentation,
        config: RecognitionInferenceConfig | None = None,
    ) -> None:
        super().__init__(model, im, bounds, config)
        self.parts = [self._encode(line.text) for line in bounds.lines or []]
        self._check_alphabet()

    def _encode(self, text: str | None) -> list[Part]:
        """The text in display order, as networks see it; what the codec lacks is left out."""
        return self.codec.encode_parts(get_display(text or "", self.base_dir()))

    def _check_alphabet(self) -> None:
        """Raises if the texts of the page are none that the model knows."""
        texts = [line.text for line in self.bounds.lines or [] if line.text]
        if texts and not any(self.parts):
            raise ValueError(
                f"Failed to align {len(texts)} lines: the model's codec has none of their characters "
                f"(the first line is {texts[0][:20]!r}). Use a model for this script."
            )

    def run(self, items: Sequence[Item]) -> None:
        """Locates the text of every line of a window."""
        for item in items:
            if item.tensor is None or self.parts[item.index]:
                continue
            if item.line.text:
                self._fail(
                    item,
                    KrakenInputException(
                        f"the codec has none of the {len(item.line.text)} code points of its text"
                    ),
                )
            else:
                # Nothing is wrong with a line that nobody transcribed.
                item.tensor, item.failure = None, "it has no text"
                logger.warning("Line %s (%d of the page) isn't aligned: no text", item.line.id, item.index)
        super().run(items)

    def _decode(
        self, batch: Sequence[Item], probabilities: npt.NDArray[np.float32], ends: Sequence[int]
    ) -> None:
        labels = [[label for _, code in self.parts[item.index] for label in code] for item in batch]
        found = align_labels(probabilities, labels, ends)
        for item, text, end, symbols in zip(batch, labels, ends, found, strict=True):
            if symbols is None:
                reason = (
                    f"its {len(text)} labels (and the blanks between equal ones) don't fit into the "
                    f"{end} columns of the network's output"
                )
                self._fail(item, KrakenInputException(reason))
            else:
                item.characters = character_spans(self.parts[item.index], symbols, end)

    def _in_order(self, record: Record) -> Record:
        return record  # positions belong to what is seen


def align_lines(model: TorchVGSLModel, im: Image.Image, segmentation: Segmentation) -> list[Any]:
    """Aligns the texts of the lines of a page.

    Args:
        model: Network prepared with a ``RecognitionInferenceConfig``.
        im: Page in any mode; not modified.
        segmentation: Lines with texts in logical order.

    Returns:
        One record per line, in display order. Lines without text, with text that the
        codec can't express or that is too long, and lines that can't be extracted give
        empty records with the reason in ``failure``, and a warning.

    Raises:
        ValueError: If the codec has no character of any line's text.
    """
    page = _Aligner(model, im, segmentation)
    records: list[Any] = []
    while len(records) < len(segmentation.lines or []):
        records += page.read(len(records))
    return records
