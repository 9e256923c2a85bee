"""Reading orders: raw references from the document, flattened to lines or regions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from lxml import etree

from kraken.lib.xml.document import first, local_name

logger = logging.getLogger("kraken.lib.xml")

BUILT_IN = ("line_implicit", "region_implicit", "region_transkribus", "line_transkribus")

RawOrder = dict[str, Any]


def _unique_key(key: str | None, taken: Collection[str], numbers: Iterator[int]) -> str:
    """``key``, or one derived from it if it's missing or clashes with another order's keys."""
    stem = key or "order"
    candidates = (f"{stem}_{n}" for n in numbers)
    candidate = stem if key else next(candidates)
    while candidate in taken or f"{candidate}:regions" in taken:
        candidate = next(candidates)
    return candidate


def _references(entry: etree._Element, reference: str) -> list[str]:
    """References of an entry, depth-first; members of ordered groups by ``index`` if all have one."""
    found = []
    stack = [entry]
    while stack:
        element = stack.pop()
        name = local_name(element)
        target = element.get(reference)
        if target is not None and name not in ("OrderedGroup", "UnorderedGroup"):
            # ALTO's REF is a list of ids, PAGE's regionRef a single one.
            found.extend(target.split() if reference == "REF" else [target])
        if name.startswith("UnorderedGroup") and element is not entry:
            logger.warning(
                "Unordered group %s inside a reading order is read in document order", element.attrib
            )
        children = list(element.iterchildren("*"))
        if name.startswith("OrderedGroup"):
            children = _by_index(children)
        stack.extend(reversed(children))
    return found


def _by_index(children: list[etree._Element]) -> list[etree._Element]:
    try:
        indices = [int(child.get("index") or "") for child in children]
    except ValueError:
        return children
    order = sorted(range(len(children)), key=indices.__getitem__)
    return [children[i] for i in order]


def read_orders(
    root: etree._Element,
    *,
    key: str,
    reference: str,
    describe: Callable[[etree._Element], Any],
    merge_leaves: bool,
) -> dict[str, RawOrder]:
    """Explicit reading orders of a document.

    Args:
        root: Root element.
        key: Name of the attribute with an entry's id.
        reference: Name of the attribute with the id referred to.
        describe: Gives the description of an entry.
        merge_leaves: Whether bare references under the single top-level unordered group form one
            order under the group's id (PAGE) or one each under their own (ALTO).

    Returns:
        Key → ``order`` (list of ids), ``is_total`` and ``description``, in document order.
    """
    section = first(root, "ReadingOrder")
    if section is None:
        return {}
    entries = list(section.iterchildren("*"))
    group = entries[0] if len(entries) == 1 else None
    partial = group is not None and local_name(group) == "UnorderedGroup"
    if partial and group is not None:
        entries = list(group.iterchildren("*"))

    orders: dict[str, RawOrder] = {}
    taken = set(BUILT_IN)
    numbers = count(1)
    merged: RawOrder | None = None

    def add(owner: etree._Element, references: list[str]) -> RawOrder:
        name = _unique_key(owner.get(key), taken, numbers)
        taken.update((name, f"{name}:regions"))
        orders[name] = {"order": references, "is_total": not partial, "description": describe(owner)}
        return orders[name]

    for entry in entries:
        is_group = local_name(entry).startswith(("OrderedGroup", "UnorderedGroup"))
        references = _references(entry, reference)
        if is_group:
            add(entry, references)
        elif not references:
            continue
        elif merge_leaves and partial and group is not None:
            if merged is None:
                merged = add(group, [])
            merged["order"].extend(references)
        else:
            add(entry, references)
    return orders


def lines_by_region(lines: Mapping[str, Any], implicit_order: Iterable[str]) -> dict[str, list[str]]:
    """Line ids in implicit order, keyed by the first region of each line."""
    index: dict[str, list[str]] = {}
    for line_id in implicit_order:
        line = lines.get(line_id)
        if line is not None and line.regions:
            index.setdefault(line.regions[0], []).append(line_id)
    return index


def flatten_order_to_lines(
    raw_order: Iterable[str],
    lines_dict: Mapping[str, Any],
    region_ids: Collection[str],
    line_implicit_order: Iterable[str],
    string_to_line_map: Mapping[str, str] | None = None,
    missing_region_ids: Collection[str] | None = None,
) -> list[str]:
    """Flatten references to lines, regions and strings to line ids.

    Args:
        raw_order: Referenced ids.
        lines_dict: Line id → line with an attribute ``regions``.
        region_ids: Ids of all regions with coordinates; each stands for its lines.
        line_implicit_order: Line ids in document order.
        string_to_line_map: String id → line id (ALTO).
        missing_region_ids: Ids of regions without coordinates; they contribute nothing.

    Returns:
        Line ids; a line stands twice if it's referred to twice.
    """
    regions, missing, strings = set(region_ids), set(missing_region_ids or ()), string_to_line_map or {}
    members: dict[str, list[str]] | None = None
    flat: list[str] = []
    for reference in raw_order:
        if reference in lines_dict:
            flat.append(reference)
        elif reference in regions:
            if members is None:
                members = lines_by_region(lines_dict, line_implicit_order)
            flat.extend(members.get(reference, ()))
        elif reference in missing:
            logger.warning("Reading order refers to region %s, which has no coordinates", reference)
        elif reference in strings:
            if not flat or flat[-1] != strings[reference]:
                flat.append(strings[reference])
        else:
            logger.info("Reading order refers to unknown element %s", reference)
    return flat


def flatten_order_to_regions(
    raw_order: Iterable[str],
    lines_dict: Mapping[str, Any],
    region_ids: Collection[str],
    string_to_line_map: Mapping[str, str] | None = None,
    missing_region_ids: Collection[str] | None = None,
) -> list[str]:
    """Flatten references to lines, regions and strings to region ids.

    Args:
        raw_order: Referenced ids.
        lines_dict: Line id → line with an attribute ``regions``.
        region_ids: Ids of all regions with coordinates.
        string_to_line_map: String id → line id (ALTO).
        missing_region_ids: Ids of regions without coordinates; they contribute nothing.

    Returns:
        Region ids without immediate repetitions.
    """
    regions, missing, strings = set(region_ids), set(missing_region_ids or ()), string_to_line_map or {}
    flat: list[str] = []
    for reference in raw_order:
        target: str | None = None
        if reference in regions:
            target = reference
        elif reference in missing:
            logger.warning("Reading order refers to region %s, which has no coordinates", reference)
        elif reference in lines_dict or reference in strings:
            line = lines_dict.get(reference) or lines_dict.get(strings.get(reference, ""))
            if line is not None and line.regions:
                target = line.regions[0]
        else:
            logger.info("Reading order refers to unknown element %s", reference)
        if target is not None and (not flat or flat[-1] != target):
            flat.append(target)
    return flat


def validate_and_clean_order(flat_order: Iterable[str], valid_ids: Collection[str]) -> tuple[list[str], bool]:
    """Drop ids that don't exist and all but the first occurrence of each.

    Returns:
        The cleaned order, and whether nothing had to be dropped.
    """
    flat = list(flat_order)
    valid = set(valid_ids)
    cleaned = [element_id for element_id in dict.fromkeys(flat) if element_id in valid]
    return cleaned, len(cleaned) == len(flat)
