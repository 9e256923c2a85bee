"""Bindings of the kernels in ``kraken-core``, module ``text``."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "UCD_VERSION",
    "beam_search",
    "bidi_class",
    "blank_threshold",
    "display_map",
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
    blank_prune: float | None,
    nbest: int,
    log_probs: bool,
    threads: int,
) -> list[list[tuple[list[_Symbol], float]]]: ...
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
