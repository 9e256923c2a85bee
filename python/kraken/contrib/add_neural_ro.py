"""A reading order by a network for ALTO files: ``NAME.ro.xml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kraken._cli.documents import Document
from kraken._cli.files import check_outputs
from kraken.contrib._runner import files_argument, load_model, model_option, open_document, run_files
from kraken.lib.atomic import atomic_output


@click.command("add_neural_ro")
@files_argument
@model_option("Reading-order model.", required=True)
def cli(files: tuple[str, ...], model_name: str) -> None:
    """Add the order that a network finds to ALTO files, besides the orders that they hold."""
    network = load_model(model_name, _order_model, "reading order")

    def add(source: Path) -> list[Path]:
        # Takes lxml, which reading the document loads anyway.
        from kraken.lib.xml.rewrite_text import with_order

        target = Path(f"{source.stem}.ro.xml")
        check_outputs([source], [target])
        content = with_order(
            source, _ordered(open_document(source, "alto", "baselines"), network), "neural_ro"
        )
        with atomic_output(target) as temporary:
            temporary.write_bytes(content)
        return [target]

    run_files(files, "add_neural_ro", add)


def _order_model(path: Path) -> Any:
    from kraken.models import load_models  # torch is loaded once it is needed

    models = load_models(path, tasks=["reading_order"])
    if not models:
        raise ValueError("it holds no reading-order model")
    return models[0]


def _ordered(document: Document, network: Any) -> list[str]:
    """Ids of lines or regions, whichever the network is for, as they are read."""
    from kraken.lib.segmentation import neural_reading_order

    segmentation = document.segmentation
    elements: list[Any] = list(segmentation.lines or ())
    if network.level == "regions":
        elements = [region for group in (segmentation.regions or {}).values() for region in group]
    elements = [element for element in elements if _is_placed(element)]
    if not elements:
        raise ValueError(f"it has no {network.level} to put in order")
    size = document.size or document.open_image().size
    order = neural_reading_order(elements, im_size=size, model=network, class_mapping=network.class_mapping)
    return [elements[int(index)].id for index in (() if order is None else order)]


def _is_placed(element: Any) -> bool:
    return bool(getattr(element, "baseline", None) or element.boundary)


if __name__ == "__main__":
    cli()
