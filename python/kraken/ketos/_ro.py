"""What ``ketos rotrain`` and ``ketos roadd`` do once their options are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kraken.ketos._mappings import drop_unset_mappings
from kraken.ketos._settings import Settings
from kraken.ketos._training import TrainingRun, collect_data

__all__ = ["run_roadd", "run_rotrain"]

#: level of a reading-order model → name of the auxiliary layer that holds it
_LAYERS = {"baselines": "ro_model", "regions": "ro_model_regions"}
#: suffixes of formats that hold both networks
_FORMATS = (".mlmodel", ".safetensors")


def run_rotrain(ctx: click.Context, options: dict[str, Any]) -> None:
    """Trains a reading-order model as the options say.

    Raises:
        click.UsageError: Two sources of the class mapping are given.
    """
    from kraken.lib.ro import ROModel  # loaded once it is needed

    source = options.pop("class_mapping_from_ckpt", None)
    if source and options.get("class_mapping") is not None:
        raise click.UsageError("--class-mapping-from-ckpt and class_mapping are mutually exclusive.", ctx)
    collect_data(ctx, options)
    drop_unset_mappings(options)
    if source:
        options["class_mapping"] = _mapping_of(source, options["level"])
    TrainingRun(ctx, options, ROModel).fit()


def _mapping_of(path: str, level: str) -> dict[str, int]:
    """Line or region classes of a layout model's checkpoint."""
    from kraken.models import load_from_checkpoint  # loaded once it is needed

    module = load_from_checkpoint(path)
    mapping = getattr(module, "full_class_mapping", None)
    if not mapping:
        raise ValueError(f"{path} isn't a checkpoint of a layout model.")
    return dict(mapping[level])


def _load(path: str, kind: str) -> Any:
    """First model for a task in a weights file or checkpoint."""
    from kraken.models import load_from_checkpoint, load_models  # loaded once they are needed

    models = [load_from_checkpoint(path).net] if path.endswith("ckpt") else load_models(path)
    for model in models:
        if kind in model.model_type:
            return model
    raise ValueError(f"{path} holds no model for {kind}.")


def run_roadd(ctx: click.Context, options: dict[str, Any]) -> None:
    """Writes a layout model with a reading-order model.

    Raises:
        click.UsageError: The models are for different classes, or the format isn't known.
    """
    from kraken.models import write_models  # loaded once it is needed

    settings: Settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
    suffix = Path(options["output"]).suffix
    if suffix not in _FORMATS:
        raise click.UsageError(f"The output has to end in {' or '.join(_FORMATS)}, not {suffix!r}.", ctx)
    order, layout = _load(options["ro_model"], "reading_order"), _load(options["seg_model"], "segmentation")
    wanted = set(order.class_mapping) - {"default"}
    mapping = layout.user_metadata.get("class_mapping") or {}
    known = set(mapping.get(order.level) or ()) - {"default"}
    if wanted != known:
        raise click.UsageError(
            f"Reading order model and segmentation model are for different {order.level}: "
            f"{', '.join(sorted(wanted ^ known))}.",
            ctx,
        )
    if shifted := sorted(name for name in wanted if order.class_mapping[name] != mapping[order.level][name]):
        # what the network sees of an element depends on the index of its class
        raise click.UsageError(
            f"Classes {', '.join(shifted)} have other indices in the segmentation model: train the reading "
            "order model with --class-mapping-from-ckpt and a checkpoint of the segmentation model.",
            ctx,
        )
    layout.aux_layers = {_LAYERS[order.level]: order}
    for title, names in (
        ("Reading order model", order.class_mapping),
        ("Segmentation model", mapping[order.level]),
    ):
        settings.message(
            f"{title} classes: {', '.join(f'{name} ({index})' for name, index in names.items())}"
        )
    written = write_models(layout, options["output"])
    settings.message(f"Output file written to {written}")
