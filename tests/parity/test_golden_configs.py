"""Configurations against recorded defaults."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from tests.conftest import golden_json

pytest.importorskip("kraken.lib.ctc_decoder")
pytest.importorskip("kraken.lib.segmentation")
configs = pytest.importorskip("kraken.configs")


def plain(value: Any) -> Any:
    if isinstance(value, defaultdict):
        return {"__defaultdict__": value.default_factory.n, "items": dict(value)}
    if isinstance(value, tuple):
        return {"__tuple__": list(value)}
    if callable(value):
        return f"fn:{value.__module__}.{value.__name__}"
    return value


def fields(config: Any) -> dict[str, Any]:
    return {name: plain(value) for name, value in vars(config).items()}


def test_defaults() -> None:
    for name, expected in golden_json("training", "config_defaults.json").items():
        got = fields(getattr(configs, name)())
        # the functions may live in a module below the one they are published in
        assert {k: v for k, v in got.items() if not str(v).startswith("fn:")} == {
            k: v for k, v in expected.items() if not str(v).startswith("fn:")
        }
        for field, value in expected.items():
            if str(value).startswith("fn:"):
                module, _, function = value[3:].rpartition(".")
                assert getattr(getattr(configs, name)(), field) is getattr(
                    pytest.importorskip(module), function
                )


def test_keywords() -> None:
    for case in golden_json("training", "config_kwargs.json"):
        cls, expected = getattr(configs, case["class"]), dict(case["vars"])
        if "compile_config" in case["kwargs"]:
            # taken as a keyword, too
            expected["compile_config"] = case["kwargs"]["compile_config"]
        got = fields(cls(**case["kwargs"]))
        assert {k: v for k, v in got.items() if not str(v).startswith("fn:")} == {
            k: v for k, v in expected.items() if not str(v).startswith("fn:")
        }


def test_ancestry() -> None:
    for name, expected in golden_json("training", "config_mro.json").items():
        cls = getattr(configs, name)
        assert cls.__module__ == expected["module"]
        assert [base.__name__ for base in cls.__mro__[1:-1]] == expected["bases"]
