"""Documents equal the recorded ones semantically, in the default and in the strict mode."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kraken.containers import ProcessingStep
from kraken.serialization import render_report, serialize
from tests.conftest import golden_json, shared_path
from tests.parity.serial_outcome import (
    canonical,
    difference,
    json_difference,
    known_ids,
    make_segmentation,
)
from tests.parity.xml_outcome import error_outcome

SCHEMAS = {"alto": "alto-4-3.xsd", "pagexml": "pagecontent.xsd", "abbyyxml": "FineReader10-schema-v1.xml"}


@cache
def schema(template: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(shared_path("schemas", SCHEMAS[template]))))


def run(case: dict[str, Any], recipe: dict[str, Any]) -> dict[str, Any]:
    options = dict(case.get("kwargs", {}))
    if options.get("processing_steps"):
        options["processing_steps"] = [ProcessingStep(**step) for step in options["processing_steps"]]
    template: Any = case["template"]
    if case.get("custom"):
        template = str(shared_path("golden", "xml", "templates") / template)
        options["template_source"] = "custom"
        if case.get("pathlike"):
            template = Path(template)
    try:
        text = serialize(make_segmentation(recipe), template=template, **options)
        if case.get("json"):
            return {"json": json.loads(text)}
        return (
            {"text": text}
            if case.get("custom")
            else {"tree": canonical(text, known_ids(recipe)), "xml": text}
        )
    except Exception as error:
        return error_outcome(error, template if isinstance(template, str) else "")


def compare(found: dict[str, Any], option: dict[str, Any], *, close: bool) -> str | None:
    if "error" in option:
        return None if option["error"][0] in found.get("error", ()) else f"{option['error']} expected"
    if "error" in found:
        return str(found["error"])
    if "tree" in option:
        return difference(found["tree"], option["tree"], close=close)
    if "json" in option:
        page = found["json"]["page"]
        page["typology"] = sorted(page["typology"])
        return json_difference(found["json"], option["json"], close=close)
    return None if found["text"] == option["text"] else f"{found['text']!r} != {option['text']!r}"


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
def test_serialize(strict: bool) -> None:
    recipes = golden_json("xml", "serialize_inputs.json")
    failures = {}
    cases = golden_json("xml", "serialize.json")
    for case in cases:
        found = run(case, recipes[case["input"]])
        options = (
            [case["better"]]
            if strict and "better" in case
            else [case["ref"], case.get("better"), *case.get("also", [])]
        )
        problems = [
            compare(found, option, close=bool(case.get("close_geometry"))) for option in options if option
        ]
        if all(problems):
            failures[case["id"]] = problems[-1]
        elif case.get("valid") and "xml" in found:
            validator = schema(case["template"])
            if not validator.validate(etree.fromstring(found["xml"].encode())):
                failures[case["id"]] = str(validator.error_log.last_error)
    assert cases
    assert not failures, f"{len(failures)} of {len(cases)} differ: " + "\n".join(
        f"{k}: {v}" for k, v in failures.items()
    )


def test_reports() -> None:
    for case in golden_json("xml", "report.json"):
        arguments = dict(case["args"])
        for name in ("scripts", "deletions", "substitutions"):
            arguments[name] = Counter(dict(arguments[name]))
        arguments["char_confusions"] = Counter(
            {tuple(key): count for key, count in arguments["char_confusions"]}
        )
        expected = case.get("better", case["ref"])
        if "error" not in expected:
            assert render_report(**arguments).split("\n") == expected["text"].split("\n"), case["id"]
