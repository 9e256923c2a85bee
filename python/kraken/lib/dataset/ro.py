"""Pairs of elements of pages as training data of reading-order networks (spec chapter datasets §3)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from kraken.lib.dataset.elements import canonical, element_type, index_of, merged
from kraken.lib.xml import XMLPage

__all__ = ["PageWiseROSet", "PairWiseROSet"]

logger = logging.getLogger("kraken")

Floats = npt.NDArray[np.float32]


@dataclass
class _Page:
    """Elements of a page in reading order."""

    types: list[str]
    #: centre, start and end of each element as shares of the page, (n, 6)
    places: Floats


class _ROSet(Dataset[dict[str, Any]]):
    """Pages whose elements are in a known order.

    Args:
        files: ALTO or PageXML documents; those that can't be used are named and left out.
        class_mapping: Type → class. Elements of types that a plain mapping doesn't know are dropped; a
            mapping with a default factory grows.
        mode: ``xml``, ``alto`` or ``page``.
        level: ``baselines`` or ``regions``.
        ro_id: Name of the reading order; None is the order of the document.

    Attributes:
        class_mapping: The mapping, as it has grown.
        class_stats: Type → number of elements.

    Raises:
        ValueError: `mode` or `level` isn't known.
    """

    def __init__(
        self,
        files: Sequence[str | PathLike[str]],
        class_mapping: Mapping[str, int],
        mode: Literal["xml", "alto", "page"] = "xml",
        level: Literal["baselines", "regions"] = "baselines",
        ro_id: str | None = None,
    ) -> None:
        super().__init__()
        if mode not in ("xml", "alto", "page"):
            raise ValueError(f"mode {mode} is none of xml, alto, page.")
        if level not in ("baselines", "regions"):
            raise ValueError(f"level {level} is none of baselines, regions.")
        self.class_mapping = class_mapping
        self.class_stats: Counter[str] = Counter()
        self.level = level
        self.ro_id = ro_id or ("line_implicit" if level == "baselines" else "region_implicit")
        self._failures: list[str] = []
        self._pages: list[_Page] = []
        for file in files:
            try:
                page = self._read(XMLPage(file, filetype=mode))
            except (OSError, ValueError, TypeError, KeyError) as error:
                self._failures.append(f"{fspath(file)}: {error}")
                logger.warning("Failed to parse %s", self._failures[-1])
                continue
            if len(page.types) > 1:
                self._pages.append(page)
            else:
                logger.info("Page %s has less than two elements and is left out.", fspath(file))

    def _read(self, document: XMLPage) -> _Page:
        lines = self.level == "baselines"
        elements: Sequence[Any] = (
            document.get_sorted_lines(self.ro_id) if lines else document.get_sorted_regions(self.ro_id)
        )
        width, height = self._size(document)
        types, places = [], []
        for element in elements:
            outline = element.baseline if lines else element.boundary
            name = element_type(element)
            if outline is None or not len(outline) or index_of(self.class_mapping, name) is None:
                continue
            points = np.asarray(outline, dtype=float)
            ends = (points[0], points[-1]) if lines else (points.min(axis=0), points.max(axis=0))
            types.append(name)
            places.append(np.concatenate([points.mean(axis=0), *ends]) / np.tile((width, height), 3))
        self.class_stats.update(types)
        return _Page(types, np.asarray(places, dtype=np.float32).reshape(-1, 6))

    @staticmethod
    def _size(document: XMLPage) -> tuple[float, float]:
        size = document.image_size
        if not size or min(size) <= 0:
            raise ValueError("the document doesn't say how large the page is")
        return float(size[0]), float(size[1])

    def failures(self) -> list[str]:
        """Name and cause of each file that couldn't be used."""
        return list(self._failures)

    @property
    def num_classes(self) -> int:
        """Length of the one-hot part of an element's features."""
        return max([0, *self.class_mapping.values()]) + 1

    def get_feature_dim(self) -> int:
        """Length of the features of a pair."""
        return 2 * self.num_classes + 12

    @property
    def canonical_class_mapping(self) -> dict[str, int]:
        """The mapping with the first name of each class."""
        return canonical(self.class_mapping)

    @property
    def merged_classes(self) -> dict[str, list[str]]:
        """Further names of the classes that have several."""
        return merged(self.class_mapping)

    def _features(self, page: _Page) -> Tensor:
        """Features of each element (n, classes + 6); those of unknown types are of class 0.

        Made when asked for, as the mapping may grow while other sets are read.
        """
        classes = torch.tensor([self.class_mapping.get(name, 0) for name in page.types])
        known = torch.nn.functional.one_hot(classes, self.num_classes).float()
        return torch.cat([known, torch.from_numpy(page.places)], dim=1)


class PairWiseROSet(_ROSet):
    """Random pairs of elements of a page."""

    def __len__(self) -> int:
        return sum(len(page.types) * (len(page.types) - 1) for page in self._pages)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """A random pair of a random page; the index doesn't matter.

        Returns:
            ``sample``: features of both elements, ``target``: 1 if the first precedes the second, else 0.

        Raises:
            IndexError: There's no such pair.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"pair {index} of {len(self)}")
        pair = self.__getitems__([index])
        return {"sample": pair["sample"][0], "target": pair["target"][0]}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """As many random pairs, as a batch; for loaders."""
        pages = torch.randint(len(self._pages), (len(indices),))
        samples, targets = [], []
        for number in sorted(set(pages.tolist())):
            features = self._features(self._pages[number])
            count, n = int((pages == number).sum()), len(features)
            first, other = torch.randint(n, (count,)), torch.randint(n - 1, (count,))
            second = other + (other >= first)
            samples.append(torch.cat([features[first], features[second]], dim=1))
            targets.append((first < second).float())
        return {"sample": torch.cat(samples), "target": torch.cat(targets)}


class PageWiseROSet(_ROSet):
    """All ordered pairs of the elements of a page."""

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A page.

        Returns:
            ``sample``: features of all pairs i ≠ j, i in the outer loop; ``target``: 1 where i precedes j;
            ``num_lines``: number of elements.

        Raises:
            IndexError: There's no such page.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"page {index} of {len(self)}")
        features = self._features(self._pages[index])
        n = len(features)
        i, j = torch.arange(n).repeat_interleave(n), torch.arange(n).repeat(n)
        i, j = i[i != j], j[i != j]
        sample = torch.cat([features[i], features[j]], dim=1)
        return {"sample": sample, "target": (i < j).float(), "num_lines": n}
