"""Memory of training steps: what is cheap to compute again isn't kept for the backward pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from kraken.lib.vgsl.blocks import ActConv2D, GroupNorm
from kraken.lib.vgsl.blocks.fused import fusible

__all__ = ["recomputed_norms"]

#: values from which on an output is worth it
_MIN_SIZE = 1 << 16
#: channels up to which a convolution is cheap
_MAX_CHANNELS = 3


class _Recipe:
    """How to make the output of a layer again.

    Args:
        layer: A normalisation or a convolution of an image.
        x: Its input, as far as that is kept.
        several: Whether the output is needed several times in the backward pass, so that it's made only once.
    """

    def __init__(self, layer: nn.Module, x: _Kept, several: bool) -> None:
        self.layer = layer
        self.x = x
        self.several = several
        self.made: Tensor | None = None

    def make(self) -> Tensor:
        """The tensor."""
        if self.made is not None:
            return self.made
        with torch.no_grad():
            y: Tensor = self.layer(self.x.tensor())[0]
        if self.several:
            self.made = y
        return y


class _Kept:
    """What is kept in place of a tensor: itself or a recipe."""

    def __init__(self, content: Tensor | _Recipe) -> None:
        self.content = content if isinstance(content, _Recipe) else content.detach()

    def tensor(self) -> Tensor:
        """The tensor."""
        return self.content.make() if isinstance(self.content, _Recipe) else self.content


class _Keeper:
    """Decides what is kept, by what layers make of what."""

    def __init__(self) -> None:
        self.recipes: dict[int, tuple[weakref.ref[Tensor], _Recipe]] = {}
        #: what the convolution that is running has kept
        self.inner: list[_Kept] | None = None

    def keep(self, tensor: Tensor) -> _Kept:
        """What to keep of a tensor."""
        found = self.recipes.get(id(tensor))
        # an id may belong to another object by now
        kept = _Kept(found[1] if found is not None and found[0]() is tensor else tensor)
        if self.inner is not None:
            self.inner.append(kept)
        return kept

    def note_norm(self, layer: nn.Module, args: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
        """After a normalisation."""
        if _plain(args, output[0]):
            self._note(output[0], _Recipe(layer, self.keep(args[0]), several=False))

    def start(self, layer: nn.Module, args: tuple[Any, ...]) -> None:
        """Before a convolution."""
        self.inner = []

    def note_conv(self, layer: nn.Module, args: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
        """After a convolution, whose activation has kept the output by another name."""
        inner, self.inner = self.inner, None
        y = output[0]
        if not _plain(args, y) or args[0].requires_grad:
            return
        recipe = _Recipe(layer, _Kept(args[0]), several=True)
        for kept in inner or ():
            if isinstance(kept.content, Tensor) and _same(kept.content, y):
                kept.content = recipe
        self._note(y, recipe)

    def _note(self, y: Tensor, recipe: _Recipe) -> None:
        self.recipes[id(y)] = (weakref.ref(y), recipe)


@contextmanager
def recomputed_norms(net: nn.Module) -> Iterator[None]:
    """While active, layers of a network don't keep inputs that a group normalisation has made.

    In the backward pass they are computed from the input of the normalisation, which is kept for its own
    gradient. The outputs of a convolution of the image itself, which has few channels, are computed again,
    too, once. Gradients are the same. A network for pages needs a third less memory so.

    Args:
        net: The network, without padding of shorter samples in its batches.
    """
    keeper = _Keeper()
    handles: list[Any] = []
    for module in net.modules():
        if isinstance(module, GroupNorm):
            handles.append(module.register_forward_hook(keeper.note_norm))
        elif isinstance(module, ActConv2D) and _cheap(module):
            handles.append(module.register_forward_pre_hook(keeper.start))
            handles.append(module.register_forward_hook(keeper.note_conv))
    hooks: Callable[..., Any] = torch.autograd.graph.saved_tensors_hooks
    try:
        with hooks(keeper.keep, _Kept.tensor):
            yield
    finally:
        for handle in handles:
            handle.remove()
        # what nothing needs any more in the backward pass shall be freed
        keeper.recipes.clear()


def _cheap(conv: ActConv2D) -> bool:
    """Whether a convolution is one of an image that no kernel runs together with its pooling."""
    return conv.in_channels <= _MAX_CHANNELS and (conv.in_channels > 1 or fusible([conv]) is None)


def _plain(args: tuple[Any, ...], y: Tensor) -> bool:
    """Whether a layer's output is large and that of samples without padding."""
    return (len(args) < 2 or args[1] is None) and y.numel() >= _MIN_SIZE


def _same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are the same numbers in memory."""
    return a.data_ptr() == b.data_ptr() and a.shape == b.shape and a.stride() == b.stride()
