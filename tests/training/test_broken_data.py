"""A tenth of the data is broken in every way: training goes on and the summary names each fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import Result
from PIL import Image

from kraken.lib.arrow_dataset import build_binary_dataset
from tests.training.conftest import SPEC, WORDS, drawn, write_page

#: enough good lines for one broken one in ten
GOOD_PAGES = 7


def train(
    ketos: Callable[..., Result], workers: int, folder: Path, *files: Path, options: tuple[str, ...] = ()
) -> str:
    common = ("-s", SPEC, "--pad", "2", "-q", "fixed", "-N", "1", "-r", "0.01", "-B", "4", *options)
    result = ketos("--workers", workers, "-s", "3", "train", "-o", folder, *common, *files)
    assert result.exit_code == 0, result.output
    assert list(folder.glob("best_*.safetensors"))
    return str(result.stderr)


def summary(stderr: str) -> list[str]:
    """Lines of the summary; its head counts them."""
    lines = stderr.splitlines()
    (at,) = (i for i, line in enumerate(lines) if "faulty files or samples were skipped" in line)
    found = [line.strip() for line in lines[at + 1 :] if line.startswith("  ")]
    assert int(lines[at].split()[0]) == len(found)
    return found


def change(document: Path, old: str, new: str) -> Path:
    text = document.read_text(encoding="utf-8")
    assert old in text
    document.write_text(text.replace(old, new, 1), encoding="utf-8")
    return document


def broken_documents(folder: Path) -> tuple[list[Path], list[tuple[str, str, str]]]:
    """Documents with one faulty line each, and what the summary has to say: file, line, cause."""
    wanted = []
    files = []

    def page(name: str, texts: tuple[str, ...] = ("cab", "dad"), broken: tuple[int, ...] = ()) -> Path:
        files.append(write_page(folder, name, texts, broken))
        return files[-1]

    page("outside", broken=(1,))
    wanted.append(("outside", "outside_l1", "outside of image bounds"))
    page("gone", ("cab",))
    (folder / "gone.png").unlink()
    wanted.append(("gone", "gone_l0", "doesn't exist"))
    page("cut", ("bad cab",))
    data = (folder / "cut.png").read_bytes()
    (folder / "cut.png").write_bytes(data[: len(data) // 2])
    wanted.append(("cut", "cut_l0", "truncated"))
    document = page("bare")
    text = document.read_text(encoding="utf-8")
    start = text.index("<Coords", text.index('id="bare_l1"'))
    document.write_text(text[:start] + text[text.index("/>", start) + 2 :], encoding="utf-8")
    wanted.append(("bare", "bare_l1", "boundary"))
    change(page("mute"), "<Unicode>dad</Unicode>", "<Unicode> </Unicode>")
    wanted.append(("mute", "mute_l1", "empty"))
    document = page("point")
    text = document.read_text(encoding="utf-8")
    start = text.index("<Baseline points=", text.index('id="point_l1"'))
    document.write_text(
        text[:start] + '<Baseline points="12,46"/>' + text[text.index("/>", start) + 2 :], encoding="utf-8"
    )
    wanted.append(("point", "point_l1", "aseline"))
    document = page("torn")
    document.write_text(document.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    wanted.append(("torn", "torn.xml", ""))
    return files, wanted


@pytest.mark.parametrize("workers", [0, 1])
def test_documents(workers: int, tmp_path: Path, ketos: Callable[..., Result]) -> None:
    good = [write_page(tmp_path, f"good{i}", WORDS) for i in range(GOOD_PAGES)]
    broken, wanted = broken_documents(tmp_path)
    evaluation = write_page(tmp_path, "evaluation", WORDS[:3])
    listed = tmp_path / "evaluation.txt"
    listed.write_text(f"{evaluation}\n")
    # one epoch sees each line once
    stderr = train(ketos, workers, tmp_path / "out", *good, *broken, options=("-e", str(listed)))
    found = summary(stderr)
    assert len(found) == len(wanted)
    for file, line, cause in wanted:
        (message,) = (entry for entry in found if f"{file}." in entry)
        assert line in message, message
        assert cause in message, message


@pytest.mark.parametrize("workers", [0, 1])
def test_line_images(workers: int, tmp_path: Path, ketos: Callable[..., Result]) -> None:
    files = []
    for i in range(30):
        files.append(tmp_path / f"l{i}.png")
        Image.fromarray(drawn(WORDS[i % 10])).save(files[-1])
        (tmp_path / f"l{i}.gt.txt").write_text(WORDS[i % 10], encoding="utf-8")
    (tmp_path / "l3.gt.txt").write_bytes("Käse".encode("latin-1"))
    (tmp_path / "l4.gt.txt").write_text("")
    (tmp_path / "l5.gt.txt").unlink()
    files[6].write_bytes(files[6].read_bytes()[:60])
    files[7].write_bytes(b"no image")
    listed = tmp_path / "evaluation.txt"
    listed.write_text("".join(f"{file}\n" for file in files[:3]))
    stderr = train(ketos, workers, tmp_path / "out", *files[3:], options=("-e", str(listed), "-f", "path"))
    found = summary(stderr)
    causes = {"l3": "UTF-8", "l4": "empty", "l5": "No such file", "l6": "truncated", "l7": "cannot identify"}
    assert len(found) == len(causes)
    for name, cause in causes.items():
        (message,) = (entry for entry in found if f"{name}." in entry)
        assert cause in message, message


@pytest.mark.parametrize("workers", [0, 1])
def test_compiled_files(workers: int, tmp_path: Path, ketos: Callable[..., Result]) -> None:
    pages = [write_page(tmp_path, f"page{i}", WORDS) for i in range(4)]
    compiled = tmp_path / "data.arrow"
    build_binary_dataset(pages, compiled, format_type="page", recordbatch_size=10)
    with pa.OSFile(str(compiled)) as source:
        table = pa.ipc.open_file(source).read_all()
    rows = table["lines"].to_pylist()
    content = bytearray(compiled.read_bytes())
    # a picture of the first batch
    at = content.index(rows[4]["im"])
    content[at : at + 64] = bytes(64)
    # the ends of the texts of the second batch
    ends = b"".join(sum(len(row["text"]) for row in rows[:n]).to_bytes(4, "little") for n in range(11))
    at = content.index(ends, content.index(rows[9]["im"]))
    content[at + 20 : at + 24] = b"\xff\xff\xff\x7f"
    compiled.write_bytes(content)
    torn = tmp_path / "torn.arrow"
    torn.write_bytes(bytes(content[:-50]))
    evaluation = tmp_path / "evaluation.arrow"
    build_binary_dataset(pages[:1], evaluation, format_type="page")
    listed = tmp_path / "evaluation.txt"
    listed.write_text(f"{evaluation}\n")
    options = ("-e", str(listed), "-f", "binary")
    found = summary(train(ketos, workers, tmp_path / "out", compiled, torn, options=options))
    assert len(found) == 3
    assert any("row 4 of record batch 0 of" in entry and "damaged" in entry for entry in found)
    assert any("record batch 1 of" in entry and "data.arrow" in entry for entry in found), "\n".join(found)
    assert any("torn.arrow" in entry for entry in found)
