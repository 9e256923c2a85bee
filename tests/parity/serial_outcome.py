"""The form in which the recorded data describes a document, and its comparison rule."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

POINTS = {"POINTS", "BASELINE", "points"}
NUMBERS = {"HPOS", "VPOS", "WIDTH", "HEIGHT", "l", "r", "t", "b"}
CONFIDENCES = {"WC", "GC", "conf"}
SUBLINE = {"String", "SP", "Glyph", "Word", "charParams", "ocrx_word"}
ALTO_ORDER = {"ReadingOrder", "UnorderedGroup", "OrderedGroup", "ElementRef"}
GEOMETRY = POINTS | NUMBERS
CLOSE_CONFIDENCE = 1.5e-4


def make_segmentation(recipe: dict[str, Any]) -> Any:
    """Segmentation from a recorded recipe."""
    from kraken import containers as c

    lines = []
    for entry in recipe["lines"]:
        bbox = "bbox" in entry["line"] or recipe["type"] == "bbox"
        line = (c.BBoxLine if bbox else c.BaselineLine)(**entry["line"])
        if "prediction" in entry:
            cuts = entry["cuts"]
            if entry.get("tuples") or recipe.get("tuples"):
                cuts = [tuple(tuple(point) for point in cut) for cut in cuts]
            options = {key: entry[key] for key in ("base_dir", "display_order") if key in entry}
            record = c.BBoxOCRRecord if bbox else c.BaselineOCRRecord
            line = record(entry["prediction"], cuts, entry["confidences"], line, **options)
        lines.append(line)
    regions = {kind: [c.Region(**region) for region in group] for kind, group in recipe["regions"].items()}
    return c.Segmentation(
        type=recipe["type"],
        imagename=recipe["imagename"],
        text_direction="horizontal-lr",
        script_detection=False,
        lines=lines,
        regions=regions,
        line_orders=recipe.get("line_orders"),
    )


def canonical(document: str, known: set[str]) -> list[Any]:
    """Document as nested lists: name, attributes, text, children."""
    root = etree.fromstring(document.encode("utf-8"))
    return _canonical(root, known, is_root=True)


def _canonical(element: Any, known: set[str], *, is_root: bool = False) -> list[Any]:
    name = element.tag if is_root else etree.QName(element).localname
    local = etree.QName(element).localname
    attributes: dict[str, Any] = {}
    for key, value in element.attrib.items():
        if key == "data-region-type" or (local in ALTO_ORDER and key == "ID"):
            continue
        attributes[key] = _attribute(local, key, value, known)
    children = [_canonical(child, known) for child in element]
    if children:
        text = "".join([element.text or "", *(child.tail or "" for child in element)])
        text = "" if not text.strip() else text
    else:
        text = element.text or ""
        if local not in ("Unicode", "charParams") and element.get("class") != "ocrx_word":
            text = text.strip()
    if local in ("Created", "LastChange", "softwareVersion"):
        text = ""
    if local == "Creator":
        text = re.sub("^kraken .*", "kraken ", text)
    return [name, attributes, text, children]


def _attribute(element: str, key: str, value: str, known: set[str]) -> Any:
    if key in POINTS:
        return [float(number) for number in re.split("[ ,]+", value.strip())]
    if key in NUMBERS:
        return [float(value)]
    if key in CONFIDENCES:
        return float(value)
    if key == "producer":
        return re.sub("^kraken .*", "kraken ", value)
    if key == "title":
        return [_title(part) for part in value.split("; ")]
    if key.lower() in ("id", "ref") and not _is_known(value, known):
        return "GEN"
    return value


def _is_known(value: str, known: set[str]) -> bool:
    return value in known or bool(re.fullmatch(r"(segment|char|textblock|TYPE|page|OCR)_.*", value))


def _title(part: str) -> list[Any]:
    key, _, rest = part.partition(" ")
    values = rest.split(" ")
    try:
        return [key, [float(value) for value in values]]
    except ValueError:
        return [key, values]


def known_ids(recipe: dict[str, Any]) -> set[str]:
    """Ids that the recipe gives."""
    ids = {entry["line"]["id"] for entry in recipe["lines"]}
    ids |= {region["id"] for group in recipe["regions"].values() for region in group}
    return {identifier for identifier in ids if identifier is not None}


def difference(found: Any, expected: Any, *, close: bool, path: str = "") -> str | None:
    """First place where two canonical documents differ."""
    for i, what in enumerate(("name", "attributes", "text")):
        if what == "attributes":
            inside = close and (found[0] in SUBLINE or found[1].get("class") in ("ocrx_word", "ocr_line"))
            inside = inside or (close and any(f"/{name}/" in f"{path}/" for name in SUBLINE))
            problem = _attributes(found[1], expected[1], inside)
            if problem:
                return f"{path}/{found[0]}@{problem}"
        elif found[i] != expected[i]:
            return f"{path}/{found[0]} {what}: {found[i]!r} != {expected[i]!r}"
    if [child[0] for child in found[3]] != [child[0] for child in expected[3]]:
        return f"{path}/{found[0]} children: {[c[0] for c in found[3]]} != {[c[0] for c in expected[3]]}"
    for a, b in zip(found[3], expected[3], strict=True):
        problem = difference(a, b, close=close, path=f"{path}/{found[0]}")
        if problem:
            return problem
    return None


def _attributes(found: dict[str, Any], expected: dict[str, Any], inside: bool) -> str | None:
    if found.keys() != expected.keys():
        return f"{sorted(found)} != {sorted(expected)}"
    for key, value in found.items():
        want = expected[key]
        if key in CONFIDENCES:
            same = abs(value - want) <= CLOSE_CONFIDENCE
        elif key in GEOMETRY and inside:
            same = _close(value, want)
        elif key == "title":
            same = len(value) == len(want) and all(
                _same_title(a, b, inside) for a, b in zip(value, want, strict=True)
            )
        else:
            same = value == want or (str(want) in ("None", "GEN") and value == "GEN")
        if not same:
            return f"{key}: {value!r} != {want!r}"
    return None


def _close(a: list[Any], b: list[Any], tolerance: float = 1.0) -> bool:
    return len(a) == len(b) and all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))


def _same_title(a: list[Any], b: list[Any], inside: bool) -> bool:
    if a[0] != b[0]:
        return False
    if a[0] == "x_confs":
        return _close(a[1], b[1], CLOSE_CONFIDENCE)
    return a[1] == b[1] or (inside and a[0] in ("bbox", "poly", "x_bboxes") and _close(a[1], b[1]))


def json_difference(found: Any, expected: Any, *, close: bool, path: str = "") -> str | None:
    """First place where two JSON values differ; keys that are only in ``found`` don't count."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if expected.keys() - found.keys():
            return f"{path}: lacks {expected.keys() - found.keys()}"
        return next(
            filter(
                None,
                (json_difference(found[k], expected[k], close=close, path=f"{path}.{k}") for k in expected),
            ),
            None,
        )
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{path}: {len(found)} != {len(expected)} entries"
        pairs = enumerate(zip(found, expected, strict=True))
        return next(
            filter(None, (json_difference(a, b, close=close, path=f"{path}[{i}]") for i, (a, b) in pairs)),
            None,
        )
    if isinstance(expected, float) and isinstance(found, float):
        return None if abs(found - expected) <= CLOSE_CONFIDENCE else f"{path}: {found} != {expected}"
    inside = close and (".cuts" in path or ".recognition" in path)
    if inside and isinstance(expected, int) and isinstance(found, int):
        return None if abs(found - expected) <= 1 else f"{path}: {found} != {expected}"
    return None if found == expected else f"{path}: {found!r} != {expected!r}"
