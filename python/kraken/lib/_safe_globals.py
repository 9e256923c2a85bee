"""Registration of classes that may occur in pickled checkpoints.

``torch.load(weights_only=True)`` builds only classes on torch's list of safe
globals. The modules that define such classes must register them on import, but
must not import torch. So they call :func:`register`, which registers at once if
torch is there, and otherwise as soon as somebody imports it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MODULE = "torch.serialization"
_lock = threading.RLock()
_pending: list[type] = []


def register(*classes: type) -> None:
    """Adds classes to torch's safe globals, now or once torch is imported."""
    with _lock:
        _pending.extend(c for c in classes if c not in _pending)
        if _MODULE not in sys.modules:
            if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
                sys.meta_path.insert(0, _Finder())
            return
    # Returns only after an import under way in another thread has ended.
    _flush(importlib.import_module(_MODULE))


def _flush(serialization: ModuleType) -> None:
    with _lock:
        if _pending:
            serialization.add_safe_globals(list(_pending))
            _pending.clear()


class _Finder(MetaPathFinder):
    """Finds nothing itself, but puts a hook on the loader of ``torch.serialization``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        for finder in sys.meta_path:
            if isinstance(finder, _Finder) or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Hook(spec.loader)
                return spec
        return None


class _Hook(Loader):
    """The module's own loader, followed by the registration."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Nobody else needs to see the hook: inspect and pickle look at loaders.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _flush(module)
        with _lock:
            sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, _Finder)]
