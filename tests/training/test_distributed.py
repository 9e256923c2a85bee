"""Two processes that train together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.conftest import WORDS, write_page

SCRIPT = """
import json
import sys
from pathlib import Path

from lightning.pytorch.callbacks import Callback

from kraken.train import VGSLRecognitionDataModule, VGSLRecognitionModel
from tests.training.conftest import data_config, model_config, quiet_trainer

folder, budget = Path(sys.argv[1]), int(sys.argv[2])


class Record(Callback):
    seen = []
    scores = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.seen += [(trainer.current_epoch, round(float(image.sum()), 2)) for image in batch["image"]]

    def on_validation_end(self, trainer, pl_module):
        self.scores.append((pl_module._scorer.chars, float(trainer.callback_metrics["val_metric"])))


data = VGSLRecognitionDataModule(data_config(folder / "page.xml", pixel_budget=budget))
record = Record()
trainer = quiet_trainer(
    folder, 2, devices=2, strategy="ddp", callbacks=record, use_distributed_sampler=budget == 0
)
module = VGSLRecognitionModel(model_config())
trainer.fit(module, data)
weights = [float(p.sum()) for p in module.net.parameters()]
content = {"seen": record.seen, "scores": record.scores, "seed": module.run_seed, "weights": weights}
(folder / f"rank{trainer.global_rank}.json").write_text(json.dumps(content))
"""


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed training")
@pytest.mark.parametrize("budget", [0, 16 * 130], ids=["lines", "budget"])
def test_each_process_gets_its_part(budget: int, tmp_path: Path) -> None:
    write_page(tmp_path, "page", WORDS)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(budget)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ranks = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1)]
    assert ranks[0]["seed"] == ranks[1]["seed"]
    assert ranks[0]["weights"] == ranks[1]["weights"]
    for epoch in (0, 1):
        parts = [[value for e, value in rank["seen"] if e == epoch] for rank in ranks]
        assert len(set(parts[0]) | set(parts[1])) == len(WORDS)
        if budget == 0:
            assert len(parts[0]) == len(parts[1]) == len(WORDS) // 2
    # each line is counted once, in one of them, and both know the whole
    chars = [[count for count, _ in rank["scores"]] for rank in ranks]
    assert [a + b for a, b in zip(*chars, strict=True)] == [sum(map(len, WORDS))] * 2
    assert [score for _, score in ranks[0]["scores"]] == [score for _, score in ranks[1]["scores"]]
