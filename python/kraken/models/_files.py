"""What readers and writers of model files share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def parse_json(text: str, what: str) -> Any:
    """Parse JSON from a file.

    Raises:
        ValueError: It isn't JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"{what} isn't valid JSON: {e}") from e


def dump_json(value: Any, what: str) -> str:
    """JSON text of metadata; numpy numbers, sets and paths are accepted.

    Raises:
        ValueError: Something in it can't be written.
    """
    try:
        return json.dumps(value, default=_plain)
    except (TypeError, ValueError, RecursionError) as e:
        raise ValueError(f"{what} can't be written: {e}") from e


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"values of type {type(value).__name__} have no JSON form")
