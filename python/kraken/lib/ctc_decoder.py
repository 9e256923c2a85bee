"""Decoders for the softmax outputs of networks trained with CTC.

They extract sequences of labels, which :class:`kraken.lib.codec.PytorchCodec`
turns into text: the best path (:func:`greedy_decoder`), a prefix beam search
(:func:`beam_decoder`, :func:`beam_search`) and ocropy's rule
(:func:`blank_threshold_decoder`). Labels known beforehand are located by
:func:`align_labels`. :mod:`kraken.lib.decoders` has them as objects
with their options.

Outputs are probabilities, arrays or tensors, of the form (classes, columns) or
(lines, classes, columns); class 0 is the blank. A decoded symbol is a tuple
``(label, start, end, confidence)`` of the first and last column that it spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from kraken._rust import text as _text
from kraken.lib.lm import Lexicon, NgramModel

if TYPE_CHECKING:
    import torch

__all__ = [
    "align_labels",
    "beam_decoder",
    "beam_search",
    "blank_threshold_decoder",
    "greedy_decoder",
    "text_scorer",
]

Symbol: TypeAlias = tuple[int, int, int, float]
Outputs: TypeAlias = "npt.NDArray[Any] | torch.Tensor"
Lengths: TypeAlias = "Sequence[int] | npt.NDArray[Any] | torch.Tensor"
_Floats: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.float64]"


class Codec(Protocol):
    """What a decoder needs to know of a codec: the labels of every text."""

    c2l: dict[str, Sequence[int]]


#: Columns with a more probable blank start no symbol in :func:`beam_search`.
BLANK_PRUNE = 0.999
#: Weight of a language model, reward of each character with one, and cost of a word that isn't in
#: the word list: in the middle of what did well in ``python models/evaluate.py lm``.
ALPHA = 0.3
BETA = 1.0
UNKNOWN_WORD = 4.0


def _as_array(values: Any) -> npt.NDArray[Any]:
    """Array of an array, sequence or tensor on any device, without torch."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if values.is_floating_point() and values.element_size() < 4:
            values = values.float()
        values = values.numpy()
    return np.asarray(values)


def _batch(outputs: Any) -> _Floats:
    """Contiguous (lines, classes, columns) array of a float type that the kernels take."""
    array = _as_array(outputs)
    if array.ndim not in (2, 3):
        raise ValueError(
            f"outputs has {array.ndim} dimensions, need (classes, columns) or (lines, classes, columns)"
        )
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.shape[1] == 0:
        raise ValueError("outputs has no classes, need at least the blank")
    return np.ascontiguousarray(array)


def _lengths(seq_lens: Any, batch: _Floats) -> list[int]:
    """Lengths as ints; without any, one line is taken in full."""
    if seq_lens is None:
        if batch.shape[0] > 1:
            raise ValueError("seq_lens need to be set for batch decoding.")
        return [batch.shape[2]] * batch.shape[0]
    return [int(n) for n in np.atleast_1d(_as_array(seq_lens))]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def greedy_decoder(outputs: Outputs, seq_lens: Lengths | None = None) -> list[list[Symbol]]:
    """Best path decoding: the most probable label of every column.

    Equal neighbours are merged and blanks dropped. The lowest label wins ties;
    NaN counts as the largest value of its column.

    Args:
        outputs: Probabilities (C, W) or (N, C, W).
        seq_lens: Number of columns to use of each line. Needed for N > 1.

    Returns:
        One list per line of ``(label, first column, last column, confidence)``;
        the confidence is the largest probability in these columns.

    Raises:
        ValueError: for missing, negative or too few lengths or a wrong shape.
    """
    batch = _batch(outputs)
    return _text.greedy(batch, _lengths(seq_lens, batch))


@overload
def blank_threshold_decoder(outputs: Outputs, threshold: float = 0.5) -> list[Symbol]: ...
@overload
def blank_threshold_decoder(
    outputs: Outputs, threshold: Any = 0.5, seq_lens: Lengths | None = None
) -> list[Symbol] | list[list[Symbol]]: ...
def blank_threshold_decoder(
    outputs: Outputs, threshold: Any = 0.5, seq_lens: Lengths | None = None
) -> list[Symbol] | list[list[Symbol]]:
    """Decodes as ocropy does: one label per run of columns with an improbable blank.

    Args:
        outputs: Probabilities (C, W) or (N, C, W).
        threshold: Runs consist of columns whose blank is less probable. As with
            :func:`beam_decoder`, lengths may be given in its place.
        seq_lens: Number of columns to use of each line.

    Returns:
        One flat list of ``(label, run start, run end, probability)`` for (C, W)
        without lengths, else one list per line.

    Raises:
        ValueError: as for :func:`greedy_decoder`.
    """
    batch = _batch(outputs)
    if not _is_number(threshold):
        threshold, seq_lens = 0.5, threshold
    decoded = _text.blank_threshold(batch, _lengths(seq_lens, batch), float(threshold))
    return decoded[0] if np.ndim(outputs) == 2 and seq_lens is None else decoded


def beam_decoder(
    outputs: Outputs, beam_size: Any = 3, seq_lens: Lengths | None = None
) -> list[Symbol] | list[list[Symbol]]:
    """Prefix beam search for the most probable labelling.

    Unlike :func:`greedy_decoder` this sums over all paths with the same
    labelling (Graves & Jaitly 2014). With a beam that holds every prefix the
    result is the exact maximum; ties go to the shorter and then to the
    lexicographically smaller labelling. Positions are those of the labelling's
    most probable path.

    Args:
        outputs: Probabilities (C, W) or (N, C, W). NaN counts as 0.
        beam_size: Number of prefixes that are kept per column. Inference calls
            every decoder as ``decoder(outputs, seq_lens)``, so lengths may be
            given in its place.
        seq_lens: Number of columns to use of each line.

    Returns:
        One flat list of ``(label, first column, last column, confidence)`` for
        (C, W) without lengths, else one list per line.

    Raises:
        ValueError: if ``beam_size`` is below 1, and as for :func:`greedy_decoder`.
    """
    if not _is_number(beam_size):
        beam_size, seq_lens = 3, beam_size
    batch = _batch(outputs)
    decoded = search(batch, seq_lens, beam_size=beam_size)
    best = [line[0][0] for line in decoded]
    return best[0] if np.ndim(outputs) == 2 and seq_lens is None else best


def beam_search(
    outputs: Outputs,
    seq_lens: Lengths | None = None,
    beam_size: int = 16,
    top_k: int | None = None,
    blank_prune: float | None = BLANK_PRUNE,
    nbest: int = 1,
    lm: NgramModel | None = None,
    alpha: float = 0.5,
    beta: float | None = 0.0,
    lexicon: Lexicon | None = None,
    codec: Codec | None = None,
    *,
    unknown_word: float = UNKNOWN_WORD,
    min_probability: float | None = None,
    log_probs: bool | None = None,
    num_threads: int = 0,
) -> list[list[Symbol]] | list[list[tuple[list[Symbol], float]]]:
    """Prefix beam search over a batch, lines in parallel.

    Labels that can't enter the beam any more are never expanded, which keeps
    the search exact without a threshold on their probability.

    With ``lm``, ``beta`` or ``lexicon`` a labelling has the score ``ln p(labelling) +
    alpha · ln p(text and its end) + beta · code points - unknown_word · words
    that aren't listed``, where the text is what ``codec`` makes of the labels. A label
    that belongs to no code counts as a code point that the model doesn't know.

    Args:
        outputs: (C, W) or (N, C, W) probabilities or their natural logarithms.
        seq_lens: Number of columns to use of each line. Needed for N > 1.
        beam_size: Number of prefixes that are kept per column.
        top_k: Only that many labels per column start a new symbol; None for all.
        blank_prune: Columns whose blank has at least this probability start no
            new symbol; None to try them all.
        nbest: Number of labellings per line.
        lm: Language model.
        alpha: Weight of the language model, 0 or more.
        beta: Reward of each code point, which balances that models prefer short
            texts; None for 1 with a language model and 0 without.
        lexicon: Word list.
        codec: The codec of the labels, needed with the four arguments before.
        unknown_word: Cost of a word that isn't in the list; infinity forbids them.
        min_probability: Only labels at least that probable start a new symbol.
        log_probs: Whether the outputs are logarithms; None finds out by their
            sign.
        num_threads: Number of threads, 0 for all of the machine's.

    Returns:
        With ``nbest`` 1 one list of symbols per line as from
        :func:`greedy_decoder`. Otherwise one list per line of up to ``nbest``
        pairs (symbols, score), the best first; the score is the natural logarithm
        of the labelling's probability and what is added to it as above.

    Raises:
        ValueError: for an option out of range and as for :func:`greedy_decoder`.
    """
    batch = _batch(outputs)
    if log_probs is None:
        log_probs = bool((batch < 0).any())
    decoded = search(
        batch,
        seq_lens,
        beam_size=beam_size,
        top_k=top_k,
        min_probability=min_probability,
        blank_prune=blank_prune,
        nbest=nbest,
        log_probs=log_probs,
        num_threads=num_threads,
        scorer=text_scorer(codec, lm, lexicon, alpha, beta, unknown_word),
    )
    if nbest == 1:
        return [line[0][0] for line in decoded]
    return decoded


def align_labels(
    outputs: Outputs, labels: Sequence[Sequence[int]], seq_lens: Lengths | None = None
) -> list[list[Symbol] | None]:
    """Finds where the symbols of known texts stand: the most probable path of each labelling.

    Viterbi over the labels with optional blanks between them, mandatory ones between
    equal neighbours. On ties a path stays where it is rather than going on.

    Args:
        outputs: Probabilities (C, W) or (N, C, W). 0 and NaN count as the smallest
            positive number.
        labels: The labels of each line.
        seq_lens: Number of columns to use of each line. Needed for N > 1.

    Returns:
        Per line a tuple ``(label, first column, last column, confidence)`` for each
        label, whose confidence is the mean of its probabilities in these columns;
        None for a line with fewer columns than its labels (and the blanks between
        equal ones) need.

    Raises:
        ValueError: for a label that is no class of the outputs, another number of
            labellings than lines, and as for :func:`greedy_decoder`.
    """
    batch = _batch(outputs)
    texts = [[int(label) for label in line] for line in labels]
    if bad := [label for line in texts for label in line if label < 1]:
        raise ValueError(f"labels has {bad[0]}, need whole numbers from 1")
    return _text.align(batch, _lengths(seq_lens, batch), texts)


def text_scorer(
    codec: Codec | None,
    lm: NgramModel | None,
    lexicon: Lexicon | None,
    alpha: float,
    beta: float | None,
    unknown_word: float,
) -> _text.Scorer | None:
    """What texts are worth to :func:`beam_search`, whose arguments these are.

    Returns:
        An object that may serve many searches; None if nothing is known of the texts
        but their images.

    Raises:
        TypeError: for a language model or word list of another class.
        ValueError: for a weight out of range or a missing codec.
    """
    for name, value, kind in (("lm", lm, NgramModel), ("lexicon", lexicon, Lexicon)):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} is a {type(value).__name__}, need a kraken.lib.lm.{kind.__name__}")
    if beta is None:
        beta = 0.0 if lm is None else BETA
    if lm is None and lexicon is None and beta == 0:
        return None
    if codec is None:
        raise ValueError("codec is missing: lm, beta and lexicon are about text, not labels")
    codes = [([int(label) for label in labels], text) for text, labels in codec.c2l.items()]
    model = None if lm is None else lm.kernel
    words = None if lexicon is None else lexicon.kernel
    return _text.Scorer(codes, model, words, alpha, beta, unknown_word)


def search(
    outputs: Outputs,
    seq_lens: Any,
    *,
    beam_size: Any,
    top_k: int | None = None,
    min_probability: float | None = None,
    blank_prune: float | None = None,
    nbest: int = 1,
    log_probs: bool = False,
    num_threads: int = 0,
    scorer: _text.Scorer | None = None,
) -> list[list[tuple[list[Symbol], float]]]:
    """A :func:`beam_search` of any batch with a scorer made before, scores included."""
    batch = _batch(outputs)
    for name, value in (("beam_size", beam_size), ("nbest", nbest), ("top_k", top_k)):
        if value is not None and (value != int(value) or value < 1):
            raise ValueError(f"{name} is {value!r}, need a whole number of at least 1")
    if num_threads < 0:
        raise ValueError(f"num_threads is {num_threads}, need 0 (all) or more")
    lengths = _lengths(seq_lens, batch)
    # The kernel counts in machine words; no beam grows that large.
    size = min(int(beam_size), 2**31)
    return _text.beam_search(
        batch, lengths, size, top_k, min_probability, blank_prune, nbest, log_probs, num_threads, scorer
    )
