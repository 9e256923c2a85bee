"""Text recognition as in older releases (spec chapter legacy §3).

New code uses :class:`kraken.tasks.RecognitionTaskModel`, or with a model per type of
line :class:`kraken.tasks.TaggedRecognitionTaskModel`; both read lines in batches.
"""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from kraken.containers import BBoxLine, Segmentation
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.util import get_im_str, is_bitonal
from kraken.lib.vgsl.recognition_inference import LineReader, empty_record
from kraken.tasks.recognition import DEFAULT_TYPE, line_type

if TYPE_CHECKING:
    from PIL import Image

    from kraken.containers import ocr_record
    from kraken.lib.models import TorchSeqRecognizer

__all__ = ["mm_rpred", "rpred"]

logger = logging.getLogger("kraken")


class mm_rpred:
    """Recognises the lines of a page, one when it is asked for, with a model per type of line.

    Args:
        nets: Recogniser by line type. A ``defaultdict`` with a factory also reads lines
            of other types.
        im: Page; not modified.
        bounds: Lines to recognise. Their types are looked at only if
            ``bounds.script_detection`` is set.
        pad: White columns before and after each line.
        bidi_reordering: Whether to put text in logical order; ``'L'`` and ``'R'`` fix the
            base direction.
        tags_ignore: Types of lines that give empty records.
        no_legacy_polygons: Whether the current line extraction is used whatever the models say.

    Raises:
        KrakenInputException: If there is a type of lines without recogniser.
        ValueError: If recognisers for binary and others for grey lines are mixed, or no
            recogniser can be chosen.
    """

    def __init__(
        self,
        nets: Mapping[str, TorchSeqRecognizer],
        im: Image.Image,
        bounds: Segmentation,
        pad: int = 16,
        bidi_reordering: bool | Literal["L", "R"] = True,
        tags_ignore: Sequence[str] | None = None,
        no_legacy_polygons: bool = False,
    ) -> None:
        _deprecated("mm_rpred", "kraken.tasks.TaggedRecognitionTaskModel", 3)
        self.nets = nets
        self.im = im
        self.im_str = get_im_str(im)
        self.bounds = bounds
        self.pad = pad
        self.bidi_reordering = bidi_reordering
        self.tags_ignore = list(tags_ignore or ())
        self.no_legacy_polygons = no_legacy_polygons
        factory = getattr(nets, "default_factory", None)
        self._default: TorchSeqRecognizer | None = None if factory is None else factory()
        self._readers: dict[int, LineReader] = {}
        self._next = 0
        self._check_choice()
        self._check_nets()
        if bounds.type == "bbox":
            for line in bounds.lines or []:
                if isinstance(line, BBoxLine):
                    line.text_direction = bounds.text_direction

    def _check_choice(self) -> None:
        """Raises if the recogniser of a line can't be chosen."""
        if self._default is not None:
            return
        if not self.bounds.script_detection:
            raise ValueError("No tags in input data and no default model in mapping given.")
        missing = {line_type(line) for line in self.bounds.lines or []}
        missing -= {*self.nets, *self.tags_ignore}
        if missing:
            raise KrakenInputException(
                f"Missing models for tags {missing}: name them in nets or in tags_ignore."
            )

    def _check_nets(self) -> None:
        nets = list(self.nets.values())
        if self._default is not None:
            nets.append(self._default)
        kinds = {net.seg_type for net in nets}
        if kinds - {self.bounds.type}:
            logger.warning(
                "Recognisers for lines of type %s are used on lines of type %s of %s: "
                "this will be inaccurate.",
                ", ".join(sorted(map(str, kinds))),
                self.bounds.type,
                self.im_str,
            )
        modes = {net.one_channel_mode for net in nets}
        if "1" in modes:
            if len(modes) > 1:
                raise ValueError("Mixing binary and non-binary recognition models is not supported.")
            if not is_bitonal(self.im):
                logger.warning(
                    "Running binary models on non-binary input image (mode %s). "
                    "This will result in severely degraded performance",
                    self.im.mode,
                )

    def __len__(self) -> int:
        return len(self.bounds.lines or [])

    def __iter__(self) -> Iterator[ocr_record]:
        return self

    def __next__(self) -> ocr_record:
        """Recognises the next line.

        Raises:
            KrakenInputException: If there is no recogniser for its type.
        """
        if self._next >= len(self):
            raise StopIteration
        index = self._next
        self._next += 1
        line: Any = (self.bounds.lines or [])[index]
        kind = line_type(line) if self.bounds.script_detection else DEFAULT_TYPE
        if self.bounds.script_detection and kind in self.tags_ignore:
            return empty_record(line, f"lines of type {kind} are ignored")
        record: ocr_record = self._reader(kind).read(index, 1)[0]
        return record

    def _reader(self, kind: str) -> LineReader:
        """What reads lines of a type: made once per recogniser."""
        net = self.nets.get(kind, self._default)
        if net is None:
            raise KrakenInputException(f"No model for type {kind}")
        reader = self._readers.get(id(net.nn))
        if reader is None:
            config = net.inference_config(
                padding=self.pad,
                bidi_reordering=self.bidi_reordering or False,
                no_legacy_polygons=self.no_legacy_polygons,
            )
            net.nn.prepare_for_inference(config)
            reader = self._readers[id(net.nn)] = LineReader(net.nn, self.im, self.bounds, config)
        return reader


def rpred(
    network: TorchSeqRecognizer,
    im: Image.Image,
    bounds: Segmentation,
    pad: int = 16,
    bidi_reordering: bool | Literal["L", "R"] = True,
    no_legacy_polygons: bool = False,
) -> mm_rpred:
    """Recognises the lines of a page with one model; see :class:`mm_rpred`.

    Args:
        network: The recogniser.
        im: Page; not modified.
        bounds: Lines to recognise.
        pad: White columns before and after each line.
        bidi_reordering: Whether to put text in logical order; ``'L'`` and ``'R'`` fix the
            base direction.
        no_legacy_polygons: Whether the current line extraction is used whatever the model says.

    Returns:
        An iterator over one record per line.
    """
    _deprecated("rpred", "kraken.tasks.RecognitionTaskModel", 3)
    nets: defaultdict[str, Any] = defaultdict(lambda: network)
    with warnings.catch_warnings():
        # once is enough
        warnings.simplefilter("ignore", DeprecationWarning)
        return mm_rpred(nets, im, bounds, pad, bidi_reordering, None, no_legacy_polygons)


def _deprecated(name: str, instead: str, level: int) -> None:
    warnings.warn(
        f"kraken.rpred.{name} is deprecated and will go with kraken 8; use {instead}.",
        DeprecationWarning,
        stacklevel=level,
    )
