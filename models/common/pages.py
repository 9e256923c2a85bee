"""Whole pages with the truth about them: baselines and the outlines of text blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from .fonts import Face, choose
from .text import TextSource
from .wear import ink_on_paper

Point = tuple[float, float]


@dataclass
class Page:
    """A page picture (mode L), its text lines as (start, end, text), its text blocks as quadrilaterals."""

    image: Image.Image
    lines: list[tuple[Point, Point, str]] = field(default_factory=list)
    regions: list[list[Point]] = field(default_factory=list)


class PageWriter:
    """Sets random pages of a given height.

    Sizes follow the height: type of 1/68 to 1/36 of it per em, so 20 to 55 lines on a full page, as a book
    page has when scaled to the input height of a layout network.

    Attributes:
        lines_a_page: Least and most ems that go into the height.
        columns: Numbers of columns, each as likely as another.
    """

    lines_a_page = (36, 68)
    columns = (1, 1, 1, 2, 2, 3)

    def __init__(self, source: TextSource, available: list[Face], height: int) -> None:
        self.source, self.rng, self.faces, self.height = source, source.rng, available, height

    def page(self) -> Page:
        """Draws one page: head, columns of paragraphs with headings, sometimes pictures and rules."""
        rng = self.rng
        height = self.height
        width = round(height * float(rng.uniform(0.6, 0.85 if rng.random() < 0.85 else 1.4)))
        self.canvas = Image.new("L", (width, height))
        self.pen = ImageDraw.Draw(self.canvas)
        self.result = Page(self.canvas)
        self.face = choose(rng, self.faces)
        em = int(height / rng.uniform(*self.lines_a_page))
        left, right = (width * rng.uniform(0.04, 0.14, 2)).tolist()
        top, bottom = (height * rng.uniform(0.03, 0.13, 2)).tolist()
        if rng.random() < 0.05:  # blank pages: normalisation would make lines of nothing
            return self._scan(width, height)
        if rng.random() < 0.4:
            top = self._running_head(left, width - right, max(top, 2.5 * em), em)
        columns = int(rng.choice(self.columns)) if width > 28 * em else 1
        gutter = em * float(rng.uniform(1.2, 3))
        column = (width - left - right - gutter * (columns - 1)) / columns
        for i in range(columns):
            x = left + i * (column + gutter)
            self._column(x, x + column, top, height - bottom, em)
            if i and rng.random() < 0.2:
                self.pen.line([(x - gutter / 2, top), (x - gutter / 2, height - bottom)], fill=200)
        return self._scan(width, height)

    def _running_head(self, left: float, right: float, y: float, em: int) -> float:
        text = self._short_text(30)
        font = self.face.at(em)
        x = float(self.rng.uniform(left, max(left + 1, right - font.getlength(text))))
        self._block([self._text(x, y, text, em)], em)
        return y + 1.5 * em

    def _column(self, left: float, right: float, top: float, bottom: float, em: int) -> None:
        rng = self.rng
        y = top + em
        style = rng.random(4)
        leading = em * float(rng.uniform(1.15, 1.8))
        indent = em * float(rng.uniform(0.8, 2.5)) if style[0] < 0.5 else 0.0
        skip = leading * float(rng.uniform(0.3, 1.2)) if style[1] < 0.5 else 0.0
        stop = bottom if rng.random() < 0.7 else float(rng.uniform(top + 2 * leading, bottom))
        block: list[tuple[Point, Point]] = []
        if rng.random() < 0.5:
            y = self._heading(left, right, y, em) + leading
        while y < stop:
            if block and rng.random() < 0.05:
                self._block(block, em)
                block = []
                y = self._interruption(left, right, y, em, stop) + leading
                continue
            for i in range(int(rng.integers(1, 14))):
                if y >= stop:
                    break
                x = left + (indent if i == 0 else 0)
                block.append(self._filled(x, right, y, em, justified=style[2] < 0.5))
                y += leading
            else:  # the last line of a paragraph is short
                if y < stop:
                    end = float(rng.uniform(left + 2 * em, right))
                    block.append(self._filled(left, end, y, em, justified=False))
                    y += leading
            if skip:  # a blank line ends a block
                self._block(block, em)
                block = []
                y += skip
        self._block(block, em)

    def _heading(self, left: float, right: float, y: float, em: int) -> float:
        size = int(em * self.rng.uniform(1.0, 2.4))
        font = self.face.at(size)
        text = self._short_text(40)
        while " " in text and font.getlength(text) > right - left:
            text = text.rsplit(" ", 1)[0]
        room = right - left - font.getlength(text)
        if room < 0:
            return y
        x = left + (room / 2 if self.rng.random() < 0.6 else 0)
        y += 0.7 * size
        self._block([self._text(x, y, text, size)], size)
        return y + 0.8 * size

    def _interruption(self, left: float, right: float, y: float, em: int, stop: float) -> float:
        if self.rng.random() < 0.5:
            return self._heading(left, right, y + 0.5 * em, em)
        height = float(self.rng.uniform(2, 10)) * em
        if y + height < stop:
            tone = int(self.rng.integers(40, 255))
            box = (left, y, right, y + height)
            self.pen.rectangle(box, fill=tone if self.rng.random() < 0.6 else None, outline=tone, width=2)
            for _ in range(int(self.rng.integers(0, 6))):
                ends = np.sort(self.rng.uniform(0, 1, (2, 2)), axis=0) * (right - left, height) + (left, y)
                self.pen.ellipse([*ends[0], *ends[1]], outline=int(self.rng.integers(0, 255)), width=2)
        return y + height

    def _filled(
        self, left: float, right: float, y: float, em: int, *, justified: bool
    ) -> tuple[Point, Point]:
        """Sets one line of words between two x positions, with stretched blanks if `justified`."""
        font = self.face.at(em)
        words: list[str] = []
        used = 0.0
        blank = font.getlength(" ")
        while True:
            word = self._token()
            step = font.getlength(word) + (blank if words else 0)
            if used + step > right - left and words:
                break
            words.append(word)
            used += step
        if not justified or len(words) < 2:
            return self._text(left, y, " ".join(words), em)
        gap = blank + (right - left - used) / (len(words) - 1)
        if gap > 3 * blank:  # nobody sets such lines
            return self._text(left, y, " ".join(words), em)
        x = left
        for word in words:
            self.pen.text((x, y), word, fill=255, font=font, anchor="ls")
            x += font.getlength(word) + gap
        return self._line(left, x - gap, y, " ".join(words))

    def _short_text(self, longest: int) -> str:
        text = "".join(c for c in self.source.line(int(self.rng.integers(2, longest))) if self.face.covers(c))
        return " ".join(text.split()) or self.source.word()

    def _token(self) -> str:
        token = self.source.token()
        return token if self.face.covers(token) else self.source.word()

    def _text(self, x: float, y: float, text: str, size: int) -> tuple[Point, Point]:
        font = self.face.at(size)
        self.pen.text((x, y), text, fill=255, font=font, anchor="ls")
        return self._line(x, x + font.getlength(text), y, text)

    def _line(self, x0: float, x1: float, y: float, text: str) -> tuple[Point, Point]:
        self.result.lines.append(((x0, y), (x1, y), text))
        return (x0, y), (x1, y)

    def _block(self, lines: list[tuple[Point, Point]], em: int) -> None:
        if lines:
            x0, x1 = min(a[0] for a, _ in lines) - 0.5 * em, max(b[0] for _, b in lines) + 0.5 * em
            y0, y1 = lines[0][0][1] - 1.1 * em, lines[-1][0][1] + 0.5 * em
            self.result.regions.append([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def _scan(self, width: int, height: int) -> Page:
        rng = self.rng
        angle = float(rng.normal(0, 0.006))
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        cx, cy = width / 2, height / 2
        # the transform asks for each output pixel's source, the points go the other way
        warp = (cos, sin, cx - cos * cx - sin * cy, -sin, cos, cy + sin * cx - cos * cy)
        turned = self.canvas.transform(
            self.canvas.size, Image.Transform.AFFINE, warp, Image.Resampling.BILINEAR
        )

        def move(p: Point) -> Point:
            x, y = p[0] - cx, p[1] - cy
            return cos * x - sin * y + cx, sin * x + cos * y + cy

        image = ink_on_paper(turned, rng, strength=0.7)
        if rng.random() < 0.15:  # dark edge of a scan
            depth = int(rng.integers(2, 20))
            box = [(0, 0, depth, height), (width - depth, 0, width, height), (0, 0, width, depth)][
                rng.integers(3)
            ]
            ImageDraw.Draw(image).rectangle(box, fill=int(rng.integers(0, 90)))
        lines = [(move(a), move(b), t) for a, b, t in self.result.lines]
        return Page(image, lines, [[move(p) for p in r] for r in self.result.regions])
