"""Bindings of the kernels in ``kraken-core``, module ``text``."""

from collections.abc import Sequence
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "UCD_VERSION",
    "Lexicon",
    "NgramModel",
    "Scorer",
    "align",
    "align_sequences",
    "beam_search",
    "bidi_class",
    "blank_threshold",
    "display_map",
    "edit_distance",
    "greedy",
    "line_markup",
]

UCD_VERSION: Final[str]

_Floats = NDArray[np.float32] | NDArray[np.float64]
_Symbol = tuple[int, int, int, float]
_Quads = tuple[NDArray[np.int64], NDArray[np.bool_]]

def greedy(outputs: _Floats, seq_lens: Sequence[int]) -> list[list[_Symbol]]: ...
def blank_threshold(outputs: _Floats, seq_lens: Sequence[int], threshold: float) -> list[list[_Symbol]]: ...
def beam_search(
    outputs: _Floats,
    seq_lens: Sequence[int],
    beam_size: int,
    top_k: int | None,
    min_probability: float | None,
    blank_prune: float | None,
    nbest: int,
    log_probs: bool,
    threads: int,
    scorer: Scorer | None,
) -> list[list[tuple[list[_Symbol], float]]]: ...
def align(
    outputs: _Floats, seq_lens: Sequence[int], labels: Sequence[Sequence[int]]
) -> list[list[_Symbol] | None]: ...
def display_map(text: bytes, level: int | None) -> tuple[bytes, list[int]]: ...
def bidi_class(code_point: int) -> str: ...
def line_markup(
    text: str,
    starts: Sequence[int],
    glyphs: _Quads,
    words: _Quads | None,
    confidences: Sequence[float],
    numbers: tuple[int, int],
    limits: tuple[int, int],
    patterns: tuple[str, str, str, str | None],
) -> str: ...
def edit_distance(a: Sequence[int], b: Sequence[int]) -> int: ...
def align_sequences(a: Sequence[int], b: Sequence[int]) -> tuple[int, bytes]: ...

@final
class NgramModel:
    @staticmethod
    def read(data: bytes) -> NgramModel: ...
    @staticmethod
    def estimate(lines: Sequence[str], order: int, prune: Sequence[int]) -> NgramModel: ...
    def write(self) -> bytes: ...
    @staticmethod
    def unpack(data: bytes) -> NgramModel: ...
    def pack(self) -> bytes: ...
    @property
    def order(self) -> int: ...
    @property
    def counts(self) -> list[int]: ...
    @property
    def characters(self) -> str: ...
    def score(self, text: str, begin: bool, end: bool) -> list[float]: ...

@final
class Lexicon:
    def __new__(cls, words: Sequence[str]) -> Lexicon: ...
    def __len__(self) -> int: ...

@final
class Scorer:
    def __new__(
        cls,
        codes: Sequence[tuple[Sequence[int], str]],
        model: NgramModel | None,
        lexicon: Lexicon | None,
        alpha: float,
        beta: float,
        unknown_word: float,
    ) -> Scorer: ...
    def score(self, labels: Sequence[int]) -> float: ...
