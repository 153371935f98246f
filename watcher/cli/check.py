"""Check the configuration: files, references, every query."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli import common
from watcher.errors import ConfigError

if TYPE_CHECKING:
    from watcher.config import Config
    from watcher.sources.trial import Trial

app = typer.Typer()

KEYS = ("file", "line", "column", "level", "message", "hint")


@app.command()
def check(
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    network: Annotated[
        bool, typer.Option("--network", help="Poll each source once, and say what it gives; nothing is kept.")
    ] = False,
    json: common.JsonOption = False,
) -> None:
    """Read the configuration, parse and lint every query, and say all that is wrong with it.

    Exits with 2 where there is an error; warnings alone are no failure. With --json: a list of
    `{"file", "line", "column", "level", "message", "hint"}`. With --network it exits with 1 where a source gives
    nothing, and each source is a line of the list (`file` is its name, `level` is info or error).
    """
    from watcher.config import load

    loaded = None
    try:
        loaded = load(common.config_path(config), secrets_dir=secrets)
        problems = loaded.warnings
    except ConfigError as error:
        problems = error.problems
    trials = common.run(_try(loaded)) if network and loaded is not None else []
    errors = sum(problem.level == "error" for problem in problems)
    if json:
        rows = [{key: asdict(problem)[key] for key in KEYS} for problem in problems]
        common.print_json(rows + [_row(trial) for trial in trials])
    else:
        common.print_problems(problems, sys.stdout)
        for trial in trials:
            typer.echo(f"{trial.source.name:20} {trial.source.kind:8} {_gave(trial)}")
        typer.echo(_summary(loaded, errors, len(problems) - errors))
    if errors:
        raise typer.Exit(2)
    if any(trial.error for trial in trials):
        raise typer.Exit(1)


async def _try(config: Config) -> list[Trial]:
    """What each source gives now."""
    from random import Random

    from watcher.clock import SystemClock
    from watcher.fetch import Client
    from watcher.sources import Tools
    from watcher.sources.trial import try_all
    from watcher.workers import Workers

    clock = SystemClock()
    sources = [source for source in config.sources.values() if source.name not in config.withheld]
    client = Client(config.settings.fetch.client(), config.private_hosts, clock, Random())
    async with client as fetch, Workers() as workers:
        return await try_all(sources, Tools(fetch, workers, clock))


def _gave(trial: Trial) -> str:
    """What a source gave, in words."""
    if trial.error:
        return f"error: {trial.error}"
    if trial.source.kind == "page":
        return f"well, read in {trial.elapsed:.1f} s: its changes will be told from now on"
    newest = common.iso(trial.newest)
    about = f", the newest of {newest}" if newest else ", undated" if trial.items else ""
    return f"{_count(len(trial.items), 'item')}{about}, read in {trial.elapsed:.1f} s"


def _row(trial: Trial) -> dict[str, object]:
    level = "error" if trial.error else "info"
    return {"file": trial.source.name, "line": 0, "column": 0, "level": level, "message": _gave(trial), "hint": ""}


def _summary(config: Config | None, errors: int, warnings: int) -> str:
    found = ", ".join(_count(number, what) for number, what in ((errors, "error"), (warnings, "warning")) if number)
    if config is None:
        return found
    parts = (("channel", config.channels), ("source", config.sources), ("rule", config.rules))
    return ", ".join(_count(len(things), what) for what, things in parts) + ": " + (found or "fine")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
