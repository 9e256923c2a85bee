"""Configurations: keywords, pickling, torch's restricted unpickler."""

from __future__ import annotations

import inspect
import io
import logging
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("kraken.lib.ctc_decoder")
pytest.importorskip("kraken.lib.segmentation")

import kraken.configs as configs

CLASSES = [getattr(configs, name) for name in configs.__all__]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_annotated_field_has_a_default_and_the_reverse(cls: type) -> None:
    annotated = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
    optional = {name for base in cls.__mro__ for name in base.__dict__.get("_extensions", ())}
    assert set(vars(cls())) == annotated - {"_defaults", "_extensions"} - optional
    assert all(hasattr(cls, name) for name in optional)


def test_options_are_attributes_once_they_are_given(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="kraken"):
        config = configs.SegmentationInferenceConfig(join_gap=0.5, keep_outside=True)
        configs.RecognitionInferenceConfig(join_gap=0.5)
    assert (config.join_gap, config.keep_outside, config.split_at_regions) == (0.5, True, False)
    assert {"join_gap", "keep_outside"} <= set(vars(config))
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert pickle.loads(pickle.dumps(config)).join_gap == 0.5
    with caplog.at_level(logging.DEBUG, logger="kraken"):
        configs.SegmentationInferenceConfig(join_gaps=0.5)
    assert "'join_gap'" in caplog.text


def test_mistakes_are_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="kraken"):
        configs.TrainingConfig(epoch=3, lag=2)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "'epoch'" in record.message
    assert "'epochs'" in record.message


def test_fields_of_other_classes_are_no_mistakes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="kraken"):
        configs.TrainingConfig(padding=3, line_width=2, gibberish=1)
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


def test_counters() -> None:
    config = configs.SegmentationTrainingDataConfig()
    lines, regions = config.line_class_mapping, config.region_class_mapping
    assert [lines["a"], regions["b"], lines["c"], lines["a"]] == [2, 3, 4, 2]
    assert configs.SegmentationTrainingDataConfig().line_class_mapping["z"] == 2
    order = configs.ROTrainingDataConfig()
    assert [order.class_mapping["a"], order.line_class_mapping["a"], order.class_mapping["b"]] == [1, 2, 2]


def test_values_are_stored_by_reference() -> None:
    mapping: dict[str, int] = {}
    assert configs.SegmentationTrainingDataConfig(line_class_mapping=mapping).line_class_mapping is mapping


@pytest.mark.parametrize("cls", CLASSES)
def test_pickles_of_older_versions_get_defaults(cls: type) -> None:
    config = cls(num_workers=7, num_threads=7)
    state = dict(vars(config))
    assert vars(pickle.loads(pickle.dumps(config))).keys() == state.keys()
    dropped = sorted(state)[0]
    old = cls.__new__(cls)
    old.__setstate__({k: v for k, v in state.items() if k != dropped} | {"unheard_of": 1})
    assert hasattr(old, dropped)
    assert 7 in vars(old).values()


@pytest.mark.parametrize("cls", CLASSES)
def test_restricted_unpickler_takes_them(cls: type) -> None:
    torch = pytest.importorskip("torch")
    config = cls()
    for name in ("decoder", "bbox_ro_fn", "baseline_ro_fn"):
        # functions aren't stored in checkpoints
        if hasattr(config, name):
            setattr(config, name, None)
    buffer = io.BytesIO()
    torch.save({"config": config}, buffer)
    buffer.seek(0)
    assert type(torch.load(buffer, weights_only=True)["config"]) is cls


def test_classes_of_plugins_are_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kraken.lib import _safe_globals

    info = tmp_path / "plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[kraken.configs]\nX = plugged_config:X\nBroken = nothing_here:X\n"
    )
    (tmp_path / "plugged_config.py").write_text("class X:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen: list[str] = []
    monkeypatch.setattr(_safe_globals, "register", lambda *classes: seen.extend(c.__name__ for c in classes))
    configs._register_plugins()
    assert seen == ["X"]


def test_registration_waits_for_torch() -> None:
    code = (
        "import sys\n"
        "from kraken.lib import _safe_globals\n"
        "class A: pass\n"
        "class B: pass\n"
        "_safe_globals.register(A)\n"
        "_safe_globals.register(B)\n"
        "assert 'torch' not in sys.modules\n"
        "import torch\n"
        "class C: pass\n"
        "_safe_globals.register(C)\n"
        "assert {A, B, C} <= set(torch.serialization.get_safe_globals())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
