"""What ``ketos test`` does once its options are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from kraken.ketos._options import expand_inputs, read_manifests
from kraken.ketos._recognition import find_trainer, reordering
from kraken.ketos._settings import Settings
from kraken.ketos._training import quieten
from kraken.lib.atomic import write_text
from kraken.serialization import render_html_report, render_report

__all__ = ["bootstrap_interval", "run_test"]

#: resamplings behind a confidence interval
RESAMPLINGS = 1000


@dataclass
class Evaluation:
    """Result of one model.

    Attributes:
        name: File of the model.
        metrics: What was counted.
        char_interval: Interval of 95 % confidence of the character accuracy.
        word_interval: The same of the word accuracy.
        failures: Files and lines that couldn't be used.
    """

    name: str
    metrics: Any
    char_interval: tuple[float, float]
    word_interval: tuple[float, float]
    failures: list[str]

    def report(self) -> dict[str, Any]:
        """Arguments of the report functions."""
        metrics = self.metrics
        return {
            "model": self.name,
            "chars": sum(metrics.character_counts.values()),
            "errors": metrics.num_errors,
            "char_accuracy": metrics.cer,
            "char_CI_accucary": metrics.case_insensitive_cer,
            "word_accuracy": metrics.wer,
            "char_confusions": metrics.confusions,
            "scripts": metrics.scripts,
            "insertions": metrics.insertions,
            "deletions": metrics.deletes,
            "substitutions": metrics.substitutions,
        }

    def as_json(self) -> dict[str, Any]:
        """The result with names that say what they hold."""
        metrics = self.metrics
        return {
            "model": self.name,
            "lines": len(metrics.lines),
            "chars": sum(metrics.character_counts.values()),
            "errors": metrics.num_errors,
            "cer": 1 - metrics.cer,
            "wer": 1 - metrics.wer,
            "case_insensitive_cer": 1 - metrics.case_insensitive_cer,
            "cer_interval": [1 - value for value in reversed(self.char_interval)],
            "wer_interval": [1 - value for value in reversed(self.word_interval)],
            "insertions": metrics.insertions,
            "deletions": dict(metrics.deletes),
            "substitutions": dict(metrics.substitutions),
            "scripts": dict(metrics.scripts),
            "confusions": [[*pair, count] for pair, count in metrics.confusions.most_common()],
            "skipped": self.failures,
        }


def bootstrap_interval(
    errors: list[int], totals: list[int], resamplings: int = RESAMPLINGS, seed: int = 0
) -> tuple[float, float]:
    """Interval of 95 % confidence of an accuracy, by drawing lines with replacement.

    Percentile bootstrap after Efron (1979); the same lines always give the same interval.

    Args:
        errors: Errors of each line.
        totals: Characters or words of each line.
        resamplings: Number of draws.
        seed: Seed of the draws.

    Returns:
        Lower and upper end; both NaN without lines or without text.
    """
    wrong, all_ = np.asarray(errors, dtype=float), np.asarray(totals, dtype=float)
    if not len(wrong) or not all_.sum():
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamplings):
        lines = generator.integers(len(wrong), size=len(wrong))
        count = all_[lines].sum()
        if count:
            drawn.append(1 - wrong[lines].sum() / count)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def run_test(ctx: click.Context, options: dict[str, Any]) -> None:
    """Evaluates models as the options say.

    Raises:
        click.UsageError: There is no model or no data.
    """
    names = [*([options["model"]] if options["model"] else []), *options["others"]]
    if not names:
        raise click.UsageError("No model to evaluate given.", ctx)
    files = read_manifests(options.pop("test_data") or ()) + expand_inputs(options.pop("test_set"))
    if not files:
        raise click.UsageError(
            "No test data was provided to the test command. Use `-e` or the `test_set` argument.", ctx
        )
    reordering(options)
    settings: Settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
    settings.seed_everything()
    quieten(settings.verbose)
    found = []
    for name in names:
        with settings.limited_threads():
            trainer_class = find_trainer(ctx, options, name)
            found.append(_evaluate(trainer_class, name, list(dict.fromkeys(files)), options, settings))
    _show(found, options)


def _load(trainer_class: Any, name: str, config: Any) -> Any:
    """Trainer module of a weights file or checkpoint."""
    if name.endswith("ckpt"):
        return trainer_class.load_from_checkpoint(name, map_location="cpu", weights_only=True, config=config)
    return trainer_class.load_from_weights(name, config)


def _evaluate(
    trainer_class: Any, name: str, files: list[str], options: dict[str, Any], settings: Settings
) -> Evaluation:
    from kraken.train import KrakenTrainer  # loaded once it is needed

    values = {**options, **settings.config_options(), "test_data": files}
    module = _load(trainer_class, name, trainer_class._config_class(**values))
    net = module.net
    if options["format_type"] in ("xml", "alto", "page"):
        values["linetype"] = options["linetype"] or net.seg_type
    values["legacy_polygons"] = net.use_legacy_polygons and not options["no_legacy_polygons"]
    data_module = trainer_class._data_module_class(trainer_class._data_config_class(**values))
    trainer = KrakenTrainer(
        enable_summary=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        **settings.trainer_options(),
    )
    metrics = trainer.test(module, data_module, verbose=False)
    lines = metrics.lines
    failures = data_module.failures()
    if failures:
        click.echo(f"{len(failures)} faulty files or lines were skipped:", err=True)
        for failure in failures:
            click.echo(f"  {failure}", err=True)
    return Evaluation(
        name,
        metrics,
        bootstrap_interval([line[0] for line in lines], [line[1] for line in lines]),
        bootstrap_interval([line[2] for line in lines], [line[3] for line in lines]),
        failures,
    )


def _show(found: list[Evaluation], options: dict[str, Any]) -> None:
    """Prints reports, a table of all models, and writes the wanted files."""
    for evaluation in found:
        click.echo(render_report(**evaluation.report()))
        low, high = evaluation.char_interval
        click.echo(f"{100 * low:.2f}%–{100 * high:.2f}%\tCharacter Accuracy (95% confidence)")
        low, high = evaluation.word_interval
        click.echo(f"{100 * low:.2f}%–{100 * high:.2f}%\tWord Accuracy (95% confidence)")
    if len(found) > 1:
        click.echo("\n" + _table(found))
    if options.get("json_file"):
        content = json.dumps([evaluation.as_json() for evaluation in found], ensure_ascii=False, indent=1)
        write_text(options["json_file"], content + "\n")
    if options.get("html_file"):
        for number, evaluation in enumerate(found):
            path = Path(options["html_file"])
            if number:
                path = path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
            write_text(path, render_html_report(**evaluation.report()))


def _table(found: list[Evaluation]) -> str:
    """A row per model, the best one first."""
    rows = [("Model", "CER", "95% confidence", "WER", "95% confidence")]
    for evaluation in sorted(found, key=lambda item: -item.metrics.cer):
        cells = [evaluation.name]
        for value, (low, high) in (
            (evaluation.metrics.cer, evaluation.char_interval),
            (evaluation.metrics.wer, evaluation.word_interval),
        ):
            cells += [f"{100 * (1 - value):.2f}%", f"{100 * (1 - high):.2f}%–{100 * (1 - low):.2f}%"]
        rows.append(tuple(cells))  # type: ignore[arg-type]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
