"""Text recognition of the lines of a page (spec chapter recognition §6)."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.recognition_inference import empty_record
from kraken.models import load_models
from kraken.models.bundled import default_model

if TYPE_CHECKING:
    import os

    from PIL import Image

    from kraken.configs import RecognitionInferenceConfig
    from kraken.containers import Segmentation, ocr_record

logger = logging.getLogger("kraken")

__all__ = ["RecognitionTaskModel", "TaggedRecognitionTaskModel", "line_type"]

#: Type of lines that aren't tagged.
DEFAULT_TYPE = "default"


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
    def load_model(cls, path: str | os.PathLike[str] | None = None) -> RecognitionTaskModel:
        """Loads a model file, by default the one of the package.

        Raises:
            KrakenInvalidModelException: If there is no default model.
            ValueError: If the path is empty, isn't a model file or holds no recognition model.
        """
        if path is None:
            path = default_model("recognition")
        elif not path:
            raise ValueError("The path of the recognition model is empty: name one, or leave it out.")
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


def line_type(line: Any) -> str:
    """Type of a line: what its first tag ``type`` says, ``default`` without (well-formed) tags."""
    try:
        found = line.tags["type"][0]["type"]
    except (AttributeError, IndexError, KeyError, TypeError):
        return DEFAULT_TYPE
    return found if isinstance(found, str) else DEFAULT_TYPE


class TaggedRecognitionTaskModel:
    """Transcribes the lines of a page with a model for each type of line.

    Args:
        models: Model by line type; that of ``default`` reads all lines whose type isn't
            named. None in place of a model leaves the lines of a type alone.

    Attributes:
        models: As given.
        seg_type: ``'baselines'``, ``'bbox'`` or None: what the training lines of all
            models were, None if they differ.

    Raises:
        ValueError: If there is no model, or one isn't for recognition.
    """

    def __init__(self, models: Mapping[str, Any]) -> None:
        for name, model in models.items():
            if model is not None and "recognition" not in model.model_type:
                raise ValueError(
                    f"The model for lines of type {name} is one for "
                    f"{', '.join(model.model_type) or 'nothing'}, needed one for recognition."
                )
        self.models = dict(models)
        nets = self._nets()
        if not nets:
            raise ValueError("No recognition model given: name one for at least one line type.")
        kinds = {net.seg_type for net in nets}
        self.seg_type = kinds.pop() if len(kinds) == 1 else None

    def _nets(self) -> list[Any]:
        """The models, each one once."""
        return list({id(model): model for model in self.models.values() if model is not None}.values())

    def predict(
        self, im: Image.Image, segmentation: Segmentation, config: RecognitionInferenceConfig
    ) -> Generator[ocr_record, None, None]:
        """Recognises lines one after the other; see :meth:`RecognitionTaskModel.predict`.

        Yields:
            One record per line, in the order of ``segmentation.lines``; an empty one with
            the reason in ``failure`` for a line that can't be recognised, whose type is to
            be left alone, or for whose type there is no model.

        Raises:
            KrakenInputException: If there is no model for a line and ``config.raise_on_error`` is set.
            KrakenInvalidModelException: If a model has no codec.
            ValueError: If a model doesn't fit the configuration.
        """
        types = [line_type(line) for line in segmentation.lines or []]
        chosen = [self.models.get(kind, self.models.get(DEFAULT_TYPE)) for kind in types]
        self._check_types(types, config.raise_on_error)
        readers: dict[int, Iterator[ocr_record]] = {}
        for net in self._nets():
            lines = [
                line for line, model in zip(segmentation.lines or [], chosen, strict=True) if model is net
            ]
            if lines:
                task = RecognitionTaskModel([net])
                readers[id(net)] = task.predict(im, replace(segmentation, lines=lines), config)
        for line, kind, net in zip(segmentation.lines or [], types, chosen, strict=True):
            if net is None:
                yield empty_record(line, f"there is no model for lines of type {kind}")
            else:
                yield next(readers[id(net)])

    def _check_types(self, types: Sequence[str], strict: bool) -> None:
        """Warns or raises about types that no model was named for."""
        if DEFAULT_TYPE in self.models:
            return
        missing = sorted(set(types) - set(self.models))
        if not missing:
            return
        message = f"No model for lines of type {', '.join(missing)}: name one, or one for type {DEFAULT_TYPE}"
        if strict:
            raise KrakenInputException(message)
        logger.warning("%s. These lines are left empty.", message)
