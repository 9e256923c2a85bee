"""Draws the example page: a page of print with known text, made from nothing but Pillow.

    python examples/draw_page.py            # writes example.png and example.txt

The text file holds the lines of the page from top to bottom. The font is the one inside Pillow, so the
picture depends on nothing that is installed on the machine but Pillow itself.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

SIZE = (1000, 1400)
PAPER, INK = 243, 38
MARGIN, TOP = 95, 170
HEADING_SIZE, TEXT_SIZE, LEADING = 52, 36, 60

HEADING = "A page that draws itself"
PARAGRAPHS = (
    (
        "This page was drawn by a short program, so that",
        "every reader can begin without a scanner. The",
        "letters are plain, the paper is a little grey,",
        "and a sprinkle of noise stands for dust. First a",
        "network marks the foot of each line. Then every",
        "line is cut out along its own outline, and a",
        "second network reads it from left to right.",
    ),
    (
        "Real sources are harder. A ledger of 1784 may",
        "hold three hands, two languages and one spilled",
        "cup of coffee; a newspaper has columns, rules",
        "and type as small as 6 points. Nobody can fit",
        "all of that into models of this size, so treat",
        "them as a test of your installation, not as a",
        "judgement of what a trained engine can do.",
    ),
)
LINES = (HEADING, *(line for paragraph in PARAGRAPHS for line in paragraph))


def draw_page(seed: int = 0) -> Image.Image:
    """Returns the page as a grey picture; `seed` chooses the noise of the paper."""
    page = Image.new("L", SIZE, PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, TOP), HEADING, fill=INK, font=ImageFont.load_default(HEADING_SIZE), anchor="ls")
    font = ImageFont.load_default(TEXT_SIZE)
    y = TOP + round(0.8 * LEADING)
    for paragraph in PARAGRAPHS:
        y += round(0.7 * LEADING)
        for line in paragraph:
            pen.text((MARGIN, y), line, fill=INK, font=font, anchor="ls")
            y += LEADING
    noise = Image.frombytes("L", SIZE, random.Random(seed).randbytes(SIZE[0] * SIZE[1]))
    # uniform noise of ±6 grey levels
    return ImageChops.add(page, noise.point([value * 12 // 255 for value in range(256)]), offset=-6)


def main() -> None:
    """Writes the picture and its text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", nargs="?", type=Path, default=Path("example.png"), help="picture to write")
    args = parser.parse_args()
    draw_page().save(args.output)
    args.output.with_suffix(".txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
