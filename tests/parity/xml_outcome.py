"""The form in which the recorded data describes a parsed page, and its comparison rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

BUILT_IN = {"line_implicit", "region_implicit", "region_transkribus", "line_transkribus"}


def outcome(page: Any, folder: Path) -> dict[str, Any]:
    """Describe a page as the recorded data does."""

    def short(path: Any) -> str:
        path = Path(path)
        # The folder itself, from an empty image name, is recorded as an empty string.
        return str(path)[len(str(folder)) :].lstrip("/") if path.is_relative_to(folder) else str(path)

    def line(entry: Any) -> dict[str, Any]:
        names = ["id", "text", "tags", "split", "language", "base_dir", "regions"]
        names += (
            ["baseline", "boundary"] if type(entry).__name__ == "BaselineLine" else ["bbox", "text_direction"]
        )
        return {"cls": type(entry).__name__, **{name: plain(getattr(entry, name)) for name in names}}

    def region(entry: Any) -> dict[str, Any]:
        return {name: plain(getattr(entry, name)) for name in ("id", "boundary", "tags", "language")}

    container = page.to_container()
    return {
        "filetype": page.filetype,
        "type": page.type,
        "imagename": short(page.imagename),
        "image_size": list(page.image_size),
        "base_dir": page.base_dir,
        "tags": sorted(page.tags, key=lambda value: (value is None, value)),
        "has_tags": page.has_tags,
        "splits": page.splits,
        "has_splits": page.has_splits,
        "lines": [[key, line(entry)] for key, entry in page.lines.items()],
        "regions": [[key, [region(r) for r in entries]] for key, entries in page.regions.items()],
        "orders": [[key, plain(order)] for key, order in page.reading_orders.items()],
        "container": {
            "type": container.type,
            "text_direction": container.text_direction,
            "script_detection": container.script_detection,
            "language": container.language,
            "imagename": short(container.imagename),
            "lines": [entry.id for entry in container.lines],
            "line_orders": plain(container.line_orders),
            "regions": [[key, [r.id for r in entries]] for key, entries in container.regions.items()],
        },
    }


def plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return value


def rename_generated(found: dict[str, Any], document: Path) -> dict[str, Any]:
    """Replace ids that don't occur in the document by GEN1, GEN2, … by first appearance, per kind."""
    root = etree.parse(str(document)).getroot()
    known = {
        value for element in root.iter("*") for name, value in element.attrib.items() if name.lower() == "id"
    }
    known |= BUILT_IN

    def renamer() -> Any:
        names: dict[str, str] = {}

        def rename(identifier: str) -> str:
            base, colon, rest = identifier.partition(":regions")
            if base in known or identifier in known:
                return identifier
            return names.setdefault(base, f"GEN{len(names) + 1}") + colon + rest

        return rename

    lines, regions, orders = renamer(), renamer(), renamer()
    for key, line in found["lines"]:
        lines(key)
        line["id"] = lines(line["id"])
    for _, entries in found["regions"]:
        for entry in entries:
            entry["id"] = regions(entry["id"])
    found["lines"] = [
        [lines(key), {**line, "regions": [regions(r) for r in line["regions"]]}]
        for key, line in found["lines"]
    ]
    for entry in found["orders"]:
        entry[0] = orders(entry[0])
        rename = lines if entry[1]["level"] == "line" else regions
        entry[1]["order"] = [rename(identifier) for identifier in entry[1]["order"]]
    box = found["container"]
    box["lines"] = [lines(identifier) for identifier in box["lines"]]
    box["regions"] = [[key, [regions(r) for r in entries]] for key, entries in box["regions"]]
    return found


def differences(found: dict[str, Any], case: dict[str, Any], *, strict: bool) -> list[str]:
    """Names of the fields that no accepted outcome explains."""
    better = case.get("better")
    also = case.get("also", [])
    allowed = [better if strict and better else case["ref"], *also]
    if not strict and better:
        allowed.append(better)
    if "error" in found:
        return [] if any(_same_error(found, option) for option in allowed if "error" in option) else ["error"]
    options = [option for option in allowed if "error" not in option]
    if not options:
        return ["error expected"]
    return [name for name in found if not any(_same(name, found, option) for option in options)]


def _same(name: str, found: dict[str, Any], option: dict[str, Any]) -> bool:
    if name == "tags" and found["filetype"] == "page":
        return "default" in found["tags"] and (len(found["tags"]) > 1) == found["has_tags"]
    return bool(found[name] == option[name])


def _same_error(found: dict[str, Any], option: dict[str, Any]) -> bool:
    return option["error"][0] in found["error"] and (not option["names_file"] or found["names_file"])


def error_outcome(error: BaseException, file: str) -> dict[str, Any]:
    """Describe an exception as the recorded data does."""
    return {
        "error": [cls.__name__ for cls in type(error).__mro__],
        "names_file": Path(file).name in str(error),
    }
