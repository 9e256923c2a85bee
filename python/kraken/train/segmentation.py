"""Training of layout networks (spec chapter training §6)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kraken.configs import BLLASegmentationTrainingConfig, BLLASegmentationTrainingDataConfig
from kraken.lib.dataset.elements import canonical
from kraken.lib.segmentation import vectorize_lines
from kraken.lib.segmentation_metrics import (
    aggregate_detection_metrics,
    compute_detection_metrics,
    interpolate_polyline,
)
from kraken.lib.vgsl import TorchVGSLModel
from kraken.train.base import KrakenTrainerModule
from kraken.train.class_mapping import ClassMismatch, extend_mapping, names_of, replace_mapping, resize_mode
from kraken.train.overlays import draw_overlay, write_overlay
from kraken.train.page_scores import PageScores
from kraken.train.pixels import PixelCounts
from kraken.train.recompute import recomputed_norms
from kraken.train.segmentation_data import AUX_CLASSES, BLLASegmentationDataModule
from kraken.train.utils import SegmentationTestMetrics

__all__ = ["BLLASegmentationDataModule", "BLLASegmentationModel", "segmentation_loss"]

logger = logging.getLogger("kraken")


def segmentation_loss(logits: Tensor, target: Tensor, dice_weight: float) -> Tensor:
    """Binary cross entropy plus the weighted soft Dice loss (Milletari et al. 2016).

    The logits are those of the target's pixels after enlargement by nearest neighbours. Nothing is enlarged:
    each logit counts for all pixels of its cell.

    Args:
        logits: (N, C, h, w), not larger than the target.
        target: (N, C, H, W), 0 or 1.
        dice_weight: Weight of the Dice loss; 0 leaves it out.

    Returns:
        Mean over all elements; the Dice loss is the mean over pages and channels, smoothed by 1.
    """
    marked, pixels = _by_cell(target, logits.shape[2:])
    # log(1 + e^z) for every pixel, less z where the target is 1
    loss = (F.softplus(logits) * pixels - logits * marked).sum() / target.numel()
    if dice_weight:
        p = torch.sigmoid(logits)
        both, found, wanted = (values.flatten(2).sum(2) for values in (p * marked, p * pixels, marked))
        dice = (2 * both + 1) / (found + wanted + 1)
        loss = loss + dice_weight * (1 - dice.mean())
    return loss


def _by_cell(target: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Sums of a target (N, C, H, W) over the pixels that each cell of a smaller map is enlarged to.

    Returns:
        The sums (N, C, h, w), and the number of pixels (h, w) of each cell.
    """
    counts = []
    for axis, cells in zip((2, 3), size, strict=True):
        length = target.shape[axis]
        if cells > length:
            raise ValueError(
                f"An output of {tuple(size)} is larger than its target, {tuple(target.shape[2:])}."
            )
        places = torch.arange(cells, dtype=torch.float32, device=target.device)
        # the interpolation itself says which cell a pixel is taken from
        owner = F.interpolate(places[None, None], size=length).flatten().long()
        shape = list(target.shape)
        shape[axis] = cells
        target = target.new_zeros(shape).index_add_(axis, owner, target)
        counts.append(torch.bincount(owner, minlength=cells).to(target.dtype))
    return target, counts[0][:, None] * counts[1]


class BLLASegmentationModel(KrakenTrainerModule):
    """Trains a network that finds lines and regions.

    Args:
        config: Training configuration.
        model: Network to go on with; without one it is built from the configuration's description.

    Attributes:
        test_metrics: Result of the last test.
        full_class_mapping: Classes of the network with all names of merged ones, None if it isn't known.

    Raises:
        ValueError: The configuration is of the wrong class or its description malformed, or the
            network isn't for segmentation.
    """

    _task = "segmentation"
    _arch = "blla"
    _model_class = TorchVGSLModel
    _config_class = BLLASegmentationTrainingConfig
    _data_config_class = BLLASegmentationTrainingDataConfig
    _data_module_class = BLLASegmentationDataModule
    stopping_monitor = "val_mean_iu"
    small_blocks = False

    def __init__(self, config: BLLASegmentationTrainingConfig, model: TorchVGSLModel | None = None) -> None:
        super().__init__(config, model)
        self.test_metrics: SegmentationTestMetrics | None = None
        self.full_class_mapping: dict[str, dict[str, int]] | None = None
        if model is not None:
            self.full_class_mapping = model.user_metadata.get("_full_class_mapping")
        self._pixels = PixelCounts([], [])
        self._lines: list[dict[str, Any]] = []
        self._lines_by_class: dict[str, list[dict[str, Any]]] = {}
        self._classes: dict[str, dict[str, int]] = {}

    @property
    def config(self) -> BLLASegmentationTrainingConfig:
        """The training configuration."""
        config: BLLASegmentationTrainingConfig = self.hparams["config"]
        return config

    # -- network and classes --------------------------------------------------------

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H', W') for pages (N, C, H, W)."""
        output: Tensor = self.net(x)[0]
        return output

    def setup(self, stage: str | None = None) -> None:
        """Builds or resizes the network and makes the data fit it.

        Raises:
            ValueError: The classes of the network and the data differ and may not be changed.
        """
        data_module: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        if (stage == "fit" or stage is None) and data_module is not None:
            self._setup_fit(data_module)
        if stage == "test" and data_module is not None:
            self._classes = data_module.test_set.dataset.class_mapping
        elif stage == "validate" and data_module is not None:
            self._classes = data_module.val_set.dataset.class_mapping
        if self.net is not None and self.config.compile_config is not None:
            self.net.nn.compile(**self.config.compile_config)

    def _setup_fit(self, data_module: Any) -> None:
        data = data_module.config
        wanted = {
            "aux": dict(AUX_CLASSES),
            "baselines": dict(data.line_class_mapping),
            "regions": dict(data.region_class_mapping),
        }
        if self.net is None:
            self._build(wanted)
        else:
            wanted = self._adapt(wanted)
        data_module.renumber(wanted)
        self.full_class_mapping = self._classes = wanted
        self.config.spec = self.net.spec
        metadata = self.net.user_metadata
        self.net.model_type = ["segmentation"]
        metadata["class_mapping"] = {section: canonical(classes) for section, classes in wanted.items()}
        metadata["_full_class_mapping"] = {section: dict(classes) for section, classes in wanted.items()}
        metadata["topline"] = data.topline

    def _build(self, wanted: Mapping[str, Mapping[str, int]]) -> None:
        """New network for the data."""
        count = max(index for classes in wanted.values() for index in classes.values()) + 1
        spec = self.config.spec.strip()
        self.config.spec = f"{spec[:-1].rstrip()} O2l{count}]"
        logger.info("Creating new model %s with %d outputs.", self.config.spec, count)
        self.net = TorchVGSLModel(vgsl=self.config.spec, model_type="segmentation")

    def _adapt(self, wanted: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        """Makes a loaded network's output fit the data, or the data's numbering that of the network."""
        known = self.full_class_mapping or self.net.user_metadata.get("class_mapping")
        if not known:
            raise ValueError("The model has no class mapping: it can't be trained further.")
        model = {section: dict(known.get(section) or {}) for section in ("aux", "baselines", "regions")}
        names, found = names_of(wanted), names_of(model)
        if names == found:
            return model
        resize = resize_mode(self.config.resize)
        outputs = int(self.net.output[1])
        if resize == "fail":
            lines, regions = (names[s] ^ found[s] for s in ("baselines", "regions"))
            raise ClassMismatch(
                f"Training data and model class mapping differ (bl: {lines or set()}, "
                f"regions: {regions or set()}): allow to resize the model with `union` or `new`."
            )
        if resize == "union":
            mapping, count = extend_mapping(model, wanted, outputs)
            removed: list[int] = []
        else:
            mapping, count, removed = replace_mapping(model, wanted, outputs)
        logger.info("Resizing the model from %d to %d classes.", outputs, count)
        self.net.resize_output(count, removed or None)
        return mapping

    # -- checkpoints ------------------------------------------------------------------

    def checkpoint_fields(self) -> dict[str, Any]:
        """Classes and kind of images."""
        data_module = getattr(self._trainer, "datamodule", None)
        subset = getattr(data_module, "train_set", None)
        mode = subset.dataset.im_mode if subset is not None else self.net.one_channel_mode
        return {
            "_one_channel_mode": mode,
            "_canonical_class_mapping": self.net.user_metadata.get("class_mapping"),
        }

    def restore_net(self, config: Any, checkpoint: dict[str, Any]) -> Any:
        """Network of a checkpoint, without its weights."""
        data = (checkpoint.get("datamodule_hyper_parameters") or {}).get("data_config")
        mapping = checkpoint.get("_canonical_class_mapping")
        if data is not None:
            self.full_class_mapping = {
                "aux": dict((mapping or {}).get("aux") or AUX_CLASSES),
                "baselines": dict(data.line_class_mapping),
                "regions": dict(data.region_class_mapping),
            }
        if mapping is None and self.full_class_mapping is not None:
            mapping = {section: canonical(classes) for section, classes in self.full_class_mapping.items()}
        if mapping is None:
            raise ValueError("The checkpoint holds no class mapping.")
        net = TorchVGSLModel(
            vgsl=config.spec,
            model_type="segmentation",
            class_mapping=mapping,
            one_channel_mode=checkpoint.get("_one_channel_mode"),
        )
        net.user_metadata["topline"] = getattr(data, "topline", False)
        if self.full_class_mapping is not None:
            net.user_metadata["_full_class_mapping"] = self.full_class_mapping
        return net

    # -- steps ------------------------------------------------------------------------

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor | None:
        """Loss of a page."""
        target, image = batch["target"], batch["image"]
        if image.device.type == "cpu":
            # as the kernels of most layers want it and give it back
            image = image.contiguous(memory_format=torch.channels_last)
        with recomputed_norms(self.net):
            logits = self.forward(image).float()
        if logits.shape[2] > target.shape[2] or logits.shape[3] > target.shape[3]:
            # networks with transposed convolutions may exceed the page
            logits = F.interpolate(logits, size=target.shape[2:])
        loss = segmentation_loss(logits, target, self.config.dice_weight)
        if self.checked_loss(loss, f"page {batch_idx} of epoch {self.current_epoch}") is None:
            return None
        if self._trainer is not None:
            size = len(target)
            self.log("train_loss", loss, on_step=True, on_epoch=True, prog_bar=True, batch_size=size)
        return loss

    def _start(self) -> None:
        regions = sorted(set(self._classes["regions"].values()))
        aux = sorted(set(self._classes["aux"].values()))
        self._pixels = PixelCounts(aux, regions)
        self._lines = []
        self._lines_by_class = {name: [] for name in canonical(self._classes["baselines"])}

    def _evaluate(
        self, batch: dict[str, Any], overlay: Path | None = None, scores: PageScores | None = None
    ) -> None:
        """Counts pixels and compares lines of a batch; draws its first page to a file.

        Args:
            batch: The pages.
            overlay: The file.
            scores: Gets all that a test wants besides.
        """
        output = torch.sigmoid(self.forward(batch["image"]).float())
        target = F.interpolate(batch["target"], size=output.shape[2:])
        self._pixels.add(output, target)
        height, width = batch["image"].shape[2:]
        scale = (output.shape[3] / width, output.shape[2] / height)
        names = {index: name for name, index in canonical(self._classes["baselines"]).items()}
        start, end = (self._classes["aux"][name] for name in AUX_CLASSES)
        tolerance = self.config.bl_tol
        for page, (maps, baselines) in enumerate(zip(output.cpu().numpy(), batch["baselines"], strict=True)):
            found: list[Tensor] = []
            truth: list[Tensor] = []
            for index, name in names.items():
                detected = [_resampled(line, (1, 1)) for line in vectorize_lines(maps[[start, end, index]])]
                recorded = [_resampled(line, scale) for line in baselines.get(index, ())]
                if scores is not None:
                    figures = compute_detection_metrics(detected, recorded, tolerance)
                    self._lines_by_class[name].append(figures)
                found += detected
                truth += recorded
            if names:
                self._lines.append(compute_detection_metrics(found, truth, tolerance))
            if scores is not None:
                regions = {
                    index: [np.multiply(outline, scale) for outline in outlines]
                    for index, outlines in batch["regions"][page].items()
                }
                scores.add(batch["source"][page], found, truth, maps, regions)
            if overlay is not None and not page:
                picture = draw_overlay(
                    batch["image"][0], batch["target"][0], output[0], truth, found, self._classes
                )
                write_overlay(picture, overlay)

    def on_validation_epoch_start(self) -> None:
        """Starts counting."""
        self._start()

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Compares a page with its ground truth, and draws the first ones if that is wanted."""
        overlay = None
        if (
            batch_idx < self.config.overlays
            and self._trainer is not None
            and self.trainer.is_global_zero
            and not self.trainer.sanity_checking
        ):
            name = f"page_{batch_idx:02d}-epoch_{self.current_epoch:03d}.png"
            overlay = Path(self.config.checkpoint_path) / "overlays" / name
        self._evaluate(batch, overlay)

    def on_validation_epoch_end(self) -> None:
        """Logs the means."""
        values = self._pixels.summary()
        values["val_metric"] = values["val_mean_iu"]
        for name, value in aggregate_detection_metrics(self._lines).items():
            values[f"val_bl_{name}"] = value
        self.log_dict(
            {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()},
            prog_bar=True,
            rank_zero_only=True,
        )

    def on_test_epoch_start(self) -> None:
        """Starts counting."""
        self._start()
        self._scores = PageScores(canonical(self._classes["regions"]))

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Compares a page with its ground truth, class by class."""
        self._evaluate(batch, scores=self._scores)

    def on_test_epoch_end(self) -> None:
        """Sums up."""
        accuracy, iu = self._pixels.accuracy(), self._pixels.smoothed_iu()
        lines = aggregate_detection_metrics(self._lines)
        self.test_metrics = SegmentationTestMetrics(
            class_pixel_accuracy=accuracy,
            mean_accuracy=accuracy.mean(),
            class_iu=iu,
            mean_iu=iu.mean(),
            freq_iu=self._pixels.weighted(iu),
            region_iu=self._pixels.region_iu(),
            bl_precision=lines["precision"],
            bl_recall=lines["recall"],
            bl_f1=lines["f1"],
            bl_detection_per_class={
                name: aggregate_detection_metrics(pages) for name, pages in self._lines_by_class.items()
            },
            bl_by_set=self._scores.by_set(),
            region_precision=self._scores.region_precision(),
        )


def _resampled(line: Any, scale: tuple[float, float]) -> Tensor:
    """Points of a line at equal distances, on the network's output."""
    points = torch.tensor(line, dtype=torch.float32).reshape(-1, 2)
    return interpolate_polyline(points * torch.tensor(scale, dtype=torch.float32))
