"""Training of layout and reading-order models, from the command line and in Python."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw

from kraken.configs import (
    BLLASegmentationTrainingConfig,
    BLLASegmentationTrainingDataConfig,
    ROTrainingConfig,
    ROTrainingDataConfig,
)
from kraken.containers import BaselineLine, Region, Segmentation
from kraken.ketos import cli
from kraken.lib.dataset import BaselineSet, ImageInputTransforms
from kraken.lib.dataset.page_augment import PageAugmenter
from kraken.models import load_from_checkpoint, load_models
from kraken.train import BLLASegmentationDataModule, BLLASegmentationModel, KrakenTrainer
from kraken.train.class_mapping import extend_mapping, replace_mapping
from kraken.train.overlays import FOUND, TRUTH, draw_overlay
from kraken.train.reading_order import RODataModule, ROModel, footrule, order_of

AUX = {"_start_separator": 0, "_end_separator": 1}
SPEC = "[1,64,0,1 Cr3,3,8,2,2 Cr3,3,8]"


def write_page(folder: Path, name: str, rows: int = 5, kind: str = "text") -> Path:
    """A page with one column of black lines."""
    page = Image.new("L", (160, 40 * rows + 40), 255)
    draw = ImageDraw.Draw(page)
    lines = []
    for row in range(rows):
        y = 40 + 40 * row
        draw.line([(20, y), (140, y)], fill=0, width=8)
        lines.append(
            f'<TextLine id="l{row}" custom="structure {{type:{kind};}}">'
            f'<Coords points="20,{y - 10} 140,{y - 10} 140,{y + 4} 20,{y + 4}"/>'
            f'<Baseline points="20,{y} 140,{y}"/></TextLine>'
        )
    page.save(folder / f"{name}.png")
    width, height = page.size
    document = folder / f"{name}.xml"
    document.write_text(
        '<?xml version="1.0"?><PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        f'<Page imageFilename="{name}.png" imageWidth="{width}" imageHeight="{height}">'
        f'<TextRegion id="r"><Coords points="10,10 150,10 150,{height - 10} 10,{height - 10}"/>'
        f"{''.join(lines)}</TextRegion></Page></PcGts>",
        encoding="utf-8",
    )
    return document


def ketos(*args: Any) -> Result:
    return CliRunner().invoke(cli, ["--workers", "0", "-s", "1", *map(str, args)])


def test_layout_models_from_start_to_end(tmp_path: Path) -> None:
    page, other = write_page(tmp_path, "a"), write_page(tmp_path, "b", kind="note")
    (tmp_path / "list").write_text(f"{page}\n")
    common = ("-e", tmp_path / "list", "-N", 2, "-r", 0.01)
    done = ketos("segtrain", "-o", tmp_path / "m", "-s", SPEC, "-tl", "--pad", 2, 3, *common, page)
    assert done.exit_code == 0, done.output
    assert "Training Class Summary" in done.stderr
    (weights,) = (tmp_path / "m").glob("best_*.safetensors")
    (net,) = load_models(weights)
    assert net.user_metadata["topline"] is True
    assert net.user_metadata["class_mapping"] == {
        "aux": AUX,
        "baselines": {"text": 2},
        "regions": {"text": 3},
    }
    assert net.user_metadata["metrics"][-1][1]["val_bl_f1"] >= 0
    # other classes
    again = ("segtrain", "-i", weights, *common[:4], "-o", tmp_path / "n", other)
    failed = ketos(*again)
    assert failed.exit_code == 2
    assert "union" in failed.output and "note" in failed.output
    grown = ketos(*again, "--resize", "union", "-cl")
    assert grown.exit_code == 0, grown.output
    (net,) = load_models(next((tmp_path / "n").glob("best_*.safetensors")))
    assert net.user_metadata["topline"] is None
    assert net.user_metadata["class_mapping"]["baselines"] == {"text": 2, "note": 4}
    # going on
    last = sorted((tmp_path / "m").glob("checkpoint_*.ckpt"))[-1]
    resumed = ketos("segtrain", "--resume", last, "-N", 3, "-o", tmp_path / "m")
    assert resumed.exit_code == 0, resumed.output
    tested = ketos("segtest", "-m", weights, page, other)
    assert tested.exit_code == 0, tested.output
    assert "missing in model mapping" not in tested.output.split("Pixels")[1]
    assert "Overall" in tested.output and "note" in tested.output
    by_distance, regions = tested.output.split("Baselines (tolerance by")[1].split("Regions")
    assert by_distance.count("\n") >= 5 and tmp_path.name in by_distance and "\nall " in by_distance
    assert "mean of classes" in regions
    assert ketos("segtest", "-m", last, "--bl-tol", 5, page).exit_code == 0
    assert ketos("segtest", "-m", weights, "--test-class-mapping-mode", "custom", page).exit_code == 2


def test_merged_classes_and_wildcards_of_experiment_files(tmp_path: Path) -> None:
    page, other = write_page(tmp_path, "a"), write_page(tmp_path, "b", kind="note")
    config = tmp_path / "experiment.yml"
    config.write_text("segtrain:\n  line_class_mapping: [[text, 2], ['*', 2]]\n  region_class_mapping: []\n")
    args = ("segtrain", "-o", tmp_path / "m", "-s", SPEC, "-N", 1, "-p", 0.5, page, other)
    done = CliRunner().invoke(cli, ["--workers", "0", "--config", str(config), *map(str, args)])
    assert done.exit_code == 0, done.output
    assert "note" in done.stderr.split("Training Class Summary")[1]
    (net,) = load_models(next((tmp_path / "m").glob("best_*.safetensors")))
    assert net.user_metadata["class_mapping"] == {"aux": AUX, "baselines": {"text": 2}, "regions": {}}
    assert net.output[1] == 3


def test_reading_order_models_from_start_to_end(tmp_path: Path) -> None:
    page = write_page(tmp_path, "a", rows=6)
    (tmp_path / "list").write_text(f"{page}\n")
    common = ("-e", tmp_path / "list", "-N", 20, "--min-epochs", 1, "-r", 0.05, "-B", 64, page)
    done = ketos("rotrain", "-o", tmp_path / "m", "-F", 5, *common)
    assert done.exit_code == 0, done.output
    (weights,) = (tmp_path / "m").glob("best_0.0000.safetensors")
    layout = ("segtrain", "-o", tmp_path / "s", "-s", SPEC, "-N", 1, "-e", tmp_path / "list", page)
    assert ketos(*layout).exit_code == 0
    (seg,) = (tmp_path / "s").glob("best_*.safetensors")
    shifted = ketos("roadd", "-o", tmp_path / "no.safetensors", "-r", weights, "-i", seg)
    assert shifted.exit_code == 2 and "--class-mapping-from-ckpt" in shifted.output
    ckpt = next((tmp_path / "s").glob("*.ckpt"))
    mapped = ketos("rotrain", "-o", tmp_path / "k", "-F", 5, "--class-mapping-from-ckpt", ckpt, *common)
    assert mapped.exit_code == 0, mapped.output
    (weights,) = (tmp_path / "k").glob("best_*.safetensors")
    assert load_models(weights)[0].class_mapping == {"text": 2}
    for name in ("both.safetensors", "both.mlmodel"):
        added = ketos("roadd", "-o", tmp_path / name, "-r", weights, "-i", seg)
        assert added.exit_code == 0, added.output
        kinds = set()
        for model in load_models(tmp_path / name):
            nets = [model, *getattr(model, "aux_layers", {}).values()]
            kinds |= {kind for net in nets for kind in net.model_type}
        assert kinds == {"segmentation", "reading_order"}
    foreign = write_page(tmp_path, "b", kind="note")
    assert ketos("rotrain", "-o", tmp_path / "j", *common[:-1], "-p", 0.5, foreign).exit_code == 0
    (other,) = (tmp_path / "j").glob("best_*.safetensors")
    refused = ketos("roadd", "-o", tmp_path / "no.safetensors", "-r", other, "-i", seg)
    assert refused.exit_code == 2 and "note" in refused.output
    assert ketos("roadd", "-o", tmp_path / "no.txt", "-r", weights, "-i", seg).exit_code == 2


@pytest.mark.parametrize("command", ["segtrain", "rotrain"])
def test_no_data(command: str, tmp_path: Path) -> None:
    assert ketos(command).exit_code == 2
    broken = tmp_path / "broken.xml"
    broken.write_text("<PcGts")
    failed = ketos(command, "-o", tmp_path / "m", "-p", 0.5, broken)
    assert failed.exit_code == 1
    assert "broken.xml" in failed.output


# -- data -----------------------------------------------------------------------------


def drawn(size: tuple[int, int] = (200, 300)) -> tuple[Image.Image, Segmentation]:
    """A page with black lines, exactly where the baselines are, and a grey region."""
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    lines = [[(30, y), (100, y + 10), (170, y)] for y in range(40, 200, 30)]
    for line in lines:
        draw.line(line, fill="black", width=9)
    box = [(60, 230), (140, 230), (140, 270), (60, 270)]
    draw.polygon(box, fill=(0, 0, 255))
    doc = Segmentation(
        type="baselines",
        imagename="page.png",
        text_direction="horizontal-lr",
        script_detection=False,
        lines=[BaselineLine(id=str(i), baseline=line, boundary=None) for i, line in enumerate(lines)],
        regions={"text": [Region(id="r", boundary=box)]},
    )
    return page, doc


def dataset(doc: Segmentation, path: Path, **options: Any) -> BaselineSet:
    mapping = {"aux": AUX, "baselines": {"default": 2}, "regions": {"text": 3}}
    found = BaselineSet(mapping, **options)
    doc.imagename = path
    found.add(doc)
    return found


def agreement(sample: dict[str, Any]) -> tuple[float, float]:
    """Share of the lines' and the region's pixels that are on ink of the right colour."""
    image, target = sample["image"], sample["target"] > 0
    black, blue = image.min(0).values > 0.5, (image[0] > 0.5) & (image[2] < 0.5)
    return float(black[target[2]].float().mean()), float(blue[target[3]].float().mean())


def test_image_and_target_stay_aligned(tmp_path: Path) -> None:
    page, doc = drawn()
    page.save(tmp_path / "page.png")
    transforms = ImageInputTransforms(1, 300, 0, 3, 0, valid_norm=False)
    found = dataset(doc, tmp_path / "page.png", im_transforms=transforms, augmentation=True)
    torch.manual_seed(0)
    geometry = {name: float(name in ("affine", "perspective")) for name in PageAugmenter.PROBS}
    found.aug = PageAugmenter(p=1, probs=geometry)
    moved = 0
    for _ in range(8):
        sample = found[0]
        lines, region = agreement(sample)
        assert lines > 0.97 and region > 0.97
        moved += abs(sample["baselines"][2][0][0][0] - 30) > 2
        for line in sample["baselines"][2]:
            for x, y in line[1:-1]:
                if 1 <= x < 199 and 1 <= y < 299:
                    assert sample["target"][2, round(y), round(x)] == 1
    assert moved >= 6
    found.aug = PageAugmenter(p=1, probs={name: 1 - p for name, p in geometry.items()})
    sample = found[0]
    assert sample["baselines"][2][0][0] == [30, 40]
    assert 0 <= float(sample["image"].min()) <= float(sample["image"].max()) <= 1
    with pytest.raises(ValueError, match="Unknown"):
        PageAugmenter(probs={"fog": 1})


def test_padding_moves_the_target_with_the_image(tmp_path: Path) -> None:
    page, doc = drawn()
    page.save(tmp_path / "page.png")
    transforms = ImageInputTransforms(1, 150, 0, 3, (12, 7), valid_norm=False)
    found = dataset(doc, tmp_path / "page.png", im_transforms=transforms, padding=(12, 12, 7, 7))
    sample = found[0]
    assert sample["target"].shape[1:] == sample["image"].shape[1:] == (164, 124)
    # half the size: the edges of lines are grey
    assert min(agreement(sample)) > 0.9
    assert sample["baselines"][2][0][0] == [27, 27]


def test_faults_cost_only_what_they_spoil(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page, doc = drawn()
    page.save(tmp_path / "page.png")
    lines = list(doc.lines or ())
    lines[1].baseline = [(5, 5), (5, 5)]
    lines[2].baseline = [(float("nan"), 1), (5, 5)]
    doc.regions["text"].append(Region(id="out", boundary=[(-50, -50), (40, -50), (40, 30), (-50, 30)]))  # type: ignore[index]
    transforms = ImageInputTransforms(1, 300, 0, 3, 0, valid_norm=False)
    found = dataset(doc, tmp_path / "page.png", im_transforms=transforms)
    sample = found[0]
    assert len(sample["baselines"][2]) == len(lines) - 2
    assert bool(sample["target"][3, :30, :40].all())
    assert not found.failed_samples
    doc.imagename = tmp_path / "missing.png"
    found.add(doc)
    assert found[1]["image"].shape == sample["image"].shape
    assert found.failed_samples == {1} and "missing.png" in found.failures()[0]
    found.imgs = [tmp_path / "missing.png"] * 2
    with pytest.raises(ValueError, match="All 2 samples"):
        found[0]


def test_containers_as_data(tmp_path: Path) -> None:
    page, doc = drawn()
    page.save(tmp_path / "page.png")
    doc.imagename = tmp_path / "page.png"
    for entry in (doc, {"doc": doc}):
        data = BLLASegmentationTrainingDataConfig(
            training_data=[entry] * 4, format_type=None, augment=True, partition=0.5
        )
        module = BLLASegmentationDataModule(data)
        assert module.train_set is not None and module.val_set is not None
        train: Any = module.train_set.dataset
        val: Any = module.val_set.dataset
        assert (len(module.train_set), len(module.val_set)) == (2, 2)
        assert train.aug is not None and val.aug is None
    with pytest.raises(ValueError, match="format_type"):
        BLLASegmentationDataModule(
            BLLASegmentationTrainingDataConfig(training_data=[doc], format_type="path")
        )


# -- classes and orders ------------------------------------------------------------------


def test_class_mappings() -> None:
    model = {"aux": AUX, "baselines": {"a": 3, "b": 4, "c": 4}, "regions": {"r": 2, "s": 5}}
    data = {"aux": AUX, "baselines": {"c": 2, "n": 3, "m": 3}, "regions": {"s": 4, "t": 5}}
    grown, count = extend_mapping(model, data, 6)
    assert grown["baselines"] == {"a": 3, "b": 4, "c": 4, "n": 6, "m": 6}
    assert (grown["regions"], count) == ({"r": 2, "s": 5, "t": 7}, 8)
    new, count, removed = replace_mapping(model, data, 6)
    assert removed == [2, 3]
    assert new == {"aux": AUX, "baselines": {"c": 2, "n": 4, "m": 4}, "regions": {"s": 3, "t": 5}}
    assert count == 6


def test_footrule() -> None:
    assert footrule([0, 1, 2, 3]) == footrule([0]) == 0
    assert footrule([3, 2, 1, 0]) == footrule([2, 1, 0]) == 1
    rank = np.array([2, 0, 1])
    logits = torch.tensor([10.0 if rank[i] < rank[j] else -10 for i in range(3) for j in range(3) if i != j])
    assert order_of(logits, 3) == [1, 2, 0]


def test_wrong_configurations() -> None:
    with pytest.raises(ValueError, match="config attribute"):
        BLLASegmentationModel(SimpleNamespace())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="data_config attribute"):
        BLLASegmentationDataModule(SimpleNamespace())  # type: ignore[arg-type]


def test_overlays_of_evaluations(tmp_path: Path) -> None:
    pages = [write_page(tmp_path, name) for name in "abc"]
    (tmp_path / "list").write_text("".join(f"{page}\n" for page in pages[1:]))
    common = ("-e", tmp_path / "list", "-N", 2, "-s", SPEC, pages[0])
    done = ketos("segtrain", "-o", tmp_path / "m", "--overlays", 1, *common)
    assert done.exit_code == 0, done.output
    found = sorted(path.name for path in (tmp_path / "m" / "overlays").iterdir())
    assert found == ["page_00-epoch_000.png", "page_00-epoch_001.png"]
    with Image.open(tmp_path / "m" / "overlays" / found[0]) as picture:
        assert picture.height == 64
        colours = picture.convert("RGB").getcolors() or []
    assert any(np.abs(np.array(colour) - TRUTH).max() < 12 for _, colour in colours)
    assert ketos("segtrain", "-o", tmp_path / "n", *common).exit_code == 0
    assert not (tmp_path / "n" / "overlays").exists()
    assert (tmp_path / "n" / "learning_curve.svg").is_file()
    # a resumed run may have others
    last = sorted((tmp_path / "m").glob("checkpoint_*.ckpt"))[-1]
    more = ketos("segtrain", "--resume", last, "-N", 3, "-o", tmp_path / "m", "--overlays", 2)
    assert more.exit_code == 0, more.output
    assert (tmp_path / "m" / "overlays" / "page_01-epoch_002.png").is_file()


def test_overlay_shows_truth_found_lines_and_regions() -> None:
    image, target, answer = torch.zeros(1, 60, 80), torch.zeros(4, 60, 80), torch.zeros(4, 30, 40)
    target[3, 10:50, 10:70] = 1
    answer[2, 9:11, 5:35] = 1
    answer[3, 20:25, 20:30] = 1
    classes = {"aux": AUX, "baselines": {"text": 2}, "regions": {"zone": 3}}
    truth, found = [[(5, 5), (35, 5)]], [[(5, 15), (35, 15)], [(3, 3)]]
    picture = np.asarray(draw_overlay(image, target, answer, truth, found, classes)).astype(int)
    assert picture.shape == (60, 80, 3)
    assert tuple(picture[10, 40]) == TRUTH  # the line, which lies on the region's edge
    assert tuple(picture[49, 40]) == TRUTH
    assert tuple(picture[30, 40]) == FOUND
    assert picture[20, 40, 2] < 120  # yellow
    assert tuple(picture[55, 75]) == (255, 255, 255)
    assert picture[45, 50, 0] < 200  # the region that was found


@pytest.mark.parametrize("workers", [0, 1])
def test_summary_names_pages_that_failed_in_any_process(workers: int, tmp_path: Path) -> None:
    good, bad, worse = (write_page(tmp_path, name) for name in ("good", "bad", "worse"))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "worse.png").unlink()
    (tmp_path / "list").write_text(f"{good}\n{worse}\n")
    args = ("segtrain", "-o", tmp_path / "m", "-s", SPEC, "-N", 2, "-e", tmp_path / "list", good, bad)
    done = CliRunner().invoke(cli, ["--workers", str(workers), *map(str, args)])
    assert done.exit_code == 0, done.output
    summary = done.stderr.split("2 faulty files or samples were skipped:")[1]
    assert "bad.png is not an image" in summary
    assert "worse.png doesn't exist" in summary
    assert summary.count("good.png") == 0


def test_resumed_runs_have_the_same_parts(tmp_path: Path) -> None:
    pages = [write_page(tmp_path, str(number), rows=3 + number) for number in range(6)]
    config = BLLASegmentationTrainingDataConfig(training_data=pages, partition=0.5, num_workers=0)
    first = BLLASegmentationDataModule(config)
    assert config.partition_seed >= 0
    second = BLLASegmentationDataModule(config)
    assert first.val_set is not None and second.val_set is not None
    assert list(first.val_set.indices) == list(second.val_set.indices)
    ro = ROTrainingDataConfig(training_data=pages, partition=0.5, num_workers=0)
    parts = []
    for _ in range(2):
        module = RODataModule(ro)
        module.setup("fit")
        assert module.val_set is not None
        parts.append([page.places.tolist() for page in module.val_set._pages])
    assert parts[0] == parts[1]


def test_checkpoints_of_runs_on_paths_can_be_read(tmp_path: Path) -> None:
    page = write_page(tmp_path, "a")
    seg = BLLASegmentationTrainingDataConfig(training_data=[page], evaluation_data=[page], num_workers=0)
    ro = ROTrainingDataConfig(training_data=[page], evaluation_data=[page], num_workers=0)
    modules: list[tuple[Any, Any]] = [
        (BLLASegmentationModel(BLLASegmentationTrainingConfig(spec=SPEC)), BLLASegmentationDataModule(seg)),
        (ROModel(ROTrainingConfig()), RODataModule(ro)),
    ]
    for module, data in modules:
        trainer = KrakenTrainer(
            max_epochs=1,
            min_epochs=1,
            enable_progress_bar=False,
            enable_summary=False,
            enable_checkpointing=False,
            accelerator="cpu",
            default_root_dir=tmp_path,
        )
        trainer.fit(module, data)
        trainer.save_checkpoint(tmp_path / "state.ckpt")
        restored = load_from_checkpoint(tmp_path / "state.ckpt")
        assert type(restored) is type(module)


def test_bleed_through_shows_on_grey_paper() -> None:
    page = torch.full((1, 64, 64), 0.2)
    page[:, 30:34, 4:20] = 0.9
    only = {name: float(name == "bleed_through") for name in PageAugmenter.PROBS}
    torch.manual_seed(0)
    found, matrix = PageAugmenter(p=1.0, probs=only)(page)
    assert np.array_equal(matrix, np.eye(3))
    assert float((found - page).min()) >= 0 and float(found.max()) <= 1
    changed = ((found - page) > 0.04)[0].nonzero()
    # the writing is mirrored and paper stays as it is
    assert len(changed) > 30 and int(changed[:, 1].min()) > 32
    assert torch.equal(found[0, :16], page[0, :16])
