"""Recognition results of a line."""

import copy
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from kraken.containers.lines import BaseDirection, BaselineLine, BBoxLine
from kraken.containers.sections import Section, as_points, cut_sections, precompute_polygon_sections
from kraken.lib.bidi import get_display_map

if TYPE_CHECKING:
    import torch
    from PIL import Image

__all__ = ["BBoxOCRRecord", "BaselineOCRRecord", "ocr_record"]

Record = TypeVar("Record", bound="ocr_record")
_ATOMS = frozenset((int, float, str, bool, type(None)))


class ocr_record(ABC):
    """A recognised line: text, and a cut and a confidence for each code point.

    ``record[i]`` and iteration give triples (code point, cut, confidence);
    ``record[a:b]`` gives one triple of the text, the section of the line that
    holds it, and the mean confidence.

    Args:
        prediction: The text.
        cuts: Position of each code point.
        confidences: Confidence of each code point.
        display_order: Whether the n-th code point is the n-th from the left, or
            the n-th that is read.
        logits: Network output for the line.
        image: Image of the line.

    Attributes:
        failure: Why the line couldn't be recognised or aligned, None if it was.
    """

    __module__ = "kraken.containers"

    base_dir: BaseDirection | None = None
    failure: str | None = None
    logits: "torch.Tensor | None" = None
    image: "Image.Image | None" = None
    _line_base_dir: BaseDirection | None = None

    def __init__(
        self,
        prediction: str,
        cuts: Sequence[Any],
        confidences: Sequence[float],
        display_order: bool = True,
        logits: "torch.Tensor | None" = None,
        image: "Image.Image | None" = None,
    ) -> None:
        self._prediction = prediction
        self._cuts = cuts
        self._confidences = confidences
        self._display_order = display_order
        self.logits = logits
        self.image = image

    @property
    @abstractmethod
    def type(self) -> str:
        """``'baselines'`` or ``'bbox'``."""

    @abstractmethod
    def display_order(self, base_dir: BaseDirection | None = None) -> "ocr_record":
        """The record in display order."""

    @abstractmethod
    def logical_order(self, base_dir: BaseDirection | None = None) -> "ocr_record":
        """The record in logical order."""

    @abstractmethod
    def _section(self, indices: Sequence[int]) -> Any:
        """The part of the line that holds the characters at the (valid) indices."""

    @property
    def prediction(self) -> str:
        """The text."""
        return self._prediction

    @property
    def cuts(self) -> Sequence[Any]:
        """Position of each code point."""
        return self._cuts

    @property
    def confidences(self) -> Sequence[float]:
        """Confidence of each code point."""
        return self._confidences

    def __len__(self) -> int:
        return len(self._prediction)

    def __str__(self) -> str:
        return self._prediction

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        same_line = super().__eq__(other)
        if same_line is not True or not isinstance(other, ocr_record):
            return same_line
        return (
            self._prediction == other._prediction
            and _listed(self._cuts) == _listed(other._cuts)
            and _listed(self._confidences) == _listed(other._confidences)
        )

    __hash__ = None  # type: ignore[assignment]

    def _check_lengths(self) -> None:
        """Raises if cuts exist, but not one cut and confidence per code point."""
        n = len(self._prediction)
        if len(self._cuts) < n or len(self._confidences) < n:
            raise ValueError(
                f"Record of line {getattr(self, 'id', None)!r} has {n} code points, "
                f"but {len(self._cuts)} cuts and {len(self._confidences)} confidences."
            )

    @property
    def _has_cuts(self) -> bool:
        return len(self.cuts) > 0

    def _triple(self, i: int) -> tuple[str, Any, float]:
        if self._has_cuts:
            self._check_lengths()
            return self._prediction[i], self.cuts[i], self._confidences[i]
        confidence = self._confidences[i] if i < len(self._confidences) else math.nan
        return self._prediction[i], (), confidence

    def __iter__(self) -> Iterator[tuple[str, Any, float]]:
        return (self._triple(i) for i in range(len(self)))

    def __getitem__(self, key: Any) -> tuple[str, Any, float]:
        n = len(self)
        if isinstance(key, slice):
            return self._slice(range(*key.indices(n)))
        try:
            i = operator.index(key)
        except TypeError:
            raise TypeError(
                f"Invalid argument type {type(key).__name__}, need an integer or a slice"
            ) from None
        if not -n <= i < n:
            raise IndexError(f"Index ({i}) is out of range")
        return self._triple(i % n)

    def _slice(self, indices: Sequence[int]) -> tuple[str, Any, float]:
        if not indices:
            raise ValueError("The slice selects no characters of the record.")
        if self._has_cuts:
            self._check_lengths()
            section = self._section(indices)
        else:
            section = ()
        present = [float(self._confidences[i]) for i in indices if i < len(self._confidences)]
        mean = sum(present) / len(present) if present else math.nan
        return "".join(self._prediction[i] for i in indices), section, mean

    def _adopt(self, line: Any, kind: str, base_dir: BaseDirection | None) -> dict[str, Any]:
        """The fields of the line to build the record from, without its base direction."""
        if is_dataclass(line) and not isinstance(line, type):
            values = {field.name: _copied(getattr(line, field.name)) for field in fields(line)}
        elif isinstance(line, Mapping):
            values = dict(line)
        else:
            values = {}
        if values.pop("type", None) != kind:
            wanted = "bbox" if kind == "bbox" else "baseline"
            raise TypeError(f"Invalid argument type (non-{wanted} line)")
        self._line_base_dir = values.pop("base_dir", None)
        return {**values, "base_dir": base_dir}

    def _reordered(self: Record, base_dir: BaseDirection | None) -> Record:
        """The record with its characters permuted by the bidirectional algorithm.

        Display and logical order are converted into each other by one map; it
        is a true inverse for text of a single direction only.
        """
        direction = base_dir if base_dir in ("L", "R") else None
        text, order = get_display_map(self._prediction, direction)
        cuts: list[Any] = []
        if len(self._cuts):
            self._check_lengths()
            cuts = [self._cuts[i] for i in order]
        confidences = [self._confidences[i] for i in order if i < len(self._confidences)]
        line = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        line["base_dir"] = self._line_base_dir
        return type(self)(
            prediction=text,
            cuts=cuts,
            confidences=confidences,
            line=line,  # type: ignore[call-arg]
            base_dir=base_dir,
            display_order=not self._display_order,
            logits=self.logits,
            image=self.image,
        )


def _copied(value: Any) -> Any:
    """Deep copy, many times as fast as the library's for lists of points."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is list or kind is tuple:
        kinds = set(map(type, value))
        if kinds == {list} and _ATOMS.issuperset(map(type, chain.from_iterable(value))):
            return kind(map(list, value))
        if kinds <= _ATOMS:
            return kind(value)
        return kind([_copied(v) for v in value])
    if kind is dict:
        return {k: _copied(v) for k, v in value.items()}
    return copy.deepcopy(value)


def _listed(values: Any) -> list[Any]:
    """The values as a list, which unlike an array compares as a whole."""
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _frozen(points: Any) -> tuple[Any, ...]:
    """A snapshot of points that later changes of the record's line don't reach."""
    if points is None or not len(points):
        return ()
    try:
        return tuple([tuple(point) for point in points])
    except TypeError:
        # Whoever asks for cuts will hear about points that are none.
        return tuple(points)


class BaselineOCRRecord(ocr_record, BaselineLine):
    """The recognition result of a line with a baseline.

    All fields of the line are attributes of the record.

    Args:
        prediction: The text.
        cuts: For each code point the distances along the baseline of its start
            and its end, in pixels.
        confidences: Confidence of each code point.
        line: The line; objects are copied.
        base_dir: Base direction that the order of the text was found with.
        display_order: Whether the n-th code point is the n-th from the left, or
            the n-th that is read.
        logits: Network output for the line.
        image: Image of the line.

    Raises:
        TypeError: if the line isn't of type ``'baselines'`` or has unknown fields.
        ValueError: if a cut isn't a pair of numbers.
    """

    __module__ = "kraken.containers"

    type = "baselines"

    def __init__(
        self,
        prediction: str,
        cuts: Sequence[tuple[float, float]],
        confidences: Sequence[float],
        line: BaselineLine | Mapping[str, Any],
        base_dir: BaseDirection | None = None,
        display_order: bool = True,
        logits: "torch.Tensor | None" = None,
        image: "Image.Image | None" = None,
    ) -> None:
        BaselineLine.__init__(self, **self._adopt(line, "baselines", base_dir))
        ocr_record.__init__(self, prediction, _pairs(cuts), confidences, display_order, logits, image)
        # Polygons are cut on demand, from the geometry as it is now.
        self._geometry = (_frozen(self.baseline), _frozen(self.boundary))

    def __repr__(self) -> str:
        return (
            f"pred: {self._prediction} baseline: {self.baseline} boundary: {self.boundary} "
            f"confidences: {self._confidences}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Instance attributes, with all that releases before lazy cuts keep."""
        state = self.__dict__.copy()
        line, boundary = state.pop("_geometry")
        state["_polygon_cuts"] = self.cuts
        state["_intersection_cache"], state["_bl_length"] = {}, 0.0
        if self._has_cuts:
            _, state["_intersection_cache"], state["_bl_length"] = precompute_polygon_sections(
                line, boundary, self._cuts
            )
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        derived = ("_polygon_cuts", "_intersection_cache", "_bl_length", "idx")
        self.__dict__.update({key: value for key, value in state.items() if key not in derived})
        self._cuts = _pairs(self._cuts)
        self._geometry = (_frozen(self.baseline), _frozen(self.boundary))

    @property
    def _has_cuts(self) -> bool:
        return len(self._cuts) > 0 and all(self._geometry)

    @property
    def cuts(self) -> tuple[Section, ...]:
        """Polygon of each code point: left and right end of its start, right and left of its end.

        Empty if the line has no baseline or boundary or the record no cuts.

        Raises:
            ValueError: if a cut holds something that isn't a number.
        """
        polygons: tuple[Section, ...] | None = self.__dict__.get("_polygon_cuts")
        if polygons is None:
            # Two threads may both compute the polygons; the first one's win.
            polygons = self.__dict__.setdefault("_polygon_cuts", tuple(self._polygons(self._cuts)))
        return polygons

    def _polygons(self, pairs: Sequence[tuple[float, float]]) -> list[Section]:
        if not self._has_cuts:
            return []
        baseline, boundary = self._geometry
        line, ring = as_points(baseline, "baseline"), as_points(boundary, "boundary")
        return cut_sections(line, ring, as_points(pairs, "cuts"))

    def _reordered(self, base_dir: BaseDirection | None) -> "BaselineOCRRecord":
        record = super()._reordered(base_dir)
        record._geometry = self._geometry
        return record

    def _section(self, indices: Sequence[int]) -> Section:
        distances = [distance for i in indices for distance in self._cuts[i]]
        return self._polygons([(min(distances), max(distances))])[0]

    def display_order(self, base_dir: BaseDirection | None = None) -> "BaselineOCRRecord":
        """The record in display order: code points from left to right.

        Args:
            base_dir: Base direction of the line, None for that of its first
                strong character.

        Returns:
            The record itself if it is in display order already.
        """
        return self if self._display_order else self._reordered(base_dir)

    def logical_order(self, base_dir: BaseDirection | None = None) -> "BaselineOCRRecord":
        """The record in logical order: code points as they are read.

        Args:
            base_dir: Base direction of the line, None for that of its first
                strong character.

        Returns:
            The record itself if it is in logical order already.
        """
        return self._reordered(base_dir) if self._display_order else self


def _pairs(cuts: Any) -> list[tuple[Any, Any]]:
    """A copy of the cuts as pairs."""
    if cuts is None:
        return []
    if hasattr(cuts, "tolist"):
        cuts = cuts.tolist()
    try:
        return [(start, end) for start, end in cuts]
    except (TypeError, ValueError):
        raise ValueError("cuts has to consist of pairs of distances along the baseline.") from None


class BBoxOCRRecord(ocr_record, BBoxLine):
    """The recognition result of a line with a box.

    All fields of the line are attributes of the record.

    Args:
        prediction: The text.
        cuts: For each code point four points ((x0, y0), (x1, y0), (x1, y1), (x0, y1)).
        confidences: Confidence of each code point.
        line: The line; objects are copied.
        base_dir: Base direction that the order of the text was found with.
        display_order: Whether the n-th code point is the n-th from the left, or
            the n-th that is read.
        logits: Network output for the line.
        image: Image of the line.

    Raises:
        TypeError: if the line isn't of type ``'bbox'`` or has unknown fields.
    """

    __module__ = "kraken.containers"

    type = "bbox"

    def __init__(
        self,
        prediction: str,
        cuts: Sequence[Sequence[tuple[int, int]]],
        confidences: Sequence[float],
        line: BBoxLine | Mapping[str, Any],
        base_dir: BaseDirection | None = None,
        display_order: bool = True,
        logits: "torch.Tensor | None" = None,
        image: "Image.Image | None" = None,
    ) -> None:
        BBoxLine.__init__(self, **self._adopt(line, "bbox", base_dir))
        cuts = [] if cuts is None else cuts
        ocr_record.__init__(self, prediction, cuts, confidences, display_order, logits, image)

    def __repr__(self) -> str:
        return f"pred: {self._prediction} bbox: {self.bbox} confidences: {self._confidences}"

    def _section(self, indices: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """The box around the selected cuts."""
        xs = [point[0] for i in indices for point in self._cuts[i]]
        ys = [point[1] for i in indices for point in self._cuts[i]]
        x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))

    def display_order(self, base_dir: BaseDirection | None = None) -> "BBoxOCRRecord":
        """The record in display order, see :meth:`BaselineOCRRecord.display_order`."""
        return self if self._display_order else self._reordered(base_dir)

    def logical_order(self, base_dir: BaseDirection | None = None) -> "BBoxOCRRecord":
        """The record in logical order, see :meth:`BaselineOCRRecord.logical_order`."""
        return self._reordered(base_dir) if self._display_order else self
