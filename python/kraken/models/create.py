"""Building of models by name."""

from __future__ import annotations

from typing import Any

from kraken.registry import registry


def create_model(name: str | type, /, *args: Any, **kwargs: Any) -> Any:
    """Build a model.

    Args:
        name: Name in entry-point group ``kraken.models``, or a class.
        *args: For the class.
        **kwargs: For the class.

    Raises:
        ValueError: The name is unknown, or the class can't be imported or built.
    """
    if isinstance(name, type):
        cls: Any = name
    elif not isinstance(name, str):
        raise ValueError(f"`{name}` is neither type nor string.")
    elif name not in registry.entries("kraken.models"):
        known = ", ".join(registry.names("kraken.models"))
        raise ValueError(f"`{name}` is not in model registry. Known are {known}.")
    else:
        try:
            cls = registry.load("kraken.models", name)
        except Exception as e:
            raise ValueError(f"Model class `{name}` can't be imported: {e}") from e
    try:
        return cls(*args, **kwargs)
    except Exception as e:
        # constructors are code of others, too; loaders rely on one kind of error
        raise ValueError(f"Model `{getattr(cls, '__name__', cls)}` can't be built: {e}") from e
