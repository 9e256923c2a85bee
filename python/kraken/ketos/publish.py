"""``ketos publish``: upload a model to the public repository."""

from __future__ import annotations

from typing import Any

import click


@click.command("publish")
@click.option(
    "-i",
    "--metadata",
    type=click.Path(exists=True, dir_okay=False),
    help="Model card: YAML between lines `---` (or `+++`), then a description in Markdown. Without one, "
    "its fields are asked for.",
)
@click.option(
    "-a",
    "--access-token",
    help="Token of your Zenodo account with the scopes deposit:write and deposit:actions; asked for if it "
    "isn't given. The environment variable KETOS_PUBLISH_ACCESS_TOKEN keeps it off the screen.",
)
@click.option("-d", "--doi", help="DOI of a record of yours of which this is a new version.")
@click.option(
    "-p/ ",
    "--private/--public",
    default=False,
    show_default=True,
    help="Upload without asking for a place in the public listing, or with.",
)
@click.option(
    "--dry-run", is_flag=True, default=False, help="Check everything and print the card, but upload nothing."
)
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.pass_context
def publish(ctx: click.Context, /, **options: Any) -> None:
    """Upload the file MODEL and its model card to the public repository (HTRMoPo, on Zenodo).

    What the file says itself goes into the card: tasks, error rates of the last validation,
    and which versions of which software can use it.
    """
    from kraken.ketos._publish import run_publish  # torch is loaded once the options are read

    run_publish(ctx, options)
