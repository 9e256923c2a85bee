"""Many-to-many mapping between texts and sequences of labels."""

from __future__ import annotations

import logging
import operator
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kraken.lib._safe_globals import register
from kraken.lib.exceptions import KrakenCodecException, KrakenEncodeException

if TYPE_CHECKING:
    import torch

__all__ = ["PytorchCodec"]

logger = logging.getLogger(__name__)

#: From here on an array search beats a dictionary.
_LONG_TEXT = 256
_STATE = ("c2l", "c_sorted", "l2c", "l2c_single", "strict")


class PytorchCodec:
    """Translates text into labels and back.

    A code maps a text of one or more code points to one or more labels. The
    label sequences form a prefix code, so that decoding is unambiguous. Label 0
    is the blank of the CTC loss and belongs to no code.

    Attributes:
        c2l: Text to label sequence, in the order of definition.
        l2c: Tuple of labels to text.
        c_sorted: The texts, longest first.
        l2c_single: Label to text, for codes of one label.
        strict: Whether unknown texts and labels are errors or skipped.

    Args:
        charset: A mapping from texts to label sequences; or a string or list of
            strings, which get the labels 1, 2, … in code point order.
        strict: See above.

    Raises:
        KrakenCodecException: for duplicates, empty texts or label sequences,
            labels below 1, or label sequences that aren't prefix-free.
    """

    c2l: dict[str, Sequence[int]]
    l2c: dict[tuple[int, ...], str]
    c_sorted: list[str]
    l2c_single: dict[int, str]
    strict: bool

    def __init__(
        self, charset: Mapping[str, Sequence[int]] | Sequence[str] | str, strict: bool = False
    ) -> None:
        if isinstance(charset, Mapping):
            self.c2l = dict(charset)
        else:
            counts = Counter(charset)
            if len(counts) < len(charset):
                twice = ", ".join(repr(c) for c, n in counts.items() if n > 1)
                raise KrakenCodecException(f"Duplicate entry in codec definition string: {twice}")
            self.c2l = {text: [label] for label, text in enumerate(sorted(charset), start=1)}
        self.strict = strict
        self._check_entries()
        self.c_sorted = sorted(self.c2l, key=len, reverse=True)
        self.l2c = {tuple(labels): text for text, labels in self.c2l.items()}
        self.l2c_single = {labels[0]: text for labels, text in self.l2c.items() if len(labels) == 1}
        if not self.is_valid:
            raise KrakenCodecException("Codec is not valid (non-singular/non-prefix free).")

    def _check_entries(self) -> None:
        """Rejects entries that can't be encoded or decoded."""
        for text, labels in self.c2l.items():
            if not isinstance(text, str) or not text:
                raise KrakenCodecException(f"Codec has the text {text!r}, need at least one code point.")
            try:
                valid = len(labels) > 0 and min(map(operator.index, labels)) >= 1
            except TypeError:
                valid = False
            if not valid:
                raise KrakenCodecException(
                    f"Codec maps {text!r} to {labels!r}, need a sequence of whole numbers from 1."
                )

    def __getstate__(self) -> dict[str, Any]:
        """The five public attributes, which every version of the codec knows."""
        return {name: self.__dict__[name] for name in _STATE}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update({name: state[name] for name in _STATE})

    # The indices are derived from the state on first use, since unpickling
    # bypasses the constructor. Two threads may both build one: no harm done.

    def _texts_by_first(self) -> dict[str, list[str]]:
        """Texts of several code points by their first one, longest first."""
        index: dict[str, list[str]] | None = self.__dict__.get("_text_index")
        if index is None:
            index = defaultdict(list)
            for text in self.c_sorted:
                if len(text) > 1:
                    index[text[0]].append(text)
            index = dict(index)
            self.__dict__["_text_index"] = index
        return index

    def _codes_by_first(self) -> dict[int, list[tuple[int, ...]]]:
        """Codes of several labels by their first one."""
        index: dict[int, list[tuple[int, ...]]] | None = self.__dict__.get("_code_index")
        if index is None:
            index = defaultdict(list)
            for labels in self.l2c:
                if len(labels) > 1:
                    index[labels[0]].append(labels)
            index = dict(index)
            self.__dict__["_code_index"] = index
        return index

    def _characters(self) -> dict[int, str]:
        """Label to text, for codes of one label and one code point."""
        index: dict[int, str] | None = self.__dict__.get("_character_index")
        if index is None:
            index = {label: text for label, text in self.l2c_single.items() if len(text) == 1}
            self.__dict__["_character_index"] = index
        return index

    def __len__(self) -> int:
        """Number of codes."""
        return len(self.c2l)

    def __repr__(self) -> str:
        return f"PytorchCodec({self.c2l})"

    @property
    def is_valid(self) -> bool:
        """Whether label sequences are distinct and none is a prefix of another."""
        if len(self.l2c) != len(self.c2l):
            return False
        root: dict[int | None, Any] = {}
        for labels in self.l2c:
            node = root
            for label in labels:
                node = node.setdefault(label, {})
                # A shorter code ends on the way.
                if None in node:
                    return False
            # A longer code goes on from here.
            if node:
                return False
            node[None] = True
        return True

    @property
    def max_label(self) -> int:
        """The largest label, 0 for an empty codec."""
        return max((label for labels in self.c2l.values() for label in labels), default=0)

    def encode(self, s: str) -> torch.IntTensor:
        """Translates a text into labels.

        At every position the longest code of several code points that fits is
        taken, else the code of the code point.

        Args:
            s: The text.

        Returns:
            Labels, an int32 tensor of one dimension.

        Raises:
            KrakenEncodeException: if no code fits and the codec is strict; else
                the code point is skipped with a warning.
        """
        # Only tensors need torch; everything else works without.
        import torch

        labels: list[int] = []
        if self._texts_by_first().keys().isdisjoint(s):
            if len(s) >= _LONG_TEXT and (found := self._look_up(s)) is not None:
                return torch.from_numpy(found)  # type: ignore[return-value]
            # By far the most lines consist of code points that have codes of their own.
            try:
                return torch.IntTensor([label for c in s for label in self.c2l[c]])
            except KeyError:
                pass
        for _, code, i in self._scan(s):
            if code is not None:
                labels.extend(code)
                continue
            message = f"Non-encodable sequence {s[i : i + 5]}... encountered."
            if self.strict:
                raise KrakenEncodeException(message)
            logger.warning(f"{message} Advancing one code point.")
        return torch.IntTensor(labels)

    def _look_up(self, s: str) -> npt.NDArray[np.int32] | None:
        """Labels of a text whose code points all have codes of one label, None for another text."""
        index = self.__dict__.get("_point_index")
        if index is None:
            codes = sorted((ord(c), v[0]) for c, v in self.c2l.items() if len(c) == len(v) == 1)
            index = np.array([c for c, _ in codes], np.uint32), np.array([v for _, v in codes], np.int32)
            self.__dict__["_point_index"] = index
        known, labels = index
        points = np.frombuffer(s.encode("utf-32-le", "surrogatepass"), np.uint32)
        if not len(known):
            return None
        at = np.searchsorted(known, points).clip(max=len(known) - 1)
        found: npt.NDArray[np.int32] = labels[at]
        return found if (known[at] == points).all() else None

    def encode_parts(self, s: str) -> list[tuple[str, list[int]]]:
        """Translates a text as :meth:`encode` does, code by code.

        Args:
            s: The text.

        Returns:
            Parts of the text with their labels; code points without a code are
            left out, whether or not the codec is strict.
        """
        return [(text, [int(x) for x in code]) for text, code, _ in self._scan(s) if code is not None]

    def _scan(self, s: str) -> Iterator[tuple[str, Sequence[int] | None, int]]:
        """Part of the text, its code or None, and where it starts."""
        starts = self._texts_by_first()
        i = 0
        while i < len(s):
            text = next((t for t in starts.get(s[i], ()) if s.startswith(t, i)), s[i])
            yield text, self.c2l.get(text), i
            i += len(text)

    def decode(self, labels: Sequence[tuple[int, int, int, float]]) -> list[tuple[str, int, int, float]]:
        """Translates labels with positions into code points with positions.

        Args:
            labels: Tuples (label, start, end, confidence).

        Returns:
            One tuple (code point, start, end, confidence) per code point of the
            decoded texts. A code of several labels spans all of them and has
            their mean confidence.

        Raises:
            KrakenEncodeException: if no code fits and the codec is strict; else
                the label is skipped.
        """
        characters = self._characters()
        try:
            # By far the most lines need nothing else.
            return [(characters[entry[0]], entry[1], entry[2], entry[3]) for entry in labels]
        except KeyError:
            pass
        sequence = [entry[0] for entry in labels]
        codes = self._codes_by_first()
        decoded: list[tuple[str, int, int, float]] = []
        i = 0
        while i < len(sequence):
            text = self.l2c_single.get(sequence[i])
            size = 1
            if text is None:
                for code in codes.get(sequence[i], ()):
                    if tuple(sequence[i : i + len(code)]) == code:
                        text, size = self.l2c[code], len(code)
                        break
            if text is None:
                message = f"Non-decodable sequence {sequence[i : i + 5]}... encountered."
                if self.strict:
                    raise KrakenEncodeException(message)
                logger.debug(f"{message} Advancing one label.")
                i += 1
                continue
            part = labels[i : i + size]
            confidence = part[0][3] if size == 1 else sum(entry[3] for entry in part) / size
            decoded.extend((char, part[0][1], part[-1][2], confidence) for char in text)
            i += size
        return decoded

    def merge(self, codec: PytorchCodec) -> tuple[PytorchCodec, set[int]]:
        """Makes a codec for exactly the texts of another one, with labels of this one.

        Codes that the other codec lacks are dropped and the remaining labels
        moved down to close the holes. Its new codes are appended.

        Args:
            codec: The codec whose texts are wanted.

        Returns:
            The new codec, and the labels of this codec that no kept code uses.
            They are the rows to delete from an output layer.
        """
        kept = {text: labels for text, labels in self.c2l.items() if text in codec.c2l}
        used = {label for labels in kept.values() for label in labels}
        removed = {label for labels in self.c2l.values() for label in labels} - used
        # Only the holes of removed labels are closed; gaps that the codec always
        # had are rows of an output layer and stay.
        holes = sorted(removed)
        moved = {label: label - bisect_left(holes, label) for label in used}
        merged: dict[str, Sequence[int]] = {
            text: [moved[label] for label in labels] for text, labels in kept.items()
        }

        added = {text: labels for text, labels in codec.c2l.items() if text not in kept}
        first = max(moved.values(), default=0) + 1
        foreign = sorted({label for labels in added.values() for label in labels})
        appended = {old: new for new, old in enumerate(foreign, start=first)}
        merged.update({t: [appended[label] for label in labels] for t, labels in added.items()})
        return PytorchCodec(merged, self.strict), removed

    def add_labels(self, charset: Mapping[str, Sequence[int]] | Sequence[str] | str) -> PytorchCodec:
        """Makes a codec with additional codes.

        Args:
            charset: A mapping, whose entries are added as they are, or a string
                or list of strings, which get labels above the largest one in
                code point order. A text that the codec knows already gets the
                new labels.

        Returns:
            A new codec; this one is unchanged.

        Raises:
            KrakenCodecException: as from the constructor.
        """
        entries: Iterable[tuple[str, Sequence[int]]]
        if isinstance(charset, Mapping):
            entries = charset.items()
        else:
            entries = ((c, [label]) for label, c in enumerate(sorted(charset), start=self.max_label + 1))
        c2l = dict(self.c2l)
        c2l.update(entries)
        return PytorchCodec(c2l, self.strict)


register(PytorchCodec)
