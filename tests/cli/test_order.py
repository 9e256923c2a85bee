"""``kraken segment --order``."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from PIL import Image, ImageDraw

from kraken.kraken import cli


def drawn(path: Path) -> None:
    """Two columns of words under a heading across both."""
    page = Image.new("1", (700, 520), 1)
    draw = ImageDraw.Draw(page)
    rows = [(40, 640, 40)] + [(x, x + 270, 110 + 40 * k) for x in (40, 380) for k in range(9)]
    for left, right, y in rows:
        for x in range(left, right, 12):
            draw.rectangle((x, y, x + 8, y + 14), fill=0)
    page.save(path)


def test_right_to_left_columns_stay_together(tmp_path: Path) -> None:
    drawn(tmp_path / "page.png")
    orders = {}
    for order in ("recorded", "columns"):
        out = tmp_path / f"{order}.json"
        args = ["-i", str(tmp_path / "page.png"), str(out), "segment", "-x", "-d", "horizontal-rl"]
        done = CliRunner().invoke(cli, [*args, "--order", order])
        assert done.exit_code == 0, done.output
        boxes = [line["bbox"] for line in json.loads(out.read_text())["lines"]]
        orders[order] = [(box[0] > 350, box[1]) for box in boxes if box[1] > 100]
    assert sorted(orders["recorded"]) == sorted(orders["columns"])
    assert orders["columns"] == sorted(orders["columns"], key=lambda place: (not place[0], place[1]))
    assert orders["recorded"] != orders["columns"]
