"""Training of reading-order networks (spec chapter training §7)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, default_collate

from kraken.configs import ROTrainingConfig, ROTrainingDataConfig
from kraken.lib.dataset.ro import PageWiseROSet, PairWiseROSet
from kraken.lib.ro.layers import ROMLP
from kraken.lib.segmentation.reading_order import decode_order
from kraken.train.base import KrakenTrainerModule
from kraken.train.names import use_plain_names
from kraken.train.utils import validation_worker_init_fn

__all__ = ["RODataModule", "ROModel", "footrule"]

logger = logging.getLogger("kraken")


def footrule(order: Sequence[int]) -> float:
    """Spearman's footrule of an order against 0, 1, 2, …: 0 is equal, 1 the largest distance."""
    n = len(order)
    largest = 0.5 * (n**2 - n % 2)
    return sum(abs(place - element) for place, element in enumerate(order)) / largest if largest else 0.0


def order_of(logits: Tensor, n: int) -> list[int]:
    """Order of n elements from the logits of all pairs i ≠ j, i in the outer loop."""
    matrix = np.zeros((n, n), dtype=np.float32)
    matrix[~np.eye(n, dtype=bool)] = torch.sigmoid(logits.detach().float()).cpu().numpy()
    return decode_order(matrix)


class RODataModule(LightningDataModule):
    """Pairs of elements of pages as a configuration describes them.

    Args:
        data_config: What to train and validate on.

    Attributes:
        train_set: Random pairs, None without training data.
        val_set: Pages.

    Raises:
        ValueError: The configuration is of the wrong class or names no data.
    """

    train_set: PairWiseROSet | None = None
    val_set: PageWiseROSet | None = None

    def __init__(self, data_config: ROTrainingDataConfig) -> None:
        super().__init__()
        if not isinstance(data_config, ROTrainingDataConfig):
            raise ValueError(f"data_config attribute is {type(data_config)} not ROTrainingDataConfig")
        use_plain_names(data_config)
        self.save_hyperparameters()
        if data_config.format_type not in ("xml", "page", "alto"):
            raise ValueError(f"format_type {data_config.format_type} not in [alto, page, xml].")
        if not data_config.training_data:
            raise ValueError("Invalid specification of training/evaluation data.")

    @property
    def config(self) -> ROTrainingDataConfig:
        """The data configuration."""
        config: ROTrainingDataConfig = self.hparams["data_config"]
        return config

    def setup(self, stage: str | None = None) -> None:
        """Reads the files. Both sets are read before any features are made, so that both have the same.

        Raises:
            ValueError: A set is empty.
        """
        config = self.config
        training, evaluation = list(config.training_data or ()), list(config.evaluation_data or ())
        if not evaluation:
            if config.partition_seed < 0:
                config.partition_seed = int(np.random.randint(2**31))
            # a resumed run has to have the same parts
            order = np.random.RandomState(config.partition_seed).permutation(len(training))
            training = [training[i] for i in order]
            count = int(config.partition * len(training))
            training, evaluation = training[:count], training[count:]
        common: dict[str, Any] = {
            "mode": config.format_type,
            "level": config.level,
            "ro_id": config.reading_order,
        }
        self.train_set = PairWiseROSet(training, config.class_mapping, **common)
        self.val_set = PageWiseROSet(evaluation, config.class_mapping, **common)
        for found, name in ((self.train_set, "training"), (self.val_set, "validation")):
            if not len(found):
                reasons = "; ".join(found.failures()[:3])
                hint = f" Faulty files: {reasons}" if reasons else " Pages need two or more elements."
                raise ValueError(f"No {name} data in dataset. Please supply some.{hint}")
        self.renumber(dict(config.class_mapping))

    def renumber(self, mapping: dict[str, int]) -> None:
        """Gives sets and configuration a class mapping."""
        self.config.class_mapping = mapping
        for found in (self.train_set, self.val_set):
            if found is not None:
                found.class_mapping = mapping

    def failures(self) -> list[str]:
        """Everything in the data that couldn't be used, with its cause."""
        sets = [found for found in (self.train_set, self.val_set) if found is not None]
        return list(dict.fromkeys(failure for found in sets for failure in found.failures()))

    def train_dataloader(self) -> DataLoader[Any]:
        """Loader of random pairs."""
        assert self.train_set is not None  # set-up makes it
        return self._loader(self.train_set, int(self.config.batch_size))

    def val_dataloader(self) -> DataLoader[Any]:
        """Loader of pages."""
        return self._loader(self.val_set, 1, evaluating=True)

    def _loader(self, dataset: Any, batch_size: int, evaluating: bool = False) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            num_workers=self.config.num_workers,
            pin_memory=torch.cuda.is_available(),
            collate_fn=default_collate if evaluating else _made,
            worker_init_fn=validation_worker_init_fn if evaluating else None,
        )


def _made(batch: Any) -> Any:
    """The batch, which the set has made as a whole."""
    return batch


class ROModel(KrakenTrainerModule):
    """Trains a network that says which of two elements is read first.

    Args:
        config: Training configuration.
        model: Network to go on with; without one it is built for the data.

    Raises:
        ValueError: The configuration is of the wrong class, or the network for another task.
    """

    _task = "reading_order"
    _arch = "ro"
    _model_class = ROMLP
    _config_class = ROTrainingConfig
    _data_config_class = ROTrainingDataConfig
    _data_module_class = RODataModule
    monitor_mode = "min"
    perfect_score = 0.0

    def __init__(self, config: ROTrainingConfig, model: ROMLP | None = None) -> None:
        super().__init__(config, model)
        self._pages: list[tuple[float, float]] = []

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 1) for the features (N, F) of pairs."""
        output: Tensor = self.net(x)
        return output

    def setup(self, stage: str | None = None) -> None:
        """Builds the network, or makes the data's classes those of the network.

        Raises:
            ValueError: The network is for other classes or another level.
        """
        data_module: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        if data_module is None:
            return
        config = data_module.config
        if self.net is None:
            self.net = ROMLP(class_mapping=dict(config.class_mapping), level=config.level)
            return
        known = self.net.class_mapping
        if set(known) != set(config.class_mapping):
            raise ValueError(
                "Training data and model class mapping differ: "
                f"{set(known) ^ set(config.class_mapping)}: train a new model, or name the classes alike."
            )
        if self.net.level != config.level:
            raise ValueError(f"The model orders {self.net.level}, the data is of {config.level}.")
        data_module.renumber(dict(known))

    def restore_net(self, config: Any, checkpoint: dict[str, Any]) -> Any:
        """Network of a checkpoint, without its weights."""
        data = (checkpoint.get("datamodule_hyper_parameters") or {}).get("data_config")
        if data is None:
            raise ValueError("The checkpoint holds no class mapping.")
        return ROMLP(class_mapping=dict(data.class_mapping), level=data.level)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor | None:
        """Binary cross entropy of a batch of pairs."""
        logits = self.forward(batch["sample"]).reshape(-1)
        loss = F.binary_cross_entropy_with_logits(logits.float(), batch["target"])
        if self.checked_loss(loss, f"batch {batch_idx} of epoch {self.current_epoch}") is None:
            return None
        if self._trainer is not None:
            self.log("loss", loss, prog_bar=True, batch_size=len(logits))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Starts counting."""
        self._pages = []

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Orders a page."""
        logits = self.forward(batch["sample"][0]).reshape(-1)
        loss = F.binary_cross_entropy_with_logits(logits.float(), batch["target"][0])
        order = order_of(logits, int(batch["num_lines"][0]))
        self._pages.append((footrule(order), float(loss)))

    def on_validation_epoch_end(self) -> None:
        """Logs the means over pages, of all processes."""
        sums = torch.tensor(
            [*map(sum, zip(*self._pages, strict=True)), len(self._pages)] if self._pages else [0.0] * 3,
            dtype=torch.float64,
            device=self.device,
        )
        if self.trainer.world_size > 1:
            sums = self.all_gather(sums).reshape(-1, 3).sum(0)  # type: ignore[union-attr]
        distance, loss = (sums[:2] / sums[2].clamp(min=1)).tolist()
        values = {"val_spearman": distance, "val_metric": distance, "val_loss": loss}
        self.log_dict(
            {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()},
            prog_bar=True,
            rank_zero_only=True,
        )
