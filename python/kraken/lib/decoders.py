"""Decoders as objects, with their options, for ``RecognitionInferenceConfig(decoder=…)``."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from kraken._rust import text as _text
from kraken.lib.ctc_decoder import (
    ALPHA,
    BLANK_PRUNE,
    UNKNOWN_WORD,
    Codec,
    Lengths,
    Outputs,
    Symbol,
    blank_threshold_decoder,
    greedy_decoder,
    search,
    text_scorer,
)
from kraken.lib.lm import Lexicon, NgramModel

__all__ = ["DECODERS", "BeamDecoder", "ThresholdDecoder", "language_decoder", "resolve_decoder"]

#: Weight and reward of each character with language models of the package, chosen on the validation documents
#: of `docs/models/README.md`.
_WEIGHT, _BONUS = 0.4, 1.3

Decoder: TypeAlias = "Callable[[Outputs, Lengths | None], list[list[Symbol]]]"


class BeamDecoder:
    """A :func:`beam_search` with its options, for ``RecognitionInferenceConfig(decoder=…)``.

    Args:
        beam_size: As for :func:`beam_search`, like all the others.
        lm: Language model.
        alpha: Weight of the language model.
        beta: Reward of each code point, None for 1 with a language model and 0 without.
        lexicon: Word list.
        unknown_word: Cost of a word that isn't in the list.
        codec: Codec of the labels. Recognition sets the one of its model if there
            is none.
        top_k: As above.
        min_probability: As above.
        blank_prune: As above.
        num_threads: As above. Recognition sets that of its configuration.
    """

    def __init__(
        self,
        beam_size: int = 16,
        lm: NgramModel | None = None,
        alpha: float = ALPHA,
        beta: float | None = None,
        lexicon: Lexicon | None = None,
        *,
        unknown_word: float = UNKNOWN_WORD,
        codec: Codec | None = None,
        top_k: int | None = None,
        min_probability: float | None = None,
        blank_prune: float | None = BLANK_PRUNE,
        num_threads: int = 0,
    ) -> None:
        self.beam_size = beam_size
        self.lm = lm
        self.alpha = alpha
        self.beta = beta
        self.lexicon = lexicon
        self.unknown_word = unknown_word
        self.codec = codec
        self.top_k = top_k
        self.min_probability = min_probability
        self.blank_prune = blank_prune
        self.num_threads = num_threads
        self._prepared: _text.Scorer | None = None

    def for_model(self, codec: Codec | None, num_threads: int) -> BeamDecoder:
        """A copy that decodes the labels of a codec."""
        bound = copy.copy(self)
        bound.codec = self.codec or codec
        bound.num_threads = num_threads
        # Made once per model, not once per batch.
        bound._prepared = bound._scorer()
        return bound

    def _scorer(self) -> _text.Scorer | None:
        return text_scorer(self.codec, self.lm, self.lexicon, self.alpha, self.beta, self.unknown_word)

    def __call__(self, outputs: Outputs, seq_lens: Lengths | None = None) -> list[list[Symbol]]:
        """Decodes probabilities (C, W) or (N, C, W) as :func:`greedy_decoder` does."""
        decoded = search(
            outputs,
            seq_lens,
            beam_size=self.beam_size,
            top_k=self.top_k,
            min_probability=self.min_probability,
            blank_prune=self.blank_prune,
            num_threads=self.num_threads,
            scorer=self._prepared or self._scorer(),
        )
        return [line[0][0] for line in decoded]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_prepared": None}


class ThresholdDecoder:
    """A :func:`blank_threshold_decoder` with its threshold."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def __call__(self, outputs: Outputs, seq_lens: Lengths | None = None) -> list[list[Symbol]]:
        """Decodes probabilities (C, W) or (N, C, W) as :func:`greedy_decoder` does."""
        if seq_lens is None and outputs.ndim == 2:
            # with lengths the function gives a list per line, too
            seq_lens = [outputs.shape[1]]
        decoded: Any = blank_threshold_decoder(outputs, self.threshold, seq_lens)
        found: list[list[Symbol]] = decoded
        return found


@functools.lru_cache(maxsize=4)
def language_decoder(path: Path) -> BeamDecoder:
    """A beam search with a language model of the package, which is read once.

    Args:
        path: File that :meth:`kraken.lib.lm.NgramModel.load` reads.

    Raises:
        OSError: If the file can't be read.
        ValueError: If it isn't such a file.
    """
    # labels that the network all but rules out cost a quarter of the time and change nothing
    return BeamDecoder(lm=NgramModel.load(path), alpha=_WEIGHT, beta=_BONUS, min_probability=1e-3)


def _greedy() -> Decoder:
    return greedy_decoder


#: Decoders by name, each made from its options.
DECODERS: Mapping[str, Callable[..., Decoder]] = {
    "greedy": _greedy,
    "beam": BeamDecoder,
    "threshold": ThresholdDecoder,
}


def resolve_decoder(decoder: Any, codec: Codec | None = None, num_threads: int = 0) -> Decoder:
    """The decoder that a configuration means.

    Args:
        decoder: A callable ``decoder(outputs, seq_lens)``; ``"greedy"``, ``"beam"`` or
            ``"threshold"``; or a pair of such a name and a mapping of its options.
        codec: Codec of the model that is about to be used.
        num_threads: Number of threads that decoding may use, 0 for all.

    Raises:
        ValueError: For another name or an option that the decoder doesn't have.
    """
    if isinstance(decoder, str):
        decoder = (decoder, {})
    if isinstance(decoder, Sequence):
        if len(decoder) != 2:
            raise ValueError(f"decoder is {decoder!r}, need a name and its options")
        name, options = decoder
        if name not in DECODERS:
            raise ValueError(f"decoder {name!r} isn't known: use one of {', '.join(DECODERS)}")
        try:
            decoder = DECODERS[name](**options)
        except TypeError as error:
            raise ValueError(f"the options of decoder {name!r} are wrong: {error}") from error
    if not callable(decoder):
        raise ValueError(f"decoder is {decoder!r}, need a function, a name, or a name with options")
    bind = getattr(decoder, "for_model", None)
    found: Decoder = decoder if bind is None else bind(codec, num_threads)
    return found
