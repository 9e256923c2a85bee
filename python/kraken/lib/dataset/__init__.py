"""Data for training and inference. Names are loaded on first use, as they need torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.lib.dataset.transforms import ImageInputTransforms as ImageInputTransforms
    from kraken.lib.dataset.transforms import collate_sequences as collate_sequences

#: Public name → module.
_NAMES = {
    "ImageInputTransforms": "kraken.lib.dataset.transforms",
    "collate_sequences": "kraken.lib.dataset.transforms",
}

__all__ = ["ImageInputTransforms", "collate_sequences"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
