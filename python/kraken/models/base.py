"""What every model is (spec chapter models §3); needs no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

    from kraken.configs import Config
    from kraken.containers import BaselineOCRRecord, BBoxOCRRecord, Segmentation


class BaseModel(ABC):
    """A network with metadata that can be stored, loaded and made ready for inference.

    Third-party models registered in the entry-point group ``kraken.models`` have to
    satisfy this class and, for use by a task, one of its two children.
    """

    _metadata: dict[str, Any]
    #: Language model that came with the file of a recognition model, to decode with unless told otherwise.
    language_model: Path | None = None

    @property
    @abstractmethod
    def _kraken_min_version(self) -> str:
        """Oldest version of the engine that can use files of this model."""

    @property
    @abstractmethod
    def model_type(self) -> list[str]:
        """Names of the tasks the model is for."""

    @abstractmethod
    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """Take over weights."""

    @abstractmethod
    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Weights by name."""

    @abstractmethod
    def prepare_for_inference(self, config: Config) -> None:
        """Get ready for predictions with a configuration. Called often, so repetition has to be cheap."""

    @property
    def user_metadata(self) -> dict[str, Any]:
        """Everything stored with the weights."""
        if "_metadata" not in self.__dict__:
            self._metadata = {}
        return self._metadata

    @user_metadata.setter
    def user_metadata(self, value: dict[str, Any]) -> None:
        self._metadata = value

    @property
    def one_channel_mode(self) -> str | None:
        """Mode of one-channel images the model expects: ``1`` (binarised), ``L`` (grey) or None."""
        mode: str | None = self.user_metadata.get("one_channel_mode")
        return mode

    @one_channel_mode.setter
    def one_channel_mode(self, value: str | None) -> None:
        if value not in ("1", "L", None):
            raise ValueError(f"one_channel_mode {value!r} is none of '1', 'L', None.")
        self.user_metadata["one_channel_mode"] = value

    @property
    def seg_type(self) -> str | None:
        """Kind of lines the model was trained on, None if that has no meaning for it."""
        return None

    @property
    def use_legacy_polygons(self) -> bool | None:
        """Whether the model expects the old line extraction, None if that has no meaning for it."""
        return None


class SegmentationBaseModel(BaseModel):
    """A model that finds lines and regions."""

    @abstractmethod
    def predict(self, im: Image.Image) -> Segmentation:
        """Segment a page image."""


class RecognitionBaseModel(BaseModel):
    """A model that reads lines."""

    @abstractmethod
    def predict(
        self, im: Image.Image, segmentation: Segmentation
    ) -> Iterator[BaselineOCRRecord | BBoxOCRRecord]:
        """Read the lines of a segmented page image."""
