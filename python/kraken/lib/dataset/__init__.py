"""Data for training and inference. Names are loaded on first use, as they need torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.lib.dataset.arrow import ArrowIPCRecognitionDataset as ArrowIPCRecognitionDataset
    from kraken.lib.dataset.metrics import compute_confusions as compute_confusions
    from kraken.lib.dataset.metrics import global_align as global_align
    from kraken.lib.dataset.recognition import GroundTruthDataset as GroundTruthDataset
    from kraken.lib.dataset.recognition import PolygonGTDataset as PolygonGTDataset
    from kraken.lib.dataset.transforms import ImageInputTransforms as ImageInputTransforms
    from kraken.lib.dataset.transforms import collate_sequences as collate_sequences

#: Public name → module.
_NAMES = {
    "ArrowIPCRecognitionDataset": "kraken.lib.dataset.arrow",
    "BaselineSet": "kraken.lib.dataset.segmentation",
    "GroundTruthDataset": "kraken.lib.dataset.recognition",
    "ImageInputTransforms": "kraken.lib.dataset.transforms",
    "PageWiseROSet": "kraken.lib.dataset.ro",
    "PairWiseROSet": "kraken.lib.dataset.ro",
    "PolygonGTDataset": "kraken.lib.dataset.recognition",
    "collate_sequences": "kraken.lib.dataset.transforms",
    "compute_confusions": "kraken.lib.dataset.metrics",
    "global_align": "kraken.lib.dataset.metrics",
}

__all__ = [
    "ArrowIPCRecognitionDataset",
    "BaselineSet",
    "GroundTruthDataset",
    "ImageInputTransforms",
    "PageWiseROSet",
    "PairWiseROSet",
    "PolygonGTDataset",
    "collate_sequences",
    "compute_confusions",
    "global_align",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
