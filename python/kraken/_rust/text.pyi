"""Bindings of the kernels in ``kraken-core``, module ``text``."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "UCD_VERSION",
    "align",
    "beam_search",
    "bidi_class",
    "blank_threshold",
    "display_map",
    "edit_distance",
    "greedy",
]

UCD_VERSION: Final[str]

_Floats = NDArray[np.float32] | NDArray[np.float64]
_Symbol = tuple[int, int, int, float]

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
def edit_distance(a: Sequence[int], b: Sequence[int]) -> int: ...
def align(a: Sequence[int], b: Sequence[int]) -> tuple[int, bytes]: ...
