"""Fixtures and helpers that all tests share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same examples in every run, so that a change is judged by what it changes.
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

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
