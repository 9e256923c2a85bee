"""The models that come with the package, and those of them that are used unless others are named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kraken.lib.exceptions import KrakenInvalidModelException

__all__ = [
    "BUNDLED",
    "BundledModel",
    "bundled_models",
    "default_model",
    "find_bundled",
    "language_model_of",
]

ASSETS = Path(__file__).parent.parent / "assets"


@dataclass(frozen=True)
class BundledModel:
    """A model file in the folder ``assets``, its model card, and a language model if it has one.

    Attributes:
        stem: Name of all files, without suffix.
        task: ``recognition`` or ``segmentation``.
        script: What it is for, in a few words.
        licence: Licence of the weights (SPDX).
    """

    stem: str
    task: str
    script: str
    licence: str = "Apache-2.0"

    @property
    def name(self) -> str:
        """Name on the command line."""
        return self.stem.replace("_", "-")

    @property
    def path(self) -> Path:
        """The model file."""
        return ASSETS / f"{self.stem}.safetensors"

    @property
    def card(self) -> Path:
        """Its model card, a text in Markdown."""
        return ASSETS / f"{self.stem}.md"

    @property
    def language_model(self) -> Path | None:
        """Language model of what it reads, None if there is none."""
        path = ASSETS / f"{self.stem}.ngrams"
        return path if path.is_file() else None

    def is_named(self, name: str) -> bool:
        """Whether a name stands for this model: with ``-`` or ``_``, with or without suffix."""
        return name in (self.name, self.stem, self.path.name)


#: Of those for one task the first one that exists is the default.
BUNDLED = (
    BundledModel("latin_print", "recognition", "Latin script, print"),
    BundledModel("layout", "segmentation", "any script"),
    BundledModel("tiny_recognition", "recognition", "English, clean print"),
    BundledModel("tiny_layout", "segmentation", "clean print"),
)


def bundled_models(task: str | None = None) -> list[BundledModel]:
    """The models that are there, for one task or all."""
    return [model for model in BUNDLED if task in (None, model.task) and model.path.is_file()]


def find_bundled(name: str) -> BundledModel | None:
    """The model that a name stands for, see :meth:`BundledModel.is_named`."""
    return next((model for model in bundled_models() if model.is_named(name)), None)


def language_model_of(path: Path) -> Path | None:
    """The language model that comes with a model file; None but for some of those of the package."""
    path = path.resolve()
    return next((model.language_model for model in BUNDLED if model.path.resolve() == path), None)


def default_model(task: str) -> Path:
    """File of the model that is used for a task unless another is named.

    Args:
        task: ``recognition`` or ``segmentation``.

    Raises:
        KrakenInvalidModelException: The installed package has none.
    """
    for model in bundled_models(task):
        return model.path
    raise KrakenInvalidModelException(
        f"This installation has no default model for {task} (no file for it in {ASSETS}): name one, with "
        "`segment -i MODEL` or `ocr -m MODEL` on the command line or load_model(path) in Python."
    )
