"""Names of files as checkpoints hold them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["use_plain_names"]


def use_plain_names(data_config: Any) -> None:
    """Makes the paths in a data configuration text: readers of checkpoints refuse objects they don't know.

    Containers and ready-made samples are left as they are.

    Args:
        data_config: A :class:`kraken.configs.base.TrainingDataConfig`, changed in place.
    """
    for field in ("training_data", "evaluation_data", "test_data"):
        if (data := getattr(data_config, field)) is not None and not isinstance(data, Mapping):
            names = [os.fspath(item) if isinstance(item, os.PathLike) else item for item in data]
            setattr(data_config, field, names)
