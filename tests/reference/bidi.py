"""The Unicode Bidirectional Algorithm as the standard words it, on one line.

Every rule is a pass of its own. Characters that X9 removes are removed before
anything is resolved. Brackets and mirror glyphs are limited to the few that
tests use.
"""

from __future__ import annotations

# U+2329 and U+232A are canonically equivalent to U+3008 and U+3009.
OPEN = {"(": ")", "[": "]", "{": "}", "\u2329": "\u232a", "\u3008": "\u3009"}
CLOSE = set(OPEN.values())
CANONICAL = {"\u2329": "\u3008", "\u232a": "\u3009"}
MIRROR = dict([*OPEN.items(), ("<", ">"), ("«", "»")])
MIRROR |= {b: a for a, b in MIRROR.items()}
INITIATORS = ("LRI", "RLI", "FSI")
REMOVED = ("LRE", "RLE", "LRO", "RLO", "PDF", "BN")
NEUTRAL = ("B", "S", "WS", "ON", "LRI", "RLI", "FSI", "PDI")


def matching_pdi(classes, start):
    depth = 1
    for i in range(start + 1, len(classes)):
        if classes[i] in INITIATORS:
            depth += 1
        elif classes[i] == "PDI":
            depth -= 1
            if depth == 0:
                return i
    return None


def first_strong(classes):
    i = 0
    while i < len(classes):
        if classes[i] in ("L", "R", "AL"):
            return 0 if classes[i] == "L" else 1
        if classes[i] in INITIATORS:
            i = matching_pdi(classes, i)
            if i is None:
                return 0
        i += 1
    return 0


def explicit(classes, paragraph):
    """X1–X8: (level, class) per character; None if X9 removes it."""
    out = []
    stack = [(paragraph, None, False)]
    bad_isolates = bad_embeddings = isolates = 0
    for i, c in enumerate(classes):
        if c in ("RLE", "LRE", "RLO", "LRO"):
            level = stack[-1][0] + 1
            level += (level % 2 == 0) == c.startswith("R")
            if level <= 125 and not bad_isolates and not bad_embeddings:
                stack.append((level, {"RLO": "R", "LRO": "L"}.get(c), False))
            elif not bad_isolates:
                bad_embeddings += 1
            out.append(None)
        elif c in INITIATORS:
            end = matching_pdi(classes, i)
            rtl = c == "RLI" or (c == "FSI" and first_strong(classes[i + 1 : end]) == 1)
            out.append((stack[-1][0], stack[-1][1] or c))
            level = stack[-1][0] + 1
            level += (level % 2 == 0) == rtl
            if level <= 125 and not bad_isolates and not bad_embeddings:
                isolates += 1
                stack.append((level, None, True))
            else:
                bad_isolates += 1
        elif c == "PDI":
            if bad_isolates:
                bad_isolates -= 1
            elif isolates:
                bad_embeddings = 0
                while not stack[-1][2]:
                    stack.pop()
                stack.pop()
                isolates -= 1
            out.append((stack[-1][0], stack[-1][1] or c))
        elif c == "PDF":
            if not bad_isolates:
                if bad_embeddings:
                    bad_embeddings -= 1
                elif not stack[-1][2] and len(stack) > 1:
                    stack.pop()
            out.append(None)
        elif c == "BN":
            out.append(None)
        elif c == "B":
            out.append((paragraph, c))
        else:
            out.append((stack[-1][0], stack[-1][1] or c))
    return out


def sequences(kept, classes, levels):
    """BD13: isolating run sequences as lists of indices."""
    runs = []
    for i in kept:
        if runs and levels[runs[-1][-1]] == levels[i]:
            runs[-1].append(i)
        else:
            runs.append([i])
    # By its first character the run that continues another. A separator has
    # the paragraph's level and may share a run with an initiator or a PDI: then
    # none continues.
    starts = {run[0]: run for run in runs}
    pdis = {run[-1]: matching_pdi(classes, run[-1]) for run in runs if classes[run[-1]] in INITIATORS}
    result = []
    for run in runs:
        if run[0] in pdis.values():
            continue
        sequence = list(run)
        while pdis.get(sequence[-1]) in starts:
            sequence += starts[pdis[sequence[-1]]]
        result.append(sequence)
    return result


def resolve_sequence(text, types, embedding, sos, eos):
    """W1–N2 on one sequence; returns its types."""
    n = len(types)
    original = list(types)
    for i in range(n):
        if types[i] == "NSM":
            before = types[i - 1] if i else sos
            types[i] = "ON" if before in (*INITIATORS, "PDI") else before
    for i in range(n):
        if types[i] == "EN":
            strong = next((t for t in reversed(types[:i]) if t in ("L", "R", "AL")), sos)
            if strong == "AL":
                types[i] = "AN"
    types = ["R" if t == "AL" else t for t in types]
    for i in range(1, n - 1):
        if types[i] in ("ES", "CS") and types[i - 1] == types[i + 1] == "EN":
            types[i] = "EN"
        elif types[i] == "CS" and types[i - 1] == types[i + 1] == "AN":
            types[i] = "AN"
    for i in range(n):
        if types[i] == "ET":
            j = i
            while j < n and types[j] == "ET":
                j += 1
            if (i and types[i - 1] == "EN") or (j < n and types[j] == "EN"):
                types[i] = "EN"
    types = ["ON" if t in ("ES", "ET", "CS") else t for t in types]
    for i in range(n):
        if types[i] == "EN" and next((t for t in reversed(types[:i]) if t in ("L", "R")), sos) == "L":
            types[i] = "L"

    stack, pairs = [], []
    for i in range(n):
        if types[i] != "ON":
            continue
        c = text[i]
        if c in OPEN:
            if len(stack) == 63:
                break
            stack.append((CANONICAL.get(OPEN[c], OPEN[c]), i))
        elif c in CLOSE:
            for k in range(len(stack) - 1, -1, -1):
                if stack[k][0] == CANONICAL.get(c, c):
                    pairs.append((stack[k][1], i))
                    del stack[k:]
                    break
    strong = {"L": "L", "R": "R", "EN": "R", "AN": "R"}
    for a, b in sorted(pairs):
        inner = {strong[t] for t in types[a + 1 : b] if t in strong}
        if embedding in inner:
            new = embedding
        elif inner:
            new = next((strong[t] for t in reversed(types[:a]) if t in strong), sos)
        else:
            continue
        for i in (a, b):
            types[i] = new
            while i + 1 < n and original[i + 1] == "NSM":
                i += 1
                types[i] = new

    i = 0
    while i < n:
        j = i
        while j < n and types[j] in NEUTRAL:
            j += 1
        before = strong[types[i - 1]] if i else sos
        after = strong[types[j]] if j < n else eos
        types[i:j] = [before if before == after else embedding] * (j - i)
        i = max(j, i + 1)
    return types


def display_map(text, base_dir, bidi_class):
    classes = [bidi_class(ord(c)) for c in text]
    paragraph = {"L": 0, "R": 1}.get(base_dir)
    if paragraph is None:
        paragraph = first_strong(classes)
    states = explicit(classes, paragraph)
    kept = [i for i, s in enumerate(states) if s]
    levels = {i: states[i][0] for i in kept}
    final = dict(levels)
    for sequence in sequences(kept, classes, levels):
        level = levels[sequence[0]]
        k = kept.index(sequence[0])
        before = levels[kept[k - 1]] if k else paragraph
        last = kept.index(sequence[-1])
        open_end = classes[sequence[-1]] in INITIATORS and matching_pdi(classes, sequence[-1]) is None
        after = paragraph if open_end or last + 1 == len(kept) else levels[kept[last + 1]]
        types = resolve_sequence(
            [text[i] for i in sequence],
            [states[i][1] for i in sequence],
            "LR"[level % 2],
            "LR"[max(level, before) % 2],
            "LR"[max(level, after) % 2],
        )
        for i, t in zip(sequence, types, strict=True):
            if level % 2 == 0:
                final[i] += {"R": 1, "AN": 2, "EN": 2}.get(t, 0)
            else:
                final[i] += t != "R"
    for k, i in enumerate(kept):
        rest = [classes[j] for j in kept[k:]]
        while rest and rest[0] in ("WS", *INITIATORS, "PDI"):
            rest.pop(0)
        if not rest or rest[0] in ("B", "S"):
            final[i] = paragraph
    order = list(kept)
    for level in range(max(final.values(), default=0), 0, -1):
        i = 0
        while i < len(order):
            j = i
            while j < len(order) and final[order[j]] >= level:
                j += 1
            order[i:j] = reversed(order[i:j])
            i = max(j, i + 1)
    order = [i for i in order if classes[i] not in (*INITIATORS, "PDI")]
    return "".join(MIRROR.get(text[i], text[i]) if final[i] % 2 else text[i] for i in order), order
