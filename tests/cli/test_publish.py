"""ketos publish against a local server."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from kraken.lib.ro import ROMLP
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models, write_models
from tests.cli.model_repository import TOKEN, Repository

pytest.importorskip("htrmopo", reason="htrmopo isn't installed")

Run = Callable[..., Result]

CARD: dict[str, Any] = {
    "summary": "Reads a, b and c",
    "authors": [{"name": "Author, A.", "affiliation": "Somewhere", "orcid": "0000-0002-1825-0097"}],
    "license": "CC-BY-4.0",
    "language": ["lat"],
    "script": ["Latn"],
    "tags": ["print"],
    "datasets": ["https://doi.org/10.5281/zenodo.7"],
    "base_model": ["https://doi.org/10.5281/zenodo.8"],
}


def write_card(folder: Path, text: str = "What it is *for*.", fence: str = "---", **changes: Any) -> Path:
    fields = {name: value for name, value in {**CARD, **changes}.items() if value is not None}
    path = folder / "card.md"
    path.write_text(f"{fence}\n{yaml.safe_dump(fields)}{fence}\n\n{text}\n", encoding="utf-8")
    return path


@pytest.fixture
def reader(text_model: Path, tmp_path: Path) -> Path:
    """A recognition model that was validated twice."""
    model = load_models(text_model)[0]
    model.user_metadata["metrics"] = [
        [0, {"val_accuracy": 0.5, "val_word_accuracy": 0.1}],
        [1, {"val_accuracy": 0.975, "val_word_accuracy": 0.75}],
    ]
    return write_models([model], tmp_path / "abc.safetensors")


def uploaded(repository: Repository, number: int = 901) -> dict[str, Any]:
    """Metadata of the card that was uploaded."""
    text = repository.drafts[number].files["README.md"].decode()
    metadata: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return metadata


@pytest.mark.parametrize("fence", ["---", "+++"])
def test_a_published_model_can_be_listed_and_fetched(
    fence: str, ketos: Run, run: Run, repository: Repository, reader: Path, tmp_path: Path
) -> None:
    result = ketos("publish", "-i", write_card(tmp_path, fence=fence), "-a", TOKEN, reader)
    assert result.exit_code == 0, result.output
    assert result.stdout == "model PID: 10.5281/zenodo.901\n"
    draft = repository.drafts[901]
    assert draft.published and draft.metadata["communities"] == [{"identifier": "ocr_models"}]
    assert draft.files["abc.safetensors"] == reader.read_bytes()
    metadata = uploaded(repository)
    assert metadata["id"] == "10.5281/zenodo.901"
    assert {name: metadata[name] for name in CARD} == {**CARD, "tags": ["print", "kraken_pytorch"]}
    assert metadata["software_name"] == "kraken" and metadata["model_type"] == ["recognition"]
    assert metadata["metrics"] == {"cer": 2.5, "wer": 25.0}
    assert metadata["software_hints"] == [
        "kind=safetensors",
        "version>=5.0.0",
        "seg_type=baselines",
        "one_channel_mode=None",
        "legacy_polygons=False",
    ]
    shown = run("show", "10.5281/zenodo.901")
    assert shown.exit_code == 0 and "What it is *for*." in shown.stdout and "cer: 2.50" in shown.stdout
    old = run("show", "-V", "v0", "10.5281/zenodo.901")
    assert old.exit_code == 0, old.stderr
    assert "abc" in old.stdout and "cer: 2.50" in old.stdout
    assert "10.5281/zenodo.901" in run("list", "-s", "Latn").stdout
    fetched = run("--json", "get", "10.5281/zenodo.901")
    assert json.loads(fetched.stdout)["models"] == ["abc.safetensors"]


def test_private_records_ask_for_no_community(
    ketos: Run, repository: Repository, reader: Path, tmp_path: Path
) -> None:
    for option, count in (("--private", 0), ("-p", 0), ("--public", 1)):
        result = ketos("publish", "-i", write_card(tmp_path), option, "-a", TOKEN, reader)
        assert result.exit_code == 0, result.output
        draft = repository.drafts[max(repository.drafts)]
        assert len(draft.metadata.get("communities", [])) == count, option


@pytest.mark.parametrize("doi", ["10.5281/zenodo.11", "https://doi.org/10.5281/zenodo.10"])
def test_a_new_version_of_a_record(
    doi: str, ketos: Run, run: Run, repository: Repository, reader: Path, tmp_path: Path
) -> None:
    result = ketos("publish", "-d", doi, "-i", write_card(tmp_path), "-a", TOKEN, reader)
    assert result.exit_code == 0, result.output
    assert repository.drafts[901].concept == 10
    assert "10.5281/zenodo.901" in run("show", "10.5281/zenodo.10").stdout
    missing = ketos("publish", "-d", "10.5281/zenodo.99", "-i", write_card(tmp_path), "-a", TOKEN, reader)
    assert missing.exit_code == 1 and "zenodo.99" in missing.stderr and len(missing.stderr.splitlines()) == 1
    malformed = ketos("publish", "-d", "99", "-i", write_card(tmp_path), "-a", TOKEN, reader)
    assert malformed.exit_code == 2 and "--doi" in malformed.stderr


def test_a_dry_run_uploads_nothing(ketos: Run, repository: Repository, reader: Path, tmp_path: Path) -> None:
    result = ketos("publish", "--dry-run", "-i", write_card(tmp_path), reader)
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(result.stdout.split("---\n")[1])["metrics"]["cer"] == 2.5
    assert json.loads(result.stdout.partition("metadata.json: ")[2])["graphemes"] == [" ", "a", "b", "c"]
    assert not repository.requests and not repository.drafts


def test_layout_and_order_models_state_what_they_are_for(ketos: Run, tmp_path: Path) -> None:
    layout = TorchVGSLModel(
        vgsl="[1,0,0,1 O2l4]",
        model_type="segmentation",
        class_mapping={"aux": {"_start_separator": 0, "_end_separator": 1}, "baselines": {"default": 2}},
    )
    order = ROMLP(class_mapping={"default": 0}, level="baselines")
    path = write_models([layout, order], tmp_path / "layout.safetensors")
    result = ketos("publish", "--dry-run", "-i", write_card(tmp_path, software_hints=["mine=1"]), path)
    assert result.exit_code == 0, result.output
    metadata = yaml.safe_load(result.stdout.split("---\n")[1])
    assert metadata["model_type"] == ["reading_order", "segmentation"]
    assert metadata["software_hints"] == [
        "mine=1",
        "kind=safetensors",
        "version>=5.0.0",
        "segmentation=line",
        "ro_level=baselines",
    ]
    assert "metrics" not in metadata and "metadata.json" not in result.stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"summary": None}, ["summary: is missing"]),
        ({"license": "CC-BY"}, ["license: 'CC-BY'", "CC-BY-4.0"]),
        ({"license": "other-open"}, ["license_name: is missing"]),
        ({"language": ["german"]}, ["language: 'german'", "deu (German)"]),
        ({"language": []}, ["language: is missing"]),
        ({"script": ["Latin"]}, ["script: 'Latin'", "Latn (Latin)"]),
        ({"script": "Latn"}, ["script: is no list"]),
        ({"tags": ["a", "a"]}, ["tags: a value is given twice"]),
        ({"datasets": ["10.5281/zenodo.7"]}, ["https://doi.org/10.5281/zenodo.7"]),
        ({"authors": [{"affiliation": "x"}]}, ["authors: number 1 has no name"]),
        ({"authors": [{"name": "A", "orcid": "0000-0002-1825-0098"}]}, ["one of its digits is wrong"]),
        ({"metrics": {"cer": "low"}}, ["metrics: cer is no number"]),
        ({"licence": "x", "license": None}, ["licence: is no field", "it license?", "license: is missing"]),
        ({"summary": "one --- two"}, ["---"]),
        ({"text": " "}, ["description: is missing"]),
    ],
)  # fmt: skip
def test_faults_of_a_card_are_named_together(
    changes: dict[str, Any],
    words: list[str],
    ketos: Run,
    repository: Repository,
    reader: Path,
    tmp_path: Path,
) -> None:
    result = ketos("publish", "-i", write_card(tmp_path, **changes), "-a", TOKEN, reader)
    assert result.exit_code == 2
    for word in words:
        assert word in result.stderr
    assert not repository.requests


@pytest.mark.parametrize(
    "content", [b"", b"no card", b"---\n- a\n---\nx", b"---\na: [\n---\nx", b"\xff\xfe---"]
)
def test_files_that_are_no_cards(content: bytes, ketos: Run, reader: Path, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_bytes(content)
    result = ketos("publish", "-i", tmp_path / "card.md", "-a", TOKEN, reader)
    assert result.exit_code == 2 and "card.md" in result.stderr


def test_files_that_are_no_models(ketos: Run, repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    result = ketos("publish", "-i", write_card(tmp_path), "-a", TOKEN, tmp_path / "model.safetensors")
    assert result.exit_code == 2 and "model.safetensors" in result.stderr
    assert not repository.requests


def test_refusals_name_the_cause_and_not_the_token(
    ketos: Run, repository: Repository, reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = write_card(tmp_path)
    wrong = ketos("publish", "-i", card, "-a", "wrong-token", reader)
    assert wrong.exit_code == 1 and "deposit:write" in wrong.stderr and "wrong-token" not in wrong.output
    repository.refused = "abc.safetensors"
    refused = ketos("-v", "publish", "-i", card, "-a", TOKEN, reader)
    assert refused.exit_code == 1 and "Bad abc.safetensors" in refused.stderr and "draft" in refused.stderr
    assert TOKEN not in refused.output
    monkeypatch.setenv("MODEL_REPO_URL", "http://127.0.0.1:9/api/")
    unreachable = ketos("-vv", "publish", "-i", card, "-a", TOKEN, reader)
    assert unreachable.exit_code == 1 and "127.0.0.1:9" in unreachable.stderr
    assert TOKEN not in unreachable.output


def test_what_isn_t_given_is_asked_for(
    ketos: Run, repository: Repository, reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text("import sys\nopen(sys.argv[1], 'a').write('A text.\\n')\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(editor)]))
    monkeypatch.delenv("VISUAL", raising=False)
    answers = [
        "Reads letters",
        "Author, A.", "Somewhere", "0000-0002-1825-0097", "y", "Author, B.", "", "", "n",
        "CC-BY", "CC-BY-4.0", "latin", "lat, deu", "Latn", "", "https://doi.org/10.5281/zenodo.7", "",
        TOKEN,
    ]  # fmt: skip
    result = ketos("publish", reader, input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert result.stdout == "model PID: 10.5281/zenodo.901\n" and TOKEN not in result.stderr
    assert "lat (Latin)" in result.stderr
    metadata = uploaded(repository)
    assert metadata["summary"] == "Reads letters" and metadata["language"] == ["lat", "deu"]
    assert metadata["authors"] == [
        {"name": "Author, A.", "affiliation": "Somewhere", "orcid": "0000-0002-1825-0097"},
        {"name": "Author, B."},
    ]
    assert metadata["datasets"] == ["https://doi.org/10.5281/zenodo.7"] and metadata["tags"] == [
        "kraken_pytorch"
    ]
    assert repository.drafts[901].files["README.md"].decode().endswith("A text.\n")


def test_the_token_can_come_from_the_environment(
    ketos: Run, repository: Repository, reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETOS_PUBLISH_ACCESS_TOKEN", TOKEN)
    assert ketos("publish", "--metadata", write_card(tmp_path), reader).exit_code == 0
    help_text = ketos("publish", "--help").output
    assert TOKEN not in help_text
