"""What ``ketos segtrain`` and ``ketos segtest`` do once their options are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from lightning.pytorch.callbacks import Callback

from kraken.configs import BLLASegmentationTestDataConfig, BLLASegmentationTrainingConfig
from kraken.ketos._mappings import drop_unset_mappings, select_classes
from kraken.ketos._options import expand_inputs, read_manifests
from kraken.ketos._settings import Settings
from kraken.ketos._tables import render_table
from kraken.ketos._training import TrainingRun, collect_data, quieten
from kraken.lib.dataset.elements import canonical, merged
from kraken.train.class_mapping import ClassMismatch

__all__ = ["run_segtest", "run_segtrain"]

_SECTIONS = ("baselines", "regions")


class _ClassSummary(Callback):
    """Says what will be learnt, once network and data agree on it."""

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Prints the table."""
        dataset = trainer.datamodule.train_set.dataset
        rows = []
        for section in _SECTIONS:
            classes, stats = dataset.class_mapping[section], dataset.class_stats[section]
            others = merged(classes)
            for name, index in sorted(canonical(classes).items(), key=lambda item: item[1]):
                count = sum(stats[other] for other in (name, *others.get(name, ())))
                rows.append((section, name, index, ", ".join(others.get(name, ())), count))
        header = ("Category", "Class", "Label Index", "Merged With", "Count")
        click.echo(render_table("Training Class Summary", header, rows), err=True)


class _LayoutRun(TrainingRun):
    def _build_trainer(self) -> Any:
        trainer = super()._build_trainer()
        trainer.callbacks.insert(0, _ClassSummary())
        return trainer


def run_segtrain(ctx: click.Context, options: dict[str, Any]) -> None:
    """Trains a layout model as the options say.

    Raises:
        click.UsageError: The classes of a loaded model and the data differ.
    """
    collect_data(ctx, options)
    from kraken.train.segmentation import BLLASegmentationModel  # loaded once it is needed

    select_classes(ctx, options)
    drop_unset_mappings(options)
    try:
        _LayoutRun(ctx, options, BLLASegmentationModel).fit()
    except ClassMismatch as error:
        raise click.UsageError(
            f"Mismatched training data for loaded model. Set option `--resize` to `new` or `union`. {error}",
            ctx,
        ) from error


def _load(name: str, config: BLLASegmentationTrainingConfig) -> Any:
    """Trainer module of a weights file or checkpoint."""
    from kraken.models import load_checkpoint_config  # loaded once it is needed
    from kraken.train.segmentation import BLLASegmentationModel

    if not name.endswith("ckpt"):
        return BLLASegmentationModel.load_from_weights(name, config)
    stored = load_checkpoint_config(name)
    if not isinstance(stored, BLLASegmentationTrainingConfig):
        raise ValueError(f"{name} is a checkpoint of another kind of network ({type(stored).__name__}).")
    config.padding = stored.padding
    return BLLASegmentationModel.load_from_checkpoint(
        name, map_location="cpu", weights_only=True, config=config
    )


def run_segtest(ctx: click.Context, options: dict[str, Any]) -> None:
    """Evaluates a layout model as the options say.

    Raises:
        click.UsageError: There is no model or no data.
    """
    from kraken.train import BLLASegmentationDataModule, KrakenTrainer  # loaded once they are needed

    if not options["model"]:
        raise click.UsageError("No model to evaluate given.", ctx)
    files = read_manifests(options.pop("test_data") or ()) + expand_inputs(options.pop("test_set"))
    if not files:
        raise click.UsageError(
            "No test data was provided to the segtest command. Use `-e` or the `test_set` argument.", ctx
        )
    mode = options["test_class_mapping_mode"]
    given = any(options[f"{kind}_class_mapping"] is not None for kind in ("line", "region"))
    if given != (mode == "custom"):
        raise click.UsageError(
            "--test-class-mapping-mode custom needs line_class_mapping or region_class_mapping of an "
            "experiment file, and these need that mode.",
            ctx,
        )
    if mode == "custom":
        for name in ("line_class_mapping", "region_class_mapping"):
            # one that holds nothing but the wildcard is empty, but not absent
            options[name] = {} if options[name] is None else options[name]
    drop_unset_mappings(options)
    settings: Settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
    settings.seed_everything()
    quieten(settings.verbose)
    values = {**options, **settings.config_options(), "test_data": list(dict.fromkeys(files))}
    module = _load(options["model"], BLLASegmentationTrainingConfig(**values))
    data_module = BLLASegmentationDataModule(BLLASegmentationTestDataConfig(**values))
    trainer = KrakenTrainer(
        enable_summary=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        **settings.trainer_options(),
    )
    with settings.limited_threads():
        metrics = trainer.test(module, data_module, verbose=False)
    if failures := data_module.failures():
        click.echo(f"{len(failures)} faulty files or pages were skipped:", err=True)
        for failure in failures:
            click.echo(f"  {failure}", err=True)
    _show(module, data_module, metrics, mode)


def _diagnostics(module: Any, data_module: Any, mode: str) -> list[tuple[Any, ...]]:
    """Per class, how model, test mapping and test data fit together."""
    dataset = data_module.test_set.dataset
    known = module.full_class_mapping if mode != "canonical" else None
    known = known or module.net.user_metadata["class_mapping"]
    observed = data_module.observed_classes()
    rows = []
    for section in ("aux", *_SECTIONS):
        model, data = known.get(section) or {}, dataset.class_mapping[section]
        seen: Mapping[str, int] = observed.get(section, {})
        used: Mapping[str, int] = dataset.class_stats.get(section, {})
        for name in dict.fromkeys((*model, *data, *seen)):
            first, second = model.get(name), data.get(name)
            if first is None and second is None:
                status = "ignored by dataset mapping"
            elif first is None:
                status = "missing in model mapping"
            elif second is None:
                status = "missing in dataset mapping"
            elif first != second:
                status = "index mismatch"
            elif section != "aux" and not seen.get(name):
                status = "unknown in test data"
            else:
                status = "ok"
            rows.append((section, name, first, second, seen.get(name, 0), used.get(name, 0), status))
    return rows


def _show(module: Any, data_module: Any, metrics: Any, mode: str) -> None:
    """Prints the tables."""
    dataset = data_module.test_set.dataset
    rows = _diagnostics(module, data_module, mode)
    header = ("Category", "Class Name", "Model Idx", "Dataset Idx", "Observed", "Effective", "Status")
    name = "full" if mode != "canonical" and module.full_class_mapping else "canonical"
    title = f"Class Mapping Diagnostics (model={name}, dataset=effective)"
    click.echo(render_table(title, header, rows))
    if odd := [row for row in rows if row[-1] != "ok"]:
        click.echo("\n" + render_table("Class Mapping Mismatches", header, odd))
    # results are in the order of the channels, not indexed by them
    mapping = dataset.class_mapping
    channels = sorted({*mapping["aux"].values(), *mapping["regions"].values()})
    pixels = []
    for section in ("aux", "regions"):
        for label, index in canonical(mapping[section]).items():
            place = channels.index(index)
            accuracy, overlap = float(metrics.class_pixel_accuracy[place]), float(metrics.class_iu[place])
            names = (label, *merged(mapping[section]).get(label, ()))
            count = "N/A" if section == "aux" else sum(dataset.class_stats[section][n] for n in names)
            pixels.append((section, label, accuracy, overlap, count))
    columns = ("Category", "Class Name", "Pixel Accuracy", "IOU", "Object Count")
    click.echo("\n" + render_table("Pixels", columns, pixels))
    lines = [("Overall", metrics.bl_precision, metrics.bl_recall, metrics.bl_f1)]
    for label, values in metrics.bl_detection_per_class.items():
        lines.append((label, values["precision"], values["recall"], values["f1"]))
    click.echo("\n" + render_table("Baselines", ("Class", "Precision", "Recall", "F1"), lines))
    _show_by_page(metrics)


def _show_by_page(metrics: Any) -> None:
    """Prints the figures that don't depend on the size of the pages."""
    rows = [
        (name or "all", s.pages, s.gt, s.pred, s.precision, s.recall, s.f1)
        for name, s in metrics.bl_by_set.items()
    ]
    if rows:
        columns = ("Set", "Pages", "Lines", "Found", "Precision", "Recall", "F1")
        click.echo("\n" + render_table("Baselines (tolerance by the distance of lines)", columns, rows))
    if precision := metrics.region_precision:
        values = list(precision.values())
        mean = [sum(column) / len(values) for column in zip(*values, strict=True)]
        classes = [(name, *both) for name, both in precision.items()]
        classes.append(("mean of classes", *mean))
        click.echo("\n" + render_table("Regions", ("Class", "AP at 0.5", "mAP"), classes))
