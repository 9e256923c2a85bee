"""Sections of line polygons, rule by rule (spec chapter geometry §1)."""

from __future__ import annotations

import itertools
import math

EPS = 2.0**-52


def inside(p, ring):
    odd = False
    for i in range(len(ring)):
        (ax, ay), (bx, by) = ring[i], ring[(i + 1) % len(ring)]
        on_box = min(ax, bx) <= p[0] <= max(ax, bx) and min(ay, by) <= p[1] <= max(ay, by)
        if on_box and abs((bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax)) < 1e-10:
            return False
        if (ay > p[1]) != (by > p[1]) and p[0] < (bx - ax) * (p[1] - ay) / (by - ay) + ax:
            odd = not odd
    return odd


def nearest(origin, d, ring):
    best = None
    for i in range(len(ring)):
        (px, py), (qx, qy) = ring[i], ring[(i + 1) % len(ring)]
        ex, ey = qx - px, qy - py
        fx, fy = px - origin[0], py - origin[1]
        den = d[0] * ey - d[1] * ex
        if abs(den) < EPS:
            continue
        t = (fx * ey - fy * ex) / den
        u = (fx * d[1] - fy * d[0]) / den
        if t >= 0 and 0 <= u <= 1 and (best is None or t < best):
            best = t
    return None if best is None else (origin[0] + best * d[0], origin[1] + best * d[1])


def extend(line, ring):
    line = [tuple(map(float, p)) for p in line]
    for end, other in ((0, 1), (-1, -2)):
        if len(line) > 1 and inside(line[end], ring):
            d = (line[end][0] - line[other][0], line[end][1] - line[other][1])
            hit = nearest(line[end], d, ring)
            if hit:
                line[end] = (float(math.trunc(hit[0])), float(math.trunc(hit[1])))
    return line


def first_hit(b, r, ring):
    for i in range(len(ring)):
        (ax, ay), (px, py) = ring[i - 1], ring[i]
        vx, vy = px - ax, py - ay
        gx, gy = b[0] - ax, b[1] - ay
        z = vx * -r[1] + vy * r[0] + EPS
        t = (vx * gy - vy * gx) / z
        s = (gx * -r[1] + gy * r[0]) / z
        if 0 <= s <= 1 and t >= 0:
            return (b[0] + t * r[0], b[1] + t * r[1])
    return None


def section(baseline, boundary, d1, d2):
    """Result of ``compute_polygon_section`` and the length of the extended baseline."""
    ring = [tuple(map(float, p)) for p in boundary]
    line = extend(baseline, ring)
    cumulative = [0.0]
    for (ax, ay), (bx, by) in itertools.pairwise(line):
        cumulative.append(cumulative[-1] + math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay)))
    length = cumulative[-1]
    if length == 0:
        point = [round(line[0][0]), round(line[0][1])]
        return (point,) * 4, 0.0
    bases, hits = [], []
    for d in (d1, d2):
        d = EPS if d == 0 else d
        d = d if d < length - EPS else length - EPS
        k = next(k for k, c in enumerate(cumulative) if c >= d)
        (ax, ay), (bx, by) = line[k - 1], line[k]
        norm = math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
        ux, uy = ((bx - ax) / norm, (by - ay) / norm) if norm else (0.0, 0.0)
        rest = d - cumulative[k - 1]
        b = (ax + rest * ux, ay + rest * uy)
        bases.append(b)
        hits.append((first_hit(b, (uy, -ux), ring), first_hit(b, (-uy, ux), ring)))
    if any(h is None for pair in hits for h in pair):
        return [[math.trunc(x), math.trunc(y)] for x, y in bases], length
    corners = (hits[0][0], hits[0][1], hits[1][1], hits[1][0])
    return tuple([round(x), round(y)] for x, y in corners), length
