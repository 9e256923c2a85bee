"""Codecs, written for clarity."""

from __future__ import annotations


def encode(s, c2l):
    """Labels of a text; code points without a code are skipped."""
    labels = []
    while s:
        text = max((t for t in c2l if len(t) > 1 and s.startswith(t)), key=len, default=s[0])
        labels += c2l.get(text, [])
        s = s[len(text) :] if text in c2l else s[1:]
    return labels


def decode(symbols, c2l):
    """One (code point, start, end, confidence) per code point; labels of no code are skipped."""
    decoded = []
    while symbols:
        labels = [symbol[0] for symbol in symbols]
        text = next((t for t, code in c2l.items() if list(code) == labels[: len(code)]), None)
        part = symbols[: len(c2l[text])] if text else symbols[:1]
        confidence = sum(symbol[3] for symbol in part) / len(part)
        decoded += [(c, part[0][1], part[-1][2], confidence) for c in text or ""]
        symbols = symbols[len(part) :]
    return decoded
