"""From a parsed VGSL description to layers."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from kraken.lib.vgsl import spec
from kraken.lib.vgsl.blocks import (
    ActConv2D,
    Addition,
    Dropout,
    GroupNorm,
    Identity,
    LinSoftmax,
    MaxPool,
    MultiParamParallel,
    MultiParamSequential,
    Reshape,
    TransposedSummarizingRNN,
)
from kraken.lib.vgsl.blocks.lengths import Shape
from kraken.lib.vgsl.blocks.wav2vec import InlineWav2Vec2Mask


def build_series(
    nodes: Iterable[spec.Node],
    shape: Shape,
    into: MultiParamSequential | None = None,
    target_shape: tuple[int, int] | None = None,
) -> tuple[MultiParamSequential, Shape]:
    """Build layers one after the other.

    Args:
        nodes: Operations and groups.
        shape: Nominal input shape (n, c, h, w), 0 = variable.
        into: Series to add the layers to; by default a new one.
        target_shape: Size (h, w) that a transposed convolution at the end should meet.

    Returns:
        The series and its nominal output shape.

    Raises:
        ValueError: An operation doesn't fit the shape of its input.
    """
    series = MultiParamSequential() if into is None else into
    nodes = list(nodes)
    for i, node in enumerate(nodes):
        module, shape = _build(node, shape, target_shape if i == len(nodes) - 1 else None)
        _register(series, node, module)
    series.output_shape = shape
    return series, shape


def build_criterion(nodes: Iterable[spec.Node]) -> nn.Module | None:
    """Loss that belongs to the last output layer, None without one."""
    criterion: nn.Module | None = None
    for leaf in spec.leaves(*nodes):
        if isinstance(leaf.op, spec.OutputOp):
            ctc = leaf.op.nonlinearity == "c"
            criterion = nn.CTCLoss(reduction="sum", zero_infinity=True) if ctc else nn.BCEWithLogitsLoss()
    return criterion


def _register(parent: nn.Module, node: spec.Node, module: nn.Module) -> None:
    try:
        parent.add_module(node.name, module)
    except KeyError as e:
        raise ValueError(
            f"Layer name {node.name!r} of block {node.text!r} isn't possible: {e.args[0]}"
        ) from e


def _build(node: spec.Node, shape: Shape, target_shape: tuple[int, int] | None) -> tuple[nn.Module, Shape]:
    if isinstance(node, spec.Leaf):
        layer = _layer(node, shape)
        return layer, layer.get_shape(shape, target_shape)  # type: ignore[operator]
    if not node.parallel:
        return build_series(node.children, shape, target_shape=target_shape)
    parallel = MultiParamParallel()
    wish = target_shape
    for child in node.children:
        branch, out = _build(child, shape, wish)
        wish = out[2:]
        _register(parallel, child, branch)
    return parallel, parallel.get_shape(shape, target_shape)


def _layer(leaf: spec.Leaf, shape: Shape) -> nn.Module:
    """Layer of one operation for an input of a nominal shape."""
    op, channels = leaf.op, shape[1]
    if isinstance(op, spec.ReshapeOp):
        return Reshape(op.source, op.part_a, op.part_b, op.high, op.low)
    if isinstance(op, spec.AdditionOp):
        return Addition(op.dim, op.chunk)
    if isinstance(op, spec.IdentityOp):
        return Identity()
    if isinstance(op, spec.DropoutOp):
        return Dropout(op.p, op.dim)
    if isinstance(op, spec.PoolOp):
        return MaxPool(op.kernel, op.stride)
    if channels < 1:
        raise ValueError(f"Block {leaf.text!r} needs a fixed number of input channels.")
    if isinstance(op, spec.ConvOp):
        return ActConv2D(channels, op.out, op.kernel, op.stride, op.activation, op.dilation, op.transposed)
    if isinstance(op, spec.RnnOp):
        return TransposedSummarizingRNN(channels, op.out, op.direction, op.along_y, op.summarize, op.legacy)
    if isinstance(op, spec.NormOp):
        return GroupNorm(channels, op.groups)
    if isinstance(op, spec.Wav2VecOp):
        return InlineWav2Vec2Mask(channels, op.final_dim, op.mask_width, op.mask_prob, op.num_negatives)
    if op.dims == 1:
        return LinSoftmax(channels, op.out, op.augmentation)
    activation = {"l": "s", "s": "m"}[op.nonlinearity]
    return ActConv2D(channels, op.out, (1, 1), (1, 1), activation)
