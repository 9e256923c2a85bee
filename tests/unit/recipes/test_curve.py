"""Learning curves of recipes."""

from __future__ import annotations

import math

from models.curve import points

LOG = """2 real lines, 1 validation lines
step 100/200  loss 3.0  1 s, 1 s of CPU
step 100 validation all 0.5000  a 0.5
continuing from step 100
step 200/200  loss 2.0  1 s, 1 s of CPU
step 100/100  loss 1.5  1 s, 1 s of CPU
step 100 validation all 0.2500  a 0.25
wrote x
"""


def test_stages_are_joined_and_measurements_put_to_their_steps() -> None:
    found = points(LOG.splitlines())
    assert [step for step, _, _ in found] == [100, 200, 300]
    assert [loss for _, loss, _ in found] == [3.0, 2.0, 1.5]
    assert found[0][2] == 0.5 and math.isnan(found[1][2]) and found[2][2] == 0.25
    assert points(["nothing"]) == []
