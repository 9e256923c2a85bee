"""Layout analysis of a page with one or more models (spec chapter segmentation §1, §5, §6)."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kraken.configs.base import ModelDefault
from kraken.containers import BaselineLine, BBoxLine, Region, Segmentation
from kraken.lib.segmentation import is_in_region, neural_reading_order
from kraken.lib.vgsl.segmentation_inference import check_text_direction
from kraken.models import load_models
from kraken.models.bundled import default_model

if TYPE_CHECKING:
    import os

    from PIL import Image

    from kraken.configs import SegmentationInferenceConfig

logger = logging.getLogger("kraken")

__all__ = ["SegmentationTaskModel"]


def _check_reading_order_models(models: Sequence[Any], segmenter: Any) -> dict[str, Any]:
    """Reading-order models by level, checked against the classes of the layout model."""
    by_level: dict[str, Any] = {}
    for model in models:
        level = model.user_metadata.get("level", "baselines")
        if level in by_level:
            raise ValueError(f"Multiple reading order models at level `{level}` in model list.")
        wanted = model.user_metadata.get("class_mapping") or {}
        known = (segmenter.user_metadata.get("class_mapping") or {}).get(level) or {}
        difference = (set(wanted) ^ set(known)) - {"default"}
        shifted = {name for name in set(wanted) & set(known) if wanted[name] != known[name]}
        # Features are built with the layout model's indices, so a shift would mislabel them.
        if difference or (shifted - {"default"}):
            raise ValueError(
                f"Reading order model class mapping at level `{level}` does not match segmentation model: "
                f"{', '.join(sorted(difference | shifted))}"
            )
        by_level[level] = model
    return by_level


class SegmentationTaskModel:
    """Finds regions, lines and their order on page images.

    Without a neural reading-order model among ``models`` the order is that of
    the heuristic in the configuration.

    Args:
        models: Loaded models; those whose ``model_type`` holds neither
            ``segmentation`` nor ``reading_order`` are ignored.

    Attributes:
        seg_models: The layout models, in the order given.
        ro_models: The reading-order models, in the order given.

    Raises:
        ValueError: If there is no layout model, or a reading-order model doesn't fit the first one.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self.seg_models = [m for m in models if "segmentation" in m.model_type]
        self.ro_models = [m for m in models if "reading_order" in m.model_type]
        if not self.seg_models:
            found = sorted({kind for m in models for kind in m.model_type})
            raise ValueError(
                "No segmentation models in model list: found "
                f"{', '.join(found) or 'nothing'}, needed one for segmentation."
            )
        self._orders = _check_reading_order_models(self.ro_models, self.seg_models[0])

    @classmethod
    def load_model(cls, path: str | os.PathLike[str] | None = None) -> SegmentationTaskModel:
        """Loads every model of a file; the package's default file if ``path`` is empty.

        Raises:
            KrakenInvalidModelException: If there is no default model.
            ValueError: If the file isn't a model file or holds no layout model.
        """
        return cls(load_models(path if path else default_model("segmentation")))

    def predict(
        self, im: Image.Image, config: SegmentationInferenceConfig, mask: Image.Image | None = None
    ) -> Segmentation:
        """Segments a page.

        Args:
            im: Page in any mode; not modified and not rotated (see ``kraken.lib.util.open_image``).
            config: How to run the networks and order the lines. If it was made without
                ``text_direction``, the one in the metadata of the first model that
                states one holds.
            mask: Bitonal image of the page's size; what is 0 is hidden from the networks.

        Returns:
            The merged result of all models, in page pixels.

        Raises:
            KrakenInputException: If the size of the page can't be treated, or the mask doesn't fit.
            KrakenInvalidModelException: If a model's class mapping is unusable.
            ValueError: If a model doesn't fit or the text direction is invalid.
        """
        check_text_direction(config.text_direction)
        config = self._with_direction(config)
        parts = []
        for model in self.seg_models:
            model.prepare_for_inference(config)
            parts.append(model.predict(im=im) if mask is None else model.predict(im=im, mask=mask))
        merged = parts[0] if len(parts) == 1 else merge_segmentations(parts, config)
        if self._orders:
            self._add_neural_order(merged, im.size)
        return merged

    def _with_direction(self, config: SegmentationInferenceConfig) -> SegmentationInferenceConfig:
        """The configuration, with the models' text direction if it was made without one."""
        if not isinstance(config.text_direction, ModelDefault):
            return config
        stated = [getattr(model, "text_direction", None) for model in self.seg_models]
        config = copy.copy(config)
        # a plain text from here on, since results carry it
        config.text_direction = next((d for d in stated if d is not None), str(config.text_direction))
        return config

    def _add_neural_order(self, segmentation: Segmentation, im_size: tuple[int, int]) -> None:
        """Appends the order of the reading-order models to ``segmentation.line_orders``."""
        lines = list(segmentation.lines or [])
        if not lines or segmentation.type != "baselines":
            logger.warning("Neural reading order needs baselines, but the page has none; skipped.")
            return
        order = _neural_line_order(
            lines, segmentation.regions or {}, self._orders, self.seg_models[0], im_size
        )
        if segmentation.line_orders is None:
            segmentation.line_orders = []
        segmentation.line_orders.append(order)


def _ranks(elements: list[Any], model: Any, mapping: dict[str, int], size: tuple[int, int]) -> list[int]:
    """Neural order of elements, as indices."""
    if len(elements) < 2:
        return list(range(len(elements)))
    order = neural_reading_order(elements, im_size=size, model=model, class_mapping=mapping)
    return [int(i) for i in order] if order is not None else []


def _neural_line_order(
    lines: list[Any],
    regions: dict[str, list[Region]],
    models: dict[str, Any],
    segmenter: Any,
    size: tuple[int, int],
) -> list[int]:
    """Indices of ``lines`` in neural order: regions first where a model orders them."""
    mapping = segmenter.user_metadata.get("class_mapping") or {}
    line_model, region_model = models.get("baselines"), models.get("regions")

    def order_lines(indices: list[int]) -> list[int]:
        if line_model is None:
            return indices
        ranks = _ranks([lines[i] for i in indices], line_model, mapping.get("baselines") or {}, size)
        return [indices[k] for k in ranks]

    flat = [region for group in regions.values() for region in group]
    if region_model is None or not flat:
        return order_lines(list(range(len(lines))))
    ordered = [flat[k] for k in _ranks(flat, region_model, mapping.get("regions") or {}, size)]
    groups: dict[str | None, list[int]] = {region.id: [] for region in ordered}
    groups[None] = []
    for i, line in enumerate(lines):
        first = line.regions[0] if line.regions else None
        groups[first if first in groups else None].append(i)
    return [i for indices in groups.values() for i in order_lines(indices)]


def _line_regions(line: BaselineLine | BBoxLine, regions: list[Region]) -> list[str] | None:
    """Ids of the regions that hold the middle of a line; its old ones if it has no geometry."""
    if isinstance(line, BBoxLine) and line.bbox is not None:
        x0, y0, x1, y1 = line.bbox
        middle: Any = [((x0 + x1) / 2, (y0 + y1) / 2)]
    elif isinstance(line, BaselineLine) and line.baseline:
        middle = line.baseline
    else:
        return line.regions
    return [region.id for region in regions if is_in_region(middle, region.boundary)]


def merge_segmentations(parts: Sequence[Segmentation], config: SegmentationInferenceConfig) -> Segmentation:
    """Joins the results of several layout models on one page.

    Lines are not de-duplicated. Regions are joined by type, each line's regions
    are found anew among all of them, and the lines are ordered again.

    Raises:
        ValueError: If some results hold baselines and others boxes.
    """
    first = parts[0]
    lines: list[Any] = []
    regions: dict[str, list[Region]] = {}
    languages: dict[str, None] = {}
    for part in parts:
        if lines and part.lines:
            logger.warning("Multiple models produced line output. This is likely unintended.")
        lines.extend(part.lines or [])
        for name, group in (part.regions or {}).items():
            known = {region.id for region in regions.setdefault(name, [])}
            # Regions given beforehand come back from every model.
            regions[name].extend(region for region in group if region.id not in known)
        languages.update(dict.fromkeys(part.language or []))
    kinds = {isinstance(line, BBoxLine) for line in lines}
    if len(kinds) > 1:
        raise ValueError("Mixed line data models in one segmentation task are not supported")
    boxes = kinds.pop() if kinds else first.type == "bbox"
    flat = [region for group in regions.values() for region in group]
    lines = [dataclasses.replace(line, regions=_line_regions(line, flat)) for line in lines]
    if lines:
        order_by = config.bbox_ro_fn if boxes else config.baseline_ro_fn
        ranks = order_by(
            lines=lines,
            regions=flat,
            text_direction=first.text_direction[-2:],
        )
        lines = [lines[int(i)] for i in ranks]
    return Segmentation(
        type="bbox" if boxes else "baselines",
        imagename=first.imagename,
        text_direction=first.text_direction,
        script_detection=any(part.script_detection for part in parts),
        lines=lines,
        regions=regions,
        line_orders=first.line_orders,
        language=list(languages) or None,
    )
