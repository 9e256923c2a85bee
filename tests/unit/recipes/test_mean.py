"""The mean of models, which recipes of several runs end with."""

from pathlib import Path

import pytest
import torch

from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models, write_safetensors
from models import mean


def write(path: Path, seed: int, units: int = 8) -> Path:
    torch.manual_seed(seed)
    spec = f"[1,8,0,1 Cr3,3,4 S1(1x0)1,3 Lbx{units} O1c4]"
    model = TorchVGSLModel(
        vgsl=spec, model_type=["recognition"], codec={c: [i] for i, c in enumerate("abc", 1)}
    )
    write_safetensors([model], path)
    return path


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_models(path)[0].float().state_dict()


@pytest.mark.parametrize(("options", "parts"), [([], (0.5, 0.5)), (["--parts", "3", "1"], (0.75, 0.25))])
def test_weights_are_averaged_and_the_rest_kept(
    tmp_path: Path, options: list[str], parts: tuple[float, float]
) -> None:
    first, second = write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2)
    out = tmp_path / "mean.safetensors"
    mean.main([str(first), str(second), *options, "-o", str(out)])
    a, b, found = weights(first), weights(second), weights(out)
    assert not torch.equal(a["nn.C_0.co.weight"], b["nn.C_0.co.weight"])
    for name, value in found.items():
        torch.testing.assert_close(value, parts[0] * a[name] + parts[1] * b[name], atol=1e-3, rtol=1e-3)
    assert load_models(out)[0].codec.c2l == load_models(first)[0].codec.c2l


def test_what_has_no_mean_is_refused(tmp_path: Path) -> None:
    first, other = write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 1, units=6)
    with pytest.raises(SystemExit, match=r"b\.safetensors holds another network than"):
        mean.mean([first, other], [1, 1])
    for parts in ([1], [0, 0], [2, -1]):
        with pytest.raises(SystemExit, match="2 models need as many parts"):
            mean.mean([first, first], parts)
