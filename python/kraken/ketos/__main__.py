"""Makes ``python -m kraken.ketos`` the command."""

from kraken.ketos.main import cli

cli(prog_name="ketos")
