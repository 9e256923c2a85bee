"""Networks that grow compute what they computed before, and their new units learn."""

from __future__ import annotations

import pytest
import torch

from kraken.lib.vgsl import TorchVGSLModel
from models.common.growth import grow


def network(units: int, channels: int = 8) -> TorchVGSLModel:
    return TorchVGSLModel(
        vgsl=f"[1,8,0,1 Cr3,3,{channels} S1(1x0)1,3 Lbx{units} Do0.1 Lbx{units} O1c5]",
        model_type=["recognition"],
        codec={char: [i] for i, char in enumerate("abcd", 1)},
    ).eval()


def test_the_function_stays() -> None:
    torch.manual_seed(0)
    small, large = network(6), network(10)
    x = torch.rand(2, 1, 8, 30)
    wanted = small(x)[0]
    assert not torch.allclose(large(x)[0], wanted, atol=1e-3)
    grow(small, large)
    torch.testing.assert_close(large(x)[0], wanted, rtol=1e-5, atol=1e-6)


def test_new_units_learn() -> None:
    torch.manual_seed(0)
    small, large = network(6), network(10)
    grow(small, large)
    large(torch.rand(2, 1, 8, 30))[0].square().sum().backward()
    weights = dict(large.named_parameters())
    heard = next(p for name, p in weights.items() if name.startswith("nn.O_") and p.dim() == 2)
    assert heard.shape[1] == 20
    assert not heard[:, 6:10].any() and not heard[:, 16:].any(), "nothing listens to them yet"
    assert heard.grad is not None and heard.grad[:, 6:10].abs().min() > 0


def test_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="only LSTMs"):
        grow(network(6), network(10, channels=9))
    other = TorchVGSLModel(vgsl="[1,8,0,1 Cr3,3,8 O2l5]", model_type="segmentation")
    with pytest.raises(ValueError, match="different layers"):
        grow(network(6), other)
