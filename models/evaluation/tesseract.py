"""Reading line images with Tesseract 5, remembered between runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

__all__ = ["Tesseract"]

#: A page in each call would load the language each time; too many would lose much if interrupted.
_LINES_PER_CALL = 50


class Tesseract:
    """Reads lines; what was read before comes from a file.

    Args:
        cache: The file.
    """

    def __init__(self, cache: Path) -> None:
        self._path = cache
        self._known: dict[str, str] = json.loads(cache.read_text("utf-8")) if cache.exists() else {}

    def read(self, images: Sequence[Image.Image], languages: str, mode: int) -> list[str]:
        """Texts of line images.

        Args:
            images: The lines.
            languages: As the option `-l` takes them.
            mode: Page segmentation mode: 7, a single line, or 13, that without preparations.
        """
        files = [_png(image) for image in images]
        keys = [f"{hashlib.sha256(content).hexdigest()}/{languages}/{mode}" for content in files]
        missing = {key: content for key, content in zip(keys, files, strict=True) if key not in self._known}
        for first in range(0, len(missing), _LINES_PER_CALL):
            part = list(missing)[first : first + _LINES_PER_CALL]
            texts = _run([missing[key] for key in part], languages, mode)
            self._known.update(zip(part, texts, strict=True))
            self._save()
        return [self._known[key] for key in keys]

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._known), encoding="utf-8")
        new.replace(self._path)


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _run(files: Sequence[bytes], languages: str, mode: int) -> list[str]:
    """One call for many lines, with one thread."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, content in enumerate(files):
            path = Path(folder) / f"{i:05d}.png"
            path.write_bytes(content)
            names.append(str(path))
        listing = Path(folder) / "list.txt"
        listing.write_text("\n".join(names) + "\n", encoding="utf-8")
        done = subprocess.run(
            ["tesseract", str(listing), "stdout", "-l", languages, "--psm", str(mode), "--dpi", "300"],
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            capture_output=True,
            check=False,
        )
    texts = done.stdout.decode("utf-8").split("\f")
    if len(texts) == len(files) + 1 and not texts[-1]:
        # Some versions end with the separator.
        texts.pop()
    if len(texts) == len(files):
        return texts
    if len(files) == 1:
        # Some lines are too small for it, and have no text at all.
        return [""]
    return [text for content in files for text in _run([content], languages, mode)]
