"""CoreML model files (``.mlmodel``) of VGSL networks, read and written without coremltools."""

from __future__ import annotations

from kraken.models.coreml.reader import load_coreml, load_vgsl
from kraken.models.coreml.writer import save_vgsl, write_coreml

__all__ = ["load_coreml", "load_vgsl", "save_vgsl", "write_coreml"]
