"""Documents that break parsers: each gives a page or a ``ValueError`` with the file's name, quickly."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kraken.lib.xml import XMLPage

PAGE_NS = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
ALTO_NS = "http://www.loc.gov/standards/alto/ns-v4#"


def page(body: str = "", *, prolog: str = "", attributes: str = "") -> str:
    return (
        f'{prolog}<PcGts xmlns="{PAGE_NS}"><Page imageFilename="a.png" imageWidth="100" imageHeight="90" '
        f"{attributes}>{body}</Page></PcGts>"
    )


def region(lines: str, *, attributes: str = 'id="r1"') -> str:
    return f'<TextRegion {attributes}><Coords points="0,0 90,0 90,80 0,80"/>{lines}</TextRegion>'


def line(text: str = "abc", *, attributes: str = 'id="l1"', extra: str = "") -> str:
    return (
        f'<TextLine {attributes}><Coords points="1,1 80,1 80,20 1,20"/><Baseline points="1,15 80,15"/>'
        f"{extra}<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
    )


def alto(body: str = "", *, unit: str = "<MeasurementUnit>pixel</MeasurementUnit>", tags: str = "") -> str:
    return (
        f'<alto xmlns="{ALTO_NS}"><Description>{unit}<sourceImageInformation><fileName>a.png</fileName>'
        f'</sourceImageInformation></Description>{tags}<Layout><Page WIDTH="100" HEIGHT="90">'
        f"<PrintSpace>{body}</PrintSpace></Page></Layout></alto>"
    )


def block(lines: str) -> str:
    return f'<TextBlock ID="b1" HPOS="0" VPOS="0" WIDTH="90" HEIGHT="80">{lines}</TextBlock>'


def read(tmp_path: Path, content: str | bytes, **options: Any) -> XMLPage:
    file = tmp_path / "hostile.xml"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content, encoding="utf-8")
    return XMLPage(file, **options)


LAUGHS = '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)
)

BROKEN: dict[str, str | bytes] = {
    "empty": "",
    "blank": " \n ",
    "text": "no markup here",
    "truncated": page(region(line()))[:300],
    "junk after": page() + "junk",
    "blank line before the declaration": "\n<?xml version='1.0'?>" + page(),
    "entity bomb": LAUGHS + "]>" + page(region(line("&a11;"))),
    "entity bomb in an attribute": LAUGHS + "]>" + page(region(line(), attributes='id="r1" custom="&a11;"')),
    "quadratic blow-up": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>' + page(region(line("&a;" * 2_000))),
    "recursive entity": '<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>' + page(region(line("&a;"))),
    "undefined entity": page(region(line("&nbsp;"))),
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>'
    + page(region(line("&a;"))),
    "nested too deep": page("<TextRegion>" * 5_000 + "</TextRegion>" * 5_000),
    "attribute over 10 MB": page(region(line(), attributes=f'id="r1" custom="{"a" * 11_000_000}"')),
    "text over 10 MB": page(region(line("a" * 11_000_000))),
    "control character": page(region(line("a\x01b"))),
    "character reference to a control": page(region(line("&#1;"))),
    "repeated attribute": page(region(line(attributes='id="l1" id="l2"'))),
    "invalid UTF-8": page(region(line())).encode().replace(b"abc", b"\xff\xfe\xfa"),
    "Latin-1 declared as UTF-8": b'<?xml version="1.0" encoding="UTF-8"?>'
    + page(region(line("é"))).encode("latin-1"),
    "unknown encoding": b'<?xml version="1.0" encoding="no-such-code"?>' + page().encode(),
    "wrong byte order mark": b"\xff\xfe" + page().encode(),
    "PNG": b"\x89PNG\r\n\x1a\n\x00\x00",
    "NUL": page(region(line())).encode().replace(b"abc", b"\x00"),
    "unknown root": "<html/>",
    "root of the wrong case": f'<pcgts xmlns="{PAGE_NS}"/>',
    "no page": f'<PcGts xmlns="{PAGE_NS}"/>',
    "no size": page().replace('imageWidth="100"', ""),
    "size that is no number": page().replace('"100"', '"wide"'),
    "infinite size": page().replace('"100"', '"1e999"'),
    "tenths of millimetres": alto(unit="<MeasurementUnit>mm10</MeasurementUnit>"),
    "1200 to the inch": alto(unit="<MeasurementUnit>inch1200</MeasurementUnit>"),
    "empty unit": alto(unit="<MeasurementUnit/>"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_documents_are_refused_by_name(name: str, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"hostile\.xml"):
        read(tmp_path, BROKEN[name])
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("reference", ["secret.txt", "file:///etc/hostname", "http://127.0.0.1:9/secret"])
def test_external_entities_are_never_read(reference: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("TOP SECRET", encoding="utf-8")
    declared = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{reference}">]>'
    with pytest.raises(ValueError, match=r"hostile\.xml") as info:
        read(tmp_path, declared + page(region(line("&e;"))))
    assert "TOP SECRET" not in str(info.value)
    assert len(read(tmp_path, declared + page(region(line()))).lines) == 1, "declaring isn't using"


def test_external_dtd_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "evil.dtd").write_text('<!ENTITY e "TOP SECRET"><!ATTLIST TextLine custom CDATA "a {b:c;}">')
    document = f'<!DOCTYPE PcGts SYSTEM "{tmp_path / "evil.dtd"}">' + page(region(line()))
    assert read(tmp_path, document).lines["l1"].tags == {}
    with pytest.raises(ValueError, match="hostile"):
        read(tmp_path, document.replace("abc", "&e;"))


def test_xinclude_is_not_processed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("TOP SECRET", encoding="utf-8")
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="secret.txt" parse="text"/>'
    document = page(region(line(extra=include)))
    assert read(tmp_path, document).lines["l1"].text == "abc"


def test_internal_entities_and_encodings(tmp_path: Path) -> None:
    assert (
        read(tmp_path, '<!DOCTYPE x [<!ENTITY e "x&amp;y">]>' + page(region(line("&e;")))).lines["l1"].text
        == "x&y"
    )
    for encoding in ("utf-16", "utf-8-sig", "iso-8859-1", "windows-1252"):
        declared = "utf-8" if encoding == "utf-8-sig" else encoding
        document = f'<?xml version="1.0" encoding="{declared}"?>' + page(region(line("né")))
        assert read(tmp_path, document.encode(encoding)).lines["l1"].text == "né", encoding


def test_file_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        XMLPage(tmp_path / "none.xml")
    with pytest.raises(IsADirectoryError):
        XMLPage(tmp_path)
    for wrong in (None, 3, b"a.xml"):
        with pytest.raises(TypeError):
            XMLPage(wrong)  # type: ignore[arg-type]


def test_one_bad_item_never_costs_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "kraken.lib.xml")
    bad = [
        line(attributes='id="a:b"'),
        line(attributes='id="1"'),
        line(attributes='custom="} { {a:b;} structure {x:y;} readingOrder {index:first;}"'),
        line(attributes='id="l1" custom="split {x:train;} split {type:a;}"'),
        '<TextLine id="no-baseline"><Coords points="1,1 2,2"/></TextLine>',
        '<TextLine id="no-polygon"><Baseline points="1,1 9,1"/></TextLine>',
        '<TextLine id="nan"><Baseline points="nan,1 9,1"/></TextLine>',
        '<TextLine id="huge"><Baseline points="1e400,1 9,1"/></TextLine>',
        f'<TextLine id="digits"><Baseline points="{"9" * 5000},1 9,1"/></TextLine>',
        '<TextLine id="index">'
        + line()[len('<TextLine id="l1">') :].replace("<TextEquiv>", '<TextEquiv index="x">'),
        "<TextLine/>",
        "<?pi?><!-- comment -->",
    ]
    leaf = '<RegionRefIndexed index="x" regionRef="none"/>'
    order = f"<ReadingOrder><OrderedGroup>{leaf}</OrderedGroup></ReadingOrder>"
    found = read(tmp_path, page(order + region("".join(bad)) + "<TextRegion/>"))
    texts = [entry.text for entry in found.lines.values()]
    assert texts.count("abc") == 5
    assert {"a:b", "1", "l1", "no-polygon", "index"} <= set(found.lines)
    assert "no usable baseline" in caplog.text
    assert all(isinstance(key, str) for key in found.lines)
    assert found.to_container().line_orders == [list(range(len(found.lines)))]


def test_tags_with_holes(tmp_path: Path) -> None:
    tags = (
        '<Tags><OtherTag/><OtherTag ID="t"/><OtherTag ID="u" TYPE="x"/><LayoutTag ID="v" LABEL="y"/>'
        '<OtherTag ID="s" TYPE="split"/></Tags>'
    )
    lines = '<TextLine ID="l1" BASELINE="1 2 3 4" TAGREFS=" t  u nope v s "/>'
    found = read(tmp_path, alto(block(lines), tags=tags))
    assert found.lines["l1"].tags == {
        "x": [{"type": None}],
        "type": [{"type": "y"}],
        "split": [{"type": None}],
    }
    assert found.has_tags


def long_page(count: int) -> str:
    lines = "".join(line(attributes=f'id="l{i}" custom="readingOrder {{index:{i};}}"') for i in range(count))
    refs = "".join(f'<RegionRefIndexed index="{i}" regionRef="l{i}"/>' for i in range(count))
    return page(f'<ReadingOrder><OrderedGroup id="o">{refs}</OrderedGroup></ReadingOrder>' + region(lines))


def long_alto(count: int) -> str:
    lines = "".join(
        f'<TextLine ID="l{i}" BASELINE="1 15 80 15" TAGREFS="t">'
        '<Shape><Polygon POINTS="1 1 80 1 80 20 1 20"/></Shape>'
        f'<String ID="s{i}" CONTENT="abc"/></TextLine>'
        for i in range(count)
    )
    refs = "".join(f'<ElementRef ID="e{i}" REF="s{i}"/>' for i in range(count))
    order = f'<ReadingOrder><OrderedGroup ID="o">{refs}</OrderedGroup></ReadingOrder>'
    return alto(block(lines), tags=f'<Tags><OtherTag ID="t" TYPE="type" LABEL="a"/></Tags>{order}')


@pytest.mark.parametrize("document", [long_page, long_alto])
def test_ten_thousand_lines_take_linear_time(document: Callable[[int], str], tmp_path: Path) -> None:
    file = tmp_path / "long.xml"

    def read_once(count: int) -> None:
        found = XMLPage(file)
        found.to_container()
        assert len(found.reading_orders["o"]["order"]) == count

    def seconds(count: int) -> float:
        file.write_text(document(count), encoding="utf-8")
        started = time.process_time()
        read_once(count)
        return time.process_time() - started

    def calls(count: int) -> int:
        file.write_text(document(count), encoding="utf-8")
        made = 0

        def tally(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(tally)
        try:
            read_once(count)
        finally:
            sys.setprofile(None)
        return made

    calls(100)  # caches are filled
    fixed = calls(100)
    assert calls(2_000) < 20.5 * fixed
    # What single calls do counts too. Quadratic behaviour would give a factor of 100; the bound
    # leaves room for a loaded machine.
    assert seconds(10_000) < 40 * max(seconds(1_000), 1e-3)


def test_repeated_ids_take_linear_time(tmp_path: Path) -> None:
    found = read(tmp_path, page(region(line() * 5_000)))
    assert len(found.lines) == 5_000


names = st.sampled_from(
    [
        "TextLine",
        "TextRegion",
        "TableRegion",
        "TableCell",
        "Coords",
        "Baseline",
        "TextEquiv",
        "Unicode",
        "Word",
        "Glyph",
        "ReadingOrder",
        "OrderedGroup",
        "UnorderedGroup",
        "RegionRefIndexed",
        "MyTextRegion",
    ]
)
values = st.one_of(
    st.sampled_from(
        [
            "",
            "1,2 3,4",
            "1 2",
            "x",
            "r1",
            "l1",
            "0",
            "-1",
            "structure {type:x;}",
            "readingOrder {index:1;}",
            "}{",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8),
)
attribute_names = st.sampled_from(
    ["id", "custom", "points", "index", "regionRef", "type", "readingDirection", "primaryLanguage"]
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> str:
    from xml.sax.saxutils import escape, quoteattr

    name = draw(names)
    attributes = draw(st.dictionaries(attribute_names, values, max_size=4))
    inner = [draw(trees(depth - 1)) for _ in range(draw(st.integers(0, 3)))] if depth else []
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{escape(draw(values))}{''.join(inner)}</{name}>"


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.lists(trees(), max_size=3), linetype=st.sampled_from(["baselines", "bbox"]))
def test_any_tree_is_read(body: list[str], linetype: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = read(tmp_path_factory.mktemp("trees"), page("".join(body)), linetype=linetype, level="word")
    container = found.to_container()
    assert [entry.id for entry in container.lines] == list(found.lines)
    assert set(found.words or {}) == set(found.lines)
    for key, order in found.reading_orders.items():
        assert isinstance(key, str)
        assert len(set(order["order"])) == len(order["order"])


HUGE = 100_000_000


@pytest.mark.parametrize(
    ("start", "end", "filling"),
    [
        pytest.param(LAUGHS + "]>", page(region(line("&a11;"))), "", id="entity bomb"),
        pytest.param(
            '<!DOCTYPE x [<!ENTITY e SYSTEM "secret.txt">]>',
            page(region(line("&e;"))),
            "",
            id="external entity",
        ),
        pytest.param(*page(region(line(), attributes='id="r1" custom="#"')).split("#"), "a", id="attribute"),
        pytest.param(*page(region(line("#"))).split("#"), "a", id="text"),
        pytest.param(*page('<TextRegion><Coords points="#"/></TextRegion>').split("#"), "1", id="points"),
    ],
)
def test_attacks_cost_little(start: str, end: str, filling: str, tmp_path: Path) -> None:
    """100 MB where a few bytes belong, and bombs: under a second of CPU, memory of about the file."""
    pytest.importorskip("resource", reason="not on Windows")
    file = tmp_path / "hostile.xml"
    with file.open("w", encoding="utf-8") as stream:
        stream.write(start)
        for _ in range(100):
            stream.write(filling * (HUGE // 100))
        stream.write(end)
    # In a process of its own, since the peak of memory never falls again.
    done = subprocess.run(
        [sys.executable, "-c", ATTACKED, str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    cost = json.loads(done.stdout)
    assert cost["error"] == "ValueError" and "hostile.xml" in cost["message"]
    assert cost["seconds"] < 1
    # The file itself and the parser's 10 MB are allowed.
    assert cost["memory"] < 1.3 * file.stat().st_size + 50_000_000


ATTACKED = """
import json, resource, sys, time
from kraken.lib.xml import XMLPage

def peak():
    # kilobytes, but bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

memory, started, error = peak(), time.process_time(), None
try:
    XMLPage(sys.argv[1])
except Exception as caught:
    error = caught
cost = {"seconds": time.process_time() - started, "memory": peak() - memory}
print(json.dumps({**cost, "error": type(error).__name__, "message": str(error)}))
"""
