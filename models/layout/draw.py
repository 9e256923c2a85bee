"""Drawn pages for the layout network: books, lists, tables, letters and pages with notes, as photographed."""

from __future__ import annotations

import itertools

import numpy as np
from common.pages import PageWriter
from common.text import TextSource
from common.typefaces import Typefaces
from PIL import Image

from .pictures import chart, engraving, ornament
from .real import Sheet

__all__ = ["draw_sheet"]

_KINDS = {
    "roman": 0.34,
    "early": 0.1,
    "italic": 0.06,
    "sans": 0.05,
    "typewriter": 0.1,
    "fraktur": 0.1,
    "script": 0.25,
}


def draw_sheet(seed: int, typefaces: Typefaces, height: int, *, dense: bool = False) -> Sheet:
    """Draws the sheet of a seed, `height` pixels high.

    Args:
        seed: What everything follows from.
        typefaces: What to set it in.
        height: Of the sheet, in pixels.
        dense: Whether there may be newspapers, advertisements, faint ink, and tables with short entries.
    """
    rng = np.random.default_rng([7, seed])
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    make = _DenseWriter if dense else _SheetWriter
    writer = make(TextSource(rng), [typefaces.choose(rng, kind)], height)
    writer.hand = kind == "script"
    page = writer.page()
    image, (dx, dy) = page.image, (0.0, 0.0)
    if rng.random() < 0.35:
        image, (dx, dy) = _photographed(page.image, rng)
    shift = np.array([dx, dy])
    return Sheet(
        np.asarray(image),
        [np.array(line[:2]) + shift for line in page.lines],
        [np.array(region) + shift for region in page.regions],
        source=f"drawn/{seed}",
    )


class _SheetWriter(PageWriter):
    """Adds tables, marginal notes and writing by hand to the pages of books."""

    hand = False

    def _column(self, left: float, right: float, top: float, bottom: float, em: int) -> None:
        chance = self.rng.random()
        if chance < 0.13 and right - left > 16 * em:
            self._table(left, right, top, bottom, em)
            return
        if chance < 0.20 and right - left > 14 * em:
            self._list(left, right, top, bottom, em)
            return
        if chance < 0.35 and right - left > 20 * em:
            margin = float(self.rng.uniform(5, 9)) * em
            at_left = self.rng.random() < 0.5
            self._notes(left if at_left else right - margin + em, margin - em, top, bottom, em)
            left, right = (left + margin, right) if at_left else (left, right - margin)
        if self.rng.random() < 0.12:
            top = self._picture(left, right, top, em, bottom)
        super()._column(left, right, top, bottom, em)

    def _interruption(self, left: float, right: float, y: float, em: int, stop: float) -> float:
        if self.rng.random() < 0.45:
            return super()._interruption(left, right, y, em, stop)
        return self._picture(left, right, y, em, stop)

    def _picture(self, left: float, right: float, y: float, em: int, stop: float) -> float:
        height = float(self.rng.uniform(3, 22)) * em
        if y + height > stop or right - left < 4 * em:
            return y
        make = engraving
        if self.rng.random() < 0.3:
            make, height = ornament, float(self.rng.uniform(0.6, 2.5)) * em
        wide = (right - left) * float(self.rng.uniform(0.4, 1))
        place = (int(left + self.rng.uniform(0, 1) * (right - left - wide)), int(y + 0.4 * em))
        self.canvas.paste(make(max(8, int(wide)), max(8, int(height)), self.rng), place)
        return y + height + 0.8 * em

    def _filled(self, left: float, right: float, y: float, em: int, *, justified: bool):  # type: ignore[no-untyped-def]
        if self.hand:  # nobody writes along a ruler
            y += float(self.rng.normal(0, 0.08)) * em
            left += float(abs(self.rng.normal(0, 0.4))) * em
            right -= float(abs(self.rng.normal(0, 1.5))) * em
            justified = False
        return super()._filled(left, max(left + 3 * em, right), y, em, justified=justified)

    def _notes(self, left: float, width: float, top: float, bottom: float, em: int) -> None:
        small = max(7, int(em * self.rng.uniform(0.65, 0.95)))
        y = top + float(self.rng.uniform(0, 12)) * em
        while y < bottom - 4 * small:
            block = []
            for _ in range(int(self.rng.integers(1, 7))):
                if y < bottom:
                    block.append(self._filled(left, left + width, y, small, justified=False))
                    y += small * float(self.rng.uniform(1.1, 1.3))
            self._block(block, small)
            y += float(self.rng.uniform(2, 25)) * em

    def _list(self, left: float, right: float, top: float, bottom: float, em: int) -> None:
        """Entries with a number at the right, each one line: leaders or white between the two."""
        rng = self.rng
        leading = em * float(rng.uniform(1.15, 2.0))
        dotted = rng.random() < 0.7
        step = em * float(rng.uniform(0.4, 1.6))
        y, block = top + 1.3 * em, []
        font = self.face.at(em)
        while y < bottom:
            if rng.random() < 0.15:
                middle = (left + right) / 2
                wide = float(rng.uniform(2, 7)) * em
                block.append(self._filled(middle - wide, middle + wide, y, em, justified=False))
                y += leading
                continue
            start = left + (float(rng.uniform(0.5, 2)) * em if rng.random() < 0.3 else 0)
            (_, _), (x, _) = self._entry(start, float(rng.uniform(left + 4 * em, right - 5 * em)), y, em)
            price = f"{int(rng.integers(1, 9000))}{rng.choice(['', '.', '. —', ' —', '.50'])}"
            place = right - font.getlength(price)
            self.pen.text((place, y), price, fill=255, font=font, anchor="ls")
            while dotted and x + step < place - 0.4 * em:
                x += step
                self.pen.text((x, y), ".", fill=255, font=font, anchor="ls")
            block.append(self._line(start, right, y, ""))
            y += leading
        self._block(block, em)

    def _entry(self, left: float, right: float, y: float, em: int):  # type: ignore[no-untyped-def]
        """Sets words that aren't a line by themselves."""
        ends = self._filled(left, right, y, em, justified=False)
        self.result.lines.pop()
        return ends

    def _table(self, left: float, right: float, top: float, bottom: float, em: int) -> None:
        rng = self.rng
        count = int(rng.integers(2, 7))
        edges = left + (right - left) * np.cumsum(np.concatenate([[0], rng.dirichlet([3.0] * count)]))
        leading = em * float(rng.uniform(1.2, 2.4))
        rules, tone, width = rng.random(2) < 0.6, int(rng.integers(90, 255)), int(rng.integers(1, 3))
        first, y = top + 0.2 * em, top + 1.3 * em
        block = []
        while y < bottom:
            for x0, x1 in itertools.pairwise(edges):
                if x1 - x0 > 2.5 * em and rng.random() < 0.8:
                    block.append(self._cell(x0, x1, y, em))
            if rules[0]:
                self.pen.line([(left, y + 0.35 * em), (right, y + 0.35 * em)], fill=tone, width=width)
            y += leading
        if rules[1]:
            for x in edges:
                self.pen.line([(x, first), (x, y - leading + 0.4 * em)], fill=tone, width=width)
        self._block(block, em)

    def _cell(self, left: float, right: float, y: float, em: int):  # type: ignore[no-untyped-def]
        end = left + 0.6 * em + float(self.rng.uniform(0.2, 1.0)) * (right - left - em)
        return self._filled(left + 0.5 * em, end, y, em, justified=False)


class _DenseWriter(_SheetWriter):
    """Adds newspapers, advertisements, tables with short entries, and faint ink."""

    columns = (1, 1, 1, 1, 2, 2, 2, 3, 4)

    def page(self):  # type: ignore[no-untyped-def]
        chance = self.rng.random(3)
        if chance[0] < 0.35:
            self.lines_a_page = (68, 100)
        self.short = 0.7 if chance[1] < 0.5 else 0.0
        self.faint = float(self.rng.uniform(0.2, 0.7)) if chance[2] < 0.25 else 1.0
        return super().page()

    def _scan(self, width: int, height: int):  # type: ignore[no-untyped-def]
        if self.faint < 1:
            self.canvas.paste(self.canvas.point([round(v * self.faint) for v in range(256)]))
        return super()._scan(width, height)

    def _column(self, left: float, right: float, top: float, bottom: float, em: int) -> None:
        chance = self.rng.random()
        if chance < 0.12 and right - left > 10 * em:
            self._advertisements(left, right, top, bottom, em)
        elif chance < 0.24 and right - left > 16 * em:
            self._table(left, right, top, bottom, em)
        else:
            super()._column(left, right, top, bottom, em)

    def _cell(self, left: float, right: float, y: float, em: int):  # type: ignore[no-untyped-def]
        rng = self.rng
        if rng.random() >= self.short:
            return super()._cell(left, right, y, em)
        # amounts, dates, dittos: little ink, anywhere in the cell
        n = int(10 ** rng.uniform(0, 4.5))
        amounts = [str(n), f"{n / 100:.2f}", f"{n % 31 + 1}", f"{n} —"]
        text = str(rng.choice([*amounts, "id.", "do", "„", "»", self.source.word()]))
        room = max(0.0, right - left - em - self.face.at(em).getlength(text))
        return self._text(left + 0.5 * em + float(rng.uniform(0, 1)) * room, y, text, em)

    def _advertisements(self, left: float, right: float, top: float, bottom: float, em: int) -> None:
        """Boxes, each with centred lines of all sizes."""
        rng = self.rng
        y = top
        while y < bottom - 5 * em:
            first, block = y, []
            y += 0.4 * em
            for _ in range(int(rng.integers(2, 12))):
                size = max(9, int(em * np.exp(rng.normal(0, 0.35))))
                if y + 1.3 * size > bottom:
                    break
                y += float(rng.uniform(0.95, 1.4)) * size
                inside = right - left - 2 * em
                wide = inside * float(rng.uniform(0.3, 1)) if rng.random() < 0.5 else inside
                start = left + em + (inside - wide) / 2
                block.append(self._filled(start, start + wide, y, size, justified=rng.random() < 0.6))
            y += 0.7 * em
            self._block(block, em)
            if rng.random() < 0.7:
                box = (left, first, right, y)
                self.pen.rectangle(box, outline=int(rng.integers(120, 256)), width=int(rng.integers(1, 4)))
            y += float(rng.uniform(0.2, 1.5)) * em


def _photographed(page: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, tuple[float, float]]:
    """The page on a table or beside its neighbour, smaller in a picture of the same height."""
    w, h = page.size
    ground = int(rng.integers(0, 120)) if rng.random() < 0.7 else int(rng.integers(120, 240))
    grow = rng.uniform(0.0, 0.08, 4) * (w, h, w, h)
    if rng.random() < 0.4:
        grow[2 * int(rng.integers(2))] = rng.uniform(0.05, 0.3) * w
    left, top, right, bottom = (int(v) for v in grow)
    out = Image.new("L", (w + left + right, h + top + bottom), ground)
    if (
        rng.random() < 0.6 and max(left, right) > 20
    ):  # the facing page, with ends of its lines: nobody wants them
        at_left = left >= right
        wide = left if at_left else right
        slip = (
            page.crop((int(w * 0.55) - wide, 0, int(w * 0.55), h))
            if at_left
            else page.crop((int(w * 0.45), 0, int(w * 0.45) + wide, h))
        )
        out.paste(slip, (0 if at_left else left + w, top + int(rng.normal(0, 0.01) * h)))
    out.paste(page, (left, top))
    if rng.random() < 0.25:
        wide = int(rng.uniform(0.03, 0.1) * out.width)
        strip = chart(wide, int(out.height * rng.uniform(0.3, 1)), rng)
        # beside the page where there is room, else over its edge
        room = right if rng.random() < 0.5 else left
        out.paste(strip, (max(0, left - wide) if room == left else min(left + w, out.width - wide), 0))
    if rng.random() < 0.5:  # the shadow of the fold
        ramp = np.ones(out.width, np.float32)
        depth = int(rng.uniform(0.02, 0.1) * out.width)
        edge = left if rng.random() < 0.5 else left + w - depth
        ramp[max(0, edge) : edge + depth] = np.linspace(0.4, 1, len(ramp[max(0, edge) : edge + depth]))
        out = Image.fromarray((np.asarray(out, np.float32) * ramp).astype(np.uint8))
    return out, (float(left), float(top))
