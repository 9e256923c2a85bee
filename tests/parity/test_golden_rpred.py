"""The line recogniser of older releases against recorded records."""

from __future__ import annotations

import difflib
import json
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from kraken.containers import BaselineLine, BBoxLine, Segmentation
from kraken.lib import exceptions
from kraken.lib.models import load_any
from kraken.lib.util import open_image
from kraken.rpred import mm_rpred
from tests.conftest import SHARED, shared_path

_FILE = SHARED / "golden" / "models" / "rpred.json"
CASES: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8")) if _FILE.exists() else []


def _bounds(case: dict[str, Any]) -> Segmentation:
    lines: list[Any] = []
    for line in case["lines"]:
        if case["type"] == "bbox":
            lines.append(BBoxLine(line["id"], bbox=tuple(line["bbox"]), tags=line.get("tags")))
        else:
            lines.append(
                BaselineLine(
                    line["id"],
                    baseline=line["baseline"],
                    boundary=line["boundary"],
                    tags=line.get("tags"),
                )
            )
    return Segmentation(case["type"], "line.png", "horizontal-lr", case["script_detection"], lines)


def _similarity(a: str, b: str) -> float:
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(len(a), len(b), 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_records(case: dict[str, Any]) -> None:
    network = load_any(shared_path("reference-models", "overfit.mlmodel"))
    im = open_image(shared_path("golden", "models", "pages", "line.png"))
    default: Any = defaultdict(lambda: network)
    nets = default if case["nets"] == "default" else dict.fromkeys(case["nets"], network)
    options = {"pad": case["pad"], "bidi_reordering": case["bidi"], "tags_ignore": case["tags_ignore"]}
    if "error" in case:
        expected = getattr(exceptions, case["error"], None) or ValueError
        with pytest.warns(DeprecationWarning), pytest.raises(expected):
            list(mm_rpred(nets, im, _bounds(case), **options))
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        records = mm_rpred(nets, im, _bounds(case), **options)
        assert len(records) == len(case["lines"])
        found: list[Any] = list(records)
    assert [w.category for w in caught].count(DeprecationWarning) == 1
    assert len([w for w in caught if "legacy polygon" in str(w.message)]) <= 1
    assert [record.id for record in found] == [record["id"] for record in case["records"]]
    for ours, theirs in zip(found, case["records"], strict=True):
        assert (ours.base_dir, ours._display_order) == (theirs["base_dir"], theirs["display_order"])
        # the network reads gibberish here, so that single grey levels count
        assert bool(ours.prediction) == bool(theirs["prediction"])
        if theirs["prediction"]:
            assert _similarity(ours.prediction, theirs["prediction"]) >= 0.9
        else:
            assert ours.failure
        if ours.prediction == theirs["prediction"]:
            cuts = [np.ravel(ours._cuts).astype(float), np.ravel(theirs["cuts"]).astype(float)]
            assert np.mean(np.abs(cuts[0] - cuts[1]) <= 3) >= 0.98 if len(cuts[0]) else True
            assert len(cuts[0]) == len(cuts[1])
            if ours.prediction:
                assert abs(np.mean(ours.confidences) - np.mean(theirs["confidences"])) <= 3e-2
