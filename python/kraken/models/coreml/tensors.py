"""Weights of CoreML layers under the names of VGSL layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kraken.models.coreml.protobuf import Message
from kraken.models.coreml.schema import GATES

Array = NDArray[np.float32]


def read_tensors(layers: Iterable[Message], names: Collection[str]) -> dict[str, Array]:
    """Tensors of a list of layers.

    Args:
        layers: Layer messages.
        names: Names of the VGSL layers.

    Returns:
        ``<layer>.<parameter>`` → array of the parameter's shape.

    Raises:
        ValueError: A layer belongs to no VGSL layer, or its number of weights contradicts the
            sizes it declares; the layer is named.
    """
    tensors: dict[str, Array] = {}
    for layer in layers:
        for kind, (suffix, read) in _READERS.items():
            if kind not in layer:
                continue
            name = str(layer.get("name", ""))
            parameters = read(layer[kind], name)
            if not parameters:
                continue
            owner = _owner(name, suffix, names)
            for parameter, values in parameters.items():
                tensors[f"{owner}.{parameter}"] = values
    return tensors


def read_linear(params: Message, layer: str) -> tuple[Array, Array]:
    """Weight (out, in) and bias (out) of an innerProduct layer."""
    size_in, size_out = (_size(params, key, layer) for key in ("inputChannels", "outputChannels"))
    weight = _weights(params.get("weights"), (size_out, size_in), layer, "weights")
    return weight, _bias(params, size_out, layer)


def _owner(name: str, suffixes: tuple[str, ...], names: Collection[str]) -> str:
    """VGSL layer a file layer belongs to."""
    for suffix in suffixes:
        if suffix and name.endswith(suffix) and name[: -len(suffix)] in names:
            return name[: -len(suffix)]
    if name in names:
        return name
    raise ValueError(f"Layer {name!r} of the file isn't part of the VGSL network.")


def _size(params: Message, key: str, layer: str) -> int:
    value = int(params.get(key, 0))
    if value < 1:
        raise ValueError(f"Layer {layer!r} doesn't declare {key}.")
    return value


def _weights(message: Message | None, shape: tuple[int, ...], layer: str, what: str) -> Array:
    if message is None:
        raise ValueError(f"Layer {layer!r} has no {what}.")
    if "rawValue" in message or "quantization" in message:
        raise ValueError(f"Layer {layer!r}: quantised CoreML weights are not supported.")
    if "float16Value" in message:
        data = message["float16Value"]
        if len(data) % 2:
            raise ValueError(f"Layer {layer!r}: {what} are no list of 16 bit floats.")
        values = np.frombuffer(data, "<f2").astype(np.float32)
    else:
        values = message.get("floatValue", np.empty(0, np.float32))
    if values.size != math.prod(shape):
        raise ValueError(
            f"Layer {layer!r}: {values.size} {what} instead of {math.prod(shape)} for shape {shape}."
        )
    return values.reshape(shape)


def _bias(params: Message, size: int, layer: str) -> Array:
    if not params.get("hasBias"):
        return np.zeros(size, np.float32)
    return _weights(params.get("bias"), (size,), layer, "biases")


def _convolution(params: Message, layer: str) -> dict[str, Array]:
    out, channels = (_size(params, key, layer) for key in ("outputChannels", "kernelChannels"))
    kernel = params.get("kernelSize", [3, 3])
    if len(kernel) != 2 or min(kernel) < 1:
        raise ValueError(f"Layer {layer!r}: kernel size {kernel} isn't a pair.")
    if params.get("nGroups", 1) > 1:
        raise ValueError(f"Layer {layer!r}: grouped convolutions are not supported.")
    first, second = (channels, out) if params.get("isDeconvolution") else (out, channels)
    shape = (first, second, *kernel)
    return {
        "co.weight": _weights(params.get("weights"), shape, layer, "weights"),
        "co.bias": _bias(params, out, layer),
    }


def _inner_product(params: Message, layer: str) -> dict[str, Array]:
    weight, bias = read_linear(params, layer)
    prefix = "project_q" if layer.endswith("_wave2vec2_lin") else "lin"
    return {f"{prefix}.weight": weight, f"{prefix}.bias": bias}


def _embedding(params: Message, layer: str) -> dict[str, Array]:
    shape = (_size(params, "inputDim", layer), _size(params, "outputChannels", layer))
    return {"mask_emb.weight": _weights(params.get("weights"), shape, layer, "weights")}


def _uni_lstm(params: Message, layer: str) -> dict[str, Array]:
    return _direction(params, params.get("weightParams", {}), "", layer)


def _bi_lstm(params: Message, layer: str) -> dict[str, Array]:
    directions = params.get("weightParams", [])
    if len(directions) != 2:
        raise ValueError(f"Layer {layer!r}: {len(directions)} directions instead of 2.")
    forward, backward = directions
    return {
        **_direction(params, forward, "", layer),
        **_direction(params, backward, "_reverse", layer),
    }


def _direction(params: Message, weights: Message, suffix: str, layer: str) -> dict[str, Array]:
    """Parameters of one direction; the single bias of the file becomes the recurrent one."""
    n, size = (_size(params, key, layer) for key in ("outputVectorSize", "inputVectorSize"))

    def stack(kind: str, shape: tuple[int, ...]) -> Array:
        parts = [_weights(weights.get(gate + kind), shape, layer, gate + kind) for gate in GATES]
        return np.concatenate(parts)

    result = {
        f"weight_ih_l0{suffix}": stack("WeightMatrix", (n, size)),
        f"weight_hh_l0{suffix}": stack("RecursionMatrix", (n, n)),
    }
    options = params.get("params", {})
    if options.get("hasBiasVectors"):
        result[f"bias_ih_l0{suffix}"] = np.zeros(4 * n, np.float32)
        result[f"bias_hh_l0{suffix}"] = stack("BiasVector", (n,))
    if options.get("hasPeepholeVectors"):
        for short, gate in (("ip", "inputGate"), ("fp", "forgetGate"), ("op", "outputGate")):
            what = f"{gate}PeepholeVector"
            result[f"weight_{short}_l0{suffix}"] = _weights(weights.get(what), (n,), layer, what)
    return {f"layer.{name}": values for name, values in result.items()}


def _custom(params: Message, layer: str) -> dict[str, Array]:
    if params.get("className") != "groupnorm":
        return {}
    numbers = {p.get("key"): p.get("value", {}) for p in params.get("parameters", [])}
    value: Any = numbers.get("in_channels", {})
    size = int(value.get("intValue", value.get("longValue", 0)))
    weights = params.get("weights", [])
    if size < 1 or len(weights) != 2:
        raise ValueError(f"Layer {layer!r}: a group normalisation needs in_channels and two weight lists.")
    return {
        "layer.weight": _weights(weights[0], (size,), layer, "scales"),
        "layer.bias": _weights(weights[1], (size,), layer, "shifts"),
    }


_READERS: dict[str, tuple[tuple[str, ...], Callable[[Message, str], dict[str, Array]]]] = {
    "convolution": (("_conv",), _convolution),
    "innerProduct": (("_lin", "_wave2vec2_lin"), _inner_product),
    "embedding": (("_wave2vec2_emb",), _embedding),
    "uniDirectionalLSTM": (("_transposed",), _uni_lstm),
    "biDirectionalLSTM": (("_transposed",), _bi_lstm),
    "custom": ((), _custom),
}
