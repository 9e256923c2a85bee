"""Parser of VGSL network descriptions (spec chapter models §1); needs no torch.

A description is a bracketed list: an input block ``batch,height,width,channels``
and operation blocks, one space apart. Square brackets group operations in
series, round ones in parallel. Parsing gives a tree of operations with their
names; :mod:`kraken.lib.vgsl.build` turns the tree into layers.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

_NAME = r"(?P<brace>\{(?P<name>\w+)\})?"
_INPUT = re.compile(r"(\d+),(\d+),(\d+),(\d+)")
_CLOSING = {"[": "]", "(": ")"}


@dataclass(frozen=True)
class ConvOp:
    """Convolution (``C``) or transposed convolution (``CT``); pairs are (y, x)."""

    activation: str
    kernel: tuple[int, int]
    out: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    transposed: bool


@dataclass(frozen=True)
class RnnOp:
    """Recurrent layer along one axis (``L`` and ``G`` mean the same)."""

    direction: str
    along_y: bool
    summarize: bool
    legacy: str | None
    out: int


@dataclass(frozen=True)
class DropoutOp:
    """Dropout of elements (dim 1) or whole channels (dim 2)."""

    p: float
    dim: int


@dataclass(frozen=True)
class PoolOp:
    """Max pooling; pairs are (y, x)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class NormOp:
    """Group normalisation."""

    groups: int


@dataclass(frozen=True)
class ReshapeOp:
    """Split of one dimension and move of one part; dimensions in NCHW numbering, parts -1 = infer."""

    source: int
    part_a: int
    part_b: int
    high: int
    low: int


@dataclass(frozen=True)
class AdditionOp:
    """Sum of consecutive chunks along a dimension (NCHW numbering)."""

    dim: int
    chunk: int


@dataclass(frozen=True)
class IdentityOp:
    """Nothing."""


@dataclass(frozen=True)
class OutputOp:
    """Output layer: 1-D (linear) or 2-D (1×1 convolution)."""

    dims: int
    nonlinearity: str
    augmentation: bool
    out: int


@dataclass(frozen=True)
class Wav2VecOp:
    """Masking layer of wav2vec 2.0 pre-training."""

    final_dim: int
    mask_width: int
    mask_prob: float
    num_negatives: int


Op = ConvOp | RnnOp | DropoutOp | PoolOp | NormOp | ReshapeOp | AdditionOp | IdentityOp | OutputOp | Wav2VecOp


@dataclass(frozen=True)
class Leaf:
    """One operation: its name, its rewritten text and its meaning."""

    name: str
    text: str
    op: Op


@dataclass(frozen=True)
class Group:
    """Operations in series (``[ ]``) or in parallel (``( )``)."""

    parallel: bool
    children: tuple[Node, ...]

    @property
    def name(self) -> str:
        """Space-joined names of all operations inside, the name of the group's module."""
        return " ".join(leaf.name for leaf in leaves(self))

    @property
    def text(self) -> str:
        """Rewritten text with the brackets of the group."""
        inner = " ".join(child.text for child in self.children)
        return f"({inner})" if self.parallel else f"[{inner}]"


Node = Leaf | Group


@dataclass(frozen=True)
class NetworkSpec:
    """A parsed description: input block (as text and as numbers b, h, w, c) and operations."""

    input_text: str
    input_dims: tuple[int, int, int, int]
    nodes: tuple[Node, ...]

    @property
    def named_spec(self) -> list[str]:
        """Input block and the rewritten top-level blocks."""
        return [self.input_text, *(node.text for node in self.nodes)]


def leaves(*nodes: Node) -> Iterator[Leaf]:
    """All operations of some nodes in textual order."""
    for node in nodes:
        if isinstance(node, Leaf):
            yield node
        else:
            yield from leaves(*node.children)


def join_spec(named_spec: list[str]) -> str:
    """Bracketed text of a list of blocks."""
    return f"[{' '.join(named_spec)}]"


def parse_spec(text: str) -> NetworkSpec:
    """Parse a whole description.

    Raises:
        ValueError: The text isn't a bracketed list with an input block and at least
            one operation, or an operation is malformed.
    """
    inner = _strip_brackets(text)
    match = _INPUT.match(inner)
    if match is None:
        raise ValueError(
            f"Invalid input spec. Expected batch,height,width,channels at the start of {inner!r}."
        )
    head, _, rest = inner.partition(" ")
    if trailing := head[match.end() :]:
        logger.warning("Text %r after the input block of a VGSL spec has no meaning.", trailing)
    b, h, w, c = (int(x) for x in match.groups())
    # blanks may be many after the input block, but not between operations
    if not rest.strip(" "):
        raise ValueError(f"VGSL spec {text!r} has no operation after the input block.")
    return NetworkSpec(head, (b, h, w, c), _parse_nodes(rest.lstrip(" "), 0, set()))


def parse_blocks(text: str, first_index: int, taken: set[str]) -> tuple[Node, ...]:
    """Parse a bracketed list of operations without input block, as ``append`` takes it.

    Args:
        text: ``[op op …]``.
        first_index: Number of the first operation for automatic names.
        taken: Names that are in use already.
    """
    inner = _strip_brackets(text)
    if not inner:
        raise ValueError(f"VGSL spec {text!r} has no operation.")
    return _parse_nodes(inner, first_index, set(taken))


def _strip_brackets(text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"VGSL spec has to be a string, not {type(text).__name__}.")
    text = text.strip()
    if len(text) < 2 or text[0] != "[" or text[-1] != "]":
        raise ValueError(f"Non-sequential models not supported: spec {text!r} isn't enclosed by [ and ].")
    return text[1:-1]


def _split(text: str) -> list[str]:
    """Blocks of a list, cut at spaces outside of brackets."""
    blocks, start, open_brackets = [], 0, []
    for i, char in enumerate(text):
        if char in _CLOSING:
            open_brackets.append(_CLOSING[char])
        elif char in "])":
            if not open_brackets or open_brackets.pop() != char:
                raise ValueError(f"Unbalanced parentheses in VGSL spec at {text[i:]!r}.")
        elif char == " " and not open_brackets:
            blocks.append(text[start:i])
            start = i + 1
    if open_brackets:
        raise ValueError(
            f"Unbalanced parentheses in VGSL spec: {open_brackets[-1]!r} is missing in {text!r}."
        )
    blocks.append(text[start:])
    return blocks


@dataclass
class _Names:
    """Automatic numbering and uniqueness of names."""

    index: int
    taken: set[str] = field(default_factory=set)

    def next(self, explicit: str | None, prefix: str, block: str) -> str:
        name = explicit or f"{prefix}_{self.index}"
        self.index += 1
        if name in self.taken:
            raise ValueError(
                f"Layer name {name!r} of block {block!r} is in use already; names have to differ."
            )
        self.taken.add(name)
        return name


def _parse_nodes(text: str, first_index: int, taken: set[str]) -> tuple[Node, ...]:
    names = _Names(first_index, taken)
    return tuple(_parse_node(block, names) for block in _split(text))


def _parse_node(block: str, names: _Names) -> Node:
    if block[:1] in _CLOSING:
        if block[-1] != _CLOSING[block[0]] or len(block) < 3:
            raise ValueError(f"{block} invalid layer definition")
        children = tuple(_parse_node(child, names) for child in _split(block[1:-1]))
        return Group(block[0] == "(", children)
    for pattern, make in _OPS:
        match = pattern.match(block)
        if match is not None:
            return _leaf(block, match, make, names)
    raise ValueError(f"{block} invalid layer definition")


def _leaf(block: str, match: re.Match[str], make: _Maker, names: _Names) -> Leaf:
    if trailing := block[match.end() :]:
        logger.warning("Text %r after VGSL block %r has no meaning.", trailing, match.group())
    prefix, op = make(match, block)
    name = names.next(match["name"], prefix, block)
    head = match["head"]
    rest = block[len(head) + len(match["brace"] or "") :]
    return Leaf(name, f"{head}{{{name}}}{rest}", op)


# Makers: match and block text -> (prefix of the automatic name, operation)

_Maker = Callable[[re.Match[str], str], tuple[str, Op]]


def _pair(match: re.Match[str], y: str, x: str, default: tuple[int, int]) -> tuple[int, int]:
    return (int(match[y]), int(match[x])) if match[y] is not None else default


def _positive(block: str, **values: int | tuple[int, int]) -> None:
    for what, value in values.items():
        if min(value if isinstance(value, tuple) else (value,)) < 1:
            raise ValueError(f"{what.replace('_', ' ')} of block {block!r} has to be at least 1.")


def _nchw(dim: str, block: str) -> int:
    """Tensor dimension of a VGSL dimension (batch, height, width, channels)."""
    if int(dim) > 3:
        raise ValueError(f"Dimension {dim} of block {block!r} doesn't exist; there are 0 to 3.")
    return (0, 2, 3, 1)[int(dim)]


def _addition(match: re.Match[str], block: str) -> tuple[str, Op]:
    op = AdditionOp(_nchw(match["dim"], block), int(match["chunk"]))
    _positive(block, chunk_size=op.chunk)
    return "A", op


def _identity(match: re.Match[str], block: str) -> tuple[str, Op]:
    return "I", IdentityOp()


def _rnn(match: re.Match[str], block: str) -> tuple[str, Op]:
    op = RnnOp(match["dir"], match["axis"] == "y", bool(match["sum"]), match["legacy"], int(match["out"]))
    _positive(block, hidden_size=op.out)
    return match["type"], op


def _dropout(match: re.Match[str], block: str) -> tuple[str, Op]:
    op = DropoutOp(float(match["p"] or 0.5), int(match["dim"] or 1))
    if op.dim not in (1, 2):
        raise ValueError(f"Dropout dimension of block {block!r} has to be 1 (elements) or 2 (channels).")
    if op.p > 1:
        raise ValueError(f"Dropout probability of block {block!r} is above 1.")
    return "Do", op


def _pool(match: re.Match[str], block: str) -> tuple[str, Op]:
    kernel = (int(match["ky"]), int(match["kx"]))
    op = PoolOp(kernel, _pair(match, "sy", "sx", kernel))
    _positive(block, kernel_size=op.kernel, stride=op.stride)
    return "Mp", op


def _conv(match: re.Match[str], block: str) -> tuple[str, Op]:
    op = ConvOp(
        match["nl"],
        (int(match["ky"]), int(match["kx"])),
        int(match["out"]),
        _pair(match, "sy", "sx", (1, 1)),
        _pair(match, "dy", "dx", (1, 1)),
        bool(match["transposed"]),
    )
    _positive(block, kernel_size=op.kernel, stride=op.stride, dilation=op.dilation, number_of_channels=op.out)
    return "C", op


def _output(match: re.Match[str], block: str) -> tuple[str, Op]:
    dims, kind = int(match["dims"]), match["nl"]
    if dims == 0:
        raise ValueError(f"categorical output not supported, yet. (block {block!r})")
    if dims == 2 and kind == "c":
        raise ValueError(f"CTC not supported for heatmap output (block {block!r})")
    if int(match["out"]) == 0:
        raise ValueError(f"unsupported output specification: block {block!r} has no classes")
    op = OutputOp(dims, kind, bool(match["aug"]), int(match["out"]))
    return ("O" if dims == 1 else kind), op


def _reshape(match: re.Match[str], block: str) -> tuple[str, Op]:
    source, high, low = (_nchw(match[x], block) for x in ("dim", "high", "low"))
    part_a, part_b = int(match["a"]), int(match["b"])
    if source not in (high, low):
        raise ValueError(
            f"Reshape block {block!r}: one of the target dimensions has to be the source dimension."
        )
    if part_a == part_b == 0:
        raise ValueError(f"Reshape block {block!r}: only one part can be 0 (inferred).")
    return "S", ReshapeOp(source, part_a or -1, part_b or -1, high, low)


def _wav2vec(match: re.Match[str], block: str) -> tuple[str, Op]:
    op = Wav2VecOp(int(match["final"]), int(match["width"]), float(match["prob"]), int(match["neg"]))
    _positive(
        block, final_dimension=op.final_dim, mask_width=op.mask_width, number_of_negatives=op.num_negatives
    )
    return "W", op


def _norm(match: re.Match[str], block: str) -> tuple[str, Op]:
    op = NormOp(int(match["groups"]))
    _positive(block, number_of_groups=op.groups)
    return "Gn", op


_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_OPS: tuple[tuple[re.Pattern[str], _Maker], ...] = tuple(
    (re.compile(pattern.replace("<NAME>", _NAME)), make)
    for pattern, make in (
        (r"(?P<head>A)<NAME>(?P<dim>\d+),(?P<chunk>\d+)", _addition),
        (r"(?P<head>I)<NAME>", _identity),
        (
            r"(?P<head>(?P<type>[LG])(?P<dir>[frb])(?P<axis>[xy])(?P<sum>s)?(?P<legacy>[co])?)<NAME>(?P<out>\d+)",
            _rnn,
        ),
        (rf"(?P<head>Do)<NAME>(?P<p>{_NUMBER})?(?:,(?P<dim>\d+))?", _dropout),
        (r"(?P<head>Mp)<NAME>(?P<ky>\d+),(?P<kx>\d+)(?:,(?P<sy>\d+),(?P<sx>\d+))?", _pool),
        (
            r"(?P<head>C(?P<transposed>T)?(?P<nl>lr|s|t|r|l|m))<NAME>(?P<ky>\d+),(?P<kx>\d+),(?P<out>\d+)"
            r"(?:,(?P<sy>\d+),(?P<sx>\d+))?(?:,(?P<dy>\d+),(?P<dx>\d+))?",
            _conv,
        ),
        (r"(?P<head>O)<NAME>(?P<dims>[210])(?P<nl>[lsc])(?P<aug>a)?(?P<out>\d+)", _output),
        (
            r"(?P<head>S)<NAME>(?P<dim>\d+)\((?P<a>\d+)x(?P<b>\d+)\)(?P<high>\d+),(?P<low>\d+)",
            _reshape,
        ),
        (
            rf"(?P<head>W)(?P<brace>\{{(?P<name>\w+)\}})(?P<final>\d+),(?P<width>\d+),(?P<prob>{_NUMBER}),(?P<neg>\d+)",
            _wav2vec,
        ),
        (r"(?P<head>Gn)<NAME>(?P<groups>\d+)", _norm),
    )
)
