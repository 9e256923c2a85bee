"""VGSL networks: description, layers, model.

Names are loaded when they are asked for, so that parsing a description needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.lib.vgsl.model import TorchVGSLModel

__all__ = ["TorchVGSLModel"]


def __getattr__(name: str) -> Any:
    if name == "TorchVGSLModel":
        from kraken.lib.vgsl.model import TorchVGSLModel  # keeps torch out of start-up

        return TorchVGSLModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
