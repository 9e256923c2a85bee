"""Prints what it costs to read a page, stage by stage.

    python benches/python/read_page.py                    # the models of the package
    python benches/python/read_page.py --random           # networks like those of the default models
    python benches/python/read_page.py PAGE --layout MODEL --model MODEL --threads 2

The page is ``../shared/bench/page-33-lines.webp`` or, without that, a drawn one. Models are loaded before.
Times are medians on the clock; with ``--cpu`` processor time, which other work on the machine disturbs less.
Besides, the multiply-adds of both networks, and the ratios to the networks that earlier versions used: the
layout model ``blla.mlmodel`` and the specification that ``ketos train`` begins with.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from kraken.configs import (  # noqa: E402
    RecognitionInferenceConfig,
    SegmentationInferenceConfig,
    VGSLRecognitionTrainingConfig,
)
from kraken.containers import Segmentation  # noqa: E402
from kraken.lib.util import open_image  # noqa: E402
from kraken.lib.vgsl import TorchVGSLModel, multiply_adds, segmentation_inference  # noqa: E402
from kraken.lib.vgsl.recognition_inference import LineReader  # noqa: E402
from kraken.tasks import RecognitionTaskModel, SegmentationTaskModel  # noqa: E402

BENCH = ROOT.parent / "shared" / "bench"
#: What `blla.mlmodel` is made of.
BLLA = (
    "[1,1800,0,3 Cr7,7,64,2,2 Gn32 Cr3,3,128,2,2 Gn32 Cr3,3,128 Gn32 Cr3,3,256 Gn32 Cr3,3,256 Gn32 "
    "Lbx32 Lby32 Cr1,1,32 Gn32 Lby32 Lbx32 O2l4]"
)
RANDOM_LAYOUT = (
    "[1,1400,0,3 Cr5,5,16,2,2 Gn8 Cr3,3,40,2,2 Gn8 Cr3,3,40,1,1,2,2 Gn8 Cr3,3,40,1,1,4,4 Gn8 "
    "Cr3,3,40,1,1,8,8 Gn8 Cr3,3,40,1,1,16,16 Gn8 Cr3,3,40 Gn8 O2l4]"
)
RANDOM_READER = (
    "[1,40,0,1 Cr5,5,24,2,2 Gn6 Cr3,3,48,2,1 Gn6 Cr3,3,64,1,2 Gn8 Cr3,3,80,2,1 Gn8 Cr3,3,96,2,1 Gn8 "
    "S1(1x0)1,3 Lbx160 Do0.1 Lbx160 Do0.1 O1c300]"
)
_CLASSES = {
    "aux": {"_start_separator": 0, "_end_separator": 1},
    "baselines": {"default": 2},
    "regions": {"text": 3},
}


class Stopwatch:
    """Time by stage; what a stage calls that is a stage itself isn't counted in it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stack: list[str] = []
        self._since = 0.0
        self.times: dict[str, float] = defaultdict(float)

    def _switch(self) -> None:
        now = self._clock()
        if self._stack:
            self.times[self._stack[-1]] += now - self._since
        self._since = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done inside counts for a stage."""
        self._switch()
        self._stack.append(name)
        try:
            yield
        finally:
            self._switch()
            self._stack.pop()

    def around(self, owner: Any, attribute: str, name: str) -> Any:
        """A patch that makes a function a stage."""
        function = getattr(owner, attribute)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return mock.patch.object(owner, attribute, timed)


def watched(watch: Stopwatch, finder: Any, reader: Any) -> ExitStack:
    """Makes the parts of the pipeline stages."""
    module = segmentation_inference
    stack = ExitStack()
    for patch in (
        watch.around(module, "_prepare", "scale the page"),
        watch.around(module, "compute_heatmap", "map at the page's size"),
        watch.around(finder, "infer", "layout network"),
        watch.around(module, "find_regions", "regions"),
        watch.around(module, "find_baselines", "baselines"),
        watch.around(module, "arrange_lines", "fragments"),
        watch.around(module, "polygonise", "polygons"),
        watch.around(LineReader, "window", "line images"),
        watch.around(reader, "infer", "recognition network"),
        watch.around(LineReader, "_decode", "decoding"),
        watch.around(LineReader, "record", "records"),
    ):
        stack.enter_context(patch)
    return stack


def lines_of(page: Path) -> Segmentation | None:
    """The recorded lines of the page, for networks that find none."""
    path = page.with_suffix(".seg.json")
    return Segmentation(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def read_once(
    page: Path, tasks: tuple[Any, Any], configs: tuple[Any, Any], watch: Stopwatch, lines: Segmentation | None
) -> tuple[int, int]:
    """Reads the page; returns the numbers of lines and characters."""
    with watch.stage("open the image"):
        image = open_image(page)
    with watch.stage("layout, rest"):
        found = tasks[0].predict(image, configs[0])
    with watch.stage("recognition, rest"):
        records = list(tasks[1].predict(image, lines or found, configs[1]))
    return len(records), sum(len(record.prediction) for record in records)


def load(args: argparse.Namespace) -> tuple[Any, Any]:
    """The task models."""
    if not args.random:
        return SegmentationTaskModel.load_model(args.layout), RecognitionTaskModel.load_model(args.model)
    torch.manual_seed(0)
    codec = {chr(0x100 + i): [i] for i in range(1, 300)}
    layout = TorchVGSLModel(vgsl=RANDOM_LAYOUT, model_type="segmentation", class_mapping=_CLASSES)
    reader = TorchVGSLModel(
        vgsl=RANDOM_READER, model_type="recognition", codec=codec, seg_type="baselines", legacy_polygons=False
    )
    return SegmentationTaskModel([layout.eval()]), RecognitionTaskModel([reader.eval()])


def costs(finder: Any, reader: Any) -> list[str]:
    """Multiply-adds and ratios, as lines of text."""
    small = 1144 / 1975
    old_finder = TorchVGSLModel(vgsl=BLLA, model_type="segmentation")
    spec = str(VGSLRecognitionTrainingConfig().spec)
    old_reader = TorchVGSLModel(vgsl=f"{spec[:-1].rstrip()} O1c300]", model_type="recognition")
    rows = []
    for what, model, old, ratio in (
        ("layout, this page", finder, old_finder, small),
        ("recognition, line 12 times as wide as high", reader, old_reader, 12.0),
    ):
        values = []
        for net in (model, old):
            height = net.input[2] or 48
            values.append(multiply_adds(net, height, round(height * ratio)))
        rows.append(
            f"{what}: {values[0] / 1e9:.3f} G multiply-adds, "
            f"1/{values[1] / values[0]:.1f} of {values[1] / 1e9:.2f} G"
        )
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", nargs="?", type=Path, default=BENCH / "page-33-lines.webp")
    parser.add_argument("--layout", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--random", action="store_true", help="random weights; the lines are recorded ones")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--cpu", action="store_true", help="processor time")
    args = parser.parse_args()
    page = args.page
    if not page.exists():
        from tests.example_page import image

        page = Path(tempfile.gettempdir()) / "kraken-example-page.png"
        image().save(page)
    torch.set_num_threads(args.threads)
    tasks = load(args)
    finder, reader = tasks[0].seg_models[0], tasks[1].net
    common = {"accelerator": "cpu", "num_threads": args.threads}
    configs = (
        SegmentationInferenceConfig(**common),
        RecognitionInferenceConfig(batch_size=args.batch_size, **common),
    )
    lines = lines_of(page) if args.random else None
    clock = time.process_time if args.cpu else time.perf_counter
    runs: list[dict[str, float]] = []
    count = characters = 0
    for _ in range(args.repeat + 1):
        watch = Stopwatch(clock)
        with watched(watch, finder, reader):
            count, characters = read_once(page, tasks, configs, watch, lines)
        runs.append(dict(watch.times))
    runs = runs[1:]
    total = statistics.median(sum(run.values()) for run in runs)
    for name in runs[0]:
        print(f"{name:<24} {1000 * statistics.median(run.get(name, 0.0) for run in runs):7.1f} ms")
    print(f"{'whole page':<24} {1000 * total:7.1f} ms, {count} lines, {characters} characters")
    print(f"{total:.3f} s a page, {count / total:.1f} lines/s, {args.threads} thread(s)")
    print("\n".join(costs(finder, reader)))


if __name__ == "__main__":
    main()
