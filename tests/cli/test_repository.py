"""kraken list, show and get against a local server."""

from __future__ import annotations

import json
import pickle
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from kraken import repo
from kraken.lib.exceptions import KrakenRepoException
from kraken.models.bundled import bundled_models
from tests.cli.model_repository import Repository

Run = Callable[..., Result]
client: Any = pytest.importorskip("htrmopo.repo", reason="htrmopo isn't installed")


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t")[0] for line in result.stdout.splitlines()]
    return [row.rpartition(".")[2] for row in rows]


def test_models_are_listed_by_concept_newest_first(run: Run, repository: Repository) -> None:
    result = run("list")
    assert ids(result) == ["10", "12", "11", "30", "31", "20", "21"]
    assert "Layout [any]" in result.stdout and "Other engine" not in result.stdout


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--recognition"], ["10", "12", "11"]),
        (["--segmentation"], ["20", "21"]),
        (["--reading-order"], ["30", "31"]),
        (["--recognition", "--segmentation"], ["10", "12", "11", "20", "21"]),
        (["--recognition", "--all"], ["10", "12", "11", "30", "31", "20", "21"]),
        (["-l", "fra"], ["20", "21"]),
        (["-l", "fra", "-l", "lat"], ["10", "12", "11", "30", "31", "20", "21"]),
        (["-l", "fra", "-s", "Arab"], []),
        (["-s", "arab"], ["30", "31"]),
        (["-k", "kw11"], ["10", "11"]),
    ],
)
def test_filters(filters: list[str], expected: list[str], run: Run, repository: Repository) -> None:
    assert ids(run("list", *filters)) == expected


def test_a_record_is_shown(run: Run, repository: Repository) -> None:
    result = run("show", "10.5281/zenodo.12")
    assert result.exit_code == 0, result.stderr
    for words in (
        "Latin print, second",
        "10.5281/zenodo.10",
        "2025-06-01",
        "lat",
        "Latn",
        "cer: 2.50",
        "CC-BY-4.0",
    ):
        assert words in result.stdout
    assert "Somewhere" in result.stdout and "A model." in result.stdout
    assert json.loads(run("--json", "show", "10.5281/zenodo.12").stdout)["doi"] == "10.5281/zenodo.12"
    missing = run("show", "-V", "v0", "10.5281/zenodo.12")
    assert missing.exit_code == 1 and "metadata" in missing.stderr


def test_a_model_is_fetched_once(run: Run, repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "DATA" / "htrmopo" / str(uuid.uuid5(uuid.NAMESPACE_DNS, "10.5281/zenodo.12"))
    result = run("get", "10.5281/zenodo.12")
    assert result.exit_code == 0, result.stderr
    assert str(folder) in result.stdout and "model.safetensors" in result.stdout
    assert (folder / "model.safetensors").read_bytes() == b"weights" * 1000
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    before = len(repository.requests)
    assert run("get", "10.5281/zenodo.12").exit_code == 0
    assert run("get", "--offline", "10.5281/zenodo.12").exit_code == 0
    assert len(repository.requests) == before


def test_a_concept_stands_for_its_newest_version(run: Run, repository: Repository) -> None:
    result = run("get", "10.5281/zenodo.10")
    assert result.exit_code == 0, result.stderr
    assert str(repo.model_folder("10.5281/zenodo.12")) in result.stdout


def test_a_fetched_model_is_found_and_listed(run: Run, repository: Repository, text_model: Path) -> None:
    repository.models[1].content = text_model.read_bytes()
    run("get", "10.5281/zenodo.12")
    result = run("list", "--installed", "--recognition")
    names = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert names == [*(model.name for model in bundled_models("recognition")), "model.safetensors"]
    rows = [line.split("\t") for line in run("list", "--installed").stdout.splitlines()]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["tiny-layout"][0] == "segmentation" and by_name["tiny-layout"][3] == "Apache-2.0"
    assert "Latin (110 characters)" in by_name["tiny-recognition"][1]
    assert by_name["model.safetensors"][0] == "recognition"
    # "a", "b", "c" and a blank
    assert "Latin (4 characters)" in by_name["model.safetensors"][1]
    described = json.loads(run("--json", "list", "--installed", "--segmentation").stdout)
    assert {"name", "tasks", "script", "licence", "size", "path"} <= set(described[0])


def test_licences_come_from_model_cards_and_damaged_files_are_listed(
    run: Run, repository: Repository, text_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "DATA" / "kraken" / "mine"
    folder.mkdir(parents=True)
    (folder / "hand.safetensors").write_bytes(text_model.read_bytes())
    (folder / "hand.md").write_text("---\ntitle: x\nlicense: CC-BY-4.0\n---\n")
    (folder / "broken.safetensors").write_bytes(b"\xff" * 40)
    (folder / "broken.mlmodel").write_bytes(b"\xff" * 40)
    found = {m["name"]: m for m in json.loads(run("--json", "list", "--installed").stdout)}
    assert found["hand.safetensors"]["licence"] == "CC-BY-4.0"
    assert found["broken.safetensors"]["tasks"] == found["broken.mlmodel"]["tasks"] == []
    assert run("show", "hand.safetensors").exit_code == 0
    broken = run("show", "broken.safetensors")
    assert broken.exit_code == 2 and "broken.safetensors" in broken.stderr


def test_bundled_models_are_shown_with_card_and_cost(run: Run) -> None:
    for model in bundled_models():
        result = run("show", model.name)
        assert result.exit_code == 0, result.stderr
        assert model.card.read_text(encoding="utf-8").strip() in result.stdout
        assert "multiply-adds" in result.stdout
        assert (str(model.language_model) in result.stdout) == (model.stem == "latin_print")
    facts = json.loads(run("--json", "show", "tiny_layout.safetensors").stdout)
    assert facts["models"][0]["multiply_adds"] > 1e9 and facts["card"].startswith("# tiny_layout")


def test_a_partial_download_is_no_model(run: Run, repository: Repository) -> None:
    repository.models[1].stated = 10_000
    result = run("get", "10.5281/zenodo.12")
    assert result.exit_code == 1 and "of 10" in result.stderr
    folder = repo.model_folder("10.5281/zenodo.12")
    assert not folder.exists() and not list(folder.parent.iterdir())
    # What an interrupted download of other software left behind
    folder.mkdir()
    (folder / "README.md").write_text("x")
    repository.models[1].stated = None
    assert run("get", "10.5281/zenodo.12").exit_code == 0
    assert (folder / "model.safetensors").exists()


@pytest.mark.parametrize("command", ["show", "get"])
def test_unknown_and_foreign_models(command: str, run: Run, repository: Repository) -> None:
    for model_id, word in (
        ("10.5281/zenodo.99", "no record"),
        ("10.5281/zenodo.41", "isn't a model for kraken"),
        ("nonsense", "nonsense"),
    ):
        result = run(command, model_id)
        assert result.exit_code == 1, model_id
        assert word in result.stderr and len(result.stderr.splitlines()) == 1


def test_without_network_the_host_is_named(
    run: Run, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_REPO_OAI_URL", "http://127.0.0.1:9/oai2d")
    monkeypatch.setattr(client.sickle, "endpoint", "http://127.0.0.1:9/oai2d")
    for command in (["list"], ["show", "10.5281/zenodo.12"], ["get", "10.5281/zenodo.12"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "127.0.0.1:9" in result.stderr and len(result.stderr.splitlines()) == 1


def test_offline_uses_what_was_fetched(run: Run, repository: Repository) -> None:
    first = run("list", "--offline")
    assert first.exit_code == 1 and "kraken list" in first.stderr
    online = run("list").stdout
    before = len(repository.requests)
    assert run("list", "--offline").stdout == online
    assert "Latin print, second" in run("show", "--offline", "10.5281/zenodo.10").stdout
    assert run("show", "--offline", "10.5281/zenodo.99").exit_code == 1
    assert run("get", "--offline", "10.5281/zenodo.12").exit_code == 1
    assert len(repository.requests) == before


def test_a_cache_can_not_run_code(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "CACHE" / "htrmopo" / "listing.pkl"
    cache.parent.mkdir(parents=True)
    mark = tmp_path / "mark"

    class Attack:
        def __reduce__(self) -> Any:
            return Path.touch, (mark,)

    cache.write_bytes(pickle.dumps({"content": Attack()}))
    with pytest.raises(KrakenRepoException, match=r"listing\.pkl"):
        repo.get_listing(offline=True)
    assert not mark.exists()


def test_records_of_the_first_version_show_their_alphabet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    record = client.v0RepositoryRecord(
        doi="10.5281/zenodo.1",
        concept_doi="10.5281/zenodo.2",
        creators=[{"name": "A. Author", "orcid": "0000", "affiliation": None}],
        summary="Old",
        description="first line\nsecond line",
        metrics={"cer": 1.5},
        license="Apache-2.0",
        script=["Latn"],
        distribution=[],
        graphemes=["b", "a", "\u0301", "\t"],
        publication_date=datetime(2020, 1, 1, tzinfo=timezone.utc),
        keywords=["kraken_pytorch"],
    )
    monkeypatch.setattr(repo, "get_description", lambda *_, **__: record)
    result = run("show", "10.5281/zenodo.1")
    assert result.exit_code == 0, result.stderr
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert ["alphabet", "ab"] in lines
    assert "0x9, COMBINING ACUTE ACCENT" in result.stdout
    assert "A. Author (0000)" in result.stdout and "second line" in result.stdout
