"""Learned reading order."""

from __future__ import annotations

from kraken.lib.ro.layers import ROMLP

__all__ = ["ROMLP"]
