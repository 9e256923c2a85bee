"""LSTMs over sequences on processors: by torch, or by a kernel of ours that copies nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from kraken._rust import nn as _nn

__all__ = ["Runner", "runner"]

#: units in each direction are a multiple of this number
_LANES = 16


class Runner(ABC):
    """Runs a layer in any thread; what the backward pass needs is computed anew there.

    Attributes:
        dtype: Type of the outputs.
    """

    dtype: torch.dtype

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Outputs (rows, steps, C') of contiguous sequences (rows, steps, C)."""

    @abstractmethod
    def backward(self, x: Tensor, grad: Tensor, grad_x: Tensor | None) -> Sequence[Tensor]:
        """Gradients of the weights, in their order.

        Args:
            x: Contiguous sequences (rows, steps, C).
            grad: Gradient of the outputs, contiguous.
            grad_x: Where that of the sequences goes, contiguous; ``None`` if it isn't needed.
        """


def runner(lstm: nn.LSTM, x: Tensor) -> Callable[[Sequence[Tensor]], Runner]:
    """Returns what makes a runner of a layer's weights: for sequences like `x`, in the precision of now."""
    autocast, dtype = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    suited = lstm.hidden_size % _LANES == 0 and x.dtype == lstm.weight_hh_l0.dtype == torch.float32
    if suited and not autocast and _nn.accelerated():
        return lambda weights: _Kernel(lstm, weights)
    return lambda weights: _Library(lstm, weights, x.dtype, dtype if autocast else None)


class _Kernel(Runner):
    """Products of inputs and weights, of all steps at once, by torch; the steps by our kernel."""

    dtype = torch.float32

    def __init__(self, lstm: nn.LSTM, weights: Sequence[Tensor]) -> None:
        self.directions, self.units = 1 + lstm.bidirectional, lstm.hidden_size
        self.each = len(weights) // self.directions
        parts = [[w.detach() for w in weights[i :: self.each]] for i in range(self.each)]
        self.of_inputs, self.of_states = torch.cat(parts[0]), torch.stack(parts[1])
        self.biases = torch.cat(parts[2]) + torch.cat(parts[3]) if lstm.bias else None

    def _run(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gates, cells and states (rows, steps, directions, values)."""
        flat, weights = x.flatten(0, 1), self.of_inputs.t()
        sums = flat @ weights if self.biases is None else torch.addmm(self.biases, flat, weights)
        gates = sums.view(*x.shape[:2], self.directions, 4 * self.units)
        cells, states = (x.new_empty((*gates.shape[:3], self.units)) for _ in range(2))
        _nn.lstm_forward(gates.numpy(), self.of_states.numpy(), cells.numpy(), states.numpy())
        return gates, cells, states

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self._run(x)[2].flatten(2)

    @torch.no_grad()
    def backward(self, x: Tensor, grad: Tensor, grad_x: Tensor | None) -> list[Tensor]:
        gates, cells, states = self._run(x)
        _nn.lstm_backward(
            gates.numpy(), self.of_states.numpy(), cells.numpy(), grad.view(states.shape).numpy()
        )
        sums = gates.flatten(0, 1).flatten(1)
        if grad_x is not None:
            torch.mm(sums, self.of_inputs, out=grad_x.view(len(sums), -1))
        of_inputs = (sums.t() @ x.flatten(0, 1)).chunk(self.directions)
        biases = sums.sum(0).chunk(self.directions)
        found: list[Tensor] = []
        for d in range(self.directions):
            # a gate hears the state of the step before; the second direction comes from the end
            now, before = (slice(1, None), slice(-1)) if d == 0 else (slice(-1), slice(1, None))
            pairs = gates[:, now, d].transpose(1, 2), states[:, before, d]
            found += [of_inputs[d], torch.bmm(*pairs).sum(0), biases[d], biases[d]][: self.each]
        return found


class _Library(Runner):
    """All by torch: any number of units, any precision."""

    def __init__(
        self, lstm: nn.LSTM, weights: Sequence[Tensor], dtype: torch.dtype, cast_to: torch.dtype | None
    ) -> None:
        self.lstm, self.weights, self.cast_to = lstm, weights, cast_to
        self.dtype = cast_to or dtype

    def _run(self, x: Tensor, weights: Sequence[Tensor], *, train: bool) -> Tensor:
        lstm = self.lstm
        state = x.new_zeros((1 + lstm.bidirectional, len(x), lstm.hidden_size))
        with torch.autocast("cpu", dtype=self.cast_to, enabled=self.cast_to is not None):
            return torch.lstm(
                x,
                (state, state),
                list(weights),
                lstm.bias,
                num_layers=1,
                dropout=0.0,
                train=train,
                bidirectional=lstm.bidirectional,
                batch_first=True,
            )[0]

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        # not as in training, since nothing is kept for gradients
        return self._run(x, self.weights, train=False)

    def backward(self, x: Tensor, grad: Tensor, grad_x: Tensor | None) -> Sequence[Tensor]:
        with torch.enable_grad():
            # all anew, as threads must not share what gradients are summed in
            leaves = [leaf.detach().requires_grad_() for leaf in (x, *self.weights)]
            y = self._run(leaves[0], leaves[1:], train=True)
        first = int(grad_x is None)
        found = torch.autograd.grad(y, leaves[first:], grad)
        if grad_x is not None:
            grad_x.copy_(found[0])
        return cast("Sequence[Tensor]", found[1 - first :])
