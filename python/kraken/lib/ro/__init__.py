"""Learned reading order. The trainer and its data module are loaded on first use, as they need lightning."""

from __future__ import annotations

import importlib
from typing import Any

from kraken.lib.ro.layers import ROMLP

#: Public name → module.
_NAMES = {"RODataModule": "kraken.train.reading_order", "ROModel": "kraken.train.reading_order"}

__all__ = ["ROMLP", "RODataModule", "ROModel"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value
