"""How much a network computes: multiply-adds, counted layer by layer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from kraken.lib.vgsl.blocks import ActConv2D, LinSoftmax, TransposedSummarizingRNN
from kraken.lib.vgsl.blocks.lengths import Shape

if TYPE_CHECKING:
    from kraken.lib.vgsl.model import TorchVGSLModel

__all__ = ["LINE_WIDTH", "multiply_adds", "nominal_size", "weights"]

#: Width of a line of text as part of its height, and of a page (DIN), where the network takes any.
LINE_WIDTH = 12.0
_PAGE_WIDTH = 0.7071
_LINE_HEIGHT = 48
_PAGE_HEIGHT = 1800


def weights(model: nn.Module) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in model.parameters())


def nominal_size(model: TorchVGSLModel) -> tuple[int, int]:
    """Height and width of an input as the network gets them.

    Where it takes any, those of a line twelve times as wide as high or of an upright DIN page.
    """
    _, _, height, width = model.input
    line = "recognition" in model.model_type
    ratio = LINE_WIDTH if line else _PAGE_WIDTH
    if not height:
        height = round(width / ratio) if width else (_LINE_HEIGHT if line else _PAGE_HEIGHT)
    return height, width or round(height * ratio)


def multiply_adds(model: TorchVGSLModel, height: int | None = None, width: int | None = None) -> int:
    """Multiplications, each with an addition, that one input costs in layers with weights.

    Those of convolutions, recurrent and linear layers are counted; normalisation and activations cost
    a few operations a number besides. Nothing is computed.

    Args:
        model: A network.
        height: Height of the input in pixels, see :func:`nominal_size`.
        width: Width of the input in pixels.

    Raises:
        ValueError: The network can't take an input of this size.
    """
    nominal = nominal_size(model)
    shape = (1, model.input[1], height or nominal[0], width or nominal[1])
    # A copy, since layers note the shapes that they are asked for.
    layers = copy.deepcopy(model.nn)
    costs: list[int] = []
    for layer in layers.modules():
        if type(layer) in _COSTS:
            _noted(layer, costs)
    try:
        layers.get_shape(shape)
    except ValueError as error:
        raise ValueError(
            f"The network can't take an input of {shape[2]}x{shape[3]} pixels: {error}"
        ) from error
    return sum(costs)


def _noted(layer: Any, costs: list[int]) -> None:
    """Has a layer note its cost when it is asked for the shape of its output."""
    get_shape, cost = layer.get_shape, _COSTS[type(layer)]

    def noted(input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        output: Shape = get_shape(input, target_shape)
        costs.append(cost(layer, input, output))
        return output

    layer.get_shape = noted


def _convolution(layer: ActConv2D, input: Shape, output: Shape) -> int:
    _, _, rows, columns = input if layer.transposed else output
    return rows * columns * layer.co.weight.numel()


def _recurrent(layer: TransposedSummarizingRNN, input: Shape, _: Shape) -> int:
    matrices = (weight for weight in layer.layer.parameters() if weight.dim() == 2)
    return input[2] * input[3] * sum(weight.numel() for weight in matrices)


def _linear(layer: LinSoftmax, input: Shape, _: Shape) -> int:
    return input[2] * input[3] * layer.lin.weight.numel()


_COSTS: dict[type, Callable[[Any, Shape, Shape], int]] = {
    ActConv2D: _convolution,
    LinSoftmax: _linear,
    TransposedSummarizingRNN: _recurrent,
}
