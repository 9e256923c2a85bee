"""Scores of baselines equal the slow version."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.baseline_score import interline_distances, score_baselines
from tests.reference import baseline_score as slow

coordinate = st.integers(0, 90)
line = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=4)
lines = st.lists(line, min_size=1, max_size=4)


@settings(max_examples=50)
@given(pred=lines, gt=lines)
def test_scores(pred: list, gt: list) -> None:
    distances = interline_distances(gt, 40.0)
    found = score_baselines(pred, gt, 40.0)
    recall, precision = slow.score(pred, gt, distances.tolist(), 0.25)
    assert found.recall == pytest.approx(recall, abs=1e-9)
    # a one-to-one assignment by size depends on the order among (nearly) equal values
    assert found.precision == pytest.approx(precision, abs=0.02)
    assert (found.pred, found.gt) == (len(pred), len(gt))
