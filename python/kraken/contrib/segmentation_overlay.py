"""Pictures of lines and regions over their pages, one for each type."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from kraken._cli.documents import Document
from kraken._cli.repolygonize import TOPLINES, find_polygons, topline_options
from kraken.containers import Segmentation
from kraken.contrib._runner import files_argument, load_model, model_option, open_document, run_files, slug
from kraken.lib.atomic import atomic_output

#: Pictures have the size of their pages.
_UNLIMITED = 10**9


@click.command("segmentation_overlay")
@files_argument
@model_option("Layout model that finds lines and regions; FILES are images then.")
@click.option(
    "-d",
    "--text-direction",
    type=click.Choice(("horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl")),
    default="horizontal-lr",
    show_default=True,
    help="Orientation of lines and order of columns, for -i.",
)
@click.option(
    "--repolygonize/--no-repolygonize",
    default=False,
    show_default=True,
    help="Find the polygons of lines anew.",
)
@topline_options
@click.option(
    "--height-scale",
    type=click.IntRange(min=100, max=20_000),
    default=1800,
    show_default=True,
    help="Height in pixels at which polygons are looked for.",
)
def cli(
    files: tuple[str, ...],
    model_name: str | None,
    text_direction: str,
    repolygonize: bool,
    kind: str,
    height_scale: int,
) -> None:
    """Draw ALTO and PageXML files, or what a model finds on images, over the pages.

    Writes high_FILE_lines_TYPE.png and high_FILE_regions_TYPE.png. Polygons are red and green in
    turn, baselines blue, and lines are numbered.
    """
    task: Any = None
    if model_name is not None:
        from kraken.tasks import SegmentationTaskModel  # torch is loaded once it is needed

        task = load_model(model_name, SegmentationTaskModel.load_model, "segmentation")

    def draw(source: Path) -> list[Path]:
        document = open_document(source) if task is None else _segmented(source, task, text_direction)
        if repolygonize:
            rings = find_polygons(document, TOPLINES[kind], height_scale)
            document = dataclasses.replace(document, segmentation=_with_rings(document.segmentation, rings))
        return _draw(document)

    run_files(files, "segmentation_overlay", draw)


def _segmented(source: Path, task: Any, text_direction: str) -> Document:
    from kraken.configs import SegmentationInferenceConfig
    from kraken.lib.util import open_image

    config = SegmentationInferenceConfig(text_direction=text_direction)
    return Document(source, task.predict(open_image(source), config), source)


def _with_rings(segmentation: Segmentation, rings: dict[str, Any]) -> Segmentation:
    lines: list[Any] = [
        dataclasses.replace(line, boundary=rings[line.id]) if line.id in rings else line
        for line in segmentation.lines or ()
    ]
    return dataclasses.replace(segmentation, lines=lines)


def _draw(document: Document) -> list[Path]:
    """Writes the pictures of a page."""
    from kraken.serialization.overlay import Layers, to_image

    image = document.open_image()
    whole = document.segmentation
    by_type: dict[str, list[Any]] = {}
    for line in whole.lines or ():
        by_type.setdefault(_type_of(line), []).append(line)
    parts = {
        ("lines", kind): (dataclasses.replace(whole, lines=lines, regions={}, line_orders=[]), Layers())
        for kind, lines in by_type.items()
    }
    parts |= {
        ("regions", kind): (
            dataclasses.replace(whole, lines=_as_lines(regions), regions={}, line_orders=[]),
            Layers(baselines=False),
        )
        for kind, regions in (whole.regions or {}).items()
        if regions
    }
    targets: dict[Path, tuple[Segmentation, Layers]] = {}
    for (what, kind), part in parts.items():
        targets[_free(f"high_{document.source.name}_{what}_{slug(kind)}", targets)] = part
    for target, (segmentation, layers) in targets.items():
        with atomic_output(target) as temporary:
            to_image(image, segmentation, max_height=_UNLIMITED, layers=layers).save(temporary, "PNG")
    return list(targets)


def _as_lines(regions: list[Any]) -> list[Any]:
    """Regions as lines without baselines, since these are drawn in alternating colours and numbered."""
    from kraken.containers import BaselineLine

    return [BaselineLine(id=region.id, baseline=None, boundary=region.boundary) for region in regions]


def _free(stem: str, taken: dict[Path, Any]) -> Path:
    """A name of its own: types can differ in signs only that names of files don't hold."""
    path, number = Path(f"{stem}.png"), 2
    while path in taken:
        path, number = Path(f"{stem}_{number}.png"), number + 1
    return path


def _type_of(line: Any) -> str:
    kinds = (line.tags or {}).get("type") or [{}]
    first = kinds[0]
    return str((first.get("type") if isinstance(first, dict) else first) or "default")


if __name__ == "__main__":
    cli()
