"""From line images to text with a CTC line recognition network.

Spec chapter recognition §6. Lines are extracted and scaled a window at a time,
sorted by width into batches and handed back in their order; whatever happens to
one line costs that line only: it becomes an empty record and a warning.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from kraken.containers import BaselineOCRRecord, BBoxOCRRecord, Segmentation
from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.dataset.transforms import ImageInputTransforms, pad_sequences
from kraken.lib.decoders import language_decoder, resolve_decoder
from kraken.lib.exceptions import KrakenInputException, KrakenInvalidModelException
from kraken.lib.segmentation.extraction import extract_line_arrays, extract_lines

if TYPE_CHECKING:
    from kraken.configs import RecognitionInferenceConfig
    from kraken.lib.vgsl.model import TorchVGSLModel

logger = logging.getLogger("kraken")

__all__ = ["Item", "LineReader", "empty_record", "positions", "predict_lines"]

#: Lines extracted at once per line of a batch: enough to find neighbours of
#: equal width, few enough that a page's first text comes soon.
_WINDOW_BATCHES = 4
_MIN_WINDOW = 16
#: Least width in a batch as part of the largest: what is narrower would be computed on padding mostly.
_WIDTH_RANGE = 0.5

Record = BaselineOCRRecord | BBoxOCRRecord


@dataclass
class Item:
    """One line on its way through the network."""

    index: int
    line: Any
    image: Image.Image | None = None
    #: Width of the line image, before it is scaled.
    line_width: int = 0
    tensor: torch.Tensor | None = None
    failure: str | None = None
    #: Softmax output (classes, columns) and decoded (character, start, end, confidence).
    probabilities: npt.NDArray[np.float32] | None = None
    characters: list[tuple[str, int, int, float]] = field(default_factory=list)


def _softmax(logits: torch.Tensor, temperature: float) -> npt.NDArray[np.float32]:
    """Probabilities (N, C, W) of logits (N, C, 1, W), in float32 whatever the network's precision."""
    if logits.shape[2] != 1:
        raise KrakenInputException(
            f"Expected dimension 3 to be 1, actual {tuple(logits.shape)}: the network doesn't reduce "
            "the height of the line to one."
        )
    probabilities: npt.NDArray[np.float32] = (
        torch.softmax(logits.squeeze(2).float() / temperature, dim=1).cpu().numpy()
    )
    return probabilities


def positions(
    columns: npt.NDArray[np.float64], output_width: int, input_width: int, line_width: int, padding: int
) -> npt.NDArray[np.int64]:
    """Output columns of the network as pixels along the line image.

    Args:
        columns: Column indices in the network's output.
        output_width: Number of columns of the output (T).
        input_width: Width of the network's input, padding included (Wn).
        line_width: Width of the extracted line image (Wl).
        padding: Padding really applied at each end, in input pixels (P).

    Returns:
        Integers in ``0..line_width - 1``, rounded half to even (spec §6.1).
    """
    net_scale = input_width / output_width
    in_scale = line_width / (input_width - 2 * padding)
    pixels = np.clip((columns * net_scale - padding) * in_scale, 0, line_width - 1)
    return np.rint(pixels).astype(np.int64)


def empty_record(line: Any, reason: str) -> Record:
    """The record of a line that nothing is recognised on, and why."""
    kind = BBoxOCRRecord if line.type == "bbox" else BaselineOCRRecord
    record: Record = kind("", [], [], line)
    record.failure = reason
    return record


def _decoder(config: RecognitionInferenceConfig, model: TorchVGSLModel) -> Any:
    """What is asked for, else the language model that came with the model, else the best path."""
    if config.use_language_model and config.decoder is greedy_decoder and model.language_model is not None:
        return language_decoder(model.language_model)
    return config.decoder


class LineReader:
    """Reads lines of one page: network, transforms, options.

    Args:
        model: Network prepared for inference with ``config``.
        im: Page in any mode; not modified.
        bounds: Lines to recognise.
        config: How to, by default what the network was prepared with.

    Raises:
        KrakenInvalidModelException: If the model has no codec.
        KrakenInputException: If the network's input specification isn't one for lines.
        ValueError: If the temperature isn't above 0.
    """

    #: What doesn't happen to a failed line, for messages.
    task = "recognised"

    def __init__(
        self,
        model: TorchVGSLModel,
        im: Image.Image,
        bounds: Segmentation,
        config: RecognitionInferenceConfig | None = None,
    ) -> None:
        config = model._inference_config if config is None else config  # type: ignore[assignment]
        if config is None:
            raise ValueError("The network isn't prepared: call prepare_for_inference first.")
        if config.temperature <= 0:
            raise ValueError(f"temperature must be above 0, not {config.temperature}")
        if model.codec is None:
            raise KrakenInvalidModelException(
                "The model has no codec, so its output can't be turned into text: it isn't a trained "
                "recognition model."
            )
        self.model = model
        self.im = im
        self.bounds = bounds
        self.codec = model.codec
        self.config: RecognitionInferenceConfig = config
        self.decoder = resolve_decoder(_decoder(config, model), model.codec, config.num_threads)
        self.boxes = bounds.type == "bbox"
        batch, channels, height, width = model.input
        self.transforms = ImageInputTransforms(
            batch, height, width, channels, (config.padding, 0), valid_norm=self.boxes
        )
        self.legacy = self._choose_extractor()
        # Whoever wants the line images has to wait for them.
        self.direct = not self.boxes and self.transforms.only_scales and not config.return_line_image
        # Fixed-size inputs aren't padded, so nothing must be subtracted from positions either.
        self.padding = _horizontal(self.transforms.pad)

    def _choose_extractor(self) -> bool:
        if self.boxes or not self.model.use_legacy_polygons:
            return False
        if self.config.no_legacy_polygons:
            warnings.warn(
                "The model was trained on the legacy polygon extractor, but the current one was asked "
                "for: accuracy may suffer.",
                stacklevel=2,
            )
            return False
        warnings.warn(
            "Using the legacy polygon extractor, as the model was trained on it. Retrain it for "
            "speed and accuracy.",
            stacklevel=2,
        )
        return True

    def read(self, first: int = 0, count: int | None = None) -> list[Record]:
        """Records of ``count`` lines from index ``first`` on, by default as many as are efficient."""
        if count is None:
            count = max(_MIN_WINDOW, _WINDOW_BATCHES * self.config.batch_size)
        items = self.window(first, count)
        self.run(items)
        return [self.record(item) for item in items]

    # -- preparation ------------------------------------------------------

    def window(self, first: int, size: int) -> list[Item]:
        """Line images from index ``first`` on, scaled for the network."""
        lines = (self.bounds.lines or [])[first : first + size]
        items = [Item(first + k, line) for k, line in enumerate(lines)]
        if self.direct:
            self._prepare_directly(items)
        else:
            self._prepare_by_images(items)
        return items

    def _prepare_directly(self, items: list[Item]) -> None:
        """Has native threads make network inputs of the page at once; the same as by way of images."""
        arrays = extract_line_arrays(
            self.im,
            [item.line for item in items],
            height=self.transforms.height,
            channels=self.transforms.channels,
            padding=self.transforms.sides,
            legacy=self.legacy,
            num_threads=self.config.num_threads,
        )
        for item, found in zip(items, arrays, strict=True):
            if isinstance(found, str):
                self._fail(item, ValueError(found))
            else:
                array, item.line_width = found
                self._accept(item, torch.from_numpy(array))

    def _prepare_by_images(self, items: list[Item]) -> None:
        images = extract_lines(
            self.im,
            [item.line for item in items],
            type=self.bounds.type,
            text_direction=self.bounds.text_direction,
            legacy=self.legacy,
            num_threads=self.config.num_threads,
        )
        for item, image in zip(items, images, strict=True):
            if isinstance(image, str):
                self._fail(item, ValueError(image))
            else:
                item.image = Image.fromarray(image)
                item.line_width = item.image.width
        workers = min(self.config.num_line_workers, self.config.num_threads)
        if workers > 1:
            # Pillow's resampling releases the GIL, so threads suffice and share the page.
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(self._transform, items))
        else:
            for item in items:
                self._transform(item)

    def _transform(self, item: Item) -> None:
        if item.image is None:
            return
        try:
            if 0 in item.image.size:
                raise KrakenInputException("the line image is empty")
            tensor = self.transforms(item.image)
        except Exception as error:
            self._fail(item, error)
            return
        self._accept(item, tensor)

    def _accept(self, item: Item, tensor: torch.Tensor) -> None:
        """Takes the input for a line, unless there is nothing to see in it."""
        if tensor.max() == tensor.min():
            self._fail(item, KrakenInputException("the line image is of one colour"))
        else:
            item.tensor = tensor

    def _fail(self, item: Item, error: Exception) -> None:
        """Marks one line as failed; raises only if the caller wants that."""
        if self.config.raise_on_error:
            raise error
        item.tensor = None
        item.failure = f"{type(error).__name__}: {error}"
        logger.warning(
            "Line %s (%d of the page) isn't %s: %s", item.line.id, item.index, self.task, item.failure
        )

    # -- network ----------------------------------------------------------

    def run(self, items: Sequence[Item]) -> None:
        """Fills in the characters of every line of a window."""
        for batch in _batches(items, self.config.batch_size):
            try:
                self._forward(batch)
            except Exception as error:
                if len(batch) == 1:
                    self._fail(batch[0], error)
                    continue
                for item in batch:
                    self._forward_alone(item)

    def _forward_alone(self, item: Item) -> None:
        try:
            self._forward([item])
        except Exception as error:
            self._fail(item, error)

    def _forward(self, batch: Sequence[Item]) -> None:
        tensors = [item.tensor for item in batch if item.tensor is not None]
        stack, widths = pad_sequences(tensors)
        logits, lengths = self.model.infer(stack, widths)
        probabilities = _softmax(logits, self.config.temperature)
        ends = [probabilities.shape[2]] * len(batch) if lengths is None else [int(n) for n in lengths]
        self._decode(batch, probabilities, ends)
        for item, matrix, end in zip(batch, probabilities, ends, strict=True):
            item.probabilities = matrix[:, :end]

    def _decode(
        self, batch: Sequence[Item], probabilities: npt.NDArray[np.float32], ends: Sequence[int]
    ) -> None:
        """Fills in the characters of the lines of a batch."""
        decoded = self.decoder(probabilities, np.asarray(ends))
        for item, labels in zip(batch, decoded, strict=True):
            item.characters = self.codec.decode(labels)

    # -- records ----------------------------------------------------------

    def record(self, item: Item) -> Record:
        """The OCR record of a line, empty for one that failed."""
        text = "".join(c[0] for c in item.characters)
        cuts: list[Any] = []
        if text and item.tensor is not None and item.probabilities is not None:
            columns = np.array([c[1:3] for c in item.characters], dtype=np.float64)
            along = positions(
                columns, item.probabilities.shape[1], _width(item), item.line_width, self.padding
            ).tolist()
            cuts = self._boxes(item.line.bbox, along) if self.boxes else along
        options: dict[str, Any] = {
            "display_order": True,
            "logits": self._logits(item),
            "image": item.image if self.config.return_line_image else None,
        }
        kind = BBoxOCRRecord if self.boxes else BaselineOCRRecord
        confidences = [c[3] for c in item.characters]
        record: Record = kind(text, cuts, confidences, item.line, **options)
        if item.failure is not None:
            record.failure = item.failure
        elif self.config.bidi_reordering and item.probabilities is not None:
            record = self._in_order(record)
        return record

    def _in_order(self, record: Record) -> Record:
        """The record in the order that is asked for."""
        return record.logical_order(base_dir=self.base_dir())

    def base_dir(self) -> Literal["L", "R"] | None:
        """Base direction of the text: the configuration's, else the model's, else that of each line."""
        wanted = self.config.bidi_reordering
        if wanted is True:
            return self.model.base_dir
        return wanted if wanted in ("L", "R") else None

    def _logits(self, item: Item) -> torch.Tensor | None:
        """The line's own copy of its probabilities, if they were asked for."""
        if item.probabilities is None or not self.config.return_logits:
            return None
        return torch.from_numpy(item.probabilities.copy())

    def _boxes(self, bbox: Sequence[int], along: list[list[int]]) -> list[Any]:
        """Four corners per character, from positions along a box."""
        x0, y0, x1, y1 = bbox
        if self.bounds.text_direction.startswith("vertical"):
            return [((x0, y0 + a), (x1, y0 + a), (x1, y0 + b), (x0, y0 + b)) for a, b in along]
        return [((x0 + a, y0), (x0 + a, y1), (x0 + b, y1), (x0 + b, y0)) for a, b in along]


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """Lines to recognise, the widest first, in batches of similar width."""
    ready = sorted((item for item in items if item.tensor is not None), key=_width, reverse=True)
    batch: list[Item] = []
    for item in ready:
        if batch and (len(batch) >= size or _width(item) < _WIDTH_RANGE * _width(batch[0])):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _width(item: Item) -> int:
    return 0 if item.tensor is None else int(item.tensor.shape[-1])


def _horizontal(pad: Any) -> int:
    """Padding at the start of the line out of an int, a pair or a quadruple."""
    return int(pad) if isinstance(pad, (int, float)) else int(pad[0])


def predict_lines(model: TorchVGSLModel, im: Image.Image, segmentation: Segmentation) -> Iterator[Record]:
    """Recognises the lines of a page.

    Args:
        model: Network prepared with a ``RecognitionInferenceConfig``.
        im: Page in any mode; not modified.
        segmentation: Lines to recognise.

    Yields:
        One record per line in the order of ``segmentation.lines``. A line that
        can't be extracted or recognised gives an empty record and a warning.

    Raises:
        KrakenInvalidModelException: If the model has no codec.
        KrakenInputException: If the network's input specification isn't one for lines.
        ValueError: If the temperature isn't above 0.
    """
    page = LineReader(model, im, segmentation)
    total = len(segmentation.lines or [])
    first = 0
    while first < total:
        records = page.read(first)
        yield from records
        first += len(records)
