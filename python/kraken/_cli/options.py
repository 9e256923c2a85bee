"""Global options and what they mean for the configurations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from kraken._cli.errors import CommandError
from kraken._cli.inputs import Job, check_collection, collect_jobs

__all__ = ["Settings", "parse_device"]

_DEVICE = re.compile(r"(cuda|tpu|hpu|ipu):(\d+)")


def parse_device(text: str) -> tuple[str, Any]:
    """``cuda:0,cuda:1`` as accelerator and device indices.

    Raises:
        click.BadParameter: If it isn't a known device or several kinds are mixed.
    """
    if text == "auto":
        return "auto", "auto"
    if text in ("cpu", "mps"):
        return text, "auto"
    if text == "cuda":
        text = "cuda:0"
    matches = [_DEVICE.fullmatch(part) for part in text.split(",")]
    kinds = {match[1] for match in matches if match}
    if None in matches or len(kinds) != 1:
        raise click.BadParameter(f"Invalid device {text} specified")
    return kinds.pop(), [int(match[2]) for match in matches if match]


@dataclass
class Settings:
    """Everything that the options before the first subcommand say."""

    pairs: tuple[tuple[str, str], ...]
    patterns: tuple[str, ...]
    suffix: str
    output_format: str
    template: str | None
    pdf: Path | None
    pdf_format: str
    precision: str
    accelerator: str
    device: Any
    threads: int
    fail_fast: bool
    input_format: str
    sub_line_segmentation: bool
    verbose: int
    json_summary: bool

    @cached_property
    def jobs(self) -> list[Job]:
        """Inputs and outputs. Subcommands ask for them before they load a model.

        Raises:
            CommandError: If they can't be processed as asked.
        """
        jobs = collect_jobs(
            self.pairs,
            self.patterns,
            self.suffix,
            self.pdf_format if self.input_format == "pdf" else None,
        )
        if self.json_summary and any(str(job.target) == "-" for job in jobs):
            raise CommandError("--json and an output `-` would be mixed on standard output: name a file.")
        if self.pdf is not None:
            check_collection(self.pdf, jobs)
        return jobs

    @property
    def native(self) -> bool:
        """Whether outputs are text, JSON or images instead of documents."""
        return self.template is None and self.output_format == "native"

    def check_device(self) -> None:
        """Finds out that a device or precision doesn't exist here before any page is read.

        Raises:
            CommandError: If so.
        """
        # Needs torch: called when a model is about to be loaded anyway.
        from kraken.lib.vgsl.inference import PRECISIONS, resolve_device

        if self.precision not in PRECISIONS:
            raise CommandError(
                f"Precision {self.precision} isn't possible here: use one of {', '.join(PRECISIONS)}."
            )
        try:
            resolve_device(self.accelerator, self.device)
        except ValueError as error:
            raise CommandError(str(error)) from error

    def config_options(self) -> dict[str, Any]:
        """Keyword arguments that every inference configuration takes."""
        return {
            "precision": self.precision,
            "accelerator": self.accelerator,
            "device": self.device,
            "num_threads": self.threads,
            "raise_on_error": self.fail_fast,
        }
