"""What a layout network sees on images: ``IMAGE.heat.png`` and ``IMAGE.overlay.png``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kraken.contrib._heatmaps import write_heatmaps
from kraken.contrib._runner import files_argument, load_model, model_option, run_files


@click.command("heatmap_overlay")
@files_argument
@model_option("Layout model.", required=True)
def cli(files: tuple[str, ...], model_name: str) -> None:
    """Draw the probabilities of a layout network over images.

    Writes the first class of lines as a grey picture, and the scaled page with lines in blue, their
    starts in red and their ends in green.
    """
    from kraken.configs import SegmentationInferenceConfig  # torch is loaded once it is needed
    from kraken.lib.util import open_image
    from kraken.lib.vgsl.segmentation_inference import class_channels, compute_heatmap
    from kraken.tasks import SegmentationTaskModel

    task = load_model(model_name, SegmentationTaskModel.load_model, "segmentation")
    network: Any = task.seg_models[0]
    network.prepare_for_inference(SegmentationInferenceConfig())
    classes = class_channels(network)

    def draw(source: Path) -> list[Path]:
        if not classes.baselines:
            raise ValueError("the model has no class of lines")
        image = open_image(source)
        heat = compute_heatmap(network, image)
        page = image.resize((heat.probabilities.shape[2], heat.probabilities.shape[1]))
        line = min(classes.baselines.values())
        return write_heatmaps(Path(source.stem), page, heat.probabilities[[line, classes.start, classes.end]])

    run_files(files, "heatmap_overlay", draw)


if __name__ == "__main__":
    cli()
