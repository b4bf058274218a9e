"""``cytometry completion``: the shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cytometry.cli.output import say
from cytometry.errors import RequestError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL; source it from the shell's start file."""
    kind = get_completion_class(shell)
    if kind is None:
        raise RequestError(f"no completion for '{shell}'", hint="bash, zsh, fish")
    from cytometry.cli.main import cytometry

    say(kind(cytometry, {}, "cytometry", "_CYTOMETRY_COMPLETE").source())
