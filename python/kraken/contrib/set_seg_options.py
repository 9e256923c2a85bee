"""Changes what layout models state about themselves; the old file stays as ``MODEL.bak``."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kraken._cli.errors import CommandError
from kraken._cli.repolygonize import TOPLINES
from kraken.contrib._runner import files_argument, run_files

_FORMATS = {".mlmodel": "coreml", ".safetensors": "safetensors"}
_SUFFIXES = {kind: suffix for suffix, kind in _FORMATS.items()}


@click.command("set_seg_options")
@files_argument
@click.option(
    "-b",
    "--bounding-region",
    "bounding_regions",
    multiple=True,
    help="Class of regions that limits polygons of lines. Repeatable; the list replaces the model's.",
)
@click.option("--topline", "kind", flag_value="topline", help="Baselines run along the head of the text.")
@click.option("--centerline", "kind", flag_value="centerline", help="Baselines run through its middle.")
@click.option("--baseline", "kind", flag_value="baseline", help="Baselines run along its foot.")
@click.option(
    "--pad",
    type=(click.IntRange(min=0), click.IntRange(min=0)),
    metavar="LR TB",
    help="White pixels left and right, and above and below the page that the model was trained with.",
)
@click.option(
    "--output-identifiers",
    type=click.Path(exists=True, dir_okay=False),
    help="JSON file with new names of classes: {'baselines': {NAME: INDEX, ...}, 'regions': {...}}.",
)
@click.option(
    "-f",
    "--weights-format",
    type=click.Choice(("safetensors", "coreml")),
    help="Format to write (default: that of the file).",
)
def cli(
    files: tuple[str, ...],
    bounding_regions: tuple[str, ...],
    kind: str | None,
    pad: tuple[int, int] | None,
    output_identifiers: str | None,
    weights_format: str | None,
) -> None:
    """Change the metadata of layout models in place. Without options, show it."""
    names = _read_names(output_identifiers)

    def change(source: Path) -> list[Path]:
        from kraken.models import load_models  # torch is loaded once it is needed

        models: list[Any] = load_models(source)
        layouts = [model for model in models if "segmentation" in model.model_type]
        if not layouts:
            raise ValueError("it holds no layout model")
        changed = weights_format not in (None, _FORMATS.get(source.suffix.lower()))
        for model in layouts:
            before = _described(model)
            if names is not None:
                _rename(model, names)
            if bounding_regions:
                _check_regions(model, bounding_regions)
                model.user_metadata["bounding_regions"] = list(bounding_regions)
            if kind is not None:
                model.user_metadata["topline"] = TOPLINES[kind]
            if pad is not None:
                model.hyper_params = {"padding": list(pad)}
            changed |= _report(source, before, _described(model))
        return _replace(source, models, weights_format) if changed else []

    run_files(files, "set_seg_options", change)


def _read_names(path: str | None) -> dict[str, dict[str, int]] | None:
    """New names of classes by section.

    Raises:
        CommandError: The file doesn't hold any.
    """
    if path is None:
        return None
    try:
        names = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise CommandError(f"{path} isn't JSON: {error}") from error
    if not isinstance(names, dict) or not names or set(names) - {"baselines", "regions"}:
        raise CommandError(f"{path} has to hold a mapping with `baselines`, `regions` or both.")
    for section, classes in names.items():
        if not isinstance(classes, dict) or not all(type(index) is int for index in classes.values()):
            raise CommandError(f"{path}: {section} has to map names to whole numbers.")
    return names


def _rename(model: Any, names: Mapping[str, Mapping[str, int]]) -> None:
    """Gives classes other names; their channels have to be ones that the model has for them."""
    mapping = model.user_metadata.get("class_mapping")
    if not isinstance(mapping, dict):
        raise ValueError("the model has no class_mapping whose classes could get other names")
    for section, classes in names.items():
        known = set((mapping.get(section) or {}).values())
        if unknown := sorted(set(classes.values()) - known):
            raise ValueError(
                f"the model has no {section} with index {', '.join(map(str, unknown))}, only "
                f"{', '.join(map(str, sorted(known))) or 'none'}"
            )
    new = {**mapping, **{section: dict(classes) for section, classes in names.items()}}
    model.user_metadata["class_mapping"] = new
    # the mapping of the training data would bring the old names back
    model.user_metadata.pop("_full_class_mapping", None)


def _check_regions(model: Any, regions: tuple[str, ...]) -> None:
    known = (model.user_metadata.get("class_mapping") or {}).get("regions") or {}
    if unknown := [name for name in regions if name not in known]:
        raise ValueError(
            f"the model has no regions of class {', '.join(unknown)}, only {', '.join(known) or 'none'}"
        )


def _described(model: Any) -> dict[str, Any]:
    metadata = model.user_metadata
    topline = {False: "baseline", True: "topline", None: "centerline"}[metadata.get("topline", False)]
    return {
        "bounding regions": metadata.get("bounding_regions"),
        "line position": topline,
        "padding": model.hyper_params.get("padding"),
        "classes": metadata.get("class_mapping"),
    }


def _report(source: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Prints old and new values; says whether they differ."""
    for name, old in before.items():
        new = after[name]
        click.echo(f"{source}: {name}: {json.dumps(old)}" + (f" -> {json.dumps(new)}" if new != old else ""))
    return before != after


def _replace(source: Path, models: list[Any], weights_format: str | None) -> list[Path]:
    """Writes the models over their file, or beside it in another format."""
    from kraken.registry import registry

    chosen = weights_format or _FORMATS.get(source.suffix.lower(), "safetensors")
    own = _FORMATS.get(source.suffix.lower(), "safetensors")
    target = source if chosen == own else source.with_suffix(_SUFFIXES[chosen])
    if target != source and target.exists():
        raise ValueError(f"{target} exists already: move it away")
    if chosen == "coreml":
        models = _joined(models)
    # the new file takes the old one's place when it is complete, and not before
    with tempfile.TemporaryDirectory(prefix=".kraken-", dir=source.parent) as folder:
        written: Path = dict(registry.items("kraken.writers"))[chosen](models, Path(folder) / target.name)
        if target == source:
            backup = source.with_name(f"{source.name}.bak")
            shutil.copy2(source, backup)
        written.replace(target)
    return [target, backup] if target == source else [target]


def _joined(models: list[Any]) -> list[Any]:
    """Reading-order models as parts of the layout model, as CoreML files hold them."""
    layout = next(model for model in models if "segmentation" in model.model_type)
    levels = {"baselines": "ro_model", "regions": "ro_model_regions"}
    orders = [model for model in models if "reading_order" in model.model_type]
    layout.aux_layers = {levels[model.level]: model for model in orders}
    return [model for model in models if model not in orders]


if __name__ == "__main__":
    cli()
