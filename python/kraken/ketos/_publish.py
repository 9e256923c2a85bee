"""What ``ketos publish`` does once its options are read."""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kraken.ketos._card_prompts import ask_for_card
from kraken.ketos._model_card import ModelCard, check_card, merged, parse_card
from kraken.ketos._settings import KetosError
from kraken.lib.exceptions import KrakenRepoException

__all__ = ["run_publish"]

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/)?(10\.\d+/zenodo\.\d+)")
_SOFTWARE = "kraken"
#: By this keyword releases that only know the repository's first version find models.
_OLD_KEYWORD = "kraken_pytorch"
_FORMATS = {".mlmodel": "coreml", ".safetensors": "safetensors"}


def run_publish(ctx: click.Context, options: dict[str, Any]) -> None:
    """Checks a model and its card, and uploads both.

    Raises:
        click.UsageError: The file holds no models, the card is faulty, or the DOI is none of Zenodo.
        KetosError: The upload failed.
    """
    path = Path(options["model"])
    doi = _record_id(ctx, options["doi"])
    models = _load(ctx, path)
    _check_package(ctx)
    card = _finished_card(ctx, path, models, options["metadata"])
    old_card = _first_version_card(ctx, path, models, card)
    text = card.render()
    if options["dry_run"]:
        click.echo(text, nl=False)
        if old_card is not None:
            click.echo(f"\nmetadata.json: {json.dumps(old_card, ensure_ascii=False)}")
        click.echo("Nothing was uploaded (--dry-run).", err=True)
        return
    token = options["access_token"] or click.prompt("Access token", hide_input=True, err=True)
    with tempfile.TemporaryDirectory(prefix="kraken-publish-") as folder:
        # what is uploaded is all that lies in a folder
        shutil.copyfile(path, Path(folder) / path.name)
        if old_card is not None:
            (Path(folder) / "metadata.json").write_text(
                json.dumps(old_card, ensure_ascii=False), encoding="utf-8"
            )
        identifier = _upload(Path(folder), text, token, doi, options["private"])
    # the identifier is a result, which more words about the run don't replace
    click.echo(f"model PID: {identifier}")


def _record_id(ctx: click.Context, doi: str | None) -> str | None:
    if doi is None:
        return None
    match = _DOI.fullmatch(doi.strip())
    if match is None:
        raise click.UsageError(f"--doi {doi!r} is no DOI of Zenodo, such as 10.5281/zenodo.123456.", ctx)
    return match[1]


def _load(ctx: click.Context, path: Path) -> list[Any]:
    """The models in a file."""
    from kraken.models import load_models  # loaded once it is needed

    try:
        models = load_models(path)
    except (ValueError, RuntimeError) as error:
        raise click.UsageError(
            f"{path} can't be published: {' '.join(str(error).split())[:500]}", ctx
        ) from error
    if not models:
        raise click.UsageError(f"{path} holds no models.", ctx)
    return models


def _check_package(ctx: click.Context) -> None:
    try:
        import htrmopo  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise click.UsageError(
            f"Publishing needs the package htrmopo ({error}): install it with `pip install htrmopo`.", ctx
        ) from error


def _finished_card(ctx: click.Context, path: Path, models: Sequence[Any], given: str | None) -> ModelCard:
    """The card with what the models say themselves."""
    card = _given_card(ctx, given) if given is not None else ask_for_card()
    metadata = card.metadata
    metadata["software_name"] = _SOFTWARE
    metadata["model_type"] = sorted({task for model in models for task in model.model_type})
    metadata["software_hints"] = merged(metadata.get("software_hints") or [], _hints(path, models))
    # both are read back as keywords, but only tags become keywords of the record
    tags = merged(metadata.get("tags") or [], metadata.pop("keywords", None) or [])
    if "recognition" in metadata["model_type"]:
        tags = merged(tags, [_OLD_KEYWORD])
    if tags:
        metadata["tags"] = tags
    # figures that the card states may come from a test set, which says more than validation
    if metrics := {**_metrics(models), **(metadata.get("metrics") or {})}:
        metadata["metrics"] = metrics
    _check_schema(ctx, {**metadata, "id": ""}, "v1")
    return card


def _given_card(ctx: click.Context, given: str) -> ModelCard:
    try:
        card = parse_card(Path(given))
        card.render()
    except ValueError as error:
        raise click.UsageError(str(error), ctx) from error
    if faults := check_card(card):
        raise click.UsageError("\n  ".join([f"{given} has to be mended:", *faults]), ctx)
    return card


def _check_schema(ctx: click.Context, metadata: dict[str, Any], version: str) -> None:
    """Compares metadata with what the repository asks for, before it does so amid the upload."""
    import jsonschema  # comes with htrmopo
    from htrmopo import util

    schema = util._v1_schema if version == "v1" else util._v0_schema
    checker = jsonschema.Draft7Validator(schema, format_checker=util.format_checker)
    faults = [
        f"{'.'.join(map(str, error.absolute_path)) or 'metadata'}: {error.message}"
        for error in checker.iter_errors(metadata)
    ]
    if faults:
        raise click.UsageError("\n  ".join(["The metadata has to be mended:", *faults]), ctx)


def _hints(path: Path, models: Sequence[Any]) -> list[str]:
    """What the software has to know to use the models."""
    hints = [f"kind={_FORMATS.get(path.suffix.lower(), path.suffix.removeprefix('.'))}"]
    newest = max((model._kraken_min_version for model in models), key=_numbers)
    hints.append(f"version>={newest}")
    for model in models:
        if "recognition" in model.model_type:
            hints.append(f"seg_type={model.seg_type}")
            hints.append(f"one_channel_mode={model.one_channel_mode}")
            hints.append(f"legacy_polygons={model.use_legacy_polygons}")
        if "segmentation" in model.model_type:
            classes = model.user_metadata.get("class_mapping") or {}
            kinds = [bool(classes.get("baselines")), bool(classes.get("regions"))]
            if any(kinds):
                hints.append(f"segmentation={'combined' if all(kinds) else 'line' if kinds[0] else 'region'}")
        if "reading_order" in model.model_type:
            hints.append(f"ro_level={model.level}")
    return list(dict.fromkeys(hints))


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _metrics(models: Sequence[Any]) -> dict[str, float]:
    """Error rates of recognition models in percent, as of the last validation."""
    for model in models:
        if "recognition" not in model.model_type:
            continue
        scores = _last_scores(model.user_metadata)
        names = {"cer": "val_accuracy", "wer": "val_word_accuracy"}
        return {
            name: round(100 * (1 - scores[score]), 4)
            for name, score in names.items()
            if score in scores and math.isfinite(scores[score])
        }
    return {}


def _last_scores(metadata: dict[str, Any]) -> dict[str, float]:
    """Scores of the last validation that a model recorded, whichever way it did."""
    for field in ("metrics", "accuracy"):
        for _step, scores in reversed(metadata.get(field) or []):
            if isinstance(scores, dict):
                found = {name: float(value) for name, value in scores.items()}
                if "val_accuracy" not in found and "val_metric" in found:
                    found["val_accuracy"] = found["val_metric"]
                return found
            return {"val_accuracy": float(scores)}
    return {}


def _first_version_card(
    ctx: click.Context, path: Path, models: Sequence[Any], card: ModelCard
) -> dict[str, Any] | None:
    """Metadata of the repository's first version, which only knew recognition models."""
    model = next((model for model in models if "recognition" in model.model_type), None)
    if model is None:
        return None
    if model.codec is None:
        raise click.UsageError(
            f"The recognition model in {path} has no codec, so nothing could read with it.", ctx
        )
    metadata = card.metadata
    authors = [{"affiliation": "", **author} for author in metadata["authors"]]
    error_rate = float(metadata.get("metrics", {}).get("cer", 100.0))
    old = {
        "authors": authors,
        "summary": metadata["summary"],
        "description": card.description,
        "accuracy": min(max(100.0 - error_rate, 0.0), 100.0),
        "license": metadata["license"],
        "script": metadata["script"],
        "name": path.name,
        "graphemes": sorted({char for text in model.codec.c2l for char in text}),
    }
    _check_schema(ctx, old, "v0")
    return old


def _upload(folder: Path, card: str, token: str, doi: str | None, private: bool) -> str:
    from kraken import repo  # takes requests and a parser for XML
    from kraken._cli.console import progress
    from kraken._cli.errors import interruptible

    with interruptible(), progress() as bars, bars.step("Uploading") as bar:
        try:
            return repo.publish_model(
                folder,
                card,
                token,
                callback=lambda total, advance: bar.advance(advance, total),
                doi=doi,
                private=private,
            )
        except (KrakenRepoException, OSError) as error:
            raise KetosError(" ".join(str(error).split())) from error
