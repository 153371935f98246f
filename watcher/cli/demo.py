"""A demonstration on this machine: no account, no internet."""

from __future__ import annotations

from typing import Annotated

import typer

from watcher.cli import common

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    seed: Annotated[
        int | None, typer.Option("--seed", help="The order in which things happen; drawn anew by default.")
    ] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Keep sites and daemon running until Ctrl-C.")] = False,
) -> None:
    """Show how news become alerts: four news sites on loopback, and the daemon that watches them.

    Takes about half a minute. Exits with 0 only if exactly the alerts came that the sites' own list of what they
    published asks for.
    """
    from random import SystemRandom

    from watcher.demo.play import play

    drawn = SystemRandom().randrange(1_000_000) if seed is None else seed
    raise typer.Exit(common.run(play(drawn, stay=stay, say=typer.echo)))
