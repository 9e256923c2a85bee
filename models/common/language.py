"""What a language model brings: lines in bad condition, read with and without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from . import lines, scoring
from .fonts import Face, faces
from .text import TextSource

#: Seeds apart from those of the recipes and of the other scores.
TEXT_SEED, LINE_SEED = 30_000, 40_000


@dataclass
class Sample:
    """Probabilities (classes, columns) of a line and its true text."""

    outputs: np.ndarray
    text: str


def two_faces() -> list[Face]:
    """Returns the font inside Pillow and a serif one, if there is any."""
    available = faces()
    serif = [face for face in available if "Serif" in face.name]
    return [available[0], *serif[:1]]


def weather(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Returns a line picture as a coarse, noisy scan has it; what is outside the line stays black."""
    size = (max(8, int(picture.width * 0.65)), max(8, int(picture.height * 0.65)))
    grey = np.asarray(picture.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)
    noisy = np.where(grey > 0, np.clip(grey + rng.normal(0, 10, grey.shape), 1, 255), 0)
    return Image.fromarray(noisy.astype(np.uint8))


def training_text(count: int) -> list[str]:
    """Returns lines for a language model, drawn apart from all lines that are read."""
    source = TextSource(np.random.default_rng([5, TEXT_SEED]))
    return [source.line(int(source.rng.integers(20, 80))) for _ in range(count)]


def samples(model: Any, count: int) -> list[Sample]:
    """Returns what a recognition model sees in newly drawn lines in bad condition."""
    source = TextSource(np.random.default_rng([6, LINE_SEED]))
    chosen = two_faces()
    found = []
    for _ in range(count):
        line = lines.draw_line(source, chosen, int(source.rng.integers(20, 60)))
        picture = lines.network_input(weather(line.image, source.rng), model.input[2])
        with torch.inference_mode():
            logits = model(torch.from_numpy(picture)[None, None])[0]
        found.append(Sample(torch.softmax(logits[0, :, 0], 0).numpy(), line.text))
    return found


def error(found: Sequence[Sample], decoder: Callable[..., Any], codec: Any) -> float:
    """Returns the character error rate of a decoder that takes (outputs, lengths)."""
    pairs = []
    for sample in found:
        (labels,) = decoder(sample.outputs, None)
        pairs.append((sample.text, "".join(c for c, *_ in codec.decode(labels))))
    return scoring.character_error_rate(pairs)
