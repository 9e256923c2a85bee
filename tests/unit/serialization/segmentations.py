"""Hypothesis strategies for segmentations with all that can go wrong in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kraken.containers import (
    BaselineLine,
    BaselineOCRRecord,
    BBoxLine,
    BBoxOCRRecord,
    ProcessingStep,
    Region,
    Segmentation,
)

# All of Unicode with surrogates, and often what XML, HTML or the formats care about.
texts = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x0b\x1f\ufffe\ud800\t\n\r <>&\"';:{}% \u2003\u200bא")),
    max_size=12,
)
ids = st.one_of(
    st.none(),
    texts,
    st.sampled_from(
        [
            "1",
            "1a",
            "a:b",
            "l1",
            "segment_0",
            "char_1",
            "textblock_1",
            "TYPE_1",
            "page_0",
            "ro_0",
            "é",
            "día-1",
            "漢",
        ]
    ),
)
coordinates = st.one_of(
    st.integers(0, 3000), st.integers(-50, 5000), st.floats(), st.sampled_from([-1, 0, 1e30, float("nan")])
)
finite = st.one_of(st.integers(-20, 3000), st.floats(-20, 3000))
point_lists = st.lists(st.tuples(coordinates, coordinates), max_size=6)
finite_points = st.lists(st.tuples(finite, finite), min_size=1, max_size=6)
confidences = st.one_of(st.floats(0, 1), st.integers(0, 1), st.floats(), st.sampled_from([-0.5, 1.5, 1e-9]))
tag_values = st.one_of(
    texts,
    st.none(),
    st.integers(),
    st.lists(
        st.one_of(
            st.dictionaries(
                st.one_of(st.just("type"), texts), st.one_of(texts, st.none(), st.integers()), max_size=2
            ),
            texts,
            st.none(),
        ),
        max_size=3,
    ),
)
tag_dicts = st.one_of(
    st.none(), st.dictionaries(st.one_of(st.sampled_from(["type", "Type"]), texts), tag_values, max_size=3)
)
directions = st.sampled_from([None, "L", "R"])


@st.composite
def lines(draw: st.DrawFn, region_ids: list[Any]) -> Any:
    """A line or record of either kind."""
    inside = draw(st.one_of(st.none(), st.lists(st.sampled_from([*region_ids, "nowhere"]), max_size=2)))
    common = {
        "id": draw(ids),
        "text": draw(st.one_of(st.none(), texts)),
        "tags": draw(tag_dicts),
        "regions": inside,
        "base_dir": draw(directions),
    }
    prediction = draw(st.one_of(st.none(), texts))
    count = len(prediction or "")
    short = draw(st.booleans()) and draw(st.booleans())
    values = [draw(confidences) for _ in range(0 if short else count)]
    if draw(st.booleans()):
        box = draw(st.one_of(st.none(), st.tuples(*[coordinates] * 4)))
        bbox_line = BBoxLine(bbox=box, **common)
        if prediction is None:
            return bbox_line
        cuts = [draw(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5)) for _ in values]
        return BBoxOCRRecord(prediction, cuts, values, bbox_line, base_dir=common["base_dir"])
    if prediction is None:
        points = st.one_of(st.none(), point_lists)
        return BaselineLine(baseline=draw(points), boundary=draw(points), **common)
    points = st.one_of(st.none(), finite_points)
    line = BaselineLine(baseline=draw(points), boundary=draw(points), **common)
    spans = [(draw(st.integers(-5, 900)), draw(st.integers(-5, 900))) for _ in values]
    return BaselineOCRRecord(prediction, spans, values, line, base_dir=common["base_dir"])


@st.composite
def segmentations(draw: st.DrawFn) -> Segmentation:
    """A page of up to four lines and three regions."""
    regions = draw(
        st.lists(
            st.builds(Region, id=ids, boundary=st.one_of(st.none(), point_lists), tags=tag_dicts),
            max_size=3,
        )
    )
    found = draw(st.lists(lines([region.id for region in regions]), max_size=4))
    orders: Any = []
    if found:
        orders = draw(st.lists(st.lists(st.integers(0, len(found) - 1), max_size=5), max_size=3))
    groups: dict[str, list[Region]] = {}
    for region in regions:
        groups.setdefault(draw(st.sampled_from(["text", "graphic"])), []).append(region)
    return Segmentation(
        type=draw(st.sampled_from(["baselines", "bbox"])),
        imagename=draw(texts),
        text_direction="horizontal-lr",
        script_detection=False,
        lines=found,
        regions=groups,
        line_orders=orders,
    )


steps = st.lists(
    st.builds(
        ProcessingStep,
        id=texts,
        category=st.sampled_from(["preprocessing", "processing", "postprocessing", "odd"]),
        description=texts,
        settings=st.dictionaries(texts, st.one_of(texts, st.integers(), st.none()), max_size=2),
    ),
    max_size=2,
)
