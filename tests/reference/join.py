"""Joining fragments, the slow way: every rule of ``kraken_core::seg::join`` as it reads."""

from __future__ import annotations

import math
from typing import Any

from shapely.geometry import LineString, Point

Line = list[list[float]]


def ends(line: Line, reach: float) -> Any:
    """Points and directions of start and end; None without extent."""
    if len(line) < 2 or LineString(line).length == 0:
        return None
    whole = LineString(line)
    reach = min(reach, whole.length)
    inner = [whole.interpolate(reach), whole.interpolate(whole.length - reach)]
    pairs = [(Point(line[0]), inner[0]), (inner[1], Point(line[-1]))]
    directions = []
    for a, b in pairs:
        d = math.hypot(b.x - a.x, b.y - a.y)
        if d == 0:
            return None
        directions.append(((b.x - a.x) / d, (b.y - a.y) / d))
    return (line[0], directions[0]), (line[-1], directions[1])


def cost(tail: Any, head: Any, max_gap: float, max_offset: float, max_turn: float) -> float | None:
    """How badly a start continues an end."""
    (p, d), (q, e) = tail, head
    if math.hypot(q[0] - p[0], q[1] - p[1]) > max_gap + max_offset:
        return None
    if abs(math.atan2(d[0] * e[1] - d[1] * e[0], d[0] * e[0] + d[1] * e[1])) > max_turn:
        return None
    norm = math.hypot(d[0] + e[0], d[1] + e[1])
    if norm == 0:
        return None
    m = ((d[0] + e[0]) / norm, (d[1] + e[1]) / norm)
    g = (q[0] - p[0], q[1] - p[1])
    forward = g[0] * m[0] + g[1] * m[1]
    if not -max_offset <= forward <= max_gap:
        return None
    if forward > 0:
        a = [p[k] + d[k] * forward / 2 for k in (0, 1)]
        b = [q[k] - e[k] * forward / 2 for k in (0, 1)]
        offset = math.hypot(b[0] - a[0], b[1] - a[1])
    else:
        offset = abs(m[0] * g[1] - m[1] * g[0])
    return math.hypot(forward, 3 * offset) if offset <= max_offset else None


def chains(
    lines: list[Line], groups: list[int], max_gap: float, max_offset: float, max_turn: float
) -> list[list[int]]:
    """Chains without the test for gutters: for lines of which no three are near each other."""
    known = [ends(line, max(max_gap, 20.0)) for line in lines]
    bonds = []
    for i, one in enumerate(known):
        for j, other in enumerate(known):
            if i != j and one and other and groups[i] == groups[j]:
                price = cost(one[1], other[0], max_gap, max_offset, max_turn)
                if price is not None:
                    bonds.append((price, i, j))
    following: dict[int, int] = {}
    for _, i, j in sorted(bonds):
        walk, closes = j, False
        while walk in following:
            walk = following[walk]
        closes = walk == i
        if i not in following and j not in following.values() and not closes:
            following[i] = j
    found = []
    for i in set(range(len(lines))) - set(following.values()):
        chain = [i]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        found.append(chain)
    return sorted(found, key=min)
