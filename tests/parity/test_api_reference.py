"""Public names and signatures against the reference documentation."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.conftest import SHARED

REFERENCE = SHARED / "spec" / "api-reference.txt"

#: Modules that another issue builds: everything below them may be missing as long as the module is.
NOT_BUILT = {
    "kraken.train": "trainers and data modules",
}

#: Names that are missing, or differ on purpose.
ALLOWED: dict[str, str] = {
    # Lightning passes the index of the data loader only where there are several.
    "kraken.train.BLLASegmentationModel.test_step": "takes no index of a data loader",
    "kraken.train.VGSLRecognitionModel.test_step": "takes no index of a data loader",
}

_QUALIFIED = re.compile(r"^(class )?(kraken(?:\.\w+)+)(?:(\(.*\)))?$")
_METHOD = re.compile(r"^(?:(?:classmethod|static|abstract|async) )*(\w+)(\(.*\))$")
_PROPERTY = re.compile(r"^(?:abstract )?property (\w+)")
_FIELD = re.compile(r"^(\w+): [\w\[\]|., '\"()]+?(?: = (.+))?$")


class Documented(NamedTuple):
    """A name with its signature as documented."""

    name: str
    kind: str
    signature: str | None


def documented() -> Iterator[Documented]:
    """Everything of the package that the documentation names, in order."""
    owner = None
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if match := _QUALIFIED.match(line):
            is_class, name, signature = match.groups()
            owner = name if is_class else None
            yield Documented(name, "class" if is_class else "name", signature)
        elif owner is None or line.startswith(("class ", "def ")):  # the latter in examples
            continue
        elif match := _PROPERTY.match(line):
            yield Documented(f"{owner}.{match[1]}", "attribute", None)
        elif match := _METHOD.match(line):
            yield Documented(f"{owner}.{match[1]}", "method", match[2])
        elif match := _FIELD.match(line):
            yield Documented(f"{owner}.{match[1]}", "field", match[2])


def found(name: str) -> Any:
    """The object of a dotted name."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            continue
        for part in parts[count:]:
            value = getattr(value, part)
        return value
    raise ModuleNotFoundError(name)


def parameters(signature: str) -> list[tuple[str, Any]]:
    """Names and defaults in a documented signature; the default is ... if there is none."""
    function = ast.parse(f"def f{signature}: pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    names = [argument.arg for argument in function.args.args + function.args.kwonlyargs]
    defaults: list[Any] = [...] * len(names)
    given = [*function.args.defaults, *function.args.kw_defaults]
    for at, node in enumerate(reversed(given), 1):
        try:
            defaults[-at] = ast.literal_eval(node) if node is not None else ...
        except ValueError:
            defaults[-at] = node  # an expression, compared with nothing
    return list(zip(names, defaults, strict=True))


def check_signature(value: Any, signature: str, kind: str) -> None:
    """All documented parameters are there, in this order, with their defaults; others are optional."""
    ours = inspect.signature(value)
    actual = [
        (p.name, p)
        for p in ours.parameters.values()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in ("self", "cls")
    ]
    wanted = [(name, default) for name, default in parameters(signature) if name not in ("self", "cls")]
    assert [name for name, _ in actual][: len(wanted)] == [name for name, _ in wanted], str(ours)
    for (name, default), (_, parameter) in zip(wanted, actual, strict=False):
        if default is ...:
            continue
        assert parameter.default is not parameter.empty, f"{name} has no default"
        if not isinstance(default, ast.AST):
            assert parameter.default == default, f"{name} is {parameter.default!r}, documented as {default!r}"
    for name, parameter in actual[len(wanted) :]:
        assert parameter.default is not parameter.empty, f"{name} isn't documented and has no default"


def check_field(entry: Documented) -> None:
    """A documented attribute of a class is a field, or made in its constructor, or on the class."""
    owner_name, _, name = entry.name.rpartition(".")
    owner = found(owner_name)
    if dataclasses.is_dataclass(owner):
        fields = {field.name: field for field in dataclasses.fields(owner)}
        if name in fields:
            if entry.signature is not None:
                assert fields[name].default == ast.literal_eval(entry.signature)
            return
    annotated = {key for base in inspect.getmro(owner) for key in getattr(base, "__annotations__", {})}
    assert hasattr(owner, name) or name in annotated or f"self.{name}" in inspect.getsource(owner)


def _cases() -> list[Any]:
    if not REFERENCE.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no recorded data: spec/api-reference.txt"))]
    return [pytest.param(entry, id=entry.name) for entry in dict.fromkeys(documented())]


@pytest.mark.parametrize("entry", _cases())
def test_documented_names_exist(entry: Documented) -> None:
    for module, what in NOT_BUILT.items():
        if (entry.name + ".").startswith(module + "."):
            try:
                importlib.import_module(module)
            except ModuleNotFoundError:
                pytest.skip(f"not built yet: {what}")
    if entry.name in ALLOWED:
        with pytest.raises((AttributeError, ImportError, AssertionError)):
            check(entry)  # or the entry has to go
        pytest.skip(ALLOWED[entry.name])
    check(entry)


def check(entry: Documented) -> None:
    """Compares one name."""
    if entry.kind == "field":
        check_field(entry)
        return
    value = found(entry.name)
    if entry.kind == "class":
        assert inspect.isclass(value)
    if entry.signature is not None:
        check_signature(value, entry.signature, entry.kind)


@pytest.mark.skipif(not REFERENCE.exists(), reason="no recorded data: spec/api-reference.txt")
def test_the_documentation_is_read() -> None:
    entries = list(documented())
    assert len(entries) > 100
    assert Documented("kraken.tasks.SegmentationTaskModel.predict", "method", "(im, config)") in entries
    assert set(ALLOWED) <= {entry.name for entry in entries}, "an allowed name isn't documented"
