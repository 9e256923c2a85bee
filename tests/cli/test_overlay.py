"""Pictures of results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from lxml import etree
from PIL import Image

from kraken.containers import BaselineOCRRecord, Segmentation
from kraken.serialization.overlay import Layers, to_html, to_image
from tests.cli.documents import SIZE, TEXTS, segmentation, write_all
from tests.robustness.images import page

Run = Callable[..., Result]


@pytest.mark.parametrize("kind", ["alto", "pagexml", "json"])
def test_lines_and_baselines_are_where_they_are(kind: str, run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)[kind]
    result = run("overlay", source, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    with Image.open(tmp_path / "out" / f"{source.stem}.overlay.png") as picture:
        assert picture.size == SIZE
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    for row in range(4):
        foot = 66 + 50 * row
        assert (pixels[foot, 60:370] == (20, 70, 220)).all(axis=-1).mean() > 0.95
        tint = pixels[48 + 50 * row, 60:370].mean(axis=0)
        assert (tint[1] > tint[0]) == (row % 2 == 0)  # green, red, …
    assert (np.ptp(pixels[260:, :], axis=-1) == 0).all()


def test_html_stands_alone_and_shows_the_text(run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["alto"]
    result = run("overlay", "-f", "html", source, "-o", tmp_path)
    assert result.exit_code == 0, result.stderr
    root = etree.parse(str(tmp_path / "alto.overlay.html")).getroot()
    lines = root.findall(".//{*}g[@class='line']")
    assert [line.get("data-text") for line in lines] == list(TEXTS)
    assert len(root.findall(".//{*}polyline")) == 4
    images = [image.get("href") or "" for image in root.findall(".//{*}image")]
    assert len(images) == 1 and images[0].startswith("data:image/jpeg;base64,")
    assert not root.findall(".//{*}script[@src]") and not root.findall(".//{*}link")


def test_hostile_text_stays_text() -> None:
    hostile = segmentation()
    for line in hostile.lines or []:
        line.text = "</script><script>alert(1)</script>\"'"
        line.id = '"><b>'
    hostile.regions = {"<i>": next(iter((hostile.regions or {}).values()))}
    root = etree.fromstring(to_html(page(), hostile).encode())
    assert len(root.findall(".//{*}script")) == 1
    assert not root.findall(".//{*}b") and not root.findall(".//{*}i")


def test_confidence_colours_lines() -> None:
    seg = segmentation()
    line = (seg.lines or [])[0]
    pictures = []
    for confidence in (0.2, 1.0):
        record = BaselineOCRRecord("ab", [(0, 9), (9, 20)], [confidence] * 2, line)
        part = Segmentation("baselines", "page.png", "horizontal-lr", False, [record])
        pictures.append(np.asarray(to_image(page(), part)).astype(int)[48, 60:370].mean(axis=0))
        assert f'data-confidence="{100 * confidence:.1f}"' in to_html(page(), part)
    assert pictures[0][0] > pictures[0][1] and pictures[1][1] > pictures[1][0]


def test_layers_can_be_left_out_and_size_is_limited() -> None:
    nothing = Layers(regions=False, lines=False, baselines=False, numbers=False)
    picture = np.asarray(to_image(page(), segmentation(), layers=nothing))
    assert (picture == np.asarray(page().convert("RGB"))).all()
    assert to_image(page(), segmentation(), max_height=100).size == (140, 100)


def test_odd_geometry_is_drawn_as_far_as_it_can() -> None:
    seg = segmentation()
    lines = list(seg.lines or [])
    lines[0].boundary, lines[1].baseline = None, None
    lines[2].boundary = [(-500, -500), (9000, -500), (9000, 9000)]
    lines[3].boundary = lines[3].baseline = None
    assert to_image(page(), seg).size == SIZE
    etree.fromstring(to_html(page(), seg).encode())


def test_one_bad_file_does_not_cost_the_rest(run: Run, tmp_path: Path) -> None:
    paths = write_all(tmp_path)
    (tmp_path / "bad.xml").write_text("<alto")
    (tmp_path / "broken.json").write_text('{"type": "baselines"}')
    lost = tmp_path / "lost.json"
    lost.write_text(json.dumps({**json.loads(paths["json"].read_text()), "imagename": "gone.png"}))
    out = tmp_path / "out"
    result = run(
        "--json", "overlay", "-o", out, *(tmp_path / n for n in ("bad.xml", "alto.xml", "broken.json")), lost
    )
    assert result.exit_code == 1
    assert "3 of 4 inputs failed" in result.stderr and "gone.png" in result.stderr
    summary = json.loads(result.stdout)
    assert [bool(entry["error"]) for entry in summary["results"]] == [True, False, True, True]
    assert summary["succeeded"] == 1 and summary["failed"] == 3 and summary["skipped"] == 0
    assert [path.name for path in out.iterdir()] == ["alto.overlay.png"]


def test_usage_errors(run: Run, tmp_path: Path) -> None:
    paths = write_all(tmp_path)
    (tmp_path / "sub").mkdir()
    twin = tmp_path / "sub" / "alto.xml"
    twin.write_text(paths["alto"].read_text())
    for args in (
        ("overlay",),
        ("overlay", tmp_path / "nothing.xml"),
        ("overlay", tmp_path),
        ("overlay", "-o", tmp_path / "out", paths["alto"], twin),
        ("-i", tmp_path / "page.png", tmp_path / "o", "overlay", paths["alto"]),
        ("--alto", "overlay", paths["alto"]),
        ("-o", ".png", "overlay", paths["alto"]),
    ):
        result = run(*args)
        assert result.exit_code == 2, args
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_results_of_pdf_pages(count: int, run: Run, tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
    paths = write_all(tmp_path)
    page(SIZE).save(
        tmp_path / "book.pdf", save_all=True, append_images=[page(SIZE)] * (count - 1), resolution=300
    )
    named = {**json.loads(paths["json"].read_text()), "imagename": str(tmp_path / "book.pdf")}
    paths["json"].write_text(json.dumps(named))
    result = run("overlay", paths["json"], "-o", tmp_path / "out")
    if count == 1:
        assert result.exit_code == 0, result.stderr
        with Image.open(tmp_path / "out" / "seg.overlay.png") as picture:
            assert picture.size == SIZE
    else:
        assert result.exit_code == 1 and "book.pdf" in result.stderr


def test_pages_of_books_are_found_by_history_name_or_option(
    run: Run, layout_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
    monkeypatch.chdir(tmp_path)
    sizes = [(420, 300), (300, 420), (500, 350)]
    pages = [page(size).convert("RGB") for size in sizes]
    pages[0].save("book.pdf", save_all=True, append_images=pages[1:], resolution=300)
    chain = ("segment", "-bl", "-i", layout_model)
    assert run("-f", "pdf", "-I", "book.pdf", "-o", ".json", *chain).exit_code == 0
    assert run("-f", "pdf", "-a", "-p", "scan{idx}", "-I", "book.pdf", "-o", ".xml", *chain).exit_code == 0
    for names in ([f"book.pdf_00000{n}.json" for n in range(3)], [f"scan{n}.xml" for n in range(3)]):
        result = run("overlay", "-o", "out", *names)
        assert result.exit_code == 0, result.stderr
        assert result.stderr == ""
        for name, size in zip(names, sizes, strict=True):
            with Image.open(Path("out", f"{Path(name).stem}.overlay.png")) as picture:
                assert picture.size == size
    Path("book.pdf_000001.json").rename("other.json")
    for command in (["overlay"], ["lines"], ["convert", "-t", "alto"]):
        unknown = run(*command, "-o", "out", "other.json")
        assert unknown.exit_code == 1 and "--page" in unknown.stderr
        beyond = run(*command, "--page", 4, "-o", "out", "other.json")
        assert beyond.exit_code == 1 and "only 3" in beyond.stderr
        found = run(*command, "--page", 2, "-o", "out", "other.json")
        assert found.exit_code == 0, found.stderr
    with Image.open("out/other.overlay.png") as picture:
        assert picture.size == sizes[1]
    result = run("repolygonize", "--page", 1, "-o", "out", "scan1.xml")
    assert result.exit_code == 0 and "300x420" in result.stderr
