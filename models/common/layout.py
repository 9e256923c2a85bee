"""Scores layout models on annotated pages, by the lines that come out of the whole pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from kraken.lib.baseline_score import BaselineScore, mean_score, score_baselines
from kraken.lib.util import open_image
from kraken.lib.xml import XMLPage

from . import documents

#: Where a baseline lies in a line's box, from the top, when only the box is annotated.
_BASELINE_IN_BOX = 0.78
#: Lines that a page of average print has from edge to edge: the distance between lines if a page has but one.
_LINES_ON_A_PAGE = 30

Finder = Callable[[Image.Image], list[Any]]


@dataclass(frozen=True)
class AnnotatedPage:
    """A page and its baselines.

    Attributes:
        set: Folder below the root that the page lies in.
        name: File of the annotation, below the set's folder.
        image: File of the picture.
        baselines: Polylines (N, 2) in pixels of the picture, of all types of lines.
        exact: Whether baselines were annotated; they are guessed from boxes otherwise.
        size: Width and height that the annotation states.
    """

    set: str
    name: str
    image: Path
    baselines: list[Any]
    exact: bool
    size: tuple[int, int]


def pages(root: Path, problems: list[str], *, held_out: bool = False) -> Iterator[AnnotatedPage]:
    """Annotated pages below a folder with one folder per set; pictures annotated twice come once.

    Args:
        root: The folder.
        problems: Gets a line for each file that can't be read.
        held_out: Only pages of documents that the default models don't learn from.

    Yields:
        Pages with at least one line.
    """
    seen = set()
    for path in sorted(root.rglob("*.xml")):
        inside = path.relative_to(root)
        if held_out and not documents.is_validation(inside.parts[0], "/".join(inside.parts[1:])):
            continue
        try:
            found = XMLPage(path)
            lines = [line.baseline for line in found.lines.values() if line.baseline]
            lines = [line for line in lines if len(line) > 1]
            exact = bool(lines)
            if not lines:
                lines = _from_boxes(XMLPage(path, linetype="bbox"))
            image = Path(found.imagename)
            if not image.is_file():
                image = path.parent / image.name
        except (OSError, ValueError, TypeError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        if not lines or image in seen:
            continue
        seen.add(image)
        folder = inside.parts[0]
        # files of different documents of a set may have the same name
        name = path.relative_to(root / folder).as_posix() if path.parent != root else path.name
        size = (int(found.image_size[0]), int(found.image_size[1]))
        yield AnnotatedPage(folder, name, image, lines, exact, size)


def _from_boxes(page: XMLPage) -> list[Any]:
    lines = []
    for line in page.lines.values():
        x0, y0, x1, y1 = line.bbox
        y = y0 + _BASELINE_IN_BOX * (y1 - y0)
        lines.append([(x0, y), (x1, y)])
    return lines


@dataclass
class LayoutTable:
    """Scores of a model, by page.

    Attributes:
        scores: Set → page → score of pages with annotated baselines.
        boxes: The same for pages of which only boxes are annotated: coarser, not part of the total.
        problems: What couldn't be used, and why.
        seconds: Time on the CPU for finding lines, and on how many pages.
    """

    scores: dict[str, dict[str, BaselineScore]] = field(default_factory=dict)
    boxes: dict[str, dict[str, BaselineScore]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> BaselineScore:
        """Mean over all pages with annotated baselines."""
        return mean_score([score for found in self.scores.values() for score in found.values()])

    def markdown(self) -> str:
        """The table: a row per set, one for all pages, then the sets with boxes only."""
        head = ("set", "pages", "lines", "found", "precision", "recall", "F1", "worst page F1")
        rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        rows += [_row(name, list(found.values())) for name, found in sorted(self.scores.items())]
        rows.append(_row("**all**", [s for found in self.scores.values() for s in found.values()]))
        rows += [_row(f"{name} (boxes)", list(found.values())) for name, found in sorted(self.boxes.items())]
        return "\n".join(rows)


def _row(name: str, scores: list[BaselineScore]) -> str:
    mean = mean_score(scores)
    worst = min((score.f1 for score in scores), default=0.0)
    figures = " | ".join(f"{v:.3f}" for v in (mean.precision, mean.recall, mean.f1, worst))
    return f"| {name} | {mean.pages} | {mean.gt} | {mean.pred} | {figures} |"


def pipeline(model: Any) -> Finder:
    """Finds baselines as users do: scaled for the network, vectorised, polygonised, scaled back."""
    from kraken.configs import SegmentationInferenceConfig
    from kraken.tasks import SegmentationTaskModel

    task = SegmentationTaskModel(model if isinstance(model, list) else [model])
    config = SegmentationInferenceConfig()

    def find(image: Image.Image) -> list[Any]:
        return [line.baseline for line in task.predict(image, config).lines if line.baseline]

    return find


def evaluate(
    find: Finder,
    root: Path,
    sets: Iterable[str] | None = None,
    progress: Callable[[str], None] = lambda line: None,
    limit: int | None = None,
    *,
    held_out: bool = False,
) -> LayoutTable:
    """Scores whatever finds baselines on the annotated pages of a folder.

    Args:
        find: From a page to polylines in its pixels, e.g. :func:`pipeline` of a model.
        root: Folder with one folder of pages per set.
        sets: Folders to use; all by default.
        progress: Called with a line of text per page.
        limit: Pages per set; all by default.
        held_out: Only pages of documents that the default models don't learn from.

    Returns:
        Scores of all pages.
    """
    table = LayoutTable()
    wanted = set(sets) if sets is not None else None
    for page in pages(root, table.problems, held_out=held_out):
        if wanted is not None and page.set not in wanted:
            continue
        by_page = (table.scores if page.exact else table.boxes).setdefault(page.set, {})
        if limit is not None and len(by_page) >= limit:
            continue
        try:
            image = open_image(page.image)
        except OSError as error:
            table.problems.append(f"{page.name}: {error}")
            continue
        if image.width != page.size[0]:
            table.problems.append(
                f"{page.name}: annotated at a width of {page.size[0]} px, the picture has {image.width} px"
            )
            continue
        start = time.process_time()
        found = find(image)
        table.seconds += time.process_time() - start
        score = score_baselines(found, page.baselines, image.height / _LINES_ON_A_PAGE)
        by_page[page.name] = score
        progress(
            f"{page.set}/{page.name}: {score.gt} lines, {score.pred} found, precision {score.precision:.3f}, "
            f"recall {score.recall:.3f}, F1 {score.f1:.3f}"
        )
    for group in (table.scores, table.boxes):
        for name in [name for name, found in group.items() if not found]:
            del group[name]
    return table
