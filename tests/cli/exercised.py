"""Which options the tests use: strings that a test, its parameters, helpers and constants hold together."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: The tests of options themselves say nothing about whether options work.
EXCLUDED = ("test_every_option.py", "exercised.py")


def _strings(node: ast.AST) -> set[str]:
    """Words of all text in a piece of code, docstrings aside, and what f-strings begin with."""
    words: set[str] = set()
    docs = {
        id(child.body[0].value)
        for child in ast.walk(node)
        if isinstance(child, ast.FunctionDef | ast.ClassDef | ast.Module)
        and child.body
        and isinstance(child.body[0], ast.Expr)
    }
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and id(child) not in docs:
            words.update(child.value.split())
    return words


def _names(node: ast.AST) -> set[str]:
    arguments = {
        arg.arg for child in ast.walk(node) if isinstance(child, ast.arguments) for arg in child.args
    }
    return arguments | {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


@cache
def scopes() -> tuple[frozenset[str], ...]:
    """For every test the words that it holds, with those of what it uses in its file and conftest."""
    return tuple(frozenset(words) for path in sorted(ROOT.rglob("test_*.py")) for words in _scopes_of(path))


def _scopes_of(path: Path) -> Iterator[set[str]]:
    if path.name in EXCLUDED:
        return
    module = ast.parse(path.read_text(encoding="utf-8"))
    defined: dict[str, ast.AST] = {}
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined.update({target.id: node for target in targets if isinstance(target, ast.Name)})
    for name, node in defined.items():
        if not name.startswith("test_"):
            continue
        used, waiting = {name}, [node]
        words: set[str] = set()
        while waiting:
            part = waiting.pop()
            # commands are also called as objects of their names
            words |= _strings(part) | _names(part)
            new = (_names(part) & defined.keys()) - used
            used |= new
            waiting.extend(defined[other] for other in new)
        yield words


def is_exercised(command: str | None, options: list[str]) -> bool:
    """Whether some test holds one of an option's names together with its command."""
    return any((command is None or command in words) and not words.isdisjoint(options) for words in scopes())
