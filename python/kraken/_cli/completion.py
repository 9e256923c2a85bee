"""``kraken completion``: scripts that let a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from kraken._cli.errors import CommandError
from kraken._cli.files import FileCommand


@click.command("completion", cls=FileCommand)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print a script that completes kraken and ketos: `eval "$(kraken completion bash)"`.

    For fish: `kraken completion fish | source`.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise CommandError(f"This version of click can't complete in {shell}.")
    for program in ("kraken", "ketos"):
        variable = f"_{program.upper()}_COMPLETE"
        # The base class prints the script without asking the shell for its version, and the command
        # isn't part of it.
        click.echo(ShellComplete.source(kind(ctx.find_root().command, {}, program, variable)))
