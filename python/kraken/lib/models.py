"""Recognition networks behind the interface of older releases (spec chapter legacy §4).

New code uses :func:`kraken.models.load_models` and :class:`kraken.tasks.RecognitionTaskModel`.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.exceptions import KrakenInputException, KrakenInvalidModelException
from kraken.models import load_models

if TYPE_CHECKING:
    from kraken.configs import RecognitionInferenceConfig
    from kraken.lib.codec import PytorchCodec
    from kraken.lib.vgsl import TorchVGSLModel

__all__ = ["TorchSeqRecognizer", "load_any", "validate_hyper_parameters"]

logger = logging.getLogger("kraken")

Symbol = tuple[int, int, int, float]


class TorchSeqRecognizer:
    """A recognition network with a decoder.

    Args:
        nn: The network.
        decoder: Function of probabilities (N, C, W) and lengths to one list of
            ``(label, start, end, confidence)`` per line.
        temperature: Divisor of the logits before the softmax.
        train: True and False set the network's mode; any other value leaves it.
        device: Torch device to run on.

    Attributes:
        kind: Format of the network's description, ``vgsl`` if :func:`load_any` loaded it.
        codec: The network's codec.
        one_channel_mode: ``'1'``, ``'L'`` or None: what its one-channel training lines were.
        seg_type: ``'baselines'``, ``'bbox'`` or None: what its training lines were.
        outputs: Probabilities (N, C, W) of the last forward pass.

    Raises:
        ValueError: If the network says what it's for, and that isn't recognition.
    """

    def __init__(
        self,
        nn: TorchVGSLModel,
        decoder: Callable[..., list[list[Symbol]]] = greedy_decoder,
        temperature: float = 1.0,
        train: bool | None = False,
        device: str | torch.device = "cpu",
    ) -> None:
        if nn.model_type and "recognition" not in nn.model_type:
            raise ValueError(f"Models of type {nn.model_type} are not supported by TorchSeqRecognizer")
        self.nn = nn
        self.kind = ""
        self.train = train
        if train is True or train is False:
            self.nn.train(train)
        self.codec: PytorchCodec | None = nn.codec
        self.decoder = decoder
        self.temperature = temperature
        self.one_channel_mode = nn.one_channel_mode
        self.seg_type = nn.seg_type
        self.outputs: npt.NDArray[np.float32] | None = None
        self.device = device
        self.to(device)

    def to(self, device: str | torch.device) -> None:
        """Moves the network."""
        self.device = device
        self.nn.to(device)

    def forward(
        self, line: torch.Tensor, lens: torch.Tensor | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64] | None]:
        """Runs the network.

        Args:
            line: Lines (N, C, H, W).
            lens: Their widths without padding on the right.

        Returns:
            Probabilities (N, C, W), and their lengths if ``lens`` was given.

        Raises:
            KrakenInputException: If the network doesn't reduce the height to 1.
        """
        with torch.no_grad():
            logits, lengths = self.nn(line.to(self.device), lens)
        if logits.shape[2] != 1:
            raise KrakenInputException(f"Expected dimension 3 to be 1, actual {tuple(logits.shape)}")
        probabilities = torch.softmax(logits.squeeze(2).float() / self.temperature, dim=1)
        self.outputs = probabilities.cpu().numpy()
        return self.outputs, None if lengths is None else lengths.cpu().numpy()

    def predict_labels(self, line: torch.Tensor, lens: torch.Tensor | None = None) -> list[list[Symbol]]:
        """The decoder's result: per line a list of ``(label, start, end, confidence)``."""
        outputs, lengths = self.forward(line, lens)
        if lengths is None:
            lengths = np.full(len(outputs), outputs.shape[2])
        return self.decoder(outputs, lengths)

    def predict(
        self, line: torch.Tensor, lens: torch.Tensor | None = None
    ) -> list[list[tuple[str, int, int, float]]]:
        """Per line a list of ``(code point, start, end, confidence)``.

        Raises:
            KrakenInvalidModelException: If the network has no codec.
        """
        if self.codec is None:
            raise KrakenInvalidModelException("The model has no codec: it isn't a trained recognition model.")
        return [self.codec.decode(labels) for labels in self.predict_labels(line, lens)]

    def predict_string(self, line: torch.Tensor, lens: torch.Tensor | None = None) -> list[str]:
        """The text of each line."""
        return ["".join(char for char, *_ in decoded) for decoded in self.predict(line, lens)]

    def inference_config(self, **options: Any) -> RecognitionInferenceConfig:
        """Configuration of the task models that does what this recogniser would."""
        from kraken.configs import RecognitionInferenceConfig  # names decoders, which this module names, too

        return RecognitionInferenceConfig(
            temperature=self.temperature,
            decoder=self.decoder,
            device=str(self.device),
            num_line_workers=0,
            **options,
        )


def load_any(
    fname: str | os.PathLike[str], train: bool | None = False, device: str | torch.device = "cpu"
) -> TorchSeqRecognizer:
    """Loads the first recognition model of a file of any format.

    Args:
        fname: Path; ``~`` and variables of the environment are expanded.
        train: Whether the network shall be in training mode.
        device: Torch device to run on.

    Raises:
        KrakenInvalidModelException: If the file can't be loaded.
        ValueError: If it holds models, but none for recognition.
    """
    path = Path(os.path.expandvars(os.fspath(fname))).expanduser().resolve()
    logger.info("Loading model from %s", path)
    try:
        models: Sequence[Any] = load_models(path)
        if not models:
            raise ValueError(f"{path} holds no model that this version can use")
    except Exception as error:
        raise KrakenInvalidModelException(f"File {path} not loadable by any parser.") from error
    # Networks of old files may not say what they are for.
    fit = [model for model in models if "recognition" in model.model_type]
    recognizer = TorchSeqRecognizer((fit or models)[0], train=train, device=device)
    recognizer.kind = "vgsl"
    return recognizer


def validate_hyper_parameters(hyper_params: dict[str, Any]) -> None:
    """Starts a fixed schedule anew if it is at its end already.

    Args:
        hyper_params: Training parameters; ``completed_epochs`` may be set to 0 in place.
    """
    if (
        hyper_params.get("quit") == "fixed"
        and hyper_params.get("completed_epochs", 0) >= hyper_params["epochs"]
    ):
        warnings.warn(
            f"All {hyper_params['epochs']} epochs of the fixed schedule are completed: it starts anew.",
            stacklevel=2,
        )
        hyper_params["completed_epochs"] = 0
