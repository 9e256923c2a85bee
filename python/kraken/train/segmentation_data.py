"""Pages for training, validation and tests of layout networks (spec chapter training §2)."""

from __future__ import annotations

import copy
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Subset, random_split

from kraken.configs import BLLASegmentationTrainingDataConfig
from kraken.containers import Segmentation
from kraken.lib.dataset.elements import element_type, region_type
from kraken.lib.dataset.segmentation import BaselineSet
from kraken.lib.dataset.transforms import ImageInputTransforms
from kraken.lib.xml import XMLPage
from kraken.train.batches import EpochSampler, ResumableLoader
from kraken.train.names import use_plain_names
from kraken.train.utils import validation_worker_init_fn

__all__ = ["AUX_CLASSES", "BLLASegmentationDataModule"]

logger = logging.getLogger("kraken")

AUX_CLASSES = {"_start_separator": 0, "_end_separator": 1}


class BLLASegmentationDataModule(LightningDataModule):
    """Data sets of pages as a configuration describes them.

    Args:
        data_config: What to train, validate or test on.

    Attributes:
        train_set: Subset of a :class:`~kraken.lib.dataset.BaselineSet`, None without training data.
        val_set: The same for validation.
        test_set: The same for tests; made by the set-up, as its classes depend on the network.

    Raises:
        ValueError: The configuration is of the wrong class, names an unknown format or no data.
    """

    train_set: Subset[Any] | None = None
    val_set: Subset[Any] | None = None
    test_set: Subset[Any] | None = None
    #: every process sees all pages
    use_distributed_sampler = False

    def __init__(self, data_config: BLLASegmentationTrainingDataConfig) -> None:
        super().__init__()
        if not isinstance(data_config, BLLASegmentationTrainingDataConfig):
            raise ValueError(
                f"data_config attribute is {type(data_config)} not BLLASegmentationTrainingDataConfig"
            )
        use_plain_names(data_config)
        self.save_hyperparameters()
        if data_config.format_type not in ("xml", "page", "alto", None):
            raise ValueError(f"format_type {data_config.format_type} not in [alto, page, xml, None].")
        self._faulty_files: list[str] = []
        self._test_pages: list[Segmentation] = []
        mapping = {
            "aux": AUX_CLASSES,
            "baselines": data_config.line_class_mapping,
            "regions": data_config.region_class_mapping,
        }
        if data_config.training_data and data_config.evaluation_data:
            self.train_set = _whole(self._build(data_config.training_data, mapping, data_config.augment))
            self.val_set = _whole(self._build(data_config.evaluation_data, mapping, False))
        elif data_config.training_data:
            dataset = self._build(data_config.training_data, mapping, data_config.augment)
            count = int(len(dataset) * data_config.partition)
            if data_config.partition_seed < 0:
                data_config.partition_seed = int(torch.randint(2**31, (1,)))
            generator = torch.Generator().manual_seed(data_config.partition_seed)
            self.train_set, self.val_set = random_split(dataset, (count, len(dataset) - count), generator)
            if data_config.augment:
                dataset.share_failures()
                plain = copy.copy(dataset)
                plain.aug = None
                self.val_set = Subset(plain, self.val_set.indices)
        elif data_config.test_data:
            self._test_pages = self._parse(data_config.test_data)
        else:
            raise ValueError("Invalid specification of training/evaluation/test data.")

    @property
    def config(self) -> BLLASegmentationTrainingDataConfig:
        """The data configuration."""
        config: BLLASegmentationTrainingDataConfig = self.hparams["data_config"]
        return config

    def _parse(self, data: Sequence[Any]) -> list[Segmentation]:
        """Pages of files; those that can't be parsed are named and left out."""
        pages = []
        for entry in data:
            if self.config.format_type is None:
                pages.append(entry["doc"] if isinstance(entry, Mapping) else entry)
                continue
            try:
                pages.append(XMLPage(entry, filetype=self.config.format_type).to_container())  # type: ignore[arg-type]
            except (OSError, ValueError, TypeError) as error:
                self._faulty_files.append(f"Failed to parse {os.fspath(entry)}: {error}")
                logger.warning(self._faulty_files[-1])
        return pages

    def observed_classes(self) -> dict[str, Counter[str]]:
        """Number of elements of each type in the test data, whatever the mapping."""
        found: dict[str, Counter[str]] = {"baselines": Counter(), "regions": Counter()}
        for page in self._test_pages:
            found["baselines"].update(element_type(line) for line in page.lines or ())
            for kind, group in (page.regions or {}).items():
                found["regions"].update(region_type(region, kind) for region in group)
        return found

    def _build(self, data: Sequence[Any], mapping: Mapping[str, Any], augment: bool) -> BaselineSet:
        return self._set_of(self._parse(data), mapping, augment)

    def _set_of(
        self, pages: Sequence[Segmentation], mapping: Mapping[str, Any], augment: bool
    ) -> BaselineSet:
        found = BaselineSet(mapping, line_width=self.config.line_width, augmentation=augment)
        for page in pages:
            found.add(page)
        return found

    def failures(self) -> list[str]:
        """Everything in the data that couldn't be used so far, with its cause."""
        found = list(self._faulty_files)
        for subset in (self.train_set, self.val_set, self.test_set):
            if subset is not None:
                dataset: Any = subset.dataset
                found += dataset.failures()
        return list(dict.fromkeys(found))

    # -- set-up -------------------------------------------------------------------

    def setup(self, stage: str | None = None) -> None:
        """Makes samples fit the network.

        Raises:
            ValueError: A set that is needed is empty, or the mode of the class mapping isn't known.
        """
        if stage == "test":
            self.test_set = _whole(self._set_of(self._test_pages, self._test_mapping(), False))
            self._set_transforms(self._filled(self.test_set, "test"))
        elif stage == "validate":
            self._set_transforms(self._filled(self.val_set, "validation"))
        elif stage == "fit" or stage is None:
            self._set_transforms(self._filled(self.train_set, "training"))
            self._set_transforms(self._filled(self.val_set, "validation"))
            self.config.line_class_mapping = dict(self.config.line_class_mapping)
            self.config.region_class_mapping = dict(self.config.region_class_mapping)
            self.renumber(
                {
                    "aux": AUX_CLASSES,
                    "baselines": self.config.line_class_mapping,
                    "regions": self.config.region_class_mapping,
                }
            )

    def renumber(self, mapping: Mapping[str, dict[str, int]]) -> None:
        """Gives training and validation pages and the configuration a class mapping.

        Args:
            mapping: ``aux``, ``baselines`` and ``regions``.
        """
        self.config.line_class_mapping = mapping["baselines"]
        self.config.region_class_mapping = mapping["regions"]
        for subset in (self.train_set, self.val_set):
            if subset is not None:
                dataset: Any = subset.dataset
                dataset.renumber(mapping)

    def _filled(self, subset: Subset[Any] | None, name: str) -> BaselineSet:
        if subset is None or not len(subset):
            hint = f" Faulty files: {'; '.join(self._faulty_files[:3])}" if self._faulty_files else ""
            raise ValueError(f"No {name} data in dataset. Please supply some.{hint}")
        dataset: Any = subset.dataset
        found: BaselineSet = dataset
        return found

    @property
    def _module(self) -> Any:
        assert self.trainer is not None  # lightning calls hooks with a trainer
        return self.trainer.lightning_module

    def _set_transforms(self, dataset: BaselineSet) -> None:
        module = self._module
        across, down = module.config.padding
        dataset.padding = (across, across, down, down)
        dataset.transforms = ImageInputTransforms(
            1, module.height, module.width, module.channels, (across, down), valid_norm=False
        )

    def _test_mapping(self) -> dict[str, Any]:
        """Class mapping of a test."""
        mode = getattr(self.config, "test_class_mapping_mode", "full")
        net = self._module.net
        if mode == "custom":
            lines, regions = self.config.line_class_mapping, self.config.region_class_mapping
            return {"aux": AUX_CLASSES, "baselines": lines, "regions": regions}
        if mode not in ("full", "canonical"):
            raise ValueError(f"test_class_mapping_mode {mode} is none of full, canonical, custom.")
        if mode == "full":
            full = getattr(self._module, "full_class_mapping", None)
            if full is not None:
                return {section: dict(classes) for section, classes in full.items()}
            logger.warning("The model has no full class mapping: merged classes go by their first name only.")
        return {section: dict(classes) for section, classes in net.user_metadata["class_mapping"].items()}

    # -- loaders --------------------------------------------------------------------

    def train_dataloader(self) -> DataLoader[Any]:
        """Loader of the training set, shuffled anew in each epoch."""
        assert self.train_set is not None  # set-up checks that
        module = self._module

        def epoch() -> int:
            return int(module.current_epoch)

        sampler = EpochSampler(self.train_set, module.run_seed, epoch, module.batches_done)
        loader = self._loader(self.train_set, sampler=sampler)
        loader.progress = module
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        """Loader of the validation set."""
        return self._loader(self.val_set, evaluating=True)

    def test_dataloader(self) -> DataLoader[Any]:
        """Loader of the test set."""
        return self._loader(self.test_set, evaluating=True)

    def _loader(self, subset: Any, evaluating: bool = False, **options: Any) -> ResumableLoader:
        workers = self.config.num_workers
        subset.dataset.share_failures()
        return ResumableLoader(
            subset,
            batch_size=1,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            collate_fn=collate_pages,
            worker_init_fn=validation_worker_init_fn if evaluating else None,
            persistent_workers=workers > 0 and not evaluating,
            **options,
        )


def collate_pages(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stacks images and targets of pages of equal size; the rest stays a list of each page's."""
    stacked = {name: torch.stack([sample[name] for sample in batch]) for name in ("image", "target")}
    rest = {name: [sample[name] for sample in batch] for name in ("baselines", "regions", "source")}
    return {**stacked, **rest}


def _whole(dataset: BaselineSet) -> Subset[Any]:
    """All of a data set as a subset, like those of a partition."""
    return Subset(dataset, range(len(dataset)))
