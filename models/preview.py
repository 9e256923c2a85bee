"""Writes a contact sheet of what the recipes of the default models draw.

python -m models.preview lines -o lines.png
python -m models.preview pages -o pages.png --truth
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import fonts
from common.corpus import Corpus
from common.typefaces import Typefaces


def lines_sheet(count: int, seed: int, stage: int) -> Image.Image:
    """Draws lines in two columns, each above its text."""
    from latin_print.alphabet import ALPHABET
    from latin_print.draw import HEIGHT, draw_line
    from latin_print.train import STAGES

    corpus, typefaces = Corpus(np.random.default_rng(seed), ALPHABET), Typefaces()
    labels, row, width = fonts.faces()[::-1], HEIGHT + 24, 900
    sheet = Image.new("L", (2 * width, -(-count // 2) * row), 255)
    pen = ImageDraw.Draw(sheet)
    done = 0
    while done < count:
        drawn = draw_line(corpus, typefaces, 60, STAGES[stage - 1][3])
        if drawn is None:
            continue
        x, y = done % 2 * width + 5, done // 2 * row + 2
        sheet.paste(Image.fromarray(255 - drawn.image[:, : width - 10]), (x, y))
        label = next((face for face in labels if face.covers(drawn.text)), labels[0])
        pen.text((x + 16, y + HEIGHT), drawn.text, fill=110, font=label.at(15))
        done += 1
    return sheet


def pages_sheet(count: int, seed: int, *, truth: bool) -> Image.Image:
    """Draws pages in rows of six, as training sees them."""
    from layout.draw import draw_sheet
    from layout.view import view

    typefaces, side = Typefaces(), 480
    sheet = Image.new("RGB", (6 * side, -(-count // 6) * side), "white")
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        seen = view(draw_sheet(seed * 1000 + i, typefaces, 1440), rng, 1440, 1_500_000, whole=True)
        grey = 255 * (1 - seen.image[0, 0].numpy())
        picture = np.repeat(grey[..., None], 3, axis=2)
        if truth:
            start, end, body, text = (np.kron(m, np.ones((2, 2))) for m in seen.maps[0].numpy())
            height, width = (min(a, b) for a, b in zip(body.shape, grey.shape, strict=True))
            for channel, marks in enumerate((body, start, end)):
                where = marks[:height, :width, None] > 0.5
                colour = np.eye(3)[channel] * 255
                picture[:height, :width] = np.where(where, colour, picture[:height, :width])
            picture[:height, :width, 1] += 40 * text[:height, :width]
        tile = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
        tile.thumbnail((side - 6, side - 6))
        sheet.paste(tile, (i % 6 * side, i // 6 * side))
    return sheet


def main() -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("lines", "pages"))
    parser.add_argument("-o", "--output", type=Path, required=True, help="picture to write")
    parser.add_argument("-n", "--count", type=int, default=36, help="how many (default 36)")
    parser.add_argument("--seed", type=int, default=1, help="seed of all randomness (default 1)")
    parser.add_argument(
        "--stage", type=int, choices=range(1, 6), default=1, help="of training on lines (default 1)"
    )
    parser.add_argument("--truth", action="store_true", help="pages with their truth in colours")
    args = parser.parse_args()
    sheet = (
        lines_sheet(args.count, args.seed, args.stage)
        if args.what == "lines"
        else pages_sheet(args.count, args.seed, truth=args.truth)
    )
    sheet.save(args.output)
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
