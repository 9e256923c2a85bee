"""Draws lines of print as the engine would cut them from a page."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from common.corpus import Corpus, is_greek
from common.fonts import Face, shaping
from common.lines import cut_out, engine_cut, network_input, outline
from common.press import clogged, dimmed, faded, low_resolution, printed
from common.typefaces import Typefaces
from PIL import Image, ImageDraw
from scipy import ndimage

from kraken.containers import BaselineLine
from kraken.lib.segmentation import calculate_polygonal_environment

from .setting import Run, set_by_sorts, set_type, struck
from .sorts import QUE, Fount

__all__ = ["EARLY", "FIRST", "HARD", "HEIGHT", "LAST", "THIRD", "DrawnLine", "Style", "draw_line"]

#: Height of the network's input in pixels.
HEIGHT = 40
_KINDS = ("roman", "early", "italic", "bold", "sans", "typewriter", "fraktur")


@dataclass(frozen=True)
class Style:
    """What a stage of training draws.

    Attributes:
        odds: Of the kinds of type.
        old_italics: Part of italics that set early print.
        by_hand: Part of early type, italics and blackletter with ligatures, swashes, and sorts each of which
            looks a little different.
        awkward: Part of lines that are cut out badly: corners off, or with strips of their neighbours.
        leaders: Part of lines with leaders, which transcriptions leave out.
        by_engine: Part of lines whose outline the engine finds, around a baseline that is a little off.
        struck: Part of typewriting whose letters are struck one by one: harder or softer, a little too high
            or low.
        clogged: Part of typewriting whose types are full of ribbon lint.
        coarse: Part of lines in small type from pictures of few pixels.
        mixed: Part of early type and of italics that is set from founts mixed of several typefaces.
        dim: Part of lines on dark paper with little contrast.
        faded: Part of old print some of whose strokes took no ink.
    """

    odds: tuple[float, ...]
    old_italics: float
    by_hand: float = 0.0
    awkward: float = 0.0
    leaders: float = 0.0
    by_engine: float = 0.0
    struck: float = 0.0
    clogged: float = 0.0
    coarse: float = 0.0
    mixed: float = 0.0
    dim: float = 0.0
    faded: float = 0.0


FIRST = Style((0.50, 0.15, 0.12, 0.05, 0.06, 0.08, 0.04), old_italics=0.3)
#: What is hard: more italics and early print.
HARD = Style((0.35, 0.20, 0.22, 0.04, 0.05, 0.08, 0.06), old_italics=0.55, by_hand=0.5)
#: Everything once more, as it comes out of real documents.
THIRD = Style(
    (0.48, 0.12, 0.15, 0.06, 0.06, 0.09, 0.04),
    old_italics=0.4,
    by_hand=0.3,
    awkward=0.3,
    leaders=0.08,
    by_engine=0.6,
)
#: The same with more of what the network still reads badly.
LAST = replace(
    THIRD,
    odds=(0.36, 0.14, 0.22, 0.06, 0.06, 0.11, 0.05),
    old_italics=0.5,
    by_hand=0.5,
    awkward=0.2,
    leaders=0.06,
    struck=0.6,
    coarse=0.12,
)

#: The same with early print as no typeface of today has it, bad typewriters and bad paper.
EARLY = replace(
    LAST,
    odds=(0.28, 0.18, 0.31, 0.05, 0.05, 0.09, 0.04),
    old_italics=0.75,
    by_hand=0.6,
    mixed=0.65,
    clogged=0.5,
    dim=0.12,
    faded=0.4,
)

#: How often an early italic has a letter of `strokes.DRAWN`.
_OWN = {"tall v": 0.75, "u": 0.5, "a": 0.3, "&": 0.5, ".": 0.5}
#: OpenType features of old and of decorative setting that keep the text as it is.
_FEATURES = ("dlig", "hlig", "swsh", "cswh", "-liga")


@dataclass
class DrawnLine:
    """A line as network input (uint8, ink high), its text, and x of each character's middle if known."""

    image: np.ndarray
    text: str
    middles: np.ndarray | None


@dataclass
class _Strip:
    """A line among its neighbours.

    Attributes:
        alone: Ink of the line (float32, 0 to 1).
        ink: Ink of all lines.
        foot: y of the baseline before it was bent.
        leading: Distance of the lines.
        baseline: y of the baseline for every column.
    """

    alone: np.ndarray
    ink: np.ndarray
    foot: int
    leading: float
    baseline: np.ndarray


def draw_line(corpus: Corpus, typefaces: Typefaces, longest: int, style: Style = FIRST) -> DrawnLine | None:
    """Draws one line of at most `longest` characters; None if it came out too narrow to be read.

    Args:
        corpus: Makes the text; its generator is the source of all randomness.
        typefaces: What to set it in.
        longest: Most characters.
        style: What to draw.
    """
    rng = corpus.rng
    kind = _KINDS[int(np.searchsorted(np.cumsum(style.odds), rng.random()))]
    old = (
        kind == "fraktur"
        or (kind == "early" and rng.random() < 0.85)
        or (kind == "italic" and rng.random() < style.old_italics)
    )
    text = corpus.line(longest, early=old)
    if any(map(is_greek, text)):
        kind = "greek"
    size = int(np.exp(rng.uniform(np.log(15), np.log(46))))
    uneven = bool(style.by_hand) and kind in ("early", "italic", "fraktur")
    cut_by_hand = uneven and rng.random() < style.by_hand
    if style.mixed and old and kind in ("early", "italic") and rng.random() < style.mixed:
        text, runs, middles, width = _set_early(rng, text, typefaces, kind, size)
    else:
        text, runs, middles, width = _set(rng, text, typefaces, kind, size, style, old_forms=cut_by_hand)
    if not text:
        return None
    strip = _page_strip(rng, runs, size, width, uneven=cut_by_hand)
    if style.faded and old and rng.random() < style.faded:
        strip.ink = faded(strip.ink, rng, size)
    if kind == "typewriter" and style.clogged and rng.random() < style.clogged:
        strip.ink = clogged(strip.ink, rng, size)
    scan = printed(strip.ink, rng, size)
    if style.dim and rng.random() < style.dim:
        scan = dimmed(scan, rng)
    if style.coarse and rng.random() < style.coarse:
        scan = low_resolution(scan, rng, size)
    page = Image.fromarray(np.maximum(scan, 1))
    by_engine = style.by_engine and rng.random() < style.by_engine
    if by_engine:
        cut = _cut_by_engine(page, strip, rng, size)
    else:
        cut, left = _cut(page, strip, rng, size, style)
    if cut is None:
        return None
    image = network_input(cut, HEIGHT)
    if image.shape[1] < 4.5 * len(text):
        return None
    pixels = (image * 255).astype(np.uint8)
    if by_engine:  # where letters are isn't known in a line that was turned and stretched
        return DrawnLine(pixels, text, None)
    middles = 16 + (middles - left) * (image.shape[1] - 32) / cut.width
    return DrawnLine(pixels, text, middles.astype(np.float32))


def _set(
    rng: np.random.Generator,
    text: str,
    typefaces: Typefaces,
    kind: str,
    size: int,
    style: Style,
    *,
    old_forms: bool,
) -> tuple[str, list[Run], np.ndarray, int]:
    """Sets the text in one typeface, or in two; returns what is read and where it stands."""
    face = typefaces.choose(rng, kind)
    text = _drawable(text, face)
    if not text:
        return "", [], np.array([]), 0
    other = typefaces.choose(rng, "roman" if kind == "italic" else "italic") if rng.random() < 0.12 else face
    if not other.covers(text):
        other = face
    leaders = bool(style.leaders) and rng.random() < style.leaders
    runs, middles, width = set_type(rng, text, face, other, size, leaders=leaders)
    if kind == "fraktur":
        # transcriptions of Fraktur write the round s for both
        text = text.replace("ſ", "s")
    elif old_forms:
        features = [f for f in _FEATURES if rng.random() < 0.4]
        for run in runs:
            run.features = features
    if kind == "typewriter" and style.struck and rng.random() < style.struck:
        runs = struck(rng, runs, size)
    return text, runs, middles, width


def _set_early(
    rng: np.random.Generator, text: str, typefaces: Typefaces, kind: str, size: int
) -> tuple[str, list[Run], np.ndarray, int]:
    """Sets the text in a fount mixed of several typefaces; returns what is read and where it stands."""
    italic = kind == "italic"
    kind = "early-italic" if italic else "early"
    main = typefaces.choose(rng, kind)
    for _ in range(4):
        if main.covers(text.replace(QUE, "")):
            break
        main = typefaces.choose(rng, kind)
    text = " ".join("".join(c for c in text if c == QUE or main.covers(c)).split())
    if not text:
        return "", [], np.array([]), 0
    others = [typefaces.choose(rng, kind) for _ in range(int(rng.integers(0, 7)))]
    roman = typefaces.choose(rng, "early")
    fount = Fount(
        rng,
        main,
        others,
        roman if italic and rng.random() < 0.3 else None,
        size,
        [name for name, odds in _OWN.items() if italic and rng.random() < odds],
    )
    upper = main if italic and rng.random() < 0.3 else roman
    capitals = Fount(rng, upper, [], None, round(size * float(rng.uniform(0.6, 1.0))))
    first, _, rest = text.partition(" ")
    chance = rng.random()
    if chance < 0.12 and first.isalpha() and roman.covers(first.upper()):
        text = f"{_in_capitals(first)} {rest}".strip()
    elif chance < 0.20 and QUE not in text:
        text = _in_capitals(text[: int(rng.integers(3, 24))].strip())
    runs, middles, width = set_by_sorts(rng, text, fount, capitals)
    return text, runs, middles, width


def _in_capitals(text: str) -> str:
    """The text in capitals as printers before 1700 had them: no J, no U."""
    return text.replace("ſ", "s").upper().replace("J", "I").replace("U", "V")


def _cut(
    page: Image.Image, strip: _Strip, rng: np.random.Generator, size: int, style: Style
) -> tuple[Image.Image, int]:
    """The line along an outline of our own, and x of its left edge on the page."""
    polygon = outline((strip.alone * 255).astype(np.uint8), rng, size, strip.foot, strip.leading)
    if style.awkward and rng.random() < style.awkward:
        polygon = _awkward(polygon, rng, size)
    level = float(rng.normal(0, 0.3)) if rng.random() < 0.5 else 0
    masked, box = cut_out(page, polygon, level)
    if rng.random() < 0.2:  # lines given as boxes aren't masked
        masked = page
    return masked.crop(box), box[0]


def _cut_by_engine(
    page: Image.Image, strip: _Strip, rng: np.random.Generator, size: int
) -> Image.Image | None:
    """The line as the engine cuts it, seams and all; None if there is no outline.

    The baseline is off at its ends and in its height, as those that networks find and people draw.
    """
    columns = np.nonzero(strip.alone.max(0) > 0.25)[0]
    if not columns.size:
        return None
    x0 = columns[0] - size * float(rng.normal(0.1, 0.12))
    x1 = columns[-1] + size * float(rng.normal(0.1, 0.12))
    xs = np.linspace(max(0.0, x0), min(page.width - 1.0, x1), int(rng.integers(2, 6)))
    if xs[-1] - xs[0] < 4:
        return None
    ys = np.interp(xs, np.arange(page.width), strip.baseline) + size * rng.normal(0.01, 0.035)
    line = [(round(x), round(y)) for x, y in zip(xs, ys + size * rng.normal(0, 0.012, len(xs)), strict=True)]
    near = [[(x, round(y + d)) for x, y in line] for d in (-strip.leading, strip.leading)]
    near = [found for found in near if all(0 <= y < page.height for _, y in found)]
    boundary = calculate_polygonal_environment(page, [line, *near])[0]
    if boundary is None:
        return None
    return engine_cut(page, BaselineLine(id="line", baseline=line, boundary=boundary))


def _drawable(text: str, face: Face) -> str:
    if face.covers(text):
        return text
    return " ".join("".join(c for c in text if face.covers(c)).split())


def _awkward(
    polygon: list[tuple[float, float]], rng: np.random.Generator, size: int
) -> list[tuple[float, float]]:
    """The outline with a corner or two drawn in, or a point far out, as outlines made by hand have."""
    points = np.array(polygon, float)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    for _ in range(int(rng.integers(1, 3))):
        at_left, at_top = rng.random(2) < (0.5, 0.7)
        reach = size * float(np.exp(rng.uniform(np.log(0.3), np.log(5))))
        away = points[:, 0] - left if at_left else right - points[:, 0]
        part = np.clip(1 - away / reach, 0, 1)
        depth = (bottom - top) * float(rng.uniform(0.1, 0.45)) * (1 if at_top else -0.6)
        half = points[:, 1] < (top + bottom) / 2
        points[:, 1] += np.where(half == at_top, depth * part, 0)
    if rng.random() < 0.5:
        out = float(rng.uniform(0.1, 0.8)) * size
        i = int(rng.integers(len(points)))
        points[i, 1] += -out if points[i, 1] < (top + bottom) / 2 else 0.5 * out
    return [(float(x), float(y)) for x, y in points]


def _page_strip(rng: np.random.Generator, runs: list[Run], size: int, width: int, *, uneven: bool) -> _Strip:
    """Draws the line, and with neighbours above and below."""
    leading = size * float(rng.uniform(1.02, 1.6))
    foot = round(1.6 * size)
    canvas = Image.new("L", (width, round(2.8 * size)))
    pen = ImageDraw.Draw(canvas)
    jitter = rng.random() < 0.25
    for run in runs:
        y = foot + size * (run.down + (rng.normal(0, 0.012) if jitter else 0))
        if run.sort:
            x, y = round(run.x + run.sort.left), round(y + run.sort.top)
            canvas.paste(run.ink, (x, y), run.sort.ink)
            continue
        font = run.face.at(size)
        features = shaping(font, run.features)
        pen.text((run.x, y), run.text, fill=run.ink, font=font, anchor="ls", features=features)
    bow = float(rng.normal(0, 0.06)) * size if rng.random() < 0.25 else 0.0
    slope, slant = float(rng.normal(0, 0.003)), float(rng.normal(0, 0.09 if uneven else 0.04))
    moved = _letter_waves(rng, canvas.size, size) if uneven else None
    alone = _warped(canvas, slope, slant, foot, bow, moved)
    ink = alone
    if rng.random() < 0.75:
        # of the lines around only a few strokes show: the line's own do, elsewhere
        for down in (-round(leading), round(leading)):
            ink = np.maximum(ink, _moved(alone, down, int(rng.integers(width))))
    baseline = foot - slope * (np.arange(width) - width / 2) + _bow(bow, width)
    return _Strip(alone, ink, foot, leading, baseline)


def _moved(ink: np.ndarray, down: int, right: int) -> np.ndarray:
    """The ink moved down, out of sight, and to the right, around the edge."""
    found = np.zeros_like(ink)
    rows = len(ink) - abs(down)
    found[max(0, down) :][:rows] = np.roll(ink, right, axis=1)[max(0, -down) :][:rows]
    return found


def _letter_waves(rng: np.random.Generator, canvas: tuple[int, int], size: int) -> np.ndarray:
    """Shifts (2, height, width) in pixels that change within a letter: no two hand-cut sorts agree."""
    width, height = canvas
    coarse = rng.normal(0, 1, (2, 2 + 3 * height // size, 2 + 3 * width // size)).astype(np.float32)
    strength = float(rng.uniform(0.015, 0.05)) * size
    resize = Image.Resampling.BICUBIC
    return strength * np.stack([np.asarray(Image.fromarray(c).resize(canvas, resize)) for c in coarse])


def _bow(bow: float, width: int) -> np.ndarray:
    """How far the columns move down: along a parabola, as on a page that isn't flat."""
    place = np.linspace(-1, 1, width)
    return np.round(bow * (place**2 - 0.4)).astype(int)


def _warped(
    canvas: Image.Image, slope: float, slant: float, foot: int, bow: float, moved: np.ndarray | None
) -> np.ndarray:
    warp = (1, slant, -slant * foot, slope, 1, -slope * canvas.width / 2)
    ink = np.asarray(
        canvas.transform(canvas.size, Image.Transform.AFFINE, warp, Image.Resampling.BILINEAR),
        dtype=np.float32,
    )
    shift = _bow(bow, ink.shape[1])
    if shift.any():
        rows = (np.arange(ink.shape[0])[:, None] - shift[None, :]) % ink.shape[0]
        ink = np.take_along_axis(ink, rows, axis=0)
    if moved is not None:
        places = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32) + moved
        ink = ndimage.map_coordinates(ink, places, order=1, mode="constant")
    return ink / 255
