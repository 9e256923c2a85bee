"""Saving memory doesn't change what is learnt."""

from __future__ import annotations

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional as F

from kraken.lib.vgsl import TorchVGSLModel
from kraken.train import recompute
from kraken.train.segmentation import segmentation_loss


def gradients(net: TorchVGSLModel, x: torch.Tensor) -> list[torch.Tensor]:
    net.zero_grad()
    net(x)[0].square().mean().backward()
    return [p.grad.clone() for p in net.parameters() if p.grad is not None]


def test_recomputed_norms_give_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = TorchVGSLModel(
        vgsl="[1,32,0,3 Cr3,3,16 Gn4 Cr3,3,16,2,2 Gn4 Lbx8 Cr1,1,16 Gn4 O2l3]", model_type="segmentation"
    ).train()
    x = torch.rand(1, 3, 32, 48)
    wanted = gradients(net, x)
    monkeypatch.setattr(recompute, "_MIN_SIZE", 1)
    made = []
    monkeypatch.setattr(
        recompute._Recipe, "make", lambda self, old=recompute._Recipe.make: made.append(1) or old(self)
    )
    with recompute.recomputed_norms(net):
        found = gradients(net, x)
    # the recurrent layer keeps its input in another order; the first normalisation's input and the activation
    # before it are made from the image, once more for the convolution after it
    assert len(made) == 5
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    gradients(net, x)
    assert len(made) == 5  # no hook is left


@pytest.mark.parametrize("first", ["Cr7,7,16,2,2", "Cl3,3,16", "Ct3,3,16", "Clr3,3,16,2,2"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("rest", ["Gn4 Do0.3,2 Cr3,3,16", "Cr3,3,16 Gn4", "Gn4 Mp2,2 Cr3,3,16 Gn4"])
def test_first_convolution_is_not_kept(
    first: str, channels: int, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    net = TorchVGSLModel(vgsl=f"[1,32,0,{channels} {first} {rest} O2l3]", model_type="segmentation").train()
    x = torch.rand(1, channels, 32, 48)
    monkeypatch.setattr(recompute, "_MIN_SIZE", 1)
    outputs = []

    def watch(module: torch.nn.Module, args: object, output: tuple) -> None:
        outputs.append(StorageWeakRef(output[0].untyped_storage()))

    torch.manual_seed(1)
    wanted = gradients(net, x)
    torch.manual_seed(1)
    with recompute.recomputed_norms(net):
        handle = net.nn[0].register_forward_hook(watch)
        loss = net(x)[0].square().mean()
        handle.remove()
    assert outputs[0].expired()
    net.zero_grad()
    loss.backward()
    found = [p.grad for p in net.parameters() if p.grad is not None]
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(
    "sizes", [((7, 9), (64, 64)), ((5, 5), (5, 5)), ((1, 3), (2, 5)), ((37, 41), (150, 163))]
)
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_loss_equals_that_of_enlarged_logits(sizes: tuple, weight: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, *sizes[0], requires_grad=True)
    target = (torch.rand(2, 3, *sizes[1]) > 0.7).float()
    large = F.interpolate(logits, size=sizes[1])
    p, t = torch.sigmoid(large).flatten(2), target.flatten(2)
    dice = (2 * (p * t).sum(2) + 1) / (p.sum(2) + t.sum(2) + 1)
    wanted = F.binary_cross_entropy_with_logits(large, target) + weight * (1 - dice.mean())
    found = segmentation_loss(logits, target, weight)
    assert found.item() == pytest.approx(wanted.item(), abs=1e-6)
    (a,), (b,) = torch.autograd.grad(found, logits), torch.autograd.grad(wanted, logits)
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-8)


def test_output_larger_than_its_target_is_refused() -> None:
    with pytest.raises(ValueError, match="larger"):
        segmentation_loss(torch.zeros(1, 1, 9, 9), torch.zeros(1, 1, 8, 9), 0.5)
