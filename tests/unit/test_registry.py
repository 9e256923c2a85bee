"""The registry of built-in and plugged-in objects."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from kraken import registry as module
from kraken.registry import BUILTINS, Registry, registry

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution with entry points."""
    info = tmp_path / "plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[kraken.models]\ngood = plugin_good:Thing.inner\nbroken = plugin_broken:Thing\n"
        "lacking = plugin_good:Nothing\nROMLP = plugin_good:Thing\n"
    )
    (tmp_path / "plugin_good.py").write_text("class Thing:\n    inner = 'found'\n")
    (tmp_path / "plugin_broken.py").write_text("raise RuntimeError('broken on import')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_lists() -> None:
    assert module.OPTIMIZERS == ["Adam", "AdamW", "AdamW+Muon", "SGD", "RMSprop"]
    assert module.SCHEDULERS == ["cosine", "constant", "exponential", "step", "1cycle", "reduceonplateau"]
    assert module.STOPPERS == ["early", "fixed"]
    assert len(module.PRECISIONS) == 8


def test_metadata_of_the_project_says_the_same() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group, entries in BUILTINS.items():
        assert project["entry-points"][group] == entries


def test_built_in_models_load() -> None:
    for name in ("TorchVGSLModel", "ROMLP", "Wav2Vec2Mask"):
        assert registry.load("kraken.models", name).__name__ == name
    for group in ("kraken.loaders", "kraken.writers"):
        assert [name for name, _ in registry.items(group)] == ["coreml", "safetensors"]


def test_plugins_are_found_and_broken_ones_skipped(plugin: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        items = dict(registry.items("kraken.models"))
    assert items["good"] == "found"
    assert "broken" not in items
    assert "lacking" not in items
    assert "broken on import" in caplog.text
    # built-in names stay what they are
    assert items["ROMLP"].__name__ == "ROMLP"
    with pytest.raises(RuntimeError, match="broken on import"):
        registry.load("kraken.models", "broken")
    with pytest.raises(ImportError, match="Nothing"):
        registry.load("kraken.models", "lacking")
    with pytest.raises(KeyError):
        registry.load("kraken.models", "unheard of")


def test_plugins_go_with_their_path() -> None:
    assert "good" not in registry.names("kraken.models")


def test_unknown_groups_are_empty() -> None:
    assert Registry({}).names("kraken.nothing") == []


def test_light_imports() -> None:
    heavy = {"torch", "numpy", "lightning"}
    code = f"import sys, kraken.models, kraken.registry; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
