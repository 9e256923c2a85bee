"""The reading-order network and the masking layer."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.pretrain import Wav2Vec2Mask
from kraken.lib.ro import ROMLP
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models, write_models
from tests.conftest import golden_json


def test_reading_order_sizes() -> None:
    for mapping, classes in (({}, 1), ({"a": 0}, 1), ({"a": 2, "b": 5}, 6)):
        model = ROMLP(class_mapping=mapping, level="baselines", extra=1)
        size = 2 * classes + 12
        assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == {
            "fc1.weight": (2 * size, size),
            "fc1.bias": (2 * size,),
            "fc2.weight": (1, 2 * size),
            "fc2.bias": (1,),
        }
        assert model(torch.zeros(3, size)).shape == (3, 1)
        assert model.user_metadata == {"class_mapping": mapping, "level": "baselines", "extra": 1}
        assert model.model_type == ["reading_order"]


def test_reading_order_gives_logits() -> None:
    model = ROMLP(class_mapping={}, level="regions")
    x = torch.randn(50, model.feature_size)
    with torch.no_grad():
        expected = (x @ model.fc1.weight.T + model.fc1.bias).clamp(
            min=0
        ) @ model.fc2.weight.T + model.fc2.bias
        torch.testing.assert_close(model(x), expected)
        model.fc2.bias.fill_(-9)
        assert model(x).min() < 0


@pytest.mark.parametrize("kwargs", [{}, {"level": "regions"}, {"class_mapping": {}}])
def test_reading_order_needs_both_arguments(kwargs: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="argument is missing"):
        ROMLP(**kwargs)


def test_reading_order_mapping_is_checked() -> None:
    for mapping in ([1], {"a": "b"}):
        with pytest.raises(ValueError, match="integers"):
            ROMLP(class_mapping=mapping, level="regions")


def test_recorded_shapes() -> None:
    for case in golden_json("training", "ro_model.json"):
        model = ROMLP(class_mapping=case["mapping"], level="baselines")
        assert (model.feature_size, model.fc1.out_features) == (case["feature_size"], case["hidden"])
        assert {k: list(v.shape) for k, v in model.state_dict().items()} == case["params"]


@pytest.mark.parametrize("seed", range(20))
def test_mask(seed: int) -> None:
    torch.manual_seed(seed)
    layer = Wav2Vec2Mask(6, 4, 3, 0.5, 7)
    lengths = torch.tensor([40, 31, 25])
    x = torch.randn(3, 6, 1, 40)
    out = layer(x, lengths)
    mask, output = out["mask"], out["output"]
    counts = mask.sum(1)
    assert counts.unique().numel() == 1
    k = int(counts[0])
    assert k >= 2
    for row, length in zip(mask, lengths.tolist(), strict=True):
        assert not row[length:].any()
    expected = torch.where(mask[:, None, None, :], layer.mask_emb.weight[0][None, :, None, None], x)
    assert torch.equal(output, expected)
    features = x[:, :, 0].transpose(1, 2)
    projected = layer.project_q(features[mask].view(3, k, 6))
    torch.testing.assert_close(out["unmasked_samples"], projected)
    negatives = out["negative_samples"]
    assert negatives.shape == (7, 3, k, 4)
    for n in range(3):
        for j in range(k):
            # another masked column of the same line, never itself
            distances = torch.cdist(negatives[:, n, j], projected[n])
            assert (distances.argmin(1) != j).all()
            assert distances.min(1).values.max() < 1e-3


@pytest.mark.parametrize("width", [3, 4, 5, 13, 50])
def test_spans_keep_their_distance(width: int) -> None:
    layer = Wav2Vec2Mask(2, 2, 3, 1.0, 1)
    for _ in range(50):
        starts = layer._sample_starts(width)
        assert len(starts) >= 1
        assert all(0 <= s <= width - 3 for s in starts)
        assert all(b - a >= 5 for a, b in pairwise(starts))


def test_mask_needs_room_and_height_one() -> None:
    layer = Wav2Vec2Mask(2, 2, 4, 0.9, 2)
    with pytest.raises(KrakenInputException, match="Height"):
        layer(torch.zeros(1, 2, 3, 40))
    with pytest.raises(KrakenInputException, match="too short"):
        layer(torch.zeros(2, 2, 1, 40), torch.tensor([40, 2]))
    for bad in ({"mask_width": 0}, {"num_negatives": 0}, {"mask_prob": -1}):
        with pytest.raises(ValueError):
            Wav2Vec2Mask(2, 2, **{"mask_width": 1, "mask_prob": 1, "num_negatives": 1, **bad})


def test_mask_inside_a_network() -> None:
    model = TorchVGSLModel(vgsl="[1,1,0,4 W{w}4,4,0.9,3 I]")
    x = torch.randn(2, 4, 1, 60)
    lengths = torch.tensor([60, 50])
    y, out = model.eval()(x, lengths)
    assert torch.equal(x, y)
    y, out = model.train()(x, lengths)
    assert not torch.equal(x, y)
    assert torch.equal(out, lengths)


def test_mask_as_a_stored_model(tmp_path: object) -> None:
    layer = Wav2Vec2Mask(4, 3, 2, 0.5, 3)
    (loaded,) = load_models(write_models(layer, f"{tmp_path}/x.safetensors"))
    assert torch.equal(loaded.project_q.weight, layer.project_q.weight)
    assert loaded.model_type == ["pretrain"]
    assert load_models(f"{tmp_path}/x.safetensors", tasks=["recognition"]) == []
