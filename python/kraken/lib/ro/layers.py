"""Network that says which of two elements of a page is read first (Quirós & Vidal 2022)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from kraken.lib.vgsl.blocks.init import constructed
from kraken.models.base import BaseModel


def feature_size(class_mapping: dict[str, int]) -> int:
    """Size of the feature vector of a pair: per element one-hot class, centre, start and end."""
    num_classes = max(0, *class_mapping.values(), 0) + 1
    return 2 * num_classes + 12


class ROMLP(nn.Module, BaseModel):
    """Perceptron with one hidden layer over the features of an ordered pair.

    Args:
        **kwargs: `class_mapping`, type → class; `level`, ``baselines`` or ``regions``; any other
            field becomes metadata.

    Raises:
        ValueError: One of the two is missing, a class isn't a number, or far too large.
    """

    _kraken_min_version = "5.0.0"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        for name in ("class_mapping", "level"):
            if kwargs.get(name) is None:
                raise ValueError(f"{name} argument is missing in the arguments of a reading-order model.")
        mapping = kwargs["class_mapping"]
        if not isinstance(mapping, dict) or not all(isinstance(x, int) for x in mapping.values()):
            raise ValueError("class_mapping of a reading-order model has to map names to integers.")
        self.class_mapping: dict[str, int] = mapping
        self.level: str = kwargs["level"]
        self.feature_size = feature_size(mapping)
        try:
            self.fc1 = constructed(lambda: nn.Linear(self.feature_size, 2 * self.feature_size))
            self.fc2 = constructed(lambda: nn.Linear(2 * self.feature_size, 1))
        except RuntimeError as e:
            # torch's message speaks of storage only
            raise ValueError(
                f"class_mapping with classes up to {max(mapping.values(), default=0)} needs a network that "
                f"is too large: {e}"
            ) from e
        self.user_metadata = kwargs

    @property
    def model_type(self) -> list[str]:
        """``['reading_order']``."""
        return ["reading_order"]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 1) that the first element of each pair (N, features) precedes the second."""
        y: Tensor = self.fc2(F.relu(self.fc1(x)))
        return y

    def prepare_for_inference(self, config: Any) -> None:
        """Nothing to do."""
