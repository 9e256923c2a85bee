"""Pages with lines and regions as training data of layout networks (spec chapter training §5)."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.utils.data import Dataset

from kraken._rust import image as _image
from kraken.containers import Segmentation
from kraken.lib.dataset.elements import canonical, element_type, index_of, merged, region_type
from kraken.lib.dataset.lines import identity
from kraken.lib.dataset.page_augment import PageAugmenter, transform_points
from kraken.lib.util import open_image

__all__ = ["BaselineSet"]

logger = logging.getLogger("kraken")

_SECTIONS = ("aux", "baselines", "regions")
_SEPARATORS = ("_start_separator", "_end_separator")
_MODES = ("1", "L", "RGB")
#: channels below this mark starts and ends of lines
_FIRST_CLASS = 2

Points = npt.NDArray[np.float64]
#: Channel → polylines or outlines as lists of [x, y].
Placed = dict[int, list[list[list[float]]]]


def _check_mapping(mapping: Any) -> None:
    """Raises ValueError if a class mapping is unusable."""
    if not isinstance(mapping, Mapping) or set(mapping) != set(_SECTIONS):
        raise ValueError(
            f"class_mapping needs exactly the keys {', '.join(_SECTIONS)}, it is {mapping!r:.200}."
        )
    for section in _SECTIONS:
        classes = mapping[section]
        if not isinstance(classes, Mapping):
            raise ValueError(f"Section {section} of the class mapping is no mapping but {classes!r:.80}.")
        lowest = 0 if section == "aux" else _FIRST_CLASS
        for name, index in classes.items():
            if isinstance(index, bool) or not isinstance(index, int) or index < lowest:
                raise ValueError(
                    f"Class {name} of {section} has the index {index!r}: "
                    f"it must be a whole number from {lowest}."
                )
        if section != "aux" and isinstance(classes, defaultdict) and classes.default_factory is not None:
            factory: Any = classes.default_factory
            first = factory.n if hasattr(factory, "n") else factory()
            if isinstance(first, bool) or not isinstance(first, int) or first < _FIRST_CLASS:
                raise ValueError(
                    f"New classes of {section} would get the index {first!r}, below {_FIRST_CLASS}."
                )
    if missing := [name for name in _SEPARATORS if name not in mapping["aux"]]:
        raise ValueError(f"Section aux of the class mapping lacks {', '.join(missing)}.")
    if shared := set(mapping["baselines"].values()) & set(mapping["regions"].values()):
        raise ValueError(f"Baselines and regions share the indices {sorted(shared)}.")


class BaselineSet(Dataset[dict[str, Any]]):
    """Page images with maps of their lines and regions.

    A page that can't be used is replaced by another one at random and remembered. A single line or region
    that can't be drawn is left out with a warning.

    Args:
        class_mapping: ``aux`` (with ``_start_separator`` and ``_end_separator``), ``baselines`` and
            ``regions``: name → channel. Several names of a section with one channel are one class. Types that
            a plain mapping doesn't know are left out; a mapping with a default factory grows.
        line_width: Width of drawn lines in pixels of the transformed image.
        padding: (left, right, top, bottom) pixels that `im_transforms` puts around a page.
        im_transforms: From page images to tensors; scales both axes alike.
        augmentation: Distort pages at random.

    Attributes:
        imgs: Image file of each page.
        targets: Per page ``baselines``, channel → polylines, and ``regions``, channel → regions.
        class_stats: ``baselines`` and ``regions``: name → number of elements.
        class_mapping: The mapping, as it has grown.
        transforms: From page images to tensors.
        aug: Augmentation or None.

    Raises:
        ValueError: The mapping is unusable.
    """

    seg_type = "baselines"

    def __init__(
        self,
        class_mapping: Mapping[str, Any],
        line_width: int = 4,
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        im_transforms: Callable[[Any], torch.Tensor] = identity,
        augmentation: bool = False,
    ) -> None:
        super().__init__()
        _check_mapping(class_mapping)
        self.class_mapping = dict(class_mapping)
        self.line_width = line_width
        self.padding = padding
        self.transforms = im_transforms
        self.aug: PageAugmenter | None = PageAugmenter() if augmentation else None
        self.imgs: list[str | PathLike[str] | Image.Image] = []
        self.targets: list[dict[str, dict[int, list[Any]]]] = []
        self._elements: list[list[tuple[str, str, Any]]] = []
        self.class_stats: dict[str, Counter[str]] = {"baselines": Counter(), "regions": Counter()}
        self._causes: dict[int, str] = {}
        # both are shared with loader processes, which see the images
        self._failed = torch.zeros(0, dtype=torch.uint8)
        self._mode: torch.Tensor = torch.zeros(1, dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]

    # -- pages and classes ------------------------------------------------------

    def add(self, doc: Segmentation) -> None:
        """Adds a page.

        Raises:
            ValueError: Its lines aren't baselines.
        """
        if doc.type != "baselines":
            raise ValueError(f"{doc.imagename} holds lines of type {doc.type}, baselines are needed.")
        found = [
            ("baselines", element_type(line), getattr(line, "baseline", None)) for line in doc.lines or ()
        ]
        for kind, group in (doc.regions or {}).items():
            for region in group:
                if region.boundary is not None and len(region.boundary):
                    found.append(("regions", region_type(region, kind), region))
        known = [e for e in found if index_of(self.class_mapping[e[0]], e[1]) is not None]
        for section, name, _ in known:
            self.class_stats[section][name] += 1
        self._elements.append(known)
        self.targets.append(self._by_class(known))
        self.imgs.append(doc.imagename)

    def _by_class(self, elements: Sequence[tuple[str, str, Any]]) -> dict[str, dict[int, list[Any]]]:
        found: dict[str, dict[int, list[Any]]] = {"baselines": {}, "regions": {}}
        for section, name, element in elements:
            index = index_of(self.class_mapping[section], name)
            if index is not None:
                found[section].setdefault(index, []).append(element)
        return found

    def renumber(self, class_mapping: Mapping[str, Any]) -> None:
        """Gives the classes of the pages that were added other channels.

        Args:
            class_mapping: As for the constructor; elements of types that it lacks are left out.

        Raises:
            ValueError: The mapping is unusable.
        """
        _check_mapping(class_mapping)
        self.class_mapping = dict(class_mapping)
        self.targets = [self._by_class(elements) for elements in self._elements]

    @property
    def num_classes(self) -> int:
        """Number of channels; those without a class are empty."""
        indices = [index for section in self.class_mapping.values() for index in section.values()]
        return max(indices, default=-1) + 1

    @property
    def canonical_class_mapping(self) -> dict[str, dict[str, int]]:
        """The mapping with the first name of each class."""
        return {section: canonical(classes) for section, classes in self.class_mapping.items()}

    @property
    def merged_classes(self) -> dict[str, dict[str, list[str]]]:
        """Further names of the classes that have several."""
        return {section: merged(classes) for section, classes in self.class_mapping.items()}

    @property
    def im_mode(self) -> str:
        """Kind of the images sampled so far: ``1`` < ``L`` < ``RGB``."""
        return _MODES[int(self._mode[0])]

    # -- samples ----------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.imgs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A page.

        Returns:
            ``image`` (float32, C×H×W, 0 is background), ``target`` (float32, classes×H×W, 0 or 1),
            ``baselines`` and ``regions``: channel → polylines and outlines (lists of [x, y]) on the image,
            and ``source``, the name of the page's file.

        Raises:
            IndexError: There's no such page.
            ValueError: No page is usable.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"page {index} of {len(self)}")
        self.share_failures()
        while True:
            if not self._failed[index]:
                try:
                    return self._sample(index)
                except Exception as error:
                    # decoders and transforms fail in many ways; each costs one page only
                    self._failed[index] = 1
                    self._causes[index] = self._cause(index, error)
                    logger.warning("Skipping page %s", self._causes[index])
            good = torch.nonzero(self._failed == 0).flatten()
            if not len(good):
                raise ValueError(
                    f"All {len(self)} samples in dataset invalid. The first: {self.failures()[0]}"
                )
            index = int(good[int(torch.randint(len(good), (1,)))])

    def share_failures(self) -> None:
        """Makes room for marks of all pages that are unusable, in memory that loader processes share.

        To be called when all pages are added and before such processes start; a set that is sampled in one
        process only needs no call.
        """
        if len(self._failed) < len(self):
            marks = torch.zeros(len(self), dtype=torch.uint8)
            marks[: len(self._failed)] = self._failed
            self._failed = marks.share_memory_()  # type: ignore[no-untyped-call]

    @property
    def failed_samples(self) -> set[int]:
        """Indices of the pages that turned out to be unusable."""
        return {int(index) for index in torch.nonzero(self._failed).flatten()}

    def _cause(self, index: int, error: Exception) -> str:
        source = self.imgs[index]
        name = f"page {index}" if isinstance(source, Image.Image) else fspath(source)
        return f"{name}: {' '.join(str(error).split()) or type(error).__name__}"

    def failures(self) -> list[str]:
        """Name and cause of each unusable page that was met so far, in any process."""
        for index in sorted(self.failed_samples - self._causes.keys()):
            # the cause was met in a loader process; it shows again here
            try:
                self._sample(index)
            except Exception as error:
                self._causes[index] = self._cause(index, error)
            else:
                self._causes[index] = self._cause(index, ValueError("failed once"))
        return [self._causes[index] for index in sorted(self.failed_samples)]

    def _sample(self, index: int) -> dict[str, Any]:
        source = self.imgs[index]
        page = source if isinstance(source, Image.Image) else open_image(source)
        image = self.transforms(page)
        if not isinstance(image, torch.Tensor):
            raise ValueError("no im_transforms are set: they have to make tensors of images")
        rank = 2 if image.shape[0] == 3 else 1
        if rank > int(self._mode[0]):
            self._mode[0] = rank
        left, right, top, _ = self.padding
        scale = (image.shape[2] - left - right) / page.width
        matrix = np.eye(3)
        if self.aug is not None:
            image, matrix = self.aug(image)

        def place(points: Any, clip: bool = False) -> Points:
            scaled = np.asarray(points, dtype=float).reshape(-1, 2) * scale
            if not np.isfinite(scaled).all():
                raise ValueError("it has coordinates that are no numbers")
            if clip:
                # region outlines have always been whole pixels of the scaled page, none of them negative
                scaled = np.trunc(np.maximum(scaled, 0))
            shifted: Points = np.add(scaled, (left, top))
            return transform_points(shifted, matrix) if self.aug else shifted

        name = fspath(source) if not isinstance(source, Image.Image) else f"page {index}"
        size = (image.shape[1], image.shape[2])
        target, baselines, regions = self._draw(self.targets[index], size, place, name)
        return {
            "image": image,
            "target": target,
            "baselines": baselines,
            "regions": regions,
            "source": name,
        }

    def _draw(
        self,
        page: Mapping[str, Mapping[int, Sequence[Any]]],
        size: tuple[int, int],
        place: Callable[..., Points],
        name: str,
    ) -> tuple[torch.Tensor, Placed, Placed]:
        """Maps, placed baselines and placed outlines of a page."""
        lines: list[tuple[int, Any]] = []
        baselines: Placed = {}
        for index, group in page["baselines"].items():
            placed = baselines.setdefault(index, [])
            for number, line in enumerate(group):
                try:
                    points = place(line if line is not None else [])
                    points = points[np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)][: len(points)]]
                    if len(points) < 2:
                        raise ValueError("it has less than two different points")
                except (TypeError, ValueError) as error:
                    logger.warning("Line %d of class %d of %s is left out: %s.", number, index, name, error)
                    continue
                placed.append(points.tolist())
                lines.append((index, points.tolist()))
        areas: list[tuple[int, Any]] = []
        outlines: Placed = {}
        for index, regions in page["regions"].items():
            for region in regions:
                try:
                    outline = place(region.boundary, clip=True).tolist()
                    areas.append((index, outline))
                    outlines.setdefault(index, []).append(outline)
                except (TypeError, ValueError) as error:
                    logger.warning("Region %s of %s is left out: %s.", region.id, name, error)
        maps = _image.layout_target((self.num_classes, *size), lines, areas, float(self.line_width))
        return torch.from_numpy(maps).float(), baselines, outlines
