"""A training loop that says what it does, can be interrupted, and gives the same result when run again."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import documents

#: Scratch folder of the recipes (ignored by git).
WORK = Path(__file__).resolve().parents[1] / "work"


def cache_for(name: str, data: Path, program: Path) -> Path:
    """Returns where to keep what a program makes of data: another place when one of them is another.

    Args:
        name: What is kept.
        data: Folder with the data; what is in it isn't looked at.
        program: Source file; the table of documents counts, too.
    """
    key = zlib.crc32(str(data.resolve()).encode())
    for path in (program, Path(documents.__file__).with_suffix(".tsv")):
        key = zlib.crc32(path.read_bytes(), key)
    return WORK / f"{name}_{key:08x}.pickle"


def rendered(
    make: Callable[[int], list[dict[str, Any]]], seeds: Sequence[int], cache: Path
) -> list[dict[str, Any]]:
    """Runs `make(seed)` for all seeds in two processes and joins the samples; later runs read the cache.

    Arrays in the samples become tensors only here, as tensors sent between processes use up file handles.
    A cache of other seeds or of another drawing program is not noticed: remove `models/work` after edits.
    """
    if cache.is_file():
        print(f"reading {cache}", flush=True)
        return list(torch.load(cache, weights_only=True))
    start = time.monotonic()
    samples: list[dict[str, Any]] = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for part in pool.imap(make, seeds):
            samples += [
                {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in s.items()}
                for s in part
            ]
    cache.parent.mkdir(parents=True, exist_ok=True)
    torch.save(samples, cache.with_suffix(".part"))
    cache.with_suffix(".part").replace(cache)
    print(f"drew {len(samples)} samples in {time.monotonic() - start:.0f} s", flush=True)
    return samples


@dataclass
class Plan:
    """How to train: number of steps, peak learning rate, seed, where to keep checkpoints and how often."""

    steps: int
    rate: float
    seed: int
    checkpoint: Path
    every: int = 100
    #: Share of the old in the running mean of the weights (exponential moving average), which replaces the
    #: last weights at the end; 0 keeps none.
    average: float = 0.0


def fit(model: nn.Module, plan: Plan, loss_at: Callable[[int], Tensor]) -> list[float]:
    """Trains with AdamW under a one-cycle schedule; continues from the checkpoint where there is one.

    Args:
        model: Network to train, changed in place.
        plan: The plan; a checkpoint of another plan is ignored.
        loss_at: Gives the loss of a step by its number. All that it draws at random must follow from that
            number or from torch's generator, which is seeded anew for each step.

    Returns:
        Loss of each step that was taken now.
    """
    losses: list[float] = []
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _one_cycle(step / plan.steps))
    identity = f"{plan.steps} {plan.rate} {plan.seed} {[tuple(p.shape) for p in model.parameters()]}"
    first, wall_before, cpu_before = 0, 0.0, 0.0
    mean_weights = {k: v.detach().clone() for k, v in model.state_dict().items()} if plan.average else {}
    if plan.checkpoint.is_file():
        state = torch.load(plan.checkpoint, weights_only=True)
        if state["identity"] == identity:
            model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
            mean_weights = state.get("average", {})
            first, wall_before, cpu_before = state["step"], state["wall"], state["cpu"]
            print(f"continuing from step {first}", flush=True)
        else:
            print(f"ignoring {plan.checkpoint}: it belongs to another plan", flush=True)
    model.train()
    wall, cpu = time.monotonic() - wall_before, time.process_time() - cpu_before
    mean = math.nan
    for step in range(first, plan.steps):
        torch.manual_seed(plan.seed * 1_000_003 + step)
        loss = loss_at(step)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        if plan.average:
            keep = min(plan.average, (step + 1) / (step + 10))
            for name, value in model.state_dict().items():
                mean_weights[name].lerp_(value, 1 - keep)
        losses.append(loss.item())
        mean = losses[-1] if math.isnan(mean) else 0.97 * mean + 0.03 * losses[-1]
        if (step + 1) % plan.every == 0 or step + 1 == plan.steps:
            spent = {"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu}
            print(
                f"step {step + 1}/{plan.steps}  loss {mean:.4f}  "
                f"{spent['wall']:.0f} s, {spent['cpu']:.0f} s of CPU",
                flush=True,
            )
            state = {
                "identity": identity,
                "model": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "average": mean_weights,
                "step": step + 1,
                **spent,
            }
            _save(state, plan.checkpoint)
    if plan.average:
        model.load_state_dict(mean_weights)
    return losses


def parser(doc: str | None, *, steps: int, rate: float) -> argparse.ArgumentParser:
    """Returns a parser of the options that the recipes of the default models share.

    Args:
        doc: What the program is for.
        steps: Default of --steps.
        rate: Default of --rate.
    """
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = found.add_argument
    add("-o", "--output", type=Path, required=True, help="model file to write")
    add("--data", type=Path, help="folder with annotated pages/ (and lines/)")
    add("--steps", type=int, default=steps, help=f"steps of training (default {steps})")
    add("--rate", type=float, default=rate, help="peak learning rate")
    add("--seed", type=int, default=1, help="seed of all randomness (default 1)")
    add("--threads", type=int, default=2, help="threads (default 2)")
    kind = found.add_mutually_exclusive_group().add_argument
    kind(
        "--start",
        type=Path,
        help="take the weights of this model, run the last stage only and keep a part of them",
    )
    kind("--short", action="store_true", help="trial of a minute with drawn data only: the loss must fall")
    add("--float32", action="store_true", help="train in 32 bits (default: bfloat16 where torch can)")
    return found


def start_from(path: Path, *networks: nn.Module) -> nn.Module:
    """Gives the weights in a file to the first of the networks that they fit, and returns it.

    Raises:
        SystemExit: The file holds another network.
    """
    from kraken.models import load_models

    model = load_models(path)[0]
    for network in networks:
        if shapes_of(network) == shapes_of(model):
            network.load_state_dict(model.state_dict())
            return network
    raise SystemExit(f"{path} holds another network than this recipe trains.")


def shapes_of(model: nn.Module) -> dict[str, torch.Size]:
    """Returns the shapes of all weights by their names: equal for equal networks."""
    return {name: weights.shape for name, weights in model.state_dict().items()}


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Returns a copy of the weights, for :func:`keep_part`."""
    return {name: weights.clone() for name, weights in model.state_dict().items()}


def keep_part(model: nn.Module, before: dict[str, Tensor], part: float) -> None:
    """Moves the weights back by a part of the way that they went since `before`.

    What lies between two stages does well what was common in either (Wortsman et al., "Robust fine-tuning of
    zero-shot models", 2022).
    """
    for name, weights in model.state_dict().items():
        weights.lerp_(before[name], part)


def check_falls(losses: list[float]) -> None:
    """Ends the program with an error unless the last fifth of the losses is clearly below the first."""
    part = max(1, len(losses) // 5)
    first, last = (sum(x) / part for x in (losses[:part], losses[-part:]))
    print(f"loss {first:.3f} -> {last:.3f} in {len(losses)} steps")
    if not last < 0.9 * first:
        raise SystemExit("The loss doesn't fall: the recipe is broken.")


def _one_cycle(part: float) -> float:
    if part < 0.1:
        return 0.05 + 0.95 * part / 0.1
    return 0.002 + 0.998 * 0.5 * (1 + math.cos(math.pi * (part - 0.1) / 0.9))


def _save(state: dict[str, Any], path: Path) -> None:
    # never leave half a checkpoint behind
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    torch.save(state, part)
    part.replace(path)


def write_half(model: nn.Module, path: Path) -> None:
    """Writes the model with 16-bit weights, half the size; `model` keeps the rounded values as float32."""
    from kraken.models import write_safetensors

    model.half()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors([model], path)
    model.float()
    print(f"wrote {path} ({path.stat().st_size} bytes)")
