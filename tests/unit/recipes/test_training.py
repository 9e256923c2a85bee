import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.common import scoring, training


def slow_distance(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(
        slow_distance(a[1:], b) + 1, slow_distance(a, b[1:]) + 1, slow_distance(a[1:], b[1:]) + (a[0] != b[0])
    )


@settings(max_examples=60, deadline=None)
@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_edit_distance_equals_its_definition(a, b):
    assert scoring.edit_distance(a, b) == slow_distance(a, b)


def test_error_rate_counts_per_character_of_truth():
    assert scoring.character_error_rate([("abcd", "abxd"), ("efgh", "efgh")]) == pytest.approx(1 / 8)
    assert scoring.character_error_rate([]) == 0


def test_greedy_collapses_repeats_between_blanks():
    path = [0, 1, 1, 0, 1, 2, 2, 0]
    assert scoring.greedy(np.eye(3)[path].T, "ab") == "aab"


def run(tmp_path, stop=None):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)

    def loss_at(step):
        if step == stop:
            raise KeyboardInterrupt
        x = torch.randn(8, 3)
        return (model(x) - x.sum(1, keepdim=True)).square().mean()

    plan = training.Plan(steps=30, rate=0.1, seed=3, checkpoint=tmp_path / "run.ckpt", every=7)
    training.fit(model, plan, loss_at)
    return model


def test_an_interrupted_run_ends_like_a_whole_one(tmp_path):
    whole = run(tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", stop=20)
    resumed = run(tmp_path / "b")
    assert torch.equal(whole.weight, resumed.weight)
    assert (whole.weight - 1).abs().max() < 0.3


def test_checkpoints_of_other_plans_are_ignored(tmp_path, capsys):
    run(tmp_path)
    model = torch.nn.Linear(3, 1)
    plan = training.Plan(steps=2, rate=0.1, seed=4, checkpoint=tmp_path / "run.ckpt")
    training.fit(model, plan, lambda step: model(torch.ones(1, 3)).square().mean())
    assert "another plan" in capsys.readouterr().out


def test_a_part_of_earlier_weights_is_kept():
    model = torch.nn.Linear(3, 2)
    before = training.weights_of(model)
    first = {name: weights.clone() for name, weights in before.items()}
    with torch.no_grad():
        for weights in model.parameters():
            weights += 8
    training.keep_part(model, before, 0.25)
    for name, weights in model.state_dict().items():
        assert torch.equal(before[name], first[name])
        torch.testing.assert_close(weights, first[name] + 6)


def test_what_another_program_made_of_the_data_is_not_used(tmp_path):
    program = tmp_path / "real.py"
    program.write_text("heights = 56\n")
    place = training.cache_for("lines", tmp_path / "data", program)
    assert place == training.cache_for("lines", tmp_path / "data", program)
    program.write_text("heights = 64\n")
    others = [training.cache_for("lines", tmp_path / "data", program)]
    others.append(training.cache_for("lines", tmp_path / "other", program))
    assert len({place, *others}) == 3
