"""Version of the installed package."""

from __future__ import annotations

from functools import cache

FALLBACK = "7.2.0.dev0"


@cache
def version() -> str:
    """Version string of the distribution ``kraken``, or of this source tree when nothing is installed."""
    # importlib.metadata costs milliseconds at start-up and most callers never ask.
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed_version

    try:
        return installed_version("kraken")
    except PackageNotFoundError:
        return FALLBACK
