"""The fonts that pages and lines are drawn with: a fixed list, of which those on this machine are used."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageFont

#: Font that Pillow carries inside (Aileron): there on every machine, so the example page uses it.
BUILT_IN = "Aileron"

_ROOT = Path("/usr/share/fonts")
# Debian package -> (weight of one face in sampling, files below the font root)
_PACKAGES: dict[str, tuple[float, tuple[str, ...]]] = {
    "fonts-dejavu-core": (
        1.0,
        tuple(f"truetype/dejavu/DejaVu{n}.ttf" for n in ("Sans", "Sans-Bold", "Serif", "Serif-Bold")),
    ),
    "fonts-liberation": (
        1.0,
        tuple(
            f"truetype/liberation/Liberation{n}.ttf" for n in ("Sans-Regular", "Sans-Bold", "Serif-Regular")
        ),
    ),
    "fonts-freefont-ttf": (
        0.7,
        tuple(f"truetype/freefont/Free{n}.ttf" for n in ("Sans", "Serif", "SerifBold")),
    ),
    "fonts-linuxlibertine": (1.0, ("opentype/linux-libertine/LinLibertine_R.otf",)),
    "fonts-crosextra-carlito": (0.7, ("truetype/crosextra/Carlito-Regular.ttf",)),
    "fonts-crosextra-caladea": (0.7, ("truetype/crosextra/Caladea-Regular.ttf",)),
}

#: pixels per em at which advances are taken
_EM = 64


@dataclass(frozen=True)
class Face:
    """One font file (`path` None: the font inside Pillow) and how often it is drawn."""

    name: str
    path: Path | None
    weight: float

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Returns the face at `size` pixels per em."""
        return _load(self.path, size)

    def advance(self, size: int, char: str) -> float:
        """Returns how far a character alone moves the pen, in pixels at `size` pixels per em."""
        return size / _EM * _advance(self.path, char)

    def covers(self, text: str) -> bool:
        """Says whether the face has a glyph for every character of `text`."""
        return all(_has_glyph(self.path, c) for c in text)


def shaping(font: ImageFont.FreeTypeFont, features: list[str] | None) -> list[str] | None:
    """Returns the OpenType features that can be set in a font: none where Pillow can't shape text."""
    return features if font.layout_engine == ImageFont.Layout.RAQM else None


@functools.lru_cache(maxsize=2048)
def _load(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size) if path is None else ImageFont.truetype(str(path), size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("This Pillow was built without FreeType and cannot draw text; install its wheel.")
    return font


@functools.cache
def _advance(path: Path | None, char: str) -> float:
    return _load(path, _EM).getlength(char)


@functools.cache  # some hundred faces times some hundred characters
def _has_glyph(path: Path | None, char: str) -> bool:
    return char == " " or _drawn(path, char) != _missing(path)


@functools.cache
def _missing(path: Path | None) -> tuple[tuple[int, int], bytes]:
    # a code point that no font defines shows the face's "missing" box
    return _drawn(path, "\U0010fffe")


def _drawn(path: Path | None, char: str) -> tuple[tuple[int, int], bytes]:
    mask = _load(path, 24).getmask(char)
    return mask.size, bytes(mask)


def faces() -> list[Face]:
    """Returns the faces of the fixed list that exist here, the built-in one first."""
    found = [Face(BUILT_IN, None, 4.0)]
    for weight, files in _PACKAGES.values():
        found += [Face(Path(f).stem, _ROOT / f, weight) for f in files if (_ROOT / f).is_file()]
    return found


def missing_packages() -> list[str]:
    """Returns the Debian packages of the fixed list that aren't (wholly) installed here."""
    return [p for p, (_, files) in _PACKAGES.items() if not all((_ROOT / f).is_file() for f in files)]


def choose(rng: np.random.Generator, available: list[Face]) -> Face:
    """Draws one face by weight."""
    weights = np.array([f.weight for f in available])
    return available[int(rng.choice(len(available), p=weights / weights.sum()))]
