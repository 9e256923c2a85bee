"""Inference of VGSL networks: device, precision, threads, compilation (spec chapter recognition §9)."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from kraken.lib.exceptions import KrakenInputException

if TYPE_CHECKING:
    from PIL import Image

    from kraken.configs import Config
    from kraken.containers import Segmentation
    from kraken.lib.vgsl.model import TorchVGSLModel

logger = logging.getLogger(__name__)

#: types of weights, and of arithmetic under autocast
PRECISIONS: dict[str, tuple[torch.dtype, torch.dtype | None]] = {
    "64-true": (torch.float64, None),
    "32-true": (torch.float32, None),
    "16-true": (torch.float16, None),
    "bf16-true": (torch.bfloat16, None),
    "16-mixed": (torch.float32, torch.float16),
    "bf16-mixed": (torch.float32, torch.bfloat16),
}

Forward = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor | None]]


@dataclass
class InferenceState:
    """What :func:`prepare` decided, kept until the configuration changes."""

    key: tuple[Any, ...]
    device: torch.device
    dtype: torch.dtype
    autocast: torch.dtype | None
    num_threads: int
    compiled: Forward | None


def resolve_device(accelerator: str = "auto", device: int | str | list[int] = "auto") -> torch.device:
    """Device of an accelerator name and an index.

    Args:
        accelerator: ``auto`` (a GPU if there is one), ``cpu``, ``gpu``, ``cuda``, ``mps``; ``tpu``
            and ``hpu`` where torch supports them.
        device: ``auto``, an index, a list of them (the first counts) or a torch device name.

    Raises:
        ValueError: The accelerator is unknown or the device isn't available.
    """
    if isinstance(device, list | tuple):
        if not device:
            raise ValueError("The list of devices is empty.")
        device = device[0]
    if isinstance(device, str) and device != "auto":
        if not device.lstrip("-").isdigit():
            return _named_device(device)
        device = int(device)
    index = None if device in ("auto", -1, None) else int(device)
    if index is not None and index < 0:
        raise ValueError(f"Device {device} doesn't exist.")
    kind = str(accelerator).lower()
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    elif kind == "gpu":
        kind = "mps" if torch.backends.mps.is_available() and not torch.cuda.is_available() else "cuda"
    if kind == "cpu":
        # the index means a number of processes for other engines
        return torch.device("cpu")
    if kind in ("cuda", "mps"):
        return _checked(kind, index or 0)
    if kind in ("tpu", "hpu"):
        return _checked({"tpu": "xla"}.get(kind, kind), index or 0, kind)
    raise ValueError(
        f"Accelerator {accelerator!r} is unknown; use one of auto, cpu, gpu, cuda, mps, tpu, hpu."
    )


def _named_device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as e:
        raise ValueError(f"Device {name!r} is unknown.") from e
    return device if device.type == "cpu" else _checked(device.type, device.index or 0)


def _checked(kind: str, index: int, name: str | None = None) -> torch.device:
    backend = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
    if backend is None or not hasattr(backend, "is_available") or not backend.is_available():
        raise ValueError(
            f"Accelerator {(name or kind)!r} isn't available on this machine; use accelerator='cpu'."
        )
    count = int(backend.device_count()) if hasattr(backend, "device_count") else 1
    if index >= count:
        raise ValueError(f"Device {index} of accelerator {kind!r} doesn't exist; there are {count}.")
    return torch.device(kind, index)


def prepare(model: TorchVGSLModel, config: Config) -> None:
    """Check the configuration against the model, then convert and move it."""
    _check_task(model, config)
    key = (
        config.precision,
        config.accelerator,
        str(config.device),
        repr(config.compile_config),
        config.num_threads,
    )
    state = model._inference_state
    first = next(model.parameters(), None)
    current = state is not None and (
        first is None or (first.dtype, first.device) == (state.dtype, state.device)
    )
    if state is None or state.key != key or not current:
        state = _new_state(model, config, key)
        model.to(device=state.device, dtype=state.dtype)
        zero_denormals(model)
    if model.training:
        model.eval()
    model._inference_state = state
    model._inference_config = config


@torch.inference_mode()  # which may change weights that were loaded in that mode, too
def zero_denormals(network: torch.nn.Module) -> None:
    """Sets weights of 32 and 64 bits below the normal range to zero, which results don't show.

    Processors multiply such numbers many times slower, and telling a processor to take them for zero reaches
    one thread only. Long training with weight decay leaves them in weights that have no use.
    """
    for weights in itertools.chain(network.parameters(), network.buffers()):
        if weights.dtype in (torch.float32, torch.float64):
            weights.masked_fill_(weights.abs() < torch.finfo(weights.dtype).tiny, 0)


def _check_task(model: TorchVGSLModel, config: Config) -> None:
    # imported here so that networks can be built and trained without the decoders configurations name
    from kraken.configs import RecognitionInferenceConfig, SegmentationInferenceConfig

    for task, kind in (
        ("recognition", RecognitionInferenceConfig),
        ("segmentation", SegmentationInferenceConfig),
    ):
        if isinstance(config, kind) and task not in model.model_type:
            raise ValueError(
                f"{type(model).__name__} is a model of type {model.model_type}. "
                f"Got incompatible {type(config).__name__}."
            )


def _new_state(model: TorchVGSLModel, config: Config, key: tuple[Any, ...]) -> InferenceState:
    if config.precision not in PRECISIONS:
        raise ValueError(
            f"Precision {config.precision!r} isn't possible for inference; "
            f"use one of {', '.join(PRECISIONS)}."
        )
    dtype, autocast = PRECISIONS[config.precision]
    device = resolve_device(config.accelerator, config.device)
    if device.type == "cpu" and torch.float16 in (dtype, autocast):
        logger.warning(
            "CPUs compute in half precision slowly or not at all: using 32 bits for %s.", config.precision
        )
        dtype, autocast = torch.float32, None
    if device.type == "mps" and dtype == torch.float64:
        raise ValueError("Precision '64-true' isn't possible on accelerator 'mps'.")
    compiled: Forward | None = None
    if config.compile_config is not None:
        compiled = torch.compile(model.nn, **config.compile_config)
    return InferenceState(key, device, dtype, autocast, int(config.num_threads), compiled)


class _ThreadLimit:
    """Limit of torch's threads, which the whole process shares.

    The first user notes what was before, the last one restores it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = 0

    @contextmanager
    def __call__(self, count: int) -> Iterator[None]:
        """Let torch use at most `count` threads inside an operation; 0 or less = no limit."""
        if count < 1:
            yield
            return
        with self._lock:
            if not self._users:
                self._before = torch.get_num_threads()
            self._users += 1
            if count < torch.get_num_threads():
                torch.set_num_threads(count)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users and torch.get_num_threads() != self._before:
                    torch.set_num_threads(self._before)


limited_threads = _ThreadLimit()


def run(model: TorchVGSLModel, x: Tensor, seq_lens: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Forward pass under the model's inference configuration."""
    state = model._inference_state
    if state is None:
        raise ValueError("Call prepare_for_inference before infer.")
    x = x.to(device=state.device, dtype=state.dtype)
    autocast = torch.autocast(state.device.type, state.autocast) if state.autocast else nullcontext()
    with torch.inference_mode(), autocast, limited_threads(state.num_threads):
        logits, lengths = _forward(model, state, x, seq_lens)
    return (logits if logits.dtype == torch.float64 else logits.float()), lengths


def _forward(
    model: TorchVGSLModel, state: InferenceState, x: Tensor, seq_lens: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    if state.compiled is not None:
        try:
            return state.compiled(x, None if seq_lens is None else seq_lens.clamp(max=x.shape[3]))
        except KrakenInputException:
            raise
        except Exception as e:
            # compilers fail in many ways; the network itself doesn't need them
            logger.warning("The compiled network failed (%s): going on without compilation.", e)
            state.compiled = None
    y: tuple[Tensor, Tensor | None] = model(x, seq_lens)
    return y


def predict(
    model: TorchVGSLModel,
    im: Image.Image,
    segmentation: Segmentation | None,
    mask: Image.Image | None = None,
) -> Any:
    """Hand a page to the part of the engine that fits the model's task."""
    # page processing sits above the network: imported when a page is there
    from kraken.configs import RecognitionInferenceConfig, SegmentationInferenceConfig

    if "recognition" in model.model_type:
        if segmentation is None:
            raise ValueError(
                "A recognition model needs the segmentation of the page: predict(im=, segmentation=)."
            )
        if not isinstance(model._inference_config, RecognitionInferenceConfig):
            model.prepare_for_inference(RecognitionInferenceConfig())
        from kraken.lib.vgsl.recognition_inference import predict_lines

        return predict_lines(model, im, segmentation)
    if "segmentation" in model.model_type:
        if not isinstance(model._inference_config, SegmentationInferenceConfig):
            model.prepare_for_inference(SegmentationInferenceConfig())
        from kraken.lib.vgsl.segmentation_inference import predict_page

        return predict_page(model, im) if mask is None else predict_page(model, im, mask)
    raise ValueError(f"Model of type {model.model_type} is neither for recognition nor for segmentation.")
