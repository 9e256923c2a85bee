"""VGSL networks: description, layers, model.

Names are loaded when they are asked for, so that parsing a description needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.lib.vgsl.cost import multiply_adds
    from kraken.lib.vgsl.model import TorchVGSLModel

__all__ = ["TorchVGSLModel", "multiply_adds"]


def __getattr__(name: str) -> Any:
    if name == "TorchVGSLModel":
        from kraken.lib.vgsl.model import TorchVGSLModel  # keeps torch out of start-up

        return TorchVGSLModel
    if name == "multiply_adds":
        from kraken.lib.vgsl.cost import multiply_adds  # likewise

        return multiply_adds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
