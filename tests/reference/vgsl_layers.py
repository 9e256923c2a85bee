"""Slow, obvious versions of network layers: loops over samples, steps and indices in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def group_norm(
    x: np.ndarray, groups: int, lengths: list[int], weight: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """(N, C, H, W), each sample and group on its own, columns beyond the length zero."""
    out = np.zeros(x.shape)
    size = x.shape[1] // groups
    for n, length in enumerate(lengths):
        length = min(max(length, 1), x.shape[3])
        for g in range(groups):
            part = x[n, g * size : (g + 1) * size, :, :length].astype(np.float64)
            normed = (part - part.mean()) / math.sqrt(part.var() + 1e-5)
            for c in range(size):
                channel = g * size + c
                out[n, channel, :, :length] = normed[c] * weight[channel] + bias[channel]
    return out


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(sequence: np.ndarray, params: dict[str, np.ndarray], suffix: str) -> np.ndarray:
    """One direction over (steps, channels), one step at a time."""
    if suffix:
        sequence = sequence[::-1]
    w_ih, w_hh = params[f"weight_ih_l0{suffix}"], params[f"weight_hh_l0{suffix}"]
    size = w_hh.shape[1]
    bias = params.get(f"bias_ih_l0{suffix}", np.zeros(4 * size)) + params.get(
        f"bias_hh_l0{suffix}", np.zeros(4 * size)
    )
    peep = [params.get(f"weight_{gate}_l0{suffix}") for gate in ("ip", "fp", "op")]
    h, c, out = np.zeros(size), np.zeros(size), []
    for x in sequence:
        gates = w_ih @ x + w_hh @ h + bias
        i, f, g, o = (gates[k * size : (k + 1) * size] for k in range(4))
        if peep[0] is not None:
            i, f = i + peep[0] * c, f + peep[1] * c
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        o = _sigmoid(o) if peep[2] is None else o + peep[2] * c
        h = o * np.tanh(c)
        out.append(h)
    return np.array(out[::-1] if suffix else out)


def rnn(layer: Any, x: np.ndarray, lengths: list[int]) -> np.ndarray:
    """A recurrent layer over (N, C, H, W), one row or column at a time; zero beyond the lengths."""
    params = {k: v.detach().double().numpy() for k, v in layer.layer.named_parameters()}
    if layer.transpose:
        x = x.swapaxes(2, 3)
        lengths = [x.shape[3]] * len(x)
    n, _, rows, steps = x.shape
    out = np.zeros((n, layer.output_size, rows, 1 if layer.summarize else steps))
    for i in range(n):
        for r in range(rows):
            sequence = x[i, :, r, : lengths[i]].T
            if layer.legacy is not None:
                sequence = np.concatenate([np.ones((len(sequence), 1)), sequence], axis=1)
            y = lstm(sequence, params, "")
            if layer.bidi:
                y = np.concatenate([y, lstm(sequence, params, "_reverse")], axis=1)
            if layer.summarize:
                out[i, :, r, 0] = y[-1]
            else:
                out[i, :, r, : len(y)] = y.T
    return out.swapaxes(2, 3) if layer.transpose else out


def reshape(x: np.ndarray, src: int, part_a: int, part_b: int, high: int, low: int) -> np.ndarray:
    """Move every single number to its place."""
    length = x.shape[src]
    a = part_a if part_a > 0 else length // part_b
    b = part_b if part_b > 0 else length // part_a
    shape = list(x.shape)
    if high == low:
        target = src
    elif high == src:
        target = low
        shape[src], shape[target] = a, x.shape[target] * b
    else:
        target = high
        shape[src], shape[target] = b, x.shape[target] * a
    out = np.full(shape, np.nan)
    for index in np.ndindex(*x.shape):
        ia, ib = divmod(index[src], b)
        stays, moves = (ia, ib) if high == src else (ib, ia)
        place = list(index)
        if target == src:
            place[src] = ib * a + ia
        else:
            place[src] = stays
            place[target] = moves * x.shape[target] + index[target]
        out[tuple(place)] = x[index]
    return out


def addition(x: np.ndarray, dim: int, chunk: int) -> np.ndarray:
    """Sum chunk by chunk."""
    shape = list(x.shape)
    shape[dim] = chunk
    out = np.zeros(shape)
    for k in range(x.shape[dim] // chunk):
        out += x.take(range(k * chunk, (k + 1) * chunk), axis=dim)
    return out


def conv_length(length: int, kernel: int, stride: int, dilation: int) -> int:
    """Count the positions of a kernel on a padded line."""
    padding = dilation * (kernel - 1) // 2
    reach = dilation * (kernel - 1)
    return max(1, len(range(0, length + 2 * padding - reach, stride)))
