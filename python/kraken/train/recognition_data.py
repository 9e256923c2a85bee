"""Text lines for training, validation and tests (spec chapter training §2)."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Subset, random_split

from kraken.configs import VGSLRecognitionTrainingDataConfig
from kraken.lib.dataset.arrow import ArrowIPCRecognitionDataset, UnreadableDataset
from kraken.lib.dataset.pages import parse_path
from kraken.lib.dataset.recognition import GroundTruthDataset, PolygonGTDataset
from kraken.lib.dataset.transforms import ImageInputTransforms, collate_sequences
from kraken.lib.xml import XMLPage
from kraken.train.batches import EpochSampler, RankSampler, ResumableLoader, WidthBatchSampler
from kraken.train.utils import validation_worker_init_fn

__all__ = ["VGSLRecognitionDataModule"]

logger = logging.getLogger("kraken")

_XML = ("xml", "page", "alto")


class VGSLRecognitionDataModule(LightningDataModule):
    """Data sets of lines as a configuration describes them.

    Args:
        data_config: What to train, validate or test on.

    Attributes:
        train_set: Subset of a data set of lines, None without training data.
        val_set: The same for validation.
        test_set: The same for tests.
        legacy_polygons: Whether lines are cut out the old way.

    Raises:
        ValueError: The configuration is of the wrong class, names an unknown format or no data.
    """

    #: samplers give each process its part
    use_distributed_sampler = False

    train_set: Subset[Any] | None = None
    val_set: Subset[Any] | None = None
    test_set: Subset[Any] | None = None

    def __init__(self, data_config: VGSLRecognitionTrainingDataConfig) -> None:
        super().__init__()
        if not isinstance(data_config, VGSLRecognitionTrainingDataConfig):
            raise ValueError(
                f"data_config attribute is {type(data_config)} not VGSLRecognitionTrainingDataConfig"
            )
        for field in ("training_data", "evaluation_data", "test_data"):
            # checkpoints hold plain names only
            if (data := getattr(data_config, field)) is not None:
                setattr(data_config, field, [_plain(item) for item in data])
        self.save_hyperparameters()
        if data_config.format_type not in (*_XML, "path", "binary"):
            raise ValueError(f"format_type {data_config.format_type} not in [xml, page, alto, path, binary].")
        if data_config.binary_dataset_split and data_config.format_type != "binary":
            logger.warning("binary_dataset_split is set but the data isn't compiled: ignored.")
            data_config.binary_dataset_split = False
        self._faulty_files: list[str] = []
        self._build_sets(data_config)

    @property
    def config(self) -> VGSLRecognitionTrainingDataConfig:
        """The data configuration."""
        config: VGSLRecognitionTrainingDataConfig = self.hparams["data_config"]
        return config

    # -- sets ---------------------------------------------------------------------

    def _build_sets(self, config: VGSLRecognitionTrainingDataConfig) -> None:
        # whatever the network is, samples of these sets show the kind of the page images
        if config.training_data and config.evaluation_data:
            self.train_set = _whole(self._build(config.training_data, config.augment, "train"))
            self.val_set = _whole(self._build(config.evaluation_data, False, "validation"))
        elif config.training_data and config.binary_dataset_split:
            self.train_set = _whole(self._build(config.training_data, config.augment, "train"))
            self.val_set = _whole(self._build(config.training_data, False, "validation"))
        elif config.training_data:
            dataset = self._build(config.training_data, config.augment)
            count = int(len(dataset) * config.partition)
            if config.partition_seed < 0:
                config.partition_seed = int(torch.randint(2**31, (1,)))
            generator = torch.Generator().manual_seed(config.partition_seed)
            self.train_set, self.val_set = random_split(dataset, (count, len(dataset) - count), generator)
            if config.augment:
                plain = copy.copy(dataset)
                plain.aug = None
                self.val_set = Subset(plain, self.val_set.indices)
        elif config.test_data:
            self.test_set = _whole(self._build(config.test_data, False, "test"))
        else:
            raise ValueError("Invalid specification of training/evaluation/test data.")

    def _build(self, data: Sequence[Any], augment: bool, split: str | None = None) -> Any:
        """A data set of some files."""
        config = self.config
        options: dict[str, Any] = {
            "normalization": config.normalization,
            "whitespace_normalization": config.normalize_whitespace,
            "reorder": config.bidi_reordering,
            "skip_empty_lines": self._needs_text,
            "augmentation": augment,
        }
        if config.format_type == "binary":
            if config.binary_dataset_split and split is not None:
                options["split_filter"] = split
            found: Any = ArrowIPCRecognitionDataset(**options)
            self._add_compiled(found, data)
        elif config.format_type == "path" or config.linetype == "bbox":
            found = GroundTruthDataset(**options)
            self._add_pages(found, data)
        else:
            found = PolygonGTDataset(legacy_polygons=config.legacy_polygons, **options)
            self._add_pages(found, data)
        if config.format_type in ("path", "binary") and config.linetype not in (None, found.seg_type):
            logger.warning("Setting dataset type from %s to %s.", found.seg_type, config.linetype)
            found.seg_type = config.linetype
        return found

    def _add_compiled(self, dataset: Any, data: Sequence[Any]) -> None:
        """Adds compiled files; damaged ones are named and left out, those of another kind are errors."""
        for file in data:
            try:
                dataset.add(file)
            except UnreadableDataset as error:
                logger.warning(str(error))
                self._faulty_files.append(str(error))

    #: pre-training needs none
    _needs_text = True

    def _add_pages(self, dataset: Any, data: Sequence[Any]) -> None:
        """Adds files; those that can't be parsed are named and left out."""
        config = self.config
        for file in data:
            try:
                if config.format_type == "path":
                    page = parse_path(file, self._needs_text, self._needs_text)
                else:
                    kind: Any = config.linetype or "baselines"
                    page = XMLPage(file, filetype=config.format_type, linetype=kind).to_container()  # type: ignore[arg-type]
            except (OSError, ValueError, TypeError) as error:
                message = f"Failed to parse {os.fspath(file)}: {error}"
                logger.warning(message)
                self._faulty_files.append(message)
                continue
            dataset.add(page=page)

    def failures(self) -> list[str]:
        """Everything in the data that couldn't be used so far, with its cause."""
        found = list(self._faulty_files)
        seen = set()
        for subset in (self.train_set, self.val_set, self.test_set):
            if subset is not None and id(subset.dataset) not in seen:
                seen.add(id(subset.dataset))
                dataset: Any = subset.dataset
                found += [*getattr(dataset, "rejected", ()), *dataset.failures()]
        return list(dict.fromkeys(found))

    # -- set-up ---------------------------------------------------------------------

    def setup(self, stage: str | None = None) -> None:
        """Makes samples fit the network.

        Raises:
            ValueError: A set that is needed is empty.
        """
        if stage == "fit" or stage is None:
            self._check_filled(self.train_set, "training", "train")
            self._check_filled(self.val_set, "validation", "val")
            assert self.train_set is not None and self.val_set is not None  # checked just now
            train, val = self.train_set.dataset, self.val_set.dataset
            for each in {id(train): train, id(val): val}.values():
                self._set_transforms(each)
            self._compare_alphabets(train, val)
        elif stage == "validate":
            self._check_filled(self.val_set, "validation", "val")
            assert self.val_set is not None
            self._set_transforms(self.val_set.dataset)
        elif stage == "test":
            self._check_filled(self.test_set, "test", "test")
            assert self.test_set is not None
            dataset: Any = self.test_set.dataset
            self._set_transforms(dataset)
            dataset.no_encode()

    def _check_filled(self, subset: Subset[Any] | None, name: str, short: str) -> None:
        if subset is not None and len(subset):
            return
        reasons = [*self._faulty_files, *(getattr(subset and subset.dataset, "rejected", None) or ())]
        hint = f" Faulty files and lines: {'; '.join(reasons[:3])}" if reasons else ""
        if len(reasons) > 3:
            hint += f" and {len(reasons) - 3} more"
        raise ValueError(f"No {name} data in dataset. Please supply some.{hint}")

    def _set_transforms(self, dataset: Any) -> None:
        assert self.trainer is not None  # lightning calls the set-up with a trainer
        module: Any = self.trainer.lightning_module
        dataset.transforms = ImageInputTransforms(
            1,
            module.height,
            module.width,
            module.channels,
            (self.config.padding, 0),
            valid_norm=dataset.seg_type == "bbox",
        )

    @staticmethod
    def _compare_alphabets(train: Any, val: Any) -> None:
        if isinstance(train, ArrowIPCRecognitionDataset):
            for dataset in {id(train): train, id(val): val}.values():
                dataset.rebuild_alphabet()
        logger.info("Training alphabet: %s", "".join(sorted(train.alphabet)))
        for one, other, where in ((train, val, "training"), (val, train, "validation")):
            if only := sorted(set(one.alphabet) - set(other.alphabet)):
                logger.warning("Characters in the %s set only: %s", where, " ".join(map(repr, only)))

    @property
    def use_legacy_polygons(self) -> bool:
        """Whether lines were cut out the old way; False with a warning if compiled files differ."""
        subset = self.train_set or self.test_set
        dataset: Any = subset.dataset if subset is not None else None
        if not isinstance(dataset, ArrowIPCRecognitionDataset):
            return self.config.legacy_polygons
        status = dataset.legacy_polygons_status
        if status == "mixed":
            logger.warning("The compiled files were cut out in different ways: legacy polygons are off.")
            return False
        if bool(status) != self.config.legacy_polygons:
            logger.warning(
                "The compiled files were cut out the %s way: this decides.", "old" if status else "new"
            )
        return bool(status)

    # -- loaders ----------------------------------------------------------------------

    @property
    def _batch_size(self) -> int:
        assert self.trainer is not None  # lightning asks for loaders with a trainer
        module: Any = self.trainer.lightning_module
        return int(module.config.batch_size)

    def train_dataloader(self) -> DataLoader[Any]:
        """Loader of the training set, shuffled anew in each epoch."""
        assert self.trainer is not None and self.train_set is not None  # set-up checks that
        module: Any = self.trainer.lightning_module
        seed = module.run_seed

        def epoch() -> int:
            return int(module.current_epoch)

        budget = int(getattr(self.config, "pixel_budget", 0))
        if budget > 0:
            batches = WidthBatchSampler(
                self.train_set, budget, module.height, self.config.padding, seed, epoch, module.batches_done
            )
            loader = self._loader(self.train_set, batch_sampler=batches)
        else:
            size = self._batch_size
            sampler = EpochSampler(self.train_set, seed, epoch, lambda: module.batches_done() * size)
            loader = self._loader(self.train_set, batch_size=size, sampler=sampler)
        loader.progress = module
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        """Loader of the validation set."""
        return self._evaluation_loader(self.val_set)

    def test_dataloader(self) -> DataLoader[Any]:
        """Loader of the test set."""
        return self._evaluation_loader(self.test_set)

    def _evaluation_loader(self, subset: Any) -> DataLoader[Any]:
        return self._loader(subset, batch_size=self._batch_size, sampler=RankSampler(subset), evaluating=True)

    def _loader(self, subset: Any, evaluating: bool = False, **options: Any) -> ResumableLoader:
        workers = self.config.num_workers
        return ResumableLoader(
            subset,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            collate_fn=collate_sequences,
            worker_init_fn=validation_worker_init_fn if evaluating else None,
            # what processes have decoded stays with them
            persistent_workers=workers > 0 and not evaluating,
            **options,
        )


def _plain(item: Any) -> Any:
    """Paths as text."""
    return os.fspath(item) if isinstance(item, os.PathLike) else item


def _whole(dataset: Any) -> Subset[Any]:
    """All of a data set as a subset, like those of a partition."""
    return Subset(dataset, range(len(dataset)))
