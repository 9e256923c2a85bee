"""Steps of a processing pipeline."""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["ProcessingStep"]


@dataclass
class ProcessingStep:
    """What has been done to a page.

    Attributes:
        id: Unique identifier.
        category: Stage of the pipeline.
        description: The step in words.
        settings: Its parameters.
    """

    __module__ = "kraken.containers"

    id: str
    category: Literal["preprocessing", "processing", "postprocessing"]
    description: str
    settings: dict[str, Any]
