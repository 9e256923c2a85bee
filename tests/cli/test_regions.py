"""``segment --regions-from``, ``--split-at-regions``, ``--join-gap`` and ``--min-confidence``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from kraken.containers import BaselineLine, Region, Segmentation
from kraken.serialization import serialize
from tests.robustness.images import page

Run = Callable[..., Result]

LEFT = Region("left", boundary=[[20, 20], [200, 20], [200, 140], [20, 140], [20, 20]])
RIGHT = Region("right", boundary=[[200, 20], [400, 20], [400, 140], [200, 140], [200, 20]])


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two pages and a folder with a file of regions for each."""
    (tmp_path / "regions").mkdir()
    for name, suffix in (("one", "alto"), ("two", "json")):
        page().save(tmp_path / f"{name}.png")
        line = BaselineLine("l", baseline=[[30, 100], [150, 100]], boundary=[[30, 90], [150, 90], [150, 105]])
        document = Segmentation(
            type="baselines",
            imagename=str(tmp_path / f"{name}.png"),
            text_direction="horizontal-lr",
            script_detection=False,
            lines=[line],
            regions={"text": [LEFT, RIGHT]},
        )
        target = tmp_path / "regions" / f"{name}.{'json' if suffix == 'json' else 'xml'}"
        if suffix == "json":
            target.write_text(json.dumps(dataclasses.asdict(document)))
        else:
            target.write_text(serialize(document, image_size=(420, 300), template=suffix))
    return tmp_path


def segmented(file: Path) -> Segmentation:
    return Segmentation(**json.loads(file.read_text()))


def test_a_folder_holds_the_regions_of_each_page(run: Run, layout_model: Path, pages: Path) -> None:
    chain = ("segment", "-bl", "-i", layout_model, "--regions-from", pages / "regions")
    inputs = ("-i", pages / "one.png", pages / "one.out", "-i", pages / "two.png", pages / "two.out")
    result = run(*inputs, *chain)
    assert result.exit_code == 0, result.stderr
    for name in ("one", "two"):
        found = segmented(pages / f"{name}.out")
        assert {r.id for group in found.regions.values() for r in group} == {"left", "right"}
        assert {tuple(line.regions) for line in found.lines} == {("left",), ("right",)}
        for line in found.lines:
            xs = [x for x, _ in line.baseline]
            assert max(xs) <= 201 if line.regions == ["left"] else min(xs) >= 199


def test_a_file_holds_the_regions_of_all_pages(run: Run, layout_model: Path, pages: Path) -> None:
    plain, out = pages / "plain.json", pages / "out.json"
    chain = ("segment", "-bl", "-i", layout_model)
    assert run("-i", pages / "one.png", plain, *chain).exit_code == 0
    regions = ("--regions-from", pages / "regions" / "two.json")
    assert run("-i", pages / "one.png", out, *chain, *regions).exit_code == 0
    below = [line for line in segmented(plain).lines if line.baseline[0][1] > 140]
    assert below
    assert not [line for line in segmented(out).lines if line.baseline[0][1] > 140]
    assert run("-i", pages / "one.png", out, *chain, *regions, "--keep-outside").exit_code == 0
    kept = [line for line in segmented(out).lines if line.baseline[0][1] > 140]
    assert len(kept) == len(below) and all(line.regions == [] for line in kept)


def test_regions_go_on_into_documents(run: Run, layout_model: Path, pages: Path) -> None:
    out = pages / "out.xml"
    chain = ("segment", "-bl", "-i", layout_model, "--regions-from", pages / "regions")
    assert run("-x", "-i", pages / "one.png", out, *chain).exit_code == 0
    assert 'TextRegion id="left"' in out.read_text() and 'TextRegion id="right"' in out.read_text()


def test_fragments_are_joined_across_gaps(run: Run, layout_model: Path, tmp_path: Path) -> None:
    im = page((420, 300))
    im.paste(245, (196, 0, 206, 120))  # a gap in the first two lines only
    im.save(tmp_path / "page.png")
    counts = []
    for gap in (0, 0.5):
        out = tmp_path / f"{gap}.json"
        chain = ("segment", "-bl", "-i", layout_model, "--join-gap", gap)
        assert run("-i", tmp_path / "page.png", out, *chain).exit_code == 0
        counts.append(len(segmented(out).lines))
    assert counts[1] < counts[0]


def test_lines_that_the_network_is_unsure_of_are_left_out(run: Run, layout_model: Path, pages: Path) -> None:
    counts = []
    for least in (0, 1):
        out = pages / f"{least}.json"
        chain = ("segment", "-bl", "-i", layout_model, "--min-confidence", least)
        assert run("-i", pages / "one.png", out, *chain).exit_code == 0
        counts.append(len(segmented(out).lines))
    assert counts[0] > counts[1] == 0
    result = run("-i", pages / "one.png", pages / "o", "segment", "--min-confidence", 0)
    assert result.exit_code != 0 and "--min-confidence are about baselines" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.json", None, "no such file or folder"),
        ("bad.json", "{", "can't be read"),
        ("bad.xml", "<a", "can't be read"),
        ("list.json", "[]", "can't be read"),
        ("empty", "", "holds no regions of one.png: put a file one.xml or one.json there"),
    ],
)
def test_what_is_wrong_is_said(
    name: str, content: str | None, message: str, run: Run, layout_model: Path, pages: Path
) -> None:
    path = pages / name
    if name == "empty":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    chain = ("segment", "-bl", "-i", layout_model, "--regions-from", path)
    result = run("-i", pages / "one.png", pages / "out.json", *chain)
    assert result.exit_code != 0
    assert message in result.stderr
    assert not (pages / "out.json").exists()


def test_a_file_without_regions_fails_the_page(run: Run, layout_model: Path, pages: Path) -> None:
    document = segmented(pages / "regions" / "two.json")
    empty = dataclasses.replace(document, regions={"text": []}, lines=[])
    (pages / "empty.json").write_text(json.dumps(dataclasses.asdict(empty)))
    chain = ("segment", "-bl", "-i", layout_model, "--regions-from", pages / "empty.json")
    result = run("-i", pages / "one.png", pages / "out.json", *chain)
    assert result.exit_code == 1
    assert "has no regions" in result.stderr


def test_keep_outside_needs_regions(run: Run, layout_model: Path, pages: Path) -> None:
    result = run("-i", pages / "one.png", pages / "o", "segment", "-bl", "-i", layout_model, "--keep-outside")
    assert result.exit_code == 2
    assert "add --regions-from" in result.stderr
