"""Scores on real documents: how texts are compared, lines cut and readings remembered."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[3]
for folder in ("models", "tools"):
    if str(ROOT / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / folder))

import check_wheel  # noqa: E402
from evaluation import recognition, tesseract, truth  # noqa: E402

from kraken.containers import BaselineLine  # noqa: E402


def test_texts_are_compared_alike() -> None:
    assert truth.compared("e\u0301  la⸗\u00a0 Welt\n") == "é la- Welt"
    assert truth.compared("ſo “ſo”") == "ſo “ſo”"
    assert truth.folded("ſo „ſo“ — ﬁn…") == 'so "so" - fin...'


def test_rates_are_edits_per_element_of_truth() -> None:
    scores = recognition.score(["abc def", "ſag es"], ["abd def", "sag es"])
    assert scores.cer == pytest.approx(2 / 13)
    assert scores.wer == pytest.approx(2 / 4)
    assert scores.folded_cer == pytest.approx(1 / 13)
    assert scores.folded_wer == pytest.approx(1 / 4)


def example() -> truth.Page:
    image = Image.new("L", (200, 100), 220)
    draw = ImageDraw.Draw(image)
    draw.rectangle((30, 30, 150, 40), fill=20)
    draw.rectangle((30, 62, 150, 70), fill=10)
    line = BaselineLine(
        "a", baseline=[(20, 42), (160, 42)], boundary=[(20, 20), (160, 20), (160, 65), (20, 50)], text="x"
    )
    return truth.Page("set", "page", image, [line])


def test_lines_for_other_engines_have_paper_around_them() -> None:
    page = example()
    pixels = np.asarray(truth.line_image(page, page.lines[0]))
    assert pixels.shape == (46 + 20, 141 + 20)
    assert (pixels[:10] == 220).all() and (pixels[:, :10] == 220).all()
    assert (pixels == 20).any()
    # the line below, but for what the polygon holds of it
    assert (pixels == 10).sum() < 300


def test_lines_are_spread_over_a_set(tmp_path: Path) -> None:
    folder = tmp_path / "lines" / "gt4histcomment" / "cu31924087948174"
    folder.mkdir(parents=True)
    for i in range(9):
        Image.new("L", (60 + i, 20), 200).save(folder / f"{i}.png")
        (folder / f"{i}.gt.txt").write_text(f"line {i}", encoding="utf-8")
    (tmp_path / "pages").mkdir()
    chosen = list(truth.pages(tmp_path, ["gt4histcomment"], most_lines=3))
    assert [page.lines[0].text for page in chosen] == ["line 0", "line 3", "line 6"]
    assert len(list(truth.pages(tmp_path, ["gt4histcomment"]))) == 9
    assert chosen[0].segmentation().lines == chosen[0].lines


def test_readings_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def run(files: Any, languages: str, mode: int) -> list[str]:
        calls.append(len(files))
        return [f"{languages} {mode}"] * len(files)

    monkeypatch.setattr(tesseract, "_run", run)
    images = [Image.new("L", (5, 5), value) for value in (1, 2, 1)]
    cache = tmp_path / "cache.json"
    assert tesseract.Tesseract(cache).read(images, "deu", 7) == ["deu 7"] * 3
    assert tesseract.Tesseract(cache).read(images, "deu", 7) == ["deu 7"] * 3
    assert calls == [2]
    assert tesseract.Tesseract(cache).read(images[:1], "deu", 13) == ["deu 13"] and calls == [2, 1]


def test_the_table_names_the_best_reading_and_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages").mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 90), dtype=np.uint8))
    lines = {"gt4histcomment/cu31924087948174/a": "abcd", "print-en-alto/radcliffe_udolpho/a": "abce ab"}
    for name, text in lines.items():
        path = tmp_path / "lines" / name
        path.parent.mkdir(parents=True)
        picture.save(path.with_suffix(".png"))
        path.with_suffix(".gt.txt").write_text(text, encoding="utf-8")
    texts = {7: "abce", 13: "xxxx"}
    monkeypatch.setattr(tesseract, "_run", lambda files, _, mode: [texts[mode]] * len(files))
    monkeypatch.setattr(recognition, "CACHE", tmp_path / "cache.json")
    sets = ["gt4histcomment", "print-en-alto"]
    rows = recognition.table(None, tmp_path, sets, None).splitlines()
    assert rows[0].startswith("| set | lines |") and len({row.count("|") for row in rows}) == 1
    assert rows[2].endswith("| 25.00 | 100.00 | 25.00 | 100.00 | eng+grc, 7 |")
    assert rows[3].endswith("| 42.86 | 50.00 | 42.86 | 50.00 | eng, 7 |")
    assert rows[4].startswith("| all | 2 | 11 |") and "| 36.36 | 66.67 |" in rows[4]
    assert rows[5].startswith("| mean of the 2 sets |") and "| 33.93 | 75.00 |" in rows[5]


def test_wheels_are_checked(tmp_path: Path) -> None:
    wheel = tmp_path / "kraken.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("kraken/assets/a.safetensors", b"x" * 2000)
    assert check_wheel.faults(wheel, 20) == ["kraken/assets/a.safetensors has no model card"]
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("kraken/assets/a.md", "card")
    assert check_wheel.faults(wheel, 20) == []
    assert "more than 0.001" in check_wheel.faults(wheel, 0.001)[0]
