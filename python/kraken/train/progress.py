"""Progress of training: in the terminal, as plain lines, and as a curve."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping, RichProgressBar
from rich.progress import ProgressColumn
from rich.text import Text

from kraken.lib.atomic import write_text

__all__ = ["EpochReport", "LearningCurve", "TrainingProgress", "render_curve"]


class _StoppingColumn(ProgressColumn):
    """How long early stopping has been waiting, and the best value so far."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        super().__init__()

    def render(self, task: Any) -> Text:
        stopper: Any = self._trainer.early_stopping_callback
        if stopper is None:
            return Text("")
        return Text(
            f"early_stopping: {stopper.wait_count}/{stopper.patience} {float(stopper.best_score):.5f}"
        )


class TrainingProgress(RichProgressBar):
    """Progress bar with epoch, figures, speed in samples and the state of early stopping."""

    def configure_columns(self, trainer: Trainer) -> list[Any]:
        """Columns of the bar."""
        columns: list[Any] = list(super().configure_columns(trainer))
        if any(isinstance(callback, EarlyStopping) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            columns.append(_StoppingColumn(trainer))
        return columns

    def _get_train_description(self, current_epoch: int) -> str:
        limit = self.trainer.max_epochs
        last = "∞" if limit is None or limit < 0 else limit - 1
        return f"stage {current_epoch}/{last}"

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Figures beside the bar."""
        found = dict(super().get_metrics(trainer, pl_module))
        found.pop("v_num", None)
        return found


class EpochReport(Callback):
    """Prints a line per evaluation: epoch, loss, error rate, samples per second, time left."""

    def __init__(self) -> None:
        super().__init__()
        self._start = 0.0
        self._first_epoch = 0.0
        self._samples = 0
        self._losses: list[float] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock."""
        self._start = time.monotonic()
        self._first_epoch = trainer.current_epoch
        self._samples = 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Counts samples."""
        self._samples += len(batch["image"]) if isinstance(batch, dict) and "image" in batch else 1
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            self._losses.append(float(loss))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Prints the line."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        elapsed = max(time.monotonic() - self._start, 1e-9)
        figures = [f"epoch {trainer.current_epoch}"]
        metrics = trainer.callback_metrics
        if self._losses:
            figures.append(f"loss {sum(self._losses) / len(self._losses):.4g}")
            self._losses = []
        if "val_accuracy" in metrics and "recognition" in getattr(pl_module.net, "model_type", ()):
            figures.append(f"CER {100 * (1 - float(metrics['val_accuracy'])):.2f}%")
        elif "val_metric" in metrics:
            figures.append(f"val_metric {float(metrics['val_metric']):.4f}")
        figures.append(f"{self._samples / elapsed:.2f} samples/s")
        limit = trainer.max_epochs
        done = trainer.current_epoch + 1 - self._first_epoch
        if limit is not None and limit > 0 and done > 0:
            left = elapsed / done * max(0, limit - trainer.current_epoch - 1)
            figures.append(f"{timedelta(seconds=round(left))} left")
        click.echo(", ".join(figures), err=True)


class LearningCurve(Callback):
    """Writes the loss and the evaluation's figure over the epochs as a picture (SVG) and a table (TSV).

    Args:
        dirpath: Folder; it is made if need be.
        metric: Figure of the evaluation.
    """

    def __init__(self, dirpath: str | PathLike[str], metric: str = "val_metric") -> None:
        super().__init__()
        self.dirpath = Path(dirpath)
        self.metric = metric
        self.points: list[tuple[int, float | None, float]] = []
        self._loss = 0.0
        self._batches = 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Adds a batch's loss."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            self._loss += float(loss)
            self._batches += 1

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Adds a point and rewrites the files."""
        if (
            trainer.sanity_checking
            or trainer.state.fn != "fit"
            or self.metric not in trainer.callback_metrics
        ):
            return
        loss = self._loss / self._batches if self._batches else None
        self._loss, self._batches = 0.0, 0
        self.points.append((trainer.global_step, loss, float(trainer.callback_metrics[self.metric])))
        if not trainer.is_global_zero:
            return
        self.dirpath.mkdir(parents=True, exist_ok=True)
        rows = [
            f"{step}\t{'' if loss is None else repr(loss)}\t{value!r}\n" for step, loss, value in self.points
        ]
        write_text(self.dirpath / "learning_curve.tsv", f"step\ttrain_loss\t{self.metric}\n" + "".join(rows))
        write_text(self.dirpath / "learning_curve.svg", render_curve(self.points, self.metric))

    def state_dict(self) -> dict[str, Any]:
        """The points and the sum of losses since the last one, for resumed runs."""
        return {
            "points": [list(point) for point in self.points],
            "loss": self._loss,
            "batches": self._batches,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the points over."""
        self.points = [(int(step), loss, float(value)) for step, loss, value in state_dict["points"]]
        self._loss = float(state_dict.get("loss", 0.0))
        self._batches = int(state_dict.get("batches", 0))


_WIDTH, _HEIGHT, _MARGIN = 640, 400, 60


def render_curve(points: Sequence[tuple[int, float | None, float]], metric: str) -> str:
    """Picture of a training run as SVG that needs no other file.

    Args:
        points: (step, mean loss since the last point or None, figure) in order.
        metric: Name of the figure.

    Returns:
        The SVG document: loss on the left axis, the figure on the right one, each over its own range.
    """
    steps = [point[0] for point in points]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<path d="M{_MARGIN} {_MARGIN}V{_HEIGHT - _MARGIN}H{_WIDTH - _MARGIN}V{_MARGIN}" '
        'fill="none" stroke="#888"/>',
    ]
    if points:
        parts += _axis_text(steps)
        losses = [(point[0], point[1]) for point in points if point[1] is not None]
        parts += _curve(losses, steps, "#b3540b", "loss", "start")
        parts += _curve([(point[0], point[2]) for point in points], steps, "#0b5fb3", metric, "end")
    return "\n".join([*parts, "</svg>", ""])


def _axis_text(steps: Sequence[int]) -> list[str]:
    y = _HEIGHT - _MARGIN + 18
    return [
        f'<text x="{_MARGIN}" y="{y}">{min(steps)}</text>',
        f'<text x="{_WIDTH / 2}" y="{y + 18}" text-anchor="middle">optimiser steps</text>',
        f'<text x="{_WIDTH - _MARGIN}" y="{y}" text-anchor="end">{max(steps)}</text>',
    ]


def _curve(
    values: Sequence[tuple[int, float]], steps: Sequence[int], colour: str, name: str, side: str
) -> list[str]:
    """One curve with its axis; what isn't finite is left out."""
    finite = [(x, y) for x, y in values if y == y and abs(y) != float("inf")]
    if not finite:
        return []
    low, high = min(y for _, y in finite), max(y for _, y in finite)
    first, width = min(steps), max(steps) - min(steps)

    def place(x: float, y: float) -> str:
        across = (x - first) / width if width else 0.5
        up = (y - low) / (high - low) if high > low else 0.5
        return (
            f"{_MARGIN + across * (_WIDTH - 2 * _MARGIN):.1f},"
            f"{_HEIGHT - _MARGIN - up * (_HEIGHT - 2 * _MARGIN):.1f}"
        )

    x = _MARGIN - 4 if side == "start" else _WIDTH - _MARGIN + 4
    anchor = "end" if side == "start" else "start"
    title = _MARGIN if side == "start" else _WIDTH - _MARGIN
    return [
        f'<polyline points="{" ".join(place(x, y) for x, y in finite)}" fill="none" stroke="{colour}" '
        'stroke-width="2"/>',
        *(
            f'<circle cx="{point.split(",")[0]}" cy="{point.split(",")[1]}" r="2.5" fill="{colour}"/>'
            for point in (place(x, y) for x, y in finite)
        ),
        f'<text x="{title}" y="{_MARGIN - 16}" text-anchor="{side}" fill="{colour}">{escape(name)}</text>',
        f'<text x="{x}" y="{_MARGIN + 4}" text-anchor="{anchor}" fill="{colour}">{high:.4g}</text>',
        f'<text x="{x}" y="{_HEIGHT - _MARGIN}" text-anchor="{anchor}" fill="{colour}">{low:.4g}</text>',
    ]
