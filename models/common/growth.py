"""Makes recurrent networks wider without changing what they compute: training goes on where it was.

After Chen, Goodfellow, Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer" (ICLR 2016), but new
units are made at random and nothing listens to them yet, instead of being copies of old ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["grow"]

_GATES = 4


def grow(small: nn.Module, large: nn.Module) -> None:
    """Gives `large` the function of `small`, whose LSTMs have fewer units in each direction.

    What the units of `small` hear of new units is zero, what new units hear stays as `large` was initialised.

    Args:
        small: Trained network.
        large: Network of the same layers, changed in place. Only its LSTMs (bidirectional) and the input of
            what follows them may be wider.

    Raises:
        ValueError: A layer differs in another way.
    """
    old, new = small.state_dict(), large.state_dict()
    if old.keys() != new.keys():
        raise ValueError("The networks have different layers.")
    for name, weights in old.items():
        new[name].copy_(_grown(name, weights, new[name]))


def _grown(name: str, old: Tensor, new: Tensor) -> Tensor:
    if old.shape == new.shape:
        return old
    grown = new.clone()
    rows = _listeners(name, old.shape[0], new.shape[0])
    if old.dim() == 1:
        grown[rows] = old
        return grown
    columns = torch.arange(old.shape[1])
    if old.shape[1] != new.shape[1] and "weight_hh" not in name:
        # the units of both directions, one after the other
        columns = torch.cat([columns[: len(columns) // 2], columns[: len(columns) // 2] + new.shape[1] // 2])
    heard = torch.zeros(len(rows), new.shape[1])
    heard[:, columns] = old
    grown[rows] = heard
    return grown


def _listeners(name: str, old: int, new: int) -> Tensor:
    """Rows of the larger matrix that belong to old units."""
    if old == new:
        return torch.arange(old)
    if "_l0" not in name:
        raise ValueError(f"{name} has {new} rows instead of {old}; only LSTMs can grow.")
    units = torch.arange(old // _GATES)
    return torch.cat([units + gate * (new // _GATES) for gate in range(_GATES)])
