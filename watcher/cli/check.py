"""Check the configuration: files, references, every query."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from watcher.cli import common
from watcher.errors import ConfigError

if TYPE_CHECKING:
    from watcher.config import Config

app = typer.Typer()

KEYS = ("file", "line", "column", "level", "message", "hint")


@app.command()
def check(
    config: common.ConfigOption = None, secrets: common.SecretsOption = None, json: common.JsonOption = False
) -> None:
    """Read the configuration, parse and lint every query, and say all that is wrong with it.

    Exits with 2 where there is an error; warnings alone are no failure. With --json: a list of
    `{"file", "line", "column", "level", "message", "hint"}`.
    """
    from watcher.config import load

    loaded = None
    try:
        loaded = load(common.config_path(config), secrets_dir=secrets)
        problems = loaded.warnings
    except ConfigError as error:
        problems = error.problems
    errors = sum(problem.level == "error" for problem in problems)
    if json:
        common.print_json([{key: asdict(problem)[key] for key in KEYS} for problem in problems])
    else:
        common.print_problems(problems, sys.stdout)
        typer.echo(_summary(loaded, errors, len(problems) - errors))
    if errors:
        raise typer.Exit(2)


def _summary(config: Config | None, errors: int, warnings: int) -> str:
    found = ", ".join(_count(number, what) for number, what in ((errors, "error"), (warnings, "warning")) if number)
    if config is None:
        return found
    parts = (("channel", config.channels), ("source", config.sources), ("rule", config.rules))
    return ", ".join(_count(len(things), what) for what, things in parts) + ": " + (found or "fine")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
