"""The ``ketos`` command: training, testing and data sets (spec chapter cli-ketos).

Importing this package loads neither torch nor the modules of the subcommands.
"""

from __future__ import annotations

from kraken.ketos.main import cli

__all__ = ["cli"]
