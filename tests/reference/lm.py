"""Language models and word lists, written for clarity."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections import Counter

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"


class KneserNey:
    """Interpolated modified Kneser–Ney smoothing by its definition."""

    def __init__(self, lines, order, prune=()):
        self.order = order
        self.prune = [*prune, *([prune[-1] if prune else 0] * order)][:order]
        sentences = [(BEGIN, *line, END) for line in lines if line]
        self.raw = Counter(
            s[i : i + n] for s in sentences for n in range(1, order + 1) for i in range(len(s) - n + 1)
        )
        self.vocabulary = [*sorted({c for s in sentences for c in s} - {BEGIN}), UNKNOWN]
        self.adjusted = {g: self.adjust(g) for g in self.raw if g != (BEGIN,)}
        self.discounts = {n: self.estimate_discounts(n) for n in range(1, order + 1)}

    def adjust(self, gram):
        if len(gram) == self.order or gram[0] == BEGIN:
            return self.raw[gram]
        return len({g[0] for g in self.raw if g[1:] == gram})

    def estimate_discounts(self, n):
        counts = Counter(a for g, a in self.adjusted.items() if len(g) == n)
        t1, t2, t3, t4 = (counts[k] for k in (1, 2, 3, 4))
        if 0 not in (t1, t2, t3):
            y = t1 / (t1 + 2 * t2)
            found = [1 - 2 * y * t2 / t1, 2 - 3 * y * t3 / t2, 3 - 4 * y * t4 / t3]
            if all(0 < d <= k for k, d in enumerate(found, 1)):
                return found
        return [0.5, 1.0, 1.5]

    def mass(self, gram):
        """Count of an n-gram less its discount, 0 if it is left out."""
        a = self.adjusted.get(gram, 0)
        if a == 0 or self.raw[gram] <= self.prune[len(gram) - 1]:
            return 0
        return a - self.discounts[len(gram)][min(a, 3) - 1]

    def probability(self, symbol, context):
        """Probability of a symbol after a context of at most order - 1 symbols."""
        shorter = self.probability(symbol, context[1:]) if context else 1 / len(self.vocabulary)
        following = [(*context, v) for v in self.vocabulary]
        total = sum(self.adjusted.get(g, 0) for g in following)
        if not total:
            return shorter
        left = (total - sum(map(self.mass, following))) / total
        return self.mass((*context, symbol)) / total + left * shorter


def parse_arpa(text):
    """N-grams of an ARPA file: {tokens: (log10 probability, log10 back-off)}."""
    grams = {}
    for line in text.splitlines():
        if line and line[0] == "-":
            fields = line.split()
            has_backoff = "\t" in line and line.count("\t") == 2
            tokens = fields[1:-1] if has_backoff else fields[1:]
            grams[tuple(tokens)] = (float(fields[0]), float(fields[-1]) if has_backoff else 0.0)
    return grams


def back_off(grams, context, token):
    """Log10-probability of a token after a context."""
    while True:
        if (*context, token) in grams:
            return grams[(*context, token)][0]
        if not context:
            return grams[(UNKNOWN,)][0]
        weight = grams.get(tuple(context), (0, 0.0))[1]
        return weight + back_off(grams, context[1:], token)


def is_letter(c):
    return c.isalpha() or unicodedata.combining(c) > 0


def unlisted_words(text, words):
    """Number of words of a text that aren't in a list."""
    forms = set()
    for word in words:
        while word and not is_letter(word[0]):
            word = word[1:]
        while word and not is_letter(word[-1]):
            word = word[:-1]
        forms.add(word)
        if not any(c.isupper() for c in word):
            forms |= {word[:1].upper() + word[1:], word.upper()}
    forms.discard("")
    count = i = 0
    while i < len(text):
        if not is_letter(text[i]):
            i += 1
            continue
        end = i + 1
        while end < len(text) and (
            is_letter(text[end]) or any(form.startswith(text[i : end + 1]) for form in forms)
        ):
            end += 1
        word = text[i:end]
        bare = word
        while not is_letter(bare[-1]):
            bare = bare[:-1]
        count += word not in forms and bare not in forms
        i = end
    return count


def decode(labels, c2l):
    """Texts of the codes of a sequence of labels; None for each label of no code."""
    codes = {tuple(code): text for text, code in c2l.items()}
    texts, i = [], 0
    while i < len(labels):
        size = next((n for n in range(1, len(labels) - i + 1) if tuple(labels[i : i + n]) in codes), 0)
        texts.append(codes[tuple(labels[i : i + size])] if size else None)
        i += size or 1
    return texts


def text_score(labels, c2l, model=None, alpha=0.0, beta=0.0, words=None, penalty=0.0):
    """What a beam search adds to the log-probability of a labelling.

    ``model`` gives the natural logarithms of a text's probabilities, its end included.
    """
    texts = decode(labels, c2l)
    known = "".join(t for t in texts if t is not None)
    score = beta * len(known)
    if model is not None:
        # a private-use code point is unknown to every model here
        score += alpha * sum(model("".join("\ue000" if t is None else t for t in texts)))
    if words is not None:
        unlisted = unlisted_words(known, words)
        score -= penalty * unlisted if unlisted else 0
    return score


def exhaustive(probabilities, score):
    """All labellings of positive probability with their scores, best first."""
    scored = [(math.log(p) + score(labels), labels) for labels, p in probabilities.items() if p > 0]
    return sorted(scored, key=lambda s: -s[0])


def pruned(grams, keep):
    """A model without some n-grams, as programs that prune files leave it."""
    order = max(map(len, grams))
    left = dict(grams)
    for n in range(order, 1, -1):
        contexts = {g[:-1] for g in left}
        for k, gram in enumerate(sorted(g for g in grams if len(g) == n)):
            if gram not in contexts and not keep(gram, k):
                del left[gram]
    return left


def arpa(grams):
    """The text of a file."""
    by_order = {n: list(g) for n, g in itertools.groupby(sorted(grams, key=len), key=len)}
    out = ["\\data\\", *(f"ngram {n}={len(g)}" for n, g in by_order.items())]
    for n, part in by_order.items():
        out += ["", f"\\{n}-grams:"]
        out += [f"{grams[g][0]}\t{' '.join(g)}\t{grams[g][1]}".removesuffix("\t0.0") for g in part]
    return "\n".join([*out, "", "\\end\\", ""])
