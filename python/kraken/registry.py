"""Choices of options, and the one registry of everything that plug-ins can add.

A plug-in is a distribution with entry points in one of the groups of spec chapter
models §4. What the engine itself brings is listed here, so that it is found
without installed metadata, too (in a source tree, in a frozen application).
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.models import create_model

__all__ = ["OPTIMIZERS", "PRECISIONS", "SCHEDULERS", "STOPPERS", "Registry", "create_model", "registry"]

logger = logging.getLogger(__name__)

OPTIMIZERS = ["Adam", "AdamW", "AdamW+Muon", "SGD", "RMSprop"]
SCHEDULERS = ["cosine", "constant", "exponential", "step", "1cycle", "reduceonplateau"]
STOPPERS = ["early", "fixed"]
PRECISIONS = [
    "transformer-engine",
    "transformer-engine-float16",
    "16-true",
    "16-mixed",
    "bf16-true",
    "bf16-mixed",
    "32-true",
    "64-true",
]

#: group -> name -> "module:attribute"; the same tables are in pyproject.toml
BUILTINS: dict[str, dict[str, str]] = {
    "kraken.models": {
        "TorchVGSLModel": "kraken.lib.vgsl:TorchVGSLModel",
        "ROMLP": "kraken.lib.ro:ROMLP",
        "Wav2Vec2Mask": "kraken.lib.pretrain:Wav2Vec2Mask",
    },
    "kraken.loaders": {
        "coreml": "kraken.models:load_coreml",
        "safetensors": "kraken.models:load_safetensors",
    },
    "kraken.writers": {
        "coreml": "kraken.models:write_coreml",
        "safetensors": "kraken.models:write_safetensors",
    },
    "kraken.cli": {
        "binarize": "kraken._cli.binarize:binarize",
        "completion": "kraken._cli.completion:completion",
        "convert": "kraken._cli.convert:convert",
        "get": "kraken._cli.repository:get",
        "lines": "kraken._cli.lines:lines",
        "list": "kraken._cli.repository:list_models",
        "ocr": "kraken._cli.ocr:ocr",
        "overlay": "kraken._cli.overlay:overlay",
        "read": "kraken._cli.read:read",
        "repolygonize": "kraken._cli.repolygonize:repolygonize",
        "segment": "kraken._cli.segment:segment",
        "show": "kraken._cli.repository:show",
    },
    "kraken.tasks": {
        "alignment": "kraken.tasks:ForcedAlignmentTaskModel",
        "recognition": "kraken.tasks:RecognitionTaskModel",
        "segmentation": "kraken.tasks:SegmentationTaskModel",
    },
    "kraken.archs.recognition": {
        "vgsl": "kraken.train:VGSLRecognitionModel",
    },
    "kraken.archs.segmentation": {
        "blla": "kraken.train:BLLASegmentationModel",
    },
    "kraken.lightning_modules": {
        "blla": "kraken.train:BLLASegmentationModel",
        "pretrain": "kraken.lib.pretrain:RecognitionPretrainModel",
        "ro": "kraken.lib.ro:ROModel",
        "vgsl": "kraken.train:VGSLRecognitionModel",
    },
    "ketos.cli": {
        "compile": "kraken.ketos.compile:compile",
        "convert": "kraken.ketos.convert:convert",
        "lint": "kraken.ketos.lint:lint",
        "lmtrain": "kraken.ketos.lmtrain:lmtrain",
        "pretrain": "kraken.ketos.pretrain:pretrain",
        "publish": "kraken.ketos.publish:publish",
        "roadd": "kraken.ketos.ro:roadd",
        "rotrain": "kraken.ketos.ro:rotrain",
        "segtest": "kraken.ketos.segmentation:segtest",
        "segtrain": "kraken.ketos.segmentation:segtrain",
        "test": "kraken.ketos.test:test",
        "train": "kraken.ketos.train:train",
    },
    "kraken.configs": {
        name: f"kraken.configs:{name}"
        for name in (
            "Config",
            "RecognitionInferenceConfig",
            "SegmentationInferenceConfig",
            "TrainingConfig",
            "TrainingDataConfig",
            "RecognitionTrainingDataConfig",
            "SegmentationTrainingDataConfig",
            "VGSLRecognitionTrainingDataConfig",
            "VGSLRecognitionTrainingConfig",
            "BLLASegmentationTrainingDataConfig",
            "BLLASegmentationTestDataConfig",
            "BLLASegmentationTrainingConfig",
            "VGSLPreTrainingDataConfig",
            "VGSLPreTrainingConfig",
            "ROTrainingDataConfig",
            "ROTrainingConfig",
        )
    },
}


class Registry:
    """Named objects by group: the built-in ones, then those of installed plug-ins.

    Args:
        builtins: Group → name → ``module:attribute``.
    """

    def __init__(self, builtins: dict[str, dict[str, str]]) -> None:
        self._builtins = builtins
        self._points: dict[str, tuple[object, list[tuple[str, str]]]] = {}

    def entries(self, group: str) -> dict[str, str]:
        """Names and places of a group in order of registration; nothing is imported.

        A plug-in can't replace a built-in name.
        """
        entries = dict(self._builtins.get(group, {}))
        for name, place in self._installed(group):
            entries.setdefault(name, place)
        return entries

    def _installed(self, group: str) -> list[tuple[str, str]]:
        """Entry points of installed distributions; read again only if the search path changes."""
        # reading the metadata of all distributions takes longer than loading a model
        key = (metadata.entry_points, tuple(sys.path))
        cached = self._points.get(group)
        if cached is not None and cached[0] == key:
            return cached[1]
        points = [(point.name, point.value) for point in metadata.entry_points(group=group)]
        builtins = self._builtins.get(group, {})
        for name, place in points:
            if builtins.get(name, place) != place:
                logger.warning(
                    "Entry point %r of group %s (%s) is ignored: the name is built in.", name, group, place
                )
        self._points[group] = (key, points)
        return points

    def names(self, group: str) -> list[str]:
        """Names of a group."""
        return list(self.entries(group))

    def load(self, group: str, name: str) -> Any:
        """Import an object.

        Raises:
            KeyError: The name isn't registered.
            ImportError: The module can't be imported or lacks the attribute.
        """
        return _import(self.entries(group)[name])

    def items(self, group: str) -> Iterator[tuple[str, Any]]:
        """Names and objects of a group; what can't be imported is skipped with a warning."""
        for name, place in self.entries(group).items():
            try:
                yield name, _import(place)
            except Exception as e:
                # a plug-in's import can raise anything
                logger.warning(
                    "Skipping %r of group %s (%s), it can't be imported: %s", name, group, place, e
                )


def _import(place: str) -> Any:
    module, _, attributes = place.partition(":")
    value: Any = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        try:
            value = getattr(value, attribute)
        except AttributeError as e:
            raise ImportError(f"module {module!r} has no {attributes!r}") from e
    return value


registry = Registry(BUILTINS)


def __getattr__(name: str) -> Any:
    if name == "create_model":
        from kraken.models import create_model  # sits above the registry; offered here for convenience

        return create_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
