"""Fixtures and helpers that all tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def shared_path(*parts: str) -> Path:
    """Path in the folder of recorded behaviour; skips the test where it doesn't exist."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no recorded data: {'/'.join(parts)}")
    return path


def golden_json(*parts: str) -> Any:
    """Content of a recorded JSON file."""
    return json.loads(shared_path("golden", *parts).read_text(encoding="utf-8"))


@pytest.fixture
def shared() -> Any:
    """The function :func:`shared_path`."""
    return shared_path


@pytest.fixture
def golden() -> Any:
    """The function :func:`golden_json`."""
    return golden_json
