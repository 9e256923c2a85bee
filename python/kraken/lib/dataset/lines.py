"""What data sets of text lines have in common (spec chapter datasets §2)."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch.utils.data import Dataset

from kraken.lib.codec import PytorchCodec
from kraken.lib.dataset.text import text_transforms, transform_text

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["LineDataset", "identity"]

logger = logging.getLogger("kraken")

_MODES = ("1", "L", "RGB")


def identity(value: Any) -> Any:
    """The value itself."""
    return value


class LineDataset(Dataset[dict[str, Any]], ABC):
    """Line images with their texts.

    A line that can't be used is replaced by another one at random, remembered, and named by
    :meth:`failures`. What is learnt about lines while sampling is shared with loader processes.

    Args:
        normalization: Unicode normalisation of the texts.
        whitespace_normalization: Make every blank a space and strip texts.
        skip_empty_lines: Leave out lines without text.
        reorder: Put texts in display order; ``L`` and ``R`` set the base direction.
        im_transforms: From line images to tensors.
        augmentation: Distort images at random.
        max_width: Largest width of a transformed line that is used.
        subsampling: Columns of the image per step of the network; lines with more labels than steps
            aren't used.

    Attributes:
        alphabet: Code points of the texts and their numbers.
        codec: Codec of the labels, None before :meth:`encode`.
        seg_type: ``baselines`` or ``bbox``.
        transforms: From line images to tensors.
        aug: Augmentation of tensors or None.
    """

    seg_type: str | None
    #: smallest width of a transformed line that is used, None = any
    min_width: int | None = None

    def __init__(
        self,
        normalization: str | None = None,
        whitespace_normalization: bool = True,
        skip_empty_lines: bool = True,
        reorder: Any = True,
        im_transforms: Callable[[Any], torch.Tensor] = identity,
        augmentation: bool = False,
        max_width: int | None = None,
        subsampling: int | None = None,
    ) -> None:
        super().__init__()
        self.text_transforms = text_transforms(normalization, whitespace_normalization, reorder)
        self.skip_empty_lines = skip_empty_lines
        self.transforms = im_transforms
        self.max_width = max_width
        self.subsampling = subsampling
        self.alphabet: Counter[str] = Counter()
        self.codec: PytorchCodec | None = None
        self.aug: Callable[[torch.Tensor], torch.Tensor] | None = None
        if augmentation:
            from kraken.lib.dataset.augment import DefaultAugmenter  # only where images are distorted

            self.aug = DefaultAugmenter()
        self._mode = _shared_bytes(1)
        self._failed = torch.zeros(0, dtype=torch.uint8)
        self._causes: dict[int, str] = {}
        #: name and cause of lines that were refused when they were added
        self.rejected: list[str] = []

    # -- what subclasses define -------------------------------------------------

    @abstractmethod
    def __len__(self) -> int:
        """Number of lines."""

    @abstractmethod
    def text_of(self, index: int) -> str:
        """Transformed text of a line."""

    @abstractmethod
    def image_of(self, index: int) -> Image.Image:
        """Image of a line, before the transforms."""

    @abstractmethod
    def name_of(self, index: int) -> str:
        """What messages call a line."""

    @abstractmethod
    def size_of(self, index: int) -> tuple[int, int]:
        """About the width and height of a line's image, found without decoding it."""

    def labels_of(self, index: int) -> torch.Tensor:
        """Labels of a line."""
        assert self.codec is not None  # sampling checks that
        return self.codec.encode(self.text_of(index))

    # -- texts ------------------------------------------------------------------

    def transform_text(self, text: str | None) -> str:
        """A text as the network learns it."""
        return transform_text(text, self.text_transforms)

    def encode(
        self, codec: PytorchCodec | Mapping[str, Sequence[int]] | Sequence[str] | str | None = None
    ) -> None:
        """Makes samples carry labels.

        Args:
            codec: Codec to use, or what it is made of; None makes one of the alphabet.

        Raises:
            KrakenEncodeException: A text isn't encodable and the codec is strict.
        """
        if codec is None:
            codec = PytorchCodec("".join(sorted(self.alphabet)))
        self.codec = codec if isinstance(codec, PytorchCodec) else PytorchCodec(codec)
        self._prepare()
        self._encode_all()

    def _encode_all(self) -> None:
        """Labels of all lines; raises if a strict codec lacks a character."""
        for index in range(len(self)):
            self.labels_of(index)

    def no_encode(self) -> None:
        """Makes samples carry texts."""
        self.codec = None
        self._prepare()

    def _prepare(self) -> None:
        """Makes room for the flags of faulty lines in memory that loader processes share."""
        if len(self._failed) != len(self):
            old = self._failed
            self._failed = _shared_bytes(len(self))
            self._failed[: len(old)] = old[: len(self)]

    # -- samples ------------------------------------------------------------------

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Image (float32 C×H×W, 0 is background) and target (labels or text) of a line.

        Raises:
            IndexError: There's no such line.
            ValueError: No line is usable.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"line {index} of {len(self)}")
        self._prepare()
        while True:
            if not self._failed[index]:
                try:
                    return self._sample(index)
                except Exception as error:
                    # decoders, transforms and networks' rules fail in many ways; each costs one line only
                    self._fail(index, error)
            good = torch.nonzero(self._failed == 0).flatten()
            if not len(good):
                raise ValueError(f"All {len(self)} samples in dataset invalid.")
            index = int(good[torch.randint(len(good), (1,))])

    def _sample(self, index: int) -> dict[str, Any]:
        image = self.transforms(self.image_of(index))
        if self.aug is not None:
            image = self.aug(image)
        target = self._target(index)
        self._check_fit(image, target)
        self._note_mode(image)
        return {"image": image, "target": target}

    def _target(self, index: int) -> Any:
        if self.codec is None:
            return self.text_of(index)
        return self.labels_of(index)

    def _check_fit(self, image: torch.Tensor, target: Any) -> None:
        """Refuses lines that are too narrow, too wide or have no room for their labels."""
        width = int(image.shape[2])
        if self.min_width is not None and width < self.min_width:
            raise ValueError(f"the line is too short: {width} px of the {self.min_width} that are needed")
        if self.max_width is not None and width > self.max_width:
            raise ValueError(f"the line is {width} px wide, more than {self.max_width}")
        if self.subsampling is not None and self.codec is not None:
            steps = width // self.subsampling
            needed = len(target) + int((target[1:] == target[:-1]).sum())
            if needed > steps:
                raise ValueError(f"{needed} labels don't fit in {steps} steps of the network")

    def _fail(self, index: int, error: Exception) -> None:
        self._failed[index] = 1
        cause = " ".join(str(error).split()) or type(error).__name__
        self._causes[index] = f"{self.name_of(index)}: {cause}"
        logger.warning("Skipping line %s", self._causes[index])

    @property
    def failed_samples(self) -> set[int]:
        """Indices of the lines that turned out to be unusable."""
        return {int(index) for index in torch.nonzero(self._failed).flatten()}

    def failures(self) -> list[str]:
        """Name and cause of each unusable line that was met so far, in any process."""
        for index in sorted(self.failed_samples - self._causes.keys()):
            # the cause was met in a loader process; it shows again here
            try:
                self._sample(index)
            except Exception as error:
                cause = " ".join(str(error).split()) or type(error).__name__
                self._causes[index] = f"{self.name_of(index)}: {cause}"
            else:
                self._causes[index] = f"{self.name_of(index)}: failed once"
        return [self._causes[index] for index in sorted(self.failed_samples)]

    # -- kind of images -----------------------------------------------------------

    @property
    def im_mode(self) -> str:
        """Kind of the images sampled so far: ``1`` < ``L`` < ``RGB``."""
        return _MODES[int(self._mode[0])]

    def _note_mode(self, image: torch.Tensor) -> None:
        rank = 2 if image.shape[0] == 3 else 1
        if rank > int(self._mode[0]) and not _has_two_values(image):
            self._mode[0] = rank


def _shared_bytes(count: int) -> torch.Tensor:
    """Zeros that loader processes see and change, too."""
    values = torch.zeros(count, dtype=torch.uint8)
    values.share_memory_()  # type: ignore[no-untyped-call]
    return values


def _has_two_values(image: torch.Tensor) -> bool:
    """Whether exactly two values occur."""
    low, high = image.aminmax()
    return bool(low < high) and bool(((image == low) | (image == high)).all())


def source_of(line: Any) -> str | PathLike[str]:
    """Image file of a line.

    Raises:
        ValueError: The line names none.
    """
    if line.imagename is None:
        raise ValueError(f"Line {line.id} names no image")
    name: str | PathLike[str] = line.imagename
    return name
