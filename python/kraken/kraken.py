"""The ``kraken`` command (spec chapter cli-kraken).

Importing this module loads neither torch nor the modules of the subcommands, so
that ``kraken --help`` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kraken._cli.lazy import LazyGroup
from kraken._version import version

__all__ = ["cli"]

#: Subcommand -> where it is defined, and its line in the help, so that listing
#: the subcommands imports none.
_COMMANDS = {
    "binarize": ("kraken._cli.binarize:binarize", "Make pages black and white."),
    "completion": ("kraken._cli.completion:completion", "Let a shell complete commands and options."),
    "convert": ("kraken._cli.convert:convert", "Turn results from one format into another."),
    "lines": ("kraken._cli.lines:lines", "Cut lines and their texts out of pages."),
    "repolygonize": ("kraken._cli.repolygonize:repolygonize", "Find the polygons of lines anew."),
    "get": ("kraken._cli.repository:get", "Fetch a model from the public repository."),
    "list": (
        "kraken._cli.repository:list_models",
        "List models of the public repository, or installed ones.",
    ),
    "show": ("kraken._cli.repository:show", "Show a model on this machine or in the public repository."),
    "overlay": ("kraken._cli.overlay:overlay", "Draw results over their pages."),
    "ocr": ("kraken._cli.ocr:ocr", "Recognise the text of lines."),
    "read": ("kraken._cli.read:read", "Read pages: from images or PDF files to text, in one go."),
    "segment": ("kraken._cli.segment:segment", "Find the regions, lines and reading order of pages."),
}

_FORMATS = ("native", "hocr", "alto", "abbyyxml", "pagexml")
_PRECISIONS = (
    "transformer-engine",
    "transformer-engine-float16",
    "16-true",
    "16-mixed",
    "bf16-true",
    "bf16-mixed",
    "32-true",
    "64-true",
)


class _Chain(LazyGroup):
    """A group in which commands of other packages become steps."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None or cmd_name in self.table:
            return command
        # Takes what pages need, such as numpy.
        from kraken._cli.plugins import as_step

        return as_step(cmd_name, command)


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"kraken, version {version()}")
        ctx.exit()


@click.group(
    cls=_Chain,
    table=_COMMANDS,
    entry_points="kraken.cli",
    chain=True,
    context_settings={"help_option_names": ["--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option(
    "-i",
    "--input",
    "pairs",
    nargs=2,
    multiple=True,
    metavar="IN OUT",
    type=(click.Path(), click.Path()),
    help="A page image (or XML file, see -f) and the file for its result; `-` prints the result. Repeatable.",
)
@click.option(
    "-I",
    "--batch-input",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Files by a pattern such as 'pages/**/*.png'; needs -o. Repeatable.",
)
@click.option(
    "-o", "--suffix", default="", help="Suffix of the outputs of -I and of PDF inputs, such as .txt."
)
@click.option("-v", "--verbose", count=True, help="Say more; twice for everything.")
@click.option(
    "-f",
    "--format-type",
    "input_format",
    type=click.Choice(("image", "alto", "page", "pdf", "xml")),
    default="image",
    show_default=True,
    help="Kind of the inputs.",
)
@click.option(
    "-p",
    "--pdf-format",
    default="{src}_{idx:06d}",
    show_default=True,
    help="Names of the outputs for pages of PDF inputs, before the suffix: {src} is the input, {idx} the "
    "page from 0 on, {uuid} unique.",
)
@click.option("-h", "--hocr", "output_format", flag_value="hocr", help="Write hOCR.")
@click.option("-a", "--alto", "output_format", flag_value="alto", help="Write ALTO.")
@click.option("-y", "--abbyy", "output_format", flag_value="abbyyxml", help="Write AbbyyXML.")
@click.option("-x", "--pagexml", "output_format", flag_value="pagexml", help="Write PageXML.")
@click.option(
    "-n",
    "--native",
    "output_format",
    flag_value="native",
    default="native",
    help="Write plain text, JSON if the last step is `segment`, an image if `binarize` (default).",
)
@click.option(
    "-t",
    "--template",
    type=click.Path(exists=True, dir_okay=False),
    help="Write with a Jinja2 template of your own.",
)
@click.option(
    "--pdf",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Also write all pages, in the order of the inputs, as one searchable PDF.",
)
@click.option("-d", "--device", default="auto", show_default=True, help="cpu, cuda:0, mps, … or auto.")
@click.option(
    "--precision",
    type=click.Choice(_PRECISIONS),
    default="32-true",
    show_default=True,
    help="Number format of the networks.",
)
@click.option(
    "-r/ ",
    "--raise-on-error/--no-raise-on-error",
    "--fail-fast/--keep-going",
    "fail_fast",
    default=False,
    help="Stop at the first failure, or go on and list failures at the end (default).",
)
@click.option(
    "--json",
    "json_summary",
    is_flag=True,
    help="Print a summary as JSON: inputs with their outputs or errors.",
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads to use.")
@click.option(
    "--subline-segmentation/--no-subline-segmentation",
    "sub_line_segmentation",
    default=True,
    show_default=True,
    help="Write words and characters, or lines only.",
)
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Turn page images into text.

    Subcommands are chained: `kraken -i page.png page.txt segment -bl -i LAYOUT ocr -m TEXT`.
    """
    from kraken._cli.console import set_up_logging
    from kraken._cli.options import Settings, parse_device

    accelerator, device = parse_device(options.pop("device"))
    template, pdf = options.pop("template"), options.pop("pdf")
    ctx.obj = Settings(
        accelerator=accelerator,
        device=device,
        template=None if template is None else str(Path(template).resolve()),
        pdf=None if pdf is None else Path(pdf),
        **options,
    )
    set_up_logging(ctx.obj.verbose)


@cli.result_callback()
@click.pass_context
def run(ctx: click.Context, /, steps: list[Any], **_options: Any) -> None:
    """Runs the chain that the subcommands built."""
    from kraken._cli.chain import check_chain, run_chain

    check_chain(steps, ctx.obj)
    ctx.exit(run_chain(ctx.obj.jobs, steps, ctx.obj))


if __name__ == "__main__":
    cli()
