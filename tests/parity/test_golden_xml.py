"""Parsing equals the recorded behaviour, in the default and in the strict mode."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from kraken.lib import xml
from tests.conftest import golden_json, shared_path
from tests.parity.xml_outcome import differences, error_outcome, outcome, rename_generated


def run_parse(case: dict[str, Any]) -> dict[str, Any]:
    path = shared_path("golden", "xml", case["file"])
    arguments = {name: case[name] for name in ("filetype", "linetype") if case.get(name)}
    try:
        page = xml.XMLPage(path, **arguments)
    except Exception as error:
        return error_outcome(error, case["file"])
    return rename_generated(outcome(page, path.parent), path)


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
def test_parse(strict: bool) -> None:
    failures = {}
    cases = golden_json("xml", "parse.json")
    for case in cases:
        found = differences(run_parse(case), case, strict=strict)
        if found:
            failures[case["id"]] = found
    assert cases
    assert not failures, f"{len(failures)} of {len(cases)} differ: {failures}"


def test_languages() -> None:
    from kraken.lib.xml.language import iso639_3

    wrong = []
    for case in golden_json("xml", "languages.json"):
        for given, _, better in case["values"]:
            found = iso639_3(given)
            if found != better:
                wrong.append((given, found, better))
    assert not wrong


def test_order_helpers() -> None:
    counts: Counter[str] = Counter()
    for case in golden_json("xml", "helpers.json"):
        arguments = dict(case["args"])
        if "lines_dict" in arguments:
            arguments["lines_dict"] = {
                key: SimpleNamespace(regions=regions) for key, regions in arguments["lines_dict"].items()
            }
        result = getattr(xml, case["function"])(**arguments)
        if isinstance(result, tuple):
            result = list(result)
        assert result == case["result"], case["id"]
        counts[case["function"]] += 1
    assert len(counts) == 3


def test_accessors() -> None:
    wrong = []
    for case in golden_json("xml", "accessors.json"):
        page = xml.XMLPage(shared_path("golden", "xml", case["file"]))
        for call in case["calls"]:
            try:
                result = getattr(page, call["method"])(*call["args"])
            except Exception as error:
                found: dict[str, Any] = error_outcome(error, case["file"])
            else:
                pairs = isinstance(result, dict)
                found = {"ids": [[k, v.id] for k, v in result.items()] if pairs else [v.id for v in result]}
            expected = call.get("better", call["ref"])
            same = (
                expected["error"][0] in found.get("error", ()) if "error" in expected else found == expected
            )
            if not same:
                wrong.append((case["id"], call, found))
    assert not wrong
