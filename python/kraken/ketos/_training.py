"""What every training command does: gather data, restore, train, convert the best result."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from kraken.configs._fields import extensions
from kraken.ketos._options import expand_inputs, explicit_options, read_manifests
from kraken.ketos._settings import Settings
from kraken.registry import registry

__all__ = ["TrainingRun", "ask_for_huge_pages", "collect_data", "import_compiler", "quieten"]

logger = logging.getLogger("kraken")

#: how many checkpoints are kept
KEPT = 10


def collect_data(ctx: click.Context, options: dict[str, Any]) -> None:
    """Replaces patterns and manifests in the options by files.

    Raises:
        click.UsageError: There is nothing to train on, or options contradict each other.
    """
    if options.get("load") and options.get("resume"):
        raise click.UsageError("load/resume options are mutually exclusive: use one of them.", ctx)
    if options.get("resume"):
        options["resume"] = str(_latest_checkpoint(ctx, Path(options["resume"])))
    package = options.get("pl_logger")
    if package and importlib.util.find_spec(package) is None:
        raise click.UsageError(
            f"--logger {package}: package {package} isn't installed (pip install {package}).", ctx
        )
    if options["weights_format"] not in registry.entries("kraken.writers"):
        known = ", ".join(registry.names("kraken.writers"))
        raise click.UsageError(
            f"Unknown weights format {options['weights_format']}: use one of {known}.", ctx
        )
    if options.get("optimizer") == "AdamW+Muon":
        raise click.UsageError("--optimizer AdamW+Muon isn't available for this kind of network.", ctx)
    files = read_manifests(options.get("training_data") or ())
    files += expand_inputs(options.pop("ground_truth", ()))
    options["training_data"] = list(dict.fromkeys(files))
    options["evaluation_data"] = read_manifests(options.get("evaluation_data") or ()) or None
    if options["evaluation_data"]:
        options["partition"] = 1.0
    if not options["training_data"] and not options.get("resume"):
        raise click.UsageError(
            f"No training data was provided to the {ctx.info_name} command. "
            "Use `-t` or the `ground_truth` argument.",
            ctx,
        )
    import_compiler()


def import_compiler() -> None:
    """Imports torch's compiler, on machines without graphics processor without the compiler for such.

    lightning imports it whether it is used or not; with triton that takes noticeably longer.
    """
    import torch  # here, since wrong options are to be told without it

    if torch.cuda.is_available() or torch.xpu.is_available() or "triton" in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules["triton"] = None  # what stands for a package that isn't there
    try:
        importlib.import_module("torch._dynamo")
    finally:
        del modules["triton"]


def ask_for_huge_pages() -> None:
    """Lets torch ask Linux for pages of 2 MB, unless the environment says otherwise.

    It looks when it is imported. Blocks of networks for pages hold 100 MB and more; in pages of 4 kB it takes
    a tenth of a training step to hand them out.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def _latest_checkpoint(ctx: click.Context, path: Path) -> Path:
    """The checkpoint itself, or the latest one of a folder."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("checkpoint_*.ckpt"), key=lambda file: file.stat().st_mtime_ns)
    if not found:
        raise click.UsageError(f"There's no checkpoint in {path} to resume from.", ctx)
    click.echo(f"Resuming from {found[-1]}", err=True)
    return found[-1]


class TrainingRun:
    """One run of a training command.

    Args:
        ctx: Context of the command.
        options: Its parameters, after :func:`collect_data`; keys that are fields of the configurations
            go there.
        module_class: Trainer class (:class:`kraken.train.base.KrakenTrainerModule`).

    Attributes:
        module: The trainer module, before :meth:`fit` without network if that is new.
        data_module: The data module.
        config: Training configuration.
        data_config: Data configuration.
    """

    def __init__(self, ctx: click.Context, options: dict[str, Any], module_class: Any) -> None:
        self.ctx = ctx
        self.options = options
        self.settings: Settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
        self.module_class = module_class
        self.checkpoint: Any = None
        self.trainer: Any = None
        self.settings.seed_everything(draw=True)
        if options.get("resume"):
            self._resume()
        else:
            self._start()

    # -- set-up ---------------------------------------------------------------

    def _start(self) -> None:
        values = {**self.options, **self.settings.config_options()}
        self.config = self.module_class._config_class(**values)
        self.data_config = self.module_class._data_config_class(**values)
        load = self.options.get("load")
        if load is None:
            self.module = self.module_class(self.config)
        elif str(load).endswith("ckpt"):
            self.module = self._from_checkpoint(load, config=self.config)
            if hasattr(self.config, "spec"):
                self.config.spec = self.module.net.spec
        else:
            self.module = self.module_class.load_from_weights(load, self.config)
        self.data_module = self.module_class._data_module_class(self.data_config)

    def _resume(self) -> None:
        path = self.options["resume"]
        self._check_kind(path)
        self.module = self._from_checkpoint(path)
        self.config = self.module.config
        data_class = self.module_class._data_module_class
        self.data_module = data_class.load_from_checkpoint(str(path), weights_only=True)
        self.data_config = self.data_module.hparams["data_config"]
        explicit = explicit_options(self.ctx)
        fields = vars(self.config).keys() | extensions(type(self.config))
        data_fields = vars(self.data_config).keys() | extensions(type(self.data_config))
        ignored = []
        for name in sorted(explicit):
            if name in fields and name != "spec":
                setattr(self.config, name, self.options[name])
            elif name in data_fields or name in ("ground_truth", "spec"):
                ignored.append(name)
        if ignored:
            logger.warning("Resuming with the checkpoint's data and network: %s ignored.", ", ".join(ignored))
        self.data_config.num_workers = self.settings.num_workers
        for name, value in self.settings.config_options().items():
            if name in fields:
                setattr(self.config, name, value)

    def _check_kind(self, path: str) -> None:
        """Refuses runs of a trainer derived from this one; their weights can be loaded, though."""
        from kraken.models import find_checkpoint_module  # needed with checkpoints only

        found = find_checkpoint_module(path)
        if found is not self.module_class and issubclass(found, self.module_class):
            raise click.UsageError(
                f"{path} is a checkpoint of {found.__name__}, which {self.ctx.info_name} can't go on with: "
                "resume it with the command that made it, or start from its weights (--load).",
                self.ctx,
            )

    def _from_checkpoint(self, path: str, **kwargs: Any) -> Any:
        """Trainer module of a checkpoint."""
        from kraken.models import load_checkpoint_config  # needed with checkpoints only

        config = load_checkpoint_config(path)
        if not isinstance(config, self.module_class._config_class):
            raise click.UsageError(
                f"{path} is a checkpoint of another kind of network ({type(config).__name__}).", self.ctx
            )
        return self.module_class.load_from_checkpoint(
            str(path), map_location="cpu", weights_only=True, **kwargs
        )

    def _build_trainer(self) -> Any:
        from lightning.pytorch.callbacks import ModelCheckpoint  # loaded once it is needed

        from kraken.train.callbacks import KrakenOnExceptionCheckpoint, RollingCheckpoint
        from kraken.train.progress import EpochReport, LearningCurve
        from kraken.train.trainer import KrakenTrainer

        config, settings = self.config, self.settings
        monitor, mode = self.module.monitor, self.module.monitor_mode
        folder = Path(config.checkpoint_path)
        self.checkpoint = ModelCheckpoint(
            dirpath=folder,
            monitor=monitor,
            mode=mode,
            save_top_k=KEPT,
            auto_insert_metric_name=False,
            filename="checkpoint_{epoch:02d}-{val_metric:.4f}",
            save_on_train_epoch_end=False,
        )
        callbacks = [
            LearningCurve(folder, "val_metric"),
            self.checkpoint,
            RollingCheckpoint(folder, self.options.get("checkpoint_minutes", 10.0)),
            KrakenOnExceptionCheckpoint(folder),
        ]
        options = settings.trainer_options()
        if settings.verbose or not sys.stderr.isatty():
            # a bar needs a terminal; logs want a line per evaluation
            options["enable_progress_bar"] = False
            callbacks.append(EpochReport())
        if config.freq > 1:
            options["check_val_every_n_epoch"] = int(config.freq)
        else:
            options["val_check_interval"] = config.freq
        return KrakenTrainer(
            enable_summary=not settings.verbose and sys.stderr.isatty(),
            enable_model_summary=False,
            min_epochs=config.min_epochs,
            max_epochs=config.epochs if config.quit == "fixed" else -1,
            pl_logger=self.options.get("pl_logger"),
            log_dir=self.options.get("log_dir"),
            callbacks=callbacks,
            gradient_clip_val=config.gradient_clip_val,
            accumulate_grad_batches=config.accumulate_grad_batches,
            num_sanity_val_steps=0,
            use_distributed_sampler=getattr(self.data_module, "use_distributed_sampler", True),
            **options,
        )

    # -- training -------------------------------------------------------------

    def fit(self) -> Path:
        """Trains and converts.

        Returns:
            Path of the final weights.
        """
        quieten(self.settings.verbose)
        if self.options.get("resume"):
            # what a killed run was writing
            for leftover in Path(self.config.checkpoint_path).glob(".checkpoint_*.ckpt"):
                leftover.unlink(missing_ok=True)
        self.trainer = self._build_trainer()
        with self.settings.limited_threads():
            self.trainer.fit(
                self.module,
                datamodule=self.data_module,
                ckpt_path=self.options.get("resume"),
                weights_only=True,
            )
        self._report_failures()
        return self._convert()

    def _report_failures(self) -> None:
        """Names everything in the data that couldn't be used."""
        failures: list[str] = getattr(self.data_module, "failures", list)()
        if failures:
            click.echo(f"{len(failures)} faulty files or samples were skipped:", err=True)
            for failure in failures:
                click.echo(f"  {failure}", err=True)

    def _convert(self) -> Path:
        """Writes the weights of the best checkpoint, or of the last state if nothing was evaluated."""
        from kraken.models import convert_models  # loaded once it is needed

        folder, weights_format = Path(self.config.checkpoint_path), self.config.weights_format
        best, score = self.checkpoint.best_model_path, self.checkpoint.best_model_score
        if best and score is not None:
            target = folder / f"best_{float(score):.4f}.{weights_format}"
            self.settings.message(
                f"Converting best model {best} (score: {float(score):.4f}) to weights file {target}"
            )
            return convert_models([best], target, weights_format)
        last = folder / "checkpoint_last.ckpt"
        self.trainer.save_checkpoint(last)
        target = folder / f"last.{weights_format}"
        click.echo(
            f"No evaluation was run: converting the last state {last} to weights file {target}", err=True
        )
        return convert_models([last], target, weights_format)


def quieten(verbose: int) -> None:
    """Keeps lightning's remarks on hardware and loaders out of the way."""
    import warnings

    import lightning.pytorch  # noqa: F401 - its import sets the levels that are changed here

    level = logging.INFO if verbose > 1 else logging.ERROR
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(level)
    if verbose < 2:
        warnings.filterwarnings("ignore", module=r"lightning\..*")
