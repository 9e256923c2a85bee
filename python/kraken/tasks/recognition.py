"""Text recognition of the lines of a page (spec chapter recognition §6)."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from kraken.models import load_models

if TYPE_CHECKING:
    import os

    from PIL import Image

    from kraken.configs import RecognitionInferenceConfig
    from kraken.containers import Segmentation, ocr_record

logger = logging.getLogger("kraken")

__all__ = ["RecognitionTaskModel"]


class RecognitionTaskModel:
    """Transcribes the lines of a segmented page.

    Args:
        models: Loaded models. The first one for recognition is used.

    Attributes:
        net: The network used.
        one_channel_mode: ``'1'``, ``'L'`` or None: what its one-channel training lines were.
        seg_type: ``'baselines'``, ``'bbox'`` or None: what its training lines were.

    Raises:
        ValueError: If no model is one for recognition.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        fit = [model for model in models if "recognition" in model.model_type]
        if not fit:
            found = sorted({kind for model in models for kind in model.model_type})
            raise ValueError(
                "No recognition model in model list: found "
                f"{', '.join(found) or 'nothing'}, needed one for recognition."
            )
        if len(fit) > 1:
            logger.warning("%d recognition models given; only the first is used.", len(fit))
        self.net = fit[0]
        self.one_channel_mode = self.net.one_channel_mode
        self.seg_type = self.net.seg_type

    @classmethod
    def load_model(cls, path: str | os.PathLike[str]) -> RecognitionTaskModel:
        """Loads a model file.

        Raises:
            ValueError: If the path is empty, isn't a model file or holds no recognition model.
        """
        if not path:
            raise ValueError("A recognition model must be named: load_model(path).")
        return cls(load_models(path))

    def predict(
        self, im: Image.Image, segmentation: Segmentation, config: RecognitionInferenceConfig
    ) -> Generator[ocr_record, None, None]:
        """Recognises lines one after the other.

        Args:
            im: Page in any mode; not modified.
            segmentation: The lines of the page.
            config: Batch size, padding, decoder, reordering and so on.

        Yields:
            One record per line, in the order of ``segmentation.lines``; an empty
            one for a line that can't be recognised.

        Raises:
            KrakenInvalidModelException: If the model has no codec.
            ValueError: If the model doesn't fit the configuration.
        """
        if config.precision in ("bf16-true", "16-true"):
            logger.warning("Recognition with %s precision may be unstable.", config.precision)
        self.net.prepare_for_inference(config)
        yield from self.net.predict(im=im, segmentation=segmentation)
