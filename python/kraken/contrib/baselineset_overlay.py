"""What the training of layout networks sees of documents: ``IMAGE.heat.png`` and ``IMAGE.overlay.png``."""

from __future__ import annotations

from pathlib import Path

import click

from kraken.contrib._heatmaps import write_heatmaps
from kraken.contrib._runner import document_formats, files_argument, open_document, run_files

_HEIGHT = 1200


@click.command("baselineset_overlay")
@files_argument
@click.option(
    "-f",
    "--format-type",
    type=click.Choice(document_formats),
    default="xml",
    show_default=True,
    help="Format of the files; xml is either.",
)
@click.option(
    "--line-width",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Width of drawn lines in pixels, as in `ketos segtrain`.",
)
def cli(files: tuple[str, ...], format_type: str, line_width: int) -> None:
    """Draw the training targets of ALTO and PageXML files over their pages, scaled to 1200 pixels of height.

    Writes all lines as a grey picture, and the page with lines in blue, their starts in red and
    their ends in green.
    """
    import numpy as np  # torch is loaded once it is needed
    from PIL import Image

    from kraken.lib.dataset import BaselineSet, ImageInputTransforms
    from kraken.lib.dataset.elements import element_type

    def draw(source: Path) -> list[Path]:
        document = open_document(source, format_type, "baselines")
        document.segmentation.imagename = document.find_image()
        mapping = {
            "aux": {"_start_separator": 0, "_end_separator": 1},
            "baselines": {element_type(line): 2 for line in document.segmentation.lines or ()},
            "regions": {},
        }
        pages = BaselineSet(
            mapping,
            line_width=line_width,
            im_transforms=ImageInputTransforms(1, _HEIGHT, 0, 3, 0, valid_norm=False),
        )
        pages.add(document.segmentation)
        if not pages.class_stats["baselines"]:
            raise ValueError("it has no baselines")
        sample = pages[0]
        target = sample["target"].numpy()
        page = 255 * (1 - sample["image"].numpy().transpose(1, 2, 0))
        maps = target[[2, 0, 1]]
        picture = Image.fromarray(page.round().clip(0, 255).astype(np.uint8))
        return write_heatmaps(Path(Path(str(document.segmentation.imagename)).stem), picture, maps)

    run_files(files, "baselineset_overlay", draw)


if __name__ == "__main__":
    cli()
