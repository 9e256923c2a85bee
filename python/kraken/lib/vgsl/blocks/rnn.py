"""Recurrent layers along rows or columns (spec chapter models §2.3)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.blocks.lengths import Shape, plain, ragged, sample_ends
from kraken.lib.vgsl.blocks.rows import run_rows
from kraken.lib.vgsl.blocks.rows import suits as rows_suit

logger = logging.getLogger(__name__)

#: kinds of cells that only old models have: constant input without biases, and with peepholes
LEGACY = {"c": "clstm", "o": "ocropy"}


class TransposedSummarizingRNN(nn.Module):
    """LSTM over every row or every column of an image.

    Direction ``r`` runs forward in time like ``f``: models were trained that way.

    Args:
        input_size: Channels of the input.
        hidden_size: Size of the state of one direction.
        direction: ``f``, ``r`` or ``b`` (both, output twice as wide).
        transpose: Whether the sequences are the columns (top to bottom) instead of the rows.
        summarize: Whether only the last step is kept.
        legacy: None, ``clstm`` or ``ocropy``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        direction: str = "b",
        transpose: bool = True,
        summarize: bool = True,
        legacy: str | None = None,
    ) -> None:
        super().__init__()
        if direction not in ("f", "r", "b"):
            raise ValueError(f"Direction {direction!r} of a recurrent layer is none of f, r, b.")
        legacy = LEGACY.get(legacy or "", legacy)
        if legacy not in (None, *LEGACY.values()):
            raise ValueError(f"Kind {legacy!r} of a recurrent layer is unknown.")
        if direction == "r":
            logger.warning("Recurrent layers of direction r run forward in time, as existing models expect.")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.direction = direction
        self.transpose = transpose
        self.summarize = summarize
        self.legacy = legacy
        self.bidi = direction == "b" or legacy == "ocropy"
        self.output_size = 2 * hidden_size if self.bidi else hidden_size
        self.output_shape: Shape | None = None
        size = input_size + int(legacy is not None)
        self.layer: nn.LSTM | PeepholeBidiLSTM
        if legacy == "ocropy":
            self.layer = PeepholeBidiLSTM(size, hidden_size)
        else:
            self.layer = nn.LSTM(
                size, hidden_size, batch_first=True, bidirectional=self.bidi, bias=legacy is None
            )

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Run over (N, C, H, W).

        Raises:
            KrakenInputException: Row-wise with sequence lengths on an input higher than 1.
        """
        whole = x.shape[2] > 1 and (self.transpose or seq_len is None)
        if whole and rows_suit(self.layer, x):
            y = run_rows(cast(nn.LSTM, self.layer), x, columns=self.transpose)
            if self.summarize:
                y = y[:, :, -1:] if self.transpose else y[..., -1:]
            return y, seq_len
        if self.transpose:
            x = x.transpose(2, 3)
        elif seq_len is not None and x.shape[2] != 1:
            raise KrakenInputException(
                f"Height has to be 1 for a row-wise recurrent layer with sequence lengths, not {x.shape[2]}."
            )
        n, c, rows, steps = x.shape
        # (N, C, rows, steps) -> one sequence per row
        sequences = x.permute(0, 2, 3, 1).reshape(n * rows, steps, c)
        if self.legacy is not None:
            sequences = torch.cat([sequences.new_ones((n * rows, steps, 1)), sequences], dim=2)
        lengths = None if self.transpose or not ragged(seq_len, steps) else seq_len
        y = self._run(sequences, lengths)
        if self.summarize:
            y, seq_len = self._last(y, lengths, seq_len)
        y = y.reshape(n, rows, y.shape[1], self.output_size).permute(0, 3, 1, 2)
        return (y.transpose(2, 3) if self.transpose else y), seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape."""
        n, _, h, w = input
        if self.summarize:
            h, w = (1, w) if self.transpose else (h, 1)
        self.output_shape = (n, self.output_size, h, w)
        return self.output_shape

    def _run(self, sequences: Tensor, lengths: Tensor | None) -> Tensor:
        """Outputs (N, steps, channels), zero beyond each sequence's end."""
        if isinstance(self.layer, PeepholeBidiLSTM):
            return cast(Tensor, self.layer(sequences, lengths))
        if lengths is None:
            return cast(Tensor, self.layer(sequences)[0])
        if sequences.device.type == "cpu":
            run = _run_plain if plain(sequences) else _run_mirrored
            return run(self.layer, sequences, lengths)
        steps = sequences.shape[1]
        packed = pack_padded_sequence(
            sequences, lengths.clamp(1, steps).cpu(), batch_first=True, enforce_sorted=False
        )
        return pad_packed_sequence(self.layer(packed)[0], batch_first=True, total_length=steps)[0]

    def _last(
        self, y: Tensor, lengths: Tensor | None, seq_len: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Last step of each sequence and the new lengths."""
        if lengths is None:
            last = y[:, -1:]
        else:
            ends = (lengths.clamp(1, y.shape[1]) - 1).to(y.device)
            last = y[torch.arange(len(y), device=y.device), ends].unsqueeze(1)
        return last, seq_len if self.transpose or seq_len is None else torch.ones_like(seq_len)


class PeepholeBidiLSTM(nn.Module):
    """Bidirectional LSTM with peepholes and without biases, for old models only.

    The input and forget gates see the old cell state, the output gate sees the new one
    and isn't squashed by a sigmoid.

    Args:
        input_size: Size of the input vectors.
        hidden_size: Size of the state of one direction.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        bound = hidden_size**-0.5
        for suffix in ("", "_reverse"):
            shapes = {
                "weight_ih_l0": (4 * hidden_size, input_size),
                "weight_hh_l0": (4 * hidden_size, hidden_size),
                "weight_ip_l0": (hidden_size,),
                "weight_fp_l0": (hidden_size,),
                "weight_op_l0": (hidden_size,),
            }
            for name, shape in shapes.items():
                values = torch.empty(shape).uniform_(-bound, bound)
                self.register_parameter(name + suffix, nn.Parameter(values))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Run over (N, steps, channels); outputs are zero beyond each sequence's end."""
        if lengths is None:
            return torch.cat([self._direction(x, ""), self._direction(x.flip(1), "_reverse").flip(1)], dim=2)
        inside, mirror = _mirror(lengths, x.shape[1], x.device)
        forward = self._direction(x, "")
        backward = _gather_steps(self._direction(_gather_steps(x, mirror), "_reverse"), mirror)
        return torch.cat([forward, backward], dim=2).masked_fill(~inside, 0)

    def _direction(self, x: Tensor, suffix: str) -> Tensor:
        w_ih, w_hh, w_ip, w_fp, w_op = (
            getattr(self, f"weight_{kind}_l0{suffix}") for kind in ("ih", "hh", "ip", "fp", "op")
        )
        linear = x @ w_ih.t()
        h = c = x.new_zeros((x.shape[0], self.hidden_size))
        outputs = []
        for t in range(x.shape[1]):
            i, f, g, o = (linear[:, t] + h @ w_hh.t()).chunk(4, dim=1)
            c_new = torch.sigmoid(f + w_fp * c) * c + torch.sigmoid(i + w_ip * c) * torch.tanh(g)
            h = (o + w_op * c_new) * torch.tanh(c_new)
            c = c_new
            outputs.append(h)
        return torch.stack(outputs, dim=1)


def _mirrored(x: Tensor, ends: list[int]) -> Tensor:
    """Sequences (N, steps, channels) reversed within their own lengths, zero beyond."""
    y = torch.zeros_like(x)
    for source, target, end in zip(x, y, ends, strict=True):
        target[:end] = source[:end].flip(0)
    return y


def _run_plain(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """What :func:`_run_mirrored` gives, without gradients: copies instead of an index for each number."""
    ends = sample_ends(lengths, x.shape[1])
    state = x.new_zeros((1, x.shape[0], lstm.hidden_size))
    y = _one_way(lstm, x, state, "")
    for row, end in zip(y, ends, strict=True):
        row[end:] = 0
    if not lstm.bidirectional:
        return y
    backward = _one_way(lstm, _mirrored(x, ends), state, "_reverse")
    return torch.cat([y, _mirrored(backward, ends)], dim=2)


def _one_way(lstm: nn.LSTM, x: Tensor, state: Tensor, suffix: str) -> Tensor:
    """One direction of an LSTM, forward over the sequences as they are."""
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if lstm.bias else ("weight_ih", "weight_hh")
    weights = [getattr(lstm, f"{kind}_l0{suffix}") for kind in kinds]
    return torch.lstm(x, (state, state), weights, lstm.bias, 1, 0.0, lstm.training, False, True)[0]


def _run_mirrored(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """Outputs of an LSTM over sequences of different lengths.

    The backward half runs forward over sequences that are reversed within their own lengths:
    on CPUs, packed sequences take twice as long in inference and four times in training.
    """
    inside, mirror = _mirror(lengths, x.shape[1], x.device)
    state = x.new_zeros((1, x.shape[0], lstm.hidden_size))
    outputs = []
    for suffix in ("", "_reverse") if lstm.bidirectional else ("",):
        y = _one_way(lstm, _gather_steps(x, mirror) if suffix else x, state, suffix)
        outputs.append(_gather_steps(y, mirror) if suffix else y)
    return torch.cat(outputs, dim=2).masked_fill(~inside, 0)


def _mirror(lengths: Tensor, steps: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mask (N, steps, 1) of the steps inside each sequence, and the index (N, steps) that reverses it.

    The index reverses a sequence within its own length and is its own inverse.
    """
    index = torch.arange(steps, device=device).expand(len(lengths), steps)
    ends = lengths.clamp(1, steps).to(device).unsqueeze(1)
    inside = index < ends
    return inside.unsqueeze(2), torch.where(inside, ends - 1 - index, index)


def _gather_steps(x: Tensor, index: Tensor) -> Tensor:
    return x.gather(1, index.unsqueeze(2).expand(-1, -1, x.shape[2]))
