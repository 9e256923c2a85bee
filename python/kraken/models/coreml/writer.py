"""Writing of CoreML model files."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from kraken.lib.atomic import atomic_output
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
    PeepholeBidiLSTM,
    Reshape,
    TransposedSummarizingRNN,
    Wav2Vec2Mask,
)
from kraken.models._files import dump_json
from kraken.models.base import BaseModel
from kraken.models.coreml.protobuf import Message, encode
from kraken.models.coreml.reader import AUX_LEVELS
from kraken.models.coreml.schema import DOUBLE, GATES
from kraken.registry import registry

Inputs = list[str]

_ACTIVATIONS: dict[str, Message] = {
    "s": {"activation": {"sigmoid": {}}},
    "t": {"activation": {"tanh": {}}},
    "m": {"softmax": {}},
    "r": {"activation": {"ReLU": {}}},
    "l": {"activation": {"linear": {"alpha": 1.0, "beta": 0.0}}},
    "lr": {"activation": {"leakyReLU": {"alpha": 0.01}}},
}


def write_coreml(objs: BaseModel | Sequence[BaseModel], path: str | PathLike[str]) -> Path:
    """Write a VGSL network as a CoreML file.

    Args:
        objs: Exactly one VGSL network.
        path: File to write; its suffix becomes ``.mlmodel``.

    Returns:
        The path written.

    Raises:
        ValueError: There isn't exactly one model, it is no VGSL network, or the file exists.
    """
    models = list(objs) if isinstance(objs, Sequence) else [objs]
    if len(models) != 1:
        raise ValueError(f"A CoreML file holds exactly one model, not {len(models)}.")
    target = Path(path).with_suffix(".mlmodel")
    if not isinstance(models[0], registry.load("kraken.models", "TorchVGSLModel")):
        raise ValueError(f"A CoreML file can't hold a model of class {type(models[0]).__name__}.")
    if target.exists():
        raise ValueError(f"{target} already exists.")
    save_vgsl(models[0], target)
    return target


def save_vgsl(model: Any, path: str | PathLike[str]) -> None:
    """Write a VGSL network to a path as it is, replacing an existing file."""
    data = serialise(model)
    with atomic_output(Path(path)) as temporary:
        temporary.write_bytes(data)


def serialise(model: Any) -> bytes:
    """Bytes of the CoreML file of a VGSL network."""
    chain = _Chain()
    chain.add(model.nn)
    chain.finish()
    for key, aux in model.aux_layers.items():
        chain.add_reading_order(key, aux)
    custom = any("custom" in layer for layer in chain.layers)
    return encode(
        {
            "specificationVersion": 2 if custom else 1,
            "description": {
                "input": [_feature("input", model.input)],
                "output": [_feature("output", model.output)],
                "metadata": {"shortDescription": "kraken model", "userDefined": _texts(model)},
            },
            "neuralNetwork": {"layers": chain.layers},
        },
        "Model",
    )


def _texts(model: Any) -> list[Message]:
    metadata = dict(model.user_metadata)
    types = model.model_type
    metadata["model_type"] = types[0] if types else "unknown"
    codec = metadata.get("codec")
    if model.codec is not None:
        codec = {text: [int(x) for x in labels] for text, labels in model.codec.c2l.items()}
    aux = {
        key: f"[1,0,0,1 RO{{{key}}}{m.fc1.in_features},{m.fc1.out_features}]"
        for key, m in model.aux_layers.items()
    }
    texts = {
        "vgsl": metadata["vgsl"],
        "codec": dump_json(codec, "The codec"),
        "kraken_meta": dump_json(metadata, "The metadata"),
        "aux_layers": dump_json(aux, "The auxiliary layers"),
    }
    return [{"key": key, "value": value} for key, value in texts.items()]


def _feature(name: str, shape: Sequence[int]) -> Message:
    return {"name": name, "type": {"multiArrayType": {"shape": list(shape), "dataType": DOUBLE}}}


def _floats(values: Tensor | NDArray[np.float32]) -> Message:
    array = values.detach().float().cpu().numpy() if isinstance(values, Tensor) else values
    return {"floatValue": array.ravel()}


def _custom(name: str, weights: Sequence[Tensor] = (), **parameters: float) -> Message:
    values = [
        {"key": key, "value": {"intValue" if isinstance(value, int) else "doubleValue": value}}
        for key, value in parameters.items()
    ]
    return {
        "custom": {
            "className": name,
            "weights": [_floats(w) for w in weights],
            "parameters": values,
            "description": f"{name} layer of a VGSL network",
        }
    }


class _Chain:
    """File layers in order, with what each takes as input."""

    def __init__(self) -> None:
        self.layers: list[Message] = []
        self._sources: Inputs = ["input"]

    def add(self, module: nn.Module) -> None:
        """Add the layers of a series after what is there."""
        for name, child in module.named_children():
            if isinstance(child, MultiParamSequential):
                self.add(child)
            elif isinstance(child, MultiParamParallel):
                self._add_parallel(child)
            else:
                self._add_layer(name, child)

    def finish(self) -> None:
        """Call the result "output"."""
        for layer in self.layers:
            layer["output"] = ["output" if self._sources == layer["output"] else layer["name"]]

    def add_reading_order(self, key: str, model: Any) -> None:
        """Add the layers of an auxiliary reading-order model, which has an input of its own."""
        if key not in AUX_LEVELS:
            raise ValueError(f"Auxiliary model {key!r} can't be written; known are {', '.join(AUX_LEVELS)}.")
        self._sources = [f"{key}_features"]
        self._put(f"{key}_mlp_lin_0", _inner_product(model.fc1.weight, model.fc1.bias))
        self._put(f"{key}_mlp_lin_0_relu", _ACTIVATIONS["r"])
        self._put(f"{key}_mlp_lin_1", _inner_product(model.fc2.weight, model.fc2.bias))

    def _add_parallel(self, module: nn.Module) -> None:
        sources, ends = self._sources, []
        for name, branch in module.named_children():
            self._sources = sources
            if isinstance(branch, MultiParamSequential):
                self.add(branch)
            elif isinstance(branch, MultiParamParallel):
                self._add_parallel(branch)
            else:
                self._add_layer(name, branch)
            ends.extend(self._sources)
        self._sources = ends

    def _put(self, name: str, content: Message) -> None:
        self.layers.append({"name": name, "input": self._sources, "output": [name], **content})
        self._sources = [name]

    def _add_layer(self, name: str, layer: nn.Module) -> None:
        if isinstance(layer, ActConv2D):
            self._put(f"{name}_conv", _convolution(layer))
            self._put(f"{name}_act", _ACTIVATIONS[layer.nl])
        elif isinstance(layer, TransposedSummarizingRNN):
            if layer.transpose:
                self._put(name, {"permute": {"axis": [0, 1, 3, 2]}})
            self._put(f"{name}_transposed" if layer.transpose else name, _rnn(layer))
        elif isinstance(layer, LinSoftmax):
            self._put(f"{name}_lin", _inner_product(layer.lin.weight, layer.lin.bias))
        elif isinstance(layer, Wav2Vec2Mask):
            self._put(f"{name}_wave2vec2_emb", _embedding(layer.mask_emb.weight))
            self._put(f"{name}_wave2vec2_lin", _inner_product(layer.project_q.weight, layer.project_q.bias))
        else:
            self._put(name, _plain_layer(layer))


def _plain_layer(layer: nn.Module) -> Message:
    if isinstance(layer, GroupNorm):
        weights = (layer.layer.weight, layer.layer.bias)
        return _custom("groupnorm", weights, in_channels=layer.in_channels, num_groups=layer.num_groups)
    if isinstance(layer, MaxPool):
        return {
            "pooling": {
                "type": 0,
                "kernelSize": layer.kernel,
                "stride": layer.stride,
                "same": {},
                "avgPoolExcludePadding": True,
            }
        }
    if isinstance(layer, Dropout):
        return _custom("dropout", p=float(layer.p), dim=layer.dim)
    if isinstance(layer, Reshape):
        return _custom(
            "reshape",
            src_dim=layer.src_dim,
            part_a=layer.part_a,
            part_b=layer.part_b,
            high=layer.high,
            low=layer.low,
        )
    if isinstance(layer, Addition):
        return _custom("addition", dim=layer.dim, chunk_size=layer.chunk_size)
    if isinstance(layer, Identity):
        return _custom("identity")
    raise ValueError(f"Layers of class {type(layer).__name__} have no CoreML form.")


def _convolution(layer: ActConv2D) -> Message:
    return {
        "convolution": {
            "outputChannels": layer.out_channels,
            "kernelChannels": layer.in_channels,
            "nGroups": 1,
            "kernelSize": layer.kernel_size,
            "stride": layer.stride,
            "dilationFactor": layer.dilation,
            "same": {},
            "isDeconvolution": layer.transposed,
            "hasBias": layer.co.bias is not None,
            "weights": _floats(layer.co.weight),
            "bias": None if layer.co.bias is None else _floats(layer.co.bias),
        }
    }


def _inner_product(weight: Tensor, bias: Tensor) -> Message:
    return {
        "innerProduct": {
            "inputChannels": weight.shape[1],
            "outputChannels": weight.shape[0],
            "hasBias": True,
            "weights": _floats(weight),
            "bias": _floats(bias),
        }
    }


def _embedding(weight: Tensor) -> Message:
    return {
        "embedding": {
            "inputDim": weight.shape[0],
            "outputChannels": weight.shape[1],
            "hasBias": False,
            "weights": _floats(weight),
        }
    }


def _rnn(layer: TransposedSummarizingRNN) -> Message:
    lstm = layer.layer
    peepholes = isinstance(lstm, PeepholeBidiLSTM)
    params = {
        "sequenceOutput": not layer.summarize,
        "hasBiasVectors": layer.legacy is None,
        "hasPeepholeVectors": peepholes,
        "cellClipThreshold": 50000.0,
    }
    activations = [_ACTIVATIONS[x]["activation"] for x in ("s", "t", "t")]
    sizes = {"inputVectorSize": lstm.input_size, "outputVectorSize": lstm.hidden_size}
    if not layer.bidi:
        weights = _direction(lstm, "", layer.legacy is None, peepholes)
        return {
            "uniDirectionalLSTM": {
                **sizes,
                "activations": activations,
                "params": params,
                "weightParams": weights,
                "reverseInput": False,
            }
        }
    directions = [_direction(lstm, x, layer.legacy is None, peepholes) for x in ("", "_reverse")]
    return {
        "biDirectionalLSTM": {
            **sizes,
            "activationsForwardLSTM": activations,
            "activationsBackwardLSTM": activations,
            "params": params,
            "weightParams": directions,
        }
    }


def _direction(lstm: nn.Module, suffix: str, biases: bool, peepholes: bool) -> Message:
    """Weights of one direction; the two biases of torch become one."""

    def parameter(kind: str) -> NDArray[np.float32]:
        values: Tensor = getattr(lstm, f"{kind}_l0{suffix}")
        return values.detach().float().cpu().numpy()

    result: Message = {}
    kinds = [("WeightMatrix", parameter("weight_ih")), ("RecursionMatrix", parameter("weight_hh"))]
    if biases:
        kinds.append(("BiasVector", parameter("bias_ih") + parameter("bias_hh")))
    for kind, values in kinds:
        for gate, rows in zip(GATES, np.split(values, 4), strict=True):
            result[gate + kind] = _floats(rows)
    if peepholes:
        for short, gate in (("ip", "inputGate"), ("fp", "forgetGate"), ("op", "outputGate")):
            result[f"{gate}PeepholeVector"] = _floats(parameter(f"weight_{short}"))
    return result
