"""The VGSL network with its metadata (spec chapter models §3, §5)."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, cast, overload

import torch
from torch import Tensor, nn

from kraken.lib.vgsl import inference, spec
from kraken.lib.vgsl.blocks import ActConv2D, LinSoftmax, MultiParamSequential
from kraken.lib.vgsl.blocks.init import constructed, initialisation_skipped, initialise
from kraken.lib.vgsl.blocks.lengths import Shape
from kraken.lib.vgsl.build import build_criterion, build_series
from kraken.models.base import RecognitionBaseModel, SegmentationBaseModel

if TYPE_CHECKING:
    from PIL import Image

    from kraken.configs import Config
    from kraken.containers import BaselineOCRRecord, BBoxOCRRecord, Segmentation
    from kraken.containers.lines import BaseDirection, TextDirection
    from kraken.lib.codec import PytorchCodec

MODEL_TYPES = ("recognition", "segmentation")
TEXT_DIRECTIONS = ("horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl")
_OUTPUT_SIZE = re.compile(r"^(O\{\w+\}[12][lsc]a?)\d+")


class TorchVGSLModel(nn.Module, SegmentationBaseModel, RecognitionBaseModel):
    """A network described by a VGSL text.

    Args:
        **kwargs: `vgsl`, the description; `codec`, a mapping text → labels or what
            :class:`~kraken.lib.codec.PytorchCodec` takes; any other field becomes metadata.

    Attributes:
        nn: The layers, a :class:`~kraken.lib.vgsl.layers.MultiParamSequential`.
        input: Nominal input shape (n, c, h, w), 0 = variable.
        output: Nominal output shape.
        spec: The description as given, the rewritten one after an edit.
        named_spec: Input block and rewritten top-level blocks.
        criterion: Loss that fits the output layer, None without one.
        codec: The codec or None.

    Raises:
        ValueError: The description is missing or malformed.
    """

    _kraken_min_version = "5.0.0"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        text = kwargs.pop("vgsl", None)
        if text is None:
            raise ValueError("vgsl specification argument is missing in the arguments of a VGSL model.")
        if not isinstance(text, str):
            raise ValueError(f"vgsl is a {type(text).__name__}, need the description of a network as text.")
        parsed = spec.parse_spec(text)
        b, h, w, c = parsed.input_dims
        self.input: Shape = (b, c, h, w)
        self.spec: str = text
        self.named_spec = parsed.named_spec
        self._nodes = list(parsed.nodes)
        self.criterion: nn.Module | None = build_criterion(self._nodes)
        self._build()
        self._inference_config: Config | None = None
        self._inference_state: inference.InferenceState | None = None
        # not registered: auxiliary models have files entries of their own
        object.__setattr__(self, "_aux_layers", nn.ModuleDict())
        self.codec: PytorchCodec | None = None
        self._init_metadata(kwargs)

    def _build(self) -> None:
        try:
            self.nn = constructed(lambda: build_series(self._nodes, self.input)[0])
        except (RuntimeError, OverflowError) as e:
            # what torch says names no layer
            raise ValueError(f"The network of vgsl {self.spec[:200]!r} can't be built: {e}") from e
        self.output = cast(Shape, self.nn.output_shape)
        if not initialisation_skipped():
            self.init_weights()

    def _init_metadata(self, fields: dict[str, Any]) -> None:
        metadata: dict[str, Any] = {
            "accuracy": [],
            "metrics": [],
            "seg_type": None,
            "one_channel_mode": None,
            "model_type": [],
        }
        metadata.update(fields)
        types = metadata["model_type"]
        metadata["model_type"] = [types] if isinstance(types, str) else list(types or [])
        if "codec" in metadata:
            metadata["codec"], self.codec = _read_codec(metadata["codec"])
        metadata["vgsl"] = spec.join_spec(self.named_spec)
        self.user_metadata = metadata

    # -- use ------------------------------------------------------------------

    def forward(self, x: Tensor, seq_lens: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Run the network.

        Args:
            x: Float tensor (N, C, H, W).
            seq_lens: Widths (N) of the single samples without padding on the right; None = no padding.

        Returns:
            Logits and their lengths. Sample `i` up to its length equals the result of running it alone.
        """
        if seq_lens is not None:
            seq_lens = torch.as_tensor(seq_lens).clamp(max=x.shape[3])
        y: tuple[Tensor, Tensor | None] = self.nn(x, seq_lens)
        return y

    def prepare_for_inference(self, config: Config) -> None:
        """Set evaluation mode, precision and device; cheap when repeated.

        Raises:
            ValueError: The configuration belongs to a task the model isn't for, or asks for an
                unknown precision or an unavailable device.
        """
        inference.prepare(self, config)

    def infer(self, x: Tensor, seq_lens: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Run the network as the inference configuration says; logits are float32 or float64.

        Inputs are moved to the network's device and type. Autograd, autocast and the number
        of threads are as before afterwards.
        """
        return inference.run(self, x, seq_lens)

    @overload
    def predict(self, im: Image.Image, *, mask: Image.Image | None = None) -> Segmentation: ...

    @overload
    def predict(
        self, im: Image.Image, segmentation: Segmentation
    ) -> Iterator[BaselineOCRRecord | BBoxOCRRecord]: ...

    def predict(
        self, im: Image.Image, segmentation: Segmentation | None = None, *, mask: Image.Image | None = None
    ) -> Any:
        """Recognise the lines of a page (recognition models) or segment it.

        Args:
            im: The page.
            segmentation: Lines to recognise; recognition models only.
            mask: Bitonal image of the page's size, what is 0 is hidden from the network;
                segmentation models only.

        Raises:
            ValueError: The model is for neither task, or a segmentation is missing.
        """
        return inference.predict(self, im, segmentation, mask)

    # -- metadata -------------------------------------------------------------

    @property
    def model_type(self) -> list[str]:
        """Tasks the model is for."""
        types: list[str] = self.user_metadata["model_type"]
        return types

    @model_type.setter
    def model_type(self, value: str | Sequence[str]) -> None:
        types = [value] if isinstance(value, str) else list(value)
        if unknown := [t for t in types if t not in MODEL_TYPES]:
            raise ValueError(f"Model types {unknown} are unknown; there are {', '.join(MODEL_TYPES)}.")
        self.user_metadata["model_type"] = types

    @property
    def seg_type(self) -> str | None:
        """Kind of lines of the training data: ``bbox``, ``baselines`` or None."""
        value: str | None = self.user_metadata.get("seg_type")
        return value

    @seg_type.setter
    def seg_type(self, value: str | None) -> None:
        if value not in ("bbox", "baselines", None):
            raise ValueError(f"seg_type {value!r} is none of 'bbox', 'baselines', None.")
        self.user_metadata["seg_type"] = value

    @property
    def text_direction(self) -> TextDirection | None:
        """Direction of the lines that the model was trained on, None if it isn't stated.

        Stored under the key ``text_direction``: ``horizontal-lr``, ``horizontal-rl``,
        ``vertical-lr`` or ``vertical-rl``. It is used where neither the configuration
        nor the page states one.
        """
        value: Any = self.user_metadata.get("text_direction")
        return value if value in TEXT_DIRECTIONS else None

    @text_direction.setter
    def text_direction(self, value: TextDirection | None) -> None:
        if value is not None and value not in TEXT_DIRECTIONS:
            raise ValueError(f"text_direction {value!r} is none of {', '.join(TEXT_DIRECTIONS)}, None.")
        self.user_metadata["text_direction"] = value

    @property
    def base_dir(self) -> BaseDirection | None:
        """Base direction of the texts that the model was trained on, None for that of each line.

        Stored under the key ``base_dir``: ``L`` or ``R``. Recognition puts text in
        logical order with it if the configuration's ``bidi_reordering`` is True;
        ``'L'`` and ``'R'`` there override it, ``'auto'`` goes by each line's first
        strong character.
        """
        value: Any = self.user_metadata.get("base_dir")
        return value if value in ("L", "R") else None

    @base_dir.setter
    def base_dir(self, value: BaseDirection | None) -> None:
        if value not in ("L", "R", None):
            raise ValueError(f"base_dir {value!r} is none of 'L', 'R', None.")
        self.user_metadata["base_dir"] = value

    @property
    def use_legacy_polygons(self) -> bool:
        """Whether the model was trained with the old line extraction: true if the file doesn't say."""
        return bool(self.user_metadata.get("legacy_polygons", True))

    @use_legacy_polygons.setter
    def use_legacy_polygons(self, value: bool) -> None:
        self.user_metadata["legacy_polygons"] = bool(value)

    @property
    def hyper_params(self) -> dict[str, Any]:
        """Training parameters stored by old versions."""
        return self.user_metadata.get("hyper_params") or {}

    @hyper_params.setter
    def hyper_params(self, value: Mapping[str, Any]) -> None:
        self.user_metadata["hyper_params"] = {**self.hyper_params, **value}

    @property
    def aux_layers(self) -> nn.ModuleDict:
        """Auxiliary models (reading order) by key."""
        layers: nn.ModuleDict = self._aux_layers  # type: ignore[assignment]
        return layers

    @aux_layers.setter
    def aux_layers(self, value: Mapping[str, nn.Module]) -> None:
        self.aux_layers.update(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "aux_layers":
            # a module assigned by name would be registered and bypass the property
            self.aux_layers.update(dict(value.items()))
            return
        super().__setattr__(name, value)

    def add_codec(self, codec: PytorchCodec) -> None:
        """Set the codec and store its mapping in the metadata."""
        self.codec = codec
        self.user_metadata["codec"] = {text: [int(x) for x in labels] for text, labels in codec.c2l.items()}

    # -- editing --------------------------------------------------------------

    def init_weights(self, idx: slice = slice(None)) -> None:
        """Draw new weights for some top-level layers (all by default)."""
        initialise(self.nn[idx])

    def append(self, idx: int | None, text: str) -> None:
        """Replace everything after the first `idx` top-level layers.

        Args:
            idx: Number of layers to keep, None = all.
            text: Bracketed operations without input block.

        Raises:
            ValueError: `idx` is out of range or the description is malformed; the model is unchanged.
        """
        count = len(self._nodes) if idx is None else idx
        if not -len(self._nodes) <= count <= len(self._nodes):
            raise ValueError(f"Can't keep {idx} layers: the model has {len(self._nodes)}.")
        kept = self._nodes[:count]
        names = [leaf.name for leaf in spec.leaves(*kept)]
        new = list(spec.parse_blocks(text, len(names), set(names)))
        layers = cast(MultiParamSequential, self.nn[: len(kept)])
        shape = layers.get_shape(self.input)
        # the new layers live where the old ones do
        old = next(self.parameters(), torch.empty(0))
        added, output = build_series(new, shape)
        initialise(added)
        added.to(device=old.device, dtype=old.dtype)
        for node, module in zip(new, added, strict=True):
            layers.add_module(node.name, module)
        layers.train(self.training)
        self.nn, self.output = layers, output
        self._set_nodes(kept + new)

    def resize_output(self, output_size: int, del_indices: Sequence[int] | None = None) -> None:
        """Change the number of classes.

        Args:
            output_size: New number.
            del_indices: Classes to drop; the others are kept in order, new ones follow.

        Raises:
            ValueError: The last layer isn't an output layer, or the kept classes are too many.
        """
        last, node = self.nn[-1], self._nodes[-1]
        if not isinstance(last, ActConv2D | LinSoftmax):
            raise ValueError("last layer is neither linear nor convolutional layer")
        if not isinstance(node, spec.Leaf) or not isinstance(node.op, spec.OutputOp):
            raise ValueError(f"last layer {node.text!r} is no output layer and can't be resized")
        last.resize(output_size, del_indices)
        resized = replace(
            node,
            text=_OUTPUT_SIZE.sub(rf"\g<1>{output_size}", node.text),
            op=replace(node.op, out=output_size),
        )
        self.output = self.nn.get_shape(self.input)
        self._set_nodes([*self._nodes[:-1], resized])

    def _set_nodes(self, nodes: list[spec.Node]) -> None:
        self._nodes = nodes
        self.named_spec = [self.named_spec[0], *(node.text for node in nodes)]
        self.spec = spec.join_spec(self.named_spec)
        self.user_metadata["vgsl"] = self.spec
        self.criterion = build_criterion(nodes)
        self._inference_state = None

    # -- old file interface ---------------------------------------------------

    def save_model(self, path: str | PathLike[str]) -> None:
        """Write a CoreML file. Deprecated: use :func:`kraken.models.write_safetensors`."""
        _deprecated("TorchVGSLModel.save_model", "kraken.models.write_models")
        from kraken.models.coreml import save_vgsl  # the file format is rarely needed

        save_vgsl(self, path)

    @classmethod
    def load_model(cls, path: str | PathLike[str]) -> TorchVGSLModel:
        """Read a CoreML file. Deprecated: use :func:`kraken.models.load_models`.

        Raises:
            KrakenInvalidModelException: The file is unreadable or holds no VGSL network.
        """
        _deprecated("TorchVGSLModel.load_model", "kraken.models.load_models")
        from kraken.models.coreml import load_vgsl  # the file format is rarely needed

        model = load_vgsl(path)
        assert isinstance(model, cls)
        return model


def _deprecated(name: str, instead: str) -> None:
    warnings.warn(
        f"{name} is deprecated and will go with kraken 8; use {instead}.", DeprecationWarning, stacklevel=3
    )


def _read_codec(value: Any) -> tuple[Any, PytorchCodec | None]:
    """Codec field as it is to be stored, and the codec."""
    if isinstance(value, str):
        # old versions wrote the mapping as text
        try:
            decoded = json.loads(value)
        except ValueError:
            decoded = value
        if decoded is None or isinstance(decoded, dict):
            value = decoded
    if value is None:
        return None, None
    from kraken.lib.codec import PytorchCodec  # only models with a codec need it

    if isinstance(value, PytorchCodec):
        return {text: [int(x) for x in labels] for text, labels in value.c2l.items()}, value
    if not isinstance(value, Mapping | list | tuple | str):
        raise ValueError(f"codec is a {type(value).__name__}, need a mapping of texts to lists of labels.")
    return value, PytorchCodec(value)
