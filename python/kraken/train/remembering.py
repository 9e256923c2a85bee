"""A network that learns new letters keeps reading the old ones."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from kraken.lib.vgsl import TorchVGSLModel

__all__ = ["Memory"]


class Memory:
    """The network as it was, and the loss for departing from what it says.

    Learning without forgetting (Li and Hoiem 2016): on the new lines, what the network thinks of the old
    letters in relation to each other is kept near to what it thought before. No old lines are needed, and the
    new letters can take as much of the probability as they like.

    Args:
        net: The loaded network before its output grows; it is copied.
    """

    def __init__(self, net: TorchVGSLModel) -> None:
        self._net = copy.deepcopy(net)
        self._net.eval().requires_grad_(False)

    @torch.no_grad()
    def _recall(self, batch: dict[str, Any], logits: Tensor) -> Tensor:
        """What the network thought, as probabilities (N, old classes, W)."""
        weights = next(self._net.parameters())
        if weights.device != logits.device:
            self._net.to(logits.device)
        images = batch["image"]
        if images.dtype != weights.dtype:
            self._net.to(images.dtype)
        output, _ = self._net(images, batch["seq_lens"])
        return F.softmax(output.squeeze(2).float(), dim=1)

    def loss(self, batch: dict[str, Any], logits: Tensor, lengths: Tensor) -> Tensor:
        """Divergence of the old classes' probabilities, summed over lines and columns.

        Args:
            batch: ``image`` and ``seq_lens``.
            logits: Output of the network that learns (N, classes, W); the old classes come first.
            lengths: Valid columns of each line.
        """
        old = self._recall(batch, logits)
        now = F.log_softmax(logits[:, : old.shape[1]].float(), dim=1)
        columns = torch.arange(logits.shape[2], device=logits.device)
        valid = columns[None] < lengths.to(logits.device)[:, None]
        divergence = F.kl_div(now, old, reduction="none").sum(1)
        return (divergence * valid).sum()

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {"spec": self._net.spec, "weights": self._net.state_dict()}

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Memory:
        """The memory of a checkpoint."""
        net = TorchVGSLModel(vgsl=state["spec"], model_type="recognition")
        net.load_state_dict(state["weights"])
        return cls(net)
