"""What the options before the subcommand say."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

__all__ = ["KetosError", "Settings"]

logger = logging.getLogger("kraken")


class KetosError(click.ClickException):
    """Something that users can mend: one line, exit code 1."""

    exit_code = 1


@dataclass
class Settings:
    """Global options; the object of the click context of every subcommand.

    Attributes:
        verbose: Number of ``-v``.
        accelerator: cpu, gpu, mps, … or auto, as lightning calls them.
        device: ``auto`` or indices of devices.
        precision: Number format.
        num_workers: Processes that load data.
        num_threads: Threads of the computation.
        seed: Seed of random numbers.
        deterministic: Whether repeatable algorithms are preferred.
    """

    verbose: int = 0
    accelerator: str = "auto"
    device: Any = "auto"
    precision: str = "32-true"
    num_workers: int = 1
    num_threads: int = 1
    seed: int | None = None
    deterministic: bool = False

    def message(self, text: str, **styles: Any) -> None:
        """Prints a line, unless the log says it all anyway."""
        if not self.verbose:
            click.secho(text, **styles)

    def config_options(self) -> dict[str, Any]:
        """Keyword arguments that every configuration takes."""
        return {
            "precision": self.precision,
            "accelerator": self.accelerator,
            "device": self.device,
            "num_threads": self.num_threads,
            "num_workers": self.num_workers,
        }

    def trainer_options(self) -> dict[str, Any]:
        """Keyword arguments that every trainer takes."""
        return {
            "accelerator": self.accelerator,
            "devices": self.device,
            "precision": self.precision,
            "deterministic": "warn" if self.deterministic else False,
            "enable_progress_bar": not self.verbose,
        }

    def seed_everything(self, draw: bool = False) -> None:
        """Seeds all generators if a seed is asked for.

        Args:
            draw: Whether one is drawn if none is asked for. Processes that train together have to agree on
                one: those that lightning starts find it in their environment.
        """
        seed = 42 if self.deterministic and self.seed is None else self.seed
        if seed is None and draw:
            given = os.environ.get("PL_GLOBAL_SEED") if "LOCAL_RANK" in os.environ else None
            seed = int(given) if given else secrets.randbelow(2**31)
            logger.info("Seed: %d", seed)
        if seed is not None:
            from lightning.pytorch import seed_everything  # commands that need no seed start without it

            seed_everything(seed, workers=True, verbose=False)

    @contextmanager
    def limited_threads(self) -> Iterator[None]:
        """Keeps the computation to the wanted number of threads."""
        import torch  # commands that compute nothing start without it

        before = torch.get_num_threads()
        torch.set_num_threads(self.num_threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
