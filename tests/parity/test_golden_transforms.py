"""Network inputs equal the recorded ones (spec chapter recognition §4, §5)."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from kraken.lib import exceptions
from kraken.lib.dataset.transforms import ImageInputTransforms
from kraken.lib.lineest import CenterNormalizer, dewarp
from tests.conftest import golden_json, shared_path


def _image(case: dict[str, Any]) -> Image.Image:
    return Image.open(shared_path("golden", "models", case["image"])).convert(case["mode"])


def _arguments(case: dict[str, Any]) -> list[Any]:
    return [tuple(a) if isinstance(a, list) else a for a in case["args"]]


def _assert_close(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any], unit: float) -> None:
    """Tolerance of centre normalisation."""
    difference = np.abs(ours - theirs) / unit
    assert (difference > 1 / 255 + 1e-6).mean() <= 0.02
    assert difference.mean() < 1e-3


def test_network_inputs() -> None:
    arrays = np.load(shared_path("golden", "models", "transforms.npz"))
    for case in golden_json("models", "transforms.json")["cases"]:
        if "dewarp" in case:
            continue
        transforms = pickle.loads(pickle.dumps(ImageInputTransforms(*_arguments(case))))
        tensor = transforms(_image(case))
        assert tensor.dtype == torch.float32
        assert list(tensor.shape) == case["shape"], case["id"]
        assert transforms.centerline_norm == case["center_norm"]
        for name, value in case["props"].items():
            found = getattr(transforms, name)
            assert (list(found) if isinstance(found, tuple) else found) == value, (case["id"], name)
        if case["center_norm"]:
            _assert_close(tensor.numpy(), arrays[case["id"]], 1.0)
        else:
            np.testing.assert_allclose(tensor.numpy(), arrays[case["id"]], rtol=0, atol=1e-6)


def test_dewarping() -> None:
    arrays = np.load(shared_path("golden", "models", "transforms.npz"))
    for case in golden_json("models", "transforms.json")["cases"]:
        if "dewarp" not in case:
            continue
        image = dewarp(
            CenterNormalizer(case["dewarp"]), Image.open(shared_path("golden", "models", case["image"]))
        )
        assert image.mode == case["mode"]
        assert list(np.asarray(image).shape) == case["shape"], case["id"]
        _assert_close(np.asarray(image), arrays[case["id"]], 255.0)


def test_bad_specifications() -> None:
    for arguments, error in golden_json("models", "transforms.json")["bad"]:
        with pytest.raises(getattr(exceptions, error)):
            ImageInputTransforms(*arguments)
