"""Boxes of characters as the pipeline without layout network finds them: ``high_NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kraken.contrib._runner import files_argument, load_model, model_option, run_files
from kraken.lib.atomic import atomic_output

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
_COLOURS = ((205, 45, 45), (25, 140, 60), (20, 70, 220))


@click.command("recognition_boxes")
@files_argument
@model_option("Recognition model.", required=True)
def cli(files: tuple[str, ...], model_name: str) -> None:
    """Binarise images, find lines as boxes, read them, and draw the box of each character."""
    from kraken.configs import RecognitionInferenceConfig  # torch is loaded once it is needed
    from kraken.tasks import RecognitionTaskModel

    task = load_model(model_name, RecognitionTaskModel.load_model, "recognition")
    config = RecognitionInferenceConfig(bidi_reordering=False)

    def draw(source: Path) -> list[Path]:
        return [_draw(source, task, config)]

    run_files(files, "recognition_boxes", draw)


def _draw(source: Path, task: Any, config: Any) -> Path:
    from PIL import Image, ImageDraw

    from kraken.binarization import nlbin
    from kraken.lib.image_modes import to_rgb
    from kraken.lib.util import open_image
    from kraken.pageseg import segment

    image = open_image(source)
    black_and_white = nlbin(image)
    lines = segment(black_and_white)
    picture = to_rgb(image).copy()
    canvas = ImageDraw.Draw(picture)
    read_from = black_and_white if task.one_channel_mode == "1" else image
    number = 0
    for record in task.predict(read_from, lines, config):
        for _, outline, _ in record:
            canvas.polygon([tuple(point) for point in outline], outline=_COLOURS[number % len(_COLOURS)])
            number += 1
    name = f"high_{source.name}"
    target = Path(name if source.suffix.lower() in _SUFFIXES else f"{name}.png")
    kind = Image.registered_extensions()[target.suffix.lower()]
    with atomic_output(target) as temporary:
        picture.save(temporary, kind)
    return target


if __name__ == "__main__":
    cli()
