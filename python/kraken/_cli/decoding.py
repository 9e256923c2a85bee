"""Options of ``kraken ocr`` that choose a decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kraken._cli.errors import CommandError
from kraken.lib.ctc_decoder import ALPHA, BETA, UNKNOWN_WORD
from kraken.lib.decoders import BeamDecoder, resolve_decoder
from kraken.lib.lm import Lexicon, NgramModel

_BEAM_SIZE = 16
#: Option of the command and keyword of the beam search.
_BEAM_OPTIONS = {
    "beam_size": "beam_size",
    "lm": "lm",
    "lm_weight": "alpha",
    "lm_bonus": "beta",
    "lexicon": "lexicon",
    "lexicon_penalty": "unknown_word",
}

F = TypeVar("F", bound=Callable[..., Any])


def decoder_options(command: F) -> F:
    """Adds the options to a command."""
    file = click.Path(exists=True, dir_okay=False)
    options = (
        click.option(
            "--decoder",
            type=click.Choice(("greedy", "beam", "threshold")),
            help="How to read the network's output: its best path, a beam search (default with one of the "
            "next options), or one character between two blanks as in ocropy. By default the best path, or "
            "a beam search with the language model that comes with the recognition model.",
        ),
        click.option(
            "--beam-size",
            type=click.IntRange(min=1),
            help=f"Readings that are followed.  [default: {_BEAM_SIZE}]",
        ),
        click.option("--lm", type=file, help="Language model (file of `ketos lmtrain`)."),
        click.option(
            "--lm-weight",
            type=click.FloatRange(min=0),
            help=f"How much the language model counts.  [default: {ALPHA}]",
        ),
        click.option(
            "--lm-bonus",
            type=float,
            help=f"Reward of each character, against lost ones.  [default: {BETA:g} with --lm, else 0]",
        ),
        click.option("--lexicon", type=file, help="Word list, one a line: other words are less likely."),
        click.option(
            "--lexicon-penalty",
            type=click.FloatRange(min=0),
            help=f"Cost of a word that isn't in the list; `inf` forbids them.  [default: {UNKNOWN_WORD:g}]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def take_decoder(options: dict[str, Any]) -> dict[str, Any]:
    """Takes the decoder's options out of a command's and makes the decoder.

    Returns:
        Field of the configuration with the decoder, none if the choice is left to the model.

    Raises:
        CommandError: If they contradict one another or a file can't be read.
    """
    name = options.pop("decoder")
    given = {key: options.pop(key) for key in _BEAM_OPTIONS}
    given = {key: value for key, value in given.items() if value is not None}
    flags = ", ".join("--" + key.replace("_", "-") for key in given)
    if given and name not in (None, "beam"):
        raise CommandError(f"{flags}: only for `--decoder beam`, not for {name}.")
    if not given and name != "beam":
        return {"decoder": resolve_decoder(name)} if name else {}
    for needed, dependent in (("lm", "lm_weight"), ("lexicon", "lexicon_penalty")):
        if dependent in given and needed not in given:
            raise CommandError(f"--{dependent.replace('_', '-')} has no effect without --{needed}.")
    try:
        if "lm" in given:
            given["lm"] = NgramModel.load(given["lm"])
        if "lexicon" in given:
            given["lexicon"] = Lexicon.load(given["lexicon"])
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from error
    given.setdefault("beam_size", _BEAM_SIZE)
    return {"decoder": BeamDecoder(**{_BEAM_OPTIONS[key]: value for key, value in given.items()})}
