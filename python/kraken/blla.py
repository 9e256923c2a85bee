"""Layout analysis as in older releases (spec chapter segmentation §7).

New code uses :class:`kraken.tasks.SegmentationTaskModel`.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kraken.configs import SegmentationInferenceConfig
from kraken.configs.base import ModelDefault
from kraken.lib.exceptions import KrakenInvalidModelException
from kraken.lib.segmentation import polygonal_reading_order
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.segmentation_inference import class_channels
from kraken.tasks.segmentation import SegmentationTaskModel, merge_segmentations

if TYPE_CHECKING:
    from PIL import Image

    from kraken.containers import Segmentation

__all__ = ["segment"]

_DIRECTION = ModelDefault("horizontal-lr")


def segment(
    im: Image.Image,
    text_direction: str = _DIRECTION,
    mask: Image.Image | None = None,
    reading_order_fn: Callable[..., Any] = polygonal_reading_order,
    model: TorchVGSLModel | Sequence[TorchVGSLModel] | None = None,
    device: str = "cpu",
    raise_on_error: bool = False,
    autocast: bool = False,
) -> Segmentation:
    """Finds the baselines and regions of a page.

    Args:
        im: Page; not modified.
        text_direction: ``horizontal-lr``, ``horizontal-rl``, ``vertical-lr`` or
            ``vertical-rl``; by default what the model states, else the first one.
        mask: Bitonal image of the page's size; what is 0 is hidden from the network.
        reading_order_fn: Order of the lines, see ``SegmentationInferenceConfig.baseline_ro_fn``.
        model: One model or several; the package's default one if None. Auxiliary
            reading-order layers of a single model add an order to ``line_orders``.
            White borders that a model asks for in its metadata (``hyper_params``,
            ``padding``) are put around the page.
        device: Torch device.
        raise_on_error: Whether a line without polygon raises.
        autocast: Whether to compute in half precision where that is safe.

    Returns:
        Lines in reading order and regions, in page pixels.

    Raises:
        KrakenInputException: If the mask isn't bitonal or doesn't fit the page, or the
            page's size can't be treated.
        KrakenInvalidModelException: If a model isn't a network for segmentation.
        ValueError: If the text direction is invalid.
    """
    warnings.warn(
        "kraken.blla.segment is deprecated and will go with kraken 8; "
        "use kraken.tasks.SegmentationTaskModel.",
        DeprecationWarning,
        stacklevel=2,
    )
    models = _models(model)
    options: dict[str, Any] = {
        "text_direction": text_direction,
        "baseline_ro_fn": reading_order_fn,
        "device": device,
        "raise_on_error": raise_on_error,
        "precision": _autocast_precision(device) if autocast else "32-true",
    }
    parts = []
    for net in models:
        # The orders of several models on one page can't be put together.
        orders = net.aux_layers.values() if len(models) == 1 else ()
        config = SegmentationInferenceConfig(input_padding=_padding(net), **options)
        parts.append(SegmentationTaskModel([net, *orders]).predict(im, config, mask))
    if len(parts) == 1:
        return parts[0]
    merged = merge_segmentations(parts, SegmentationInferenceConfig(**options))
    return dataclasses.replace(merged, script_detection=parts[-1].script_detection)


def _models(model: Any) -> list[TorchVGSLModel]:
    """The networks to use, checked."""
    if model is None:
        model = SegmentationTaskModel.load_model().seg_models
    models = list(model) if isinstance(model, (list, tuple)) else [model]
    for net in models:
        if not isinstance(net, TorchVGSLModel) or "segmentation" not in net.model_type:
            kind = getattr(net, "model_type", None) or type(net).__name__
            raise KrakenInvalidModelException(
                f"Invalid model type {kind}: need a TorchVGSLModel for segmentation."
            )
        class_channels(net)
    if not models:
        raise KrakenInvalidModelException("Invalid model type: an empty list, need at least one model.")
    return models


def _padding(net: TorchVGSLModel) -> Any:
    """Padding that a model was trained with, as ``input_padding`` takes it."""
    padding = net.hyper_params.get("padding") or 0
    return tuple(padding) if isinstance(padding, (list, tuple)) else padding


def _autocast_precision(device: str) -> str:
    return "16-mixed" if device.startswith("cuda") else "bf16-mixed"
