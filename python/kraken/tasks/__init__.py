"""The façades that users meet first: a task model holds networks and runs one job.

Names are loaded on first use, because each pulls in torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.tasks.alignment import ForcedAlignmentTaskModel
    from kraken.tasks.recognition import RecognitionTaskModel, TaggedRecognitionTaskModel
    from kraken.tasks.segmentation import SegmentationTaskModel

__all__ = [
    "ForcedAlignmentTaskModel",
    "RecognitionTaskModel",
    "SegmentationTaskModel",
    "TaggedRecognitionTaskModel",
]

_HOMES = {
    "ForcedAlignmentTaskModel": "kraken.tasks.alignment",
    "RecognitionTaskModel": "kraken.tasks.recognition",
    "SegmentationTaskModel": "kraken.tasks.segmentation",
    "TaggedRecognitionTaskModel": "kraken.tasks.recognition",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
