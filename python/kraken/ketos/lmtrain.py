"""``ketos lmtrain``: estimate a language model from text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

import click

from kraken._cli.errors import CommandError
from kraken.lib.bidi import get_display
from kraken.lib.functional_im_transforms import text_whitespace_normalize
from kraken.lib.lm import NgramModel

__all__ = ["lmtrain"]

_XML_STARTS = (b"<?xml", b"<alto", b"<PcGts")


def _thresholds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Numbers of ``0,0,1``.

    Raises:
        click.BadParameter: If they aren't such numbers.
    """
    try:
        found = tuple(int(part) for part in (value or "").replace(",", " ").split())
    except ValueError:
        raise click.BadParameter(f"{value!r} isn't a list of whole numbers such as 0,0,1.") from None
    if any(n < 0 for n in found) or found[:1] not in ((), (0,)) or list(found) != sorted(found):
        raise click.BadParameter(f"{value!r}: need numbers from 0 on that start with 0 and never fall.")
    return found


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file, or of the text lines of an ALTO or PAGE file.

    Raises:
        OSError: If the file can't be read.
        ValueError: If it is neither.
    """
    data = path.read_bytes()
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_XML_STARTS):
        # Only inputs in XML need the parser.
        from kraken.lib.xml import XMLPage

        for line in XMLPage(path).lines.values():
            yield line.text or ""
        return
    try:
        yield from data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is neither ALTO, PAGE nor text in UTF-8: {error}") from error


@click.command("lmtrain")
@click.argument(
    "texts", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("model.arpa"),
    show_default=True,
    help="File for the model: ARPA, or few bytes if its name ends in .ngrams.",
)
@click.option(
    "--order",
    type=click.IntRange(1, 16),
    default=5,
    show_default=True,
    help="Length of the longest sequences of characters.",
)
@click.option(
    "--prune",
    callback=_thresholds,
    metavar="N,N,…",
    help="Leave out sequences that occur at most that often, per length from 1; the last number holds for "
    "all longer ones: 0,0,1 drops what occurs once from length 3 on.  [default: 0]",
)
@click.option(
    "-u",
    "--normalization",
    type=click.Choice(("NFC", "NFD", "NFKC", "NFKD")),
    help="Unicode normalisation; choose that of the recognition model.  [default: none]",
)
@click.option(
    "-n/-N",
    "--normalize-whitespace/--no-normalize-whitespace",
    default=True,
    show_default=True,
    help="Make all white space blanks and drop it at the ends of lines.",
)
@click.option(
    "--reorder/--no-reorder",
    default=True,
    show_default=True,
    help="Put right-to-left text in display order, which is the order that networks read in.",
)
@click.option(
    "--base-dir",
    type=click.Choice(("L", "R", "auto")),
    default="auto",
    show_default=True,
    help="Base direction of the text for reordering.",
)
def lmtrain(
    texts: tuple[Path, ...],
    output: Path,
    order: int,
    prune: tuple[int, ...],
    normalization: str | None,
    normalize_whitespace: bool,
    reorder: bool,
    base_dir: str,
) -> None:
    """Train a language model on text.

    TEXTS are text files (UTF-8, lines as on the pages to read) or ALTO or PAGE files. The model is
    one for `kraken ocr --lm`.
    """
    if len(prune) > order:
        raise CommandError(f"--prune has {len(prune)} numbers, but --order is {order}.")
    form = cast("Literal['NFC', 'NFD', 'NFKC', 'NFKD']", normalization)
    direction = cast("Literal['L', 'R'] | None", base_dir if base_dir != "auto" else None)
    lines = []
    try:
        for path in texts:
            for line in read_lines(path):
                text = unicodedata.normalize(form, line) if normalization else line
                if normalize_whitespace:
                    text = text_whitespace_normalize(text)
                if text:
                    lines.append(get_display(text, direction) if reorder else text)
        if not lines:
            raise CommandError(f"No text in {', '.join(map(str, texts))}.")
        model = NgramModel.train(lines, order, prune)
        model.save(output)
    except (OSError, ValueError) as error:
        raise CommandError(" ".join(str(error).split())) from error
    click.echo(
        f"{output}: {' + '.join(map(str, model.counts))} n-grams of {sum(map(len, lines))} characters in "
        f"{len(lines)} lines"
    )
