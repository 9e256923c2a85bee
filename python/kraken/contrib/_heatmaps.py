"""Maps of lines and their ends over pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kraken.lib.atomic import atomic_output
from kraken.lib.image_modes import to_rgb

#: Lines, their starts, their ends
_COLOURS = np.array([(0, 0, 255), (255, 0, 0), (0, 255, 0)], dtype=np.float32)
_OPACITY = 0.6


def write_heatmaps(stem: Path, page: Image.Image, maps: npt.NDArray[np.float32]) -> list[Path]:
    """Writes two pictures: ``STEM.heat.png``, the map of lines, and ``STEM.overlay.png``.

    Args:
        stem: What the names begin with.
        page: The page in the maps' size.
        maps: Array (3, height, width) of values between 0 and 1: lines, starts and ends.
    """
    heat = Image.fromarray((maps[0].clip(0, 1) * 255).round().astype(np.uint8))
    mixed = np.asarray(to_rgb(page)).astype(np.float32)
    for values, colour in zip(maps, _COLOURS, strict=True):
        share = _OPACITY * values.clip(0, 1)[..., None]
        mixed = mixed * (1 - share) + colour * share
    pictures = {"heat": heat, "overlay": Image.fromarray(mixed.round().astype(np.uint8))}
    targets = []
    for name, picture in pictures.items():
        target = stem.with_name(f"{stem.name}.{name}.png")
        with atomic_output(target) as temporary:
            picture.save(temporary, "PNG")
        targets.append(target)
    return targets
