"""Classes that torch's restricted unpickler may build, without importing torch for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_TARGET = "torch.serialization"
_pending: list[Any] = []


def register(*classes: Any) -> None:
    """Allow classes: now if torch is there, else as soon as it is."""
    module = sys.modules.get(_TARGET)
    if module is not None and hasattr(module, "add_safe_globals"):
        module.add_safe_globals(list(classes))
        return
    if not _pending:
        sys.meta_path.insert(0, _Watcher())
    _pending.extend(classes)


class _Watcher(MetaPathFinder):
    """Waits for the import of torch's serialisation, registers what is pending and goes."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the awaited module as Python does, with a loader that registers after execution."""
        if fullname != _TARGET:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module.add_safe_globals(list(_pending))
            _pending.clear()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
