"""Check the configuration: files, references, every query."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli import common
from watcher.errors import ConfigError, Problem, TransportError

if TYPE_CHECKING:
    from watcher.config import Config
    from watcher.sources.delay import Delay, Expected
    from watcher.sources.trial import Trial

app = typer.Typer(add_completion=False)

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
    nothing, and each source is a line of the list (`file` is its name, `level` is info or error), as is each rule, with
    the delay to expect of what it looks for: `{"typical_seconds", "most_seconds", "slowest"}` as its `delay`.
    """
    from watcher.config import load

    loaded = None
    try:
        loaded = load(common.config_path(config), secrets_dir=secrets)
        problems = [*loaded.warnings, *common.run(_unusable(loaded, common.config_path(config)))]
    except ConfigError as error:
        problems = error.problems
    trials = common.run(_try(loaded)) if network and loaded is not None else []
    delays = _delays(loaded, trials) if network and loaded is not None else {}
    errors = sum(problem.level == "error" for problem in problems)
    if json:
        rows = [{key: asdict(problem)[key] for key in KEYS} for problem in problems]
        common.print_json([*rows, *map(_row, trials), *(_delay_row(name, one) for name, one in delays.items())])
    else:
        common.print_problems(problems, sys.stdout)
        for trial in trials:
            typer.echo(f"{trial.source.name:20} {trial.source.kind:8} {_gave(trial)}")
        for name, expected in delays.items():
            typer.echo(f"{name:20} {_expected(expected)}")
        silent = sum(bool(trial.error) for trial in trials)
        typer.echo(_summary(loaded, errors, len(problems) - errors, silent))
        if config is None and loaded is not None:
            _say_what_is_not_read(common.config_path(config), loaded)
    if errors:
        raise typer.Exit(2)
    if any(trial.error for trial in trials):
        raise typer.Exit(1)


def _say_what_is_not_read(path: Path, loaded: Config) -> None:
    """Where the file that was found watches nothing, and others lie beside it."""
    beside = [file.name for file in sorted(path.parent.glob("*.yaml")) if file != path] if path.is_file() else []
    if beside and not (loaded.sources and loaded.rules):
        typer.echo(f"Only {path} was read. Beside it: {', '.join(beside)}; --config {path.parent} reads them together.")


async def _unusable(config: Config, path: Path) -> list[Problem]:
    """Channels whose URL its service's own reader refuses."""
    from watcher.transports import transport_for

    found = []
    for channel in config.channels.values():
        url = channel.url.get_secret_value()
        try:
            transport = transport_for(url)
            await transport.ready(url)
            transport.targets(url)
        except TransportError as error:
            found.append(Problem(str(path), 0, 0, f'channel "{channel.name}" cannot be used: {error.answer}'))
    return found


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
    client.patient = True  # a source that has no turn at its host now is to be tried all the same
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
    flaw = f"; {trial.flaw}" if trial.flaw else ""
    return f"{common.count(len(trial.items), 'item')}{about}, read in {trial.elapsed:.1f} s{flaw}"


def _row(trial: Trial) -> dict[str, object]:
    level = "error" if trial.error else "warning" if trial.flaw else "info"
    return {"file": trial.source.name, "line": 0, "column": 0, "level": level, "message": _gave(trial), "hint": ""}


def _delays(config: Config, trials: list[Trial]) -> dict[str, Expected | None]:
    """What delay to expect of each rule's items, by what its sources gave just now; None where none gave anything."""
    import time

    from watcher.sources.delay import of_rule, of_source

    now, hubs = time.time(), bool(config.settings.public_url)
    by_rule: dict[str, list[Delay]] = {}
    for trial in trials:
        if trial.poll is not None:
            delay = of_source(trial.source, trial.poll, now, hubs=hubs)
            for id_ in config.rules_for(trial.source):
                by_rule.setdefault(id_, []).append(delay)
    found: dict[str, Expected | None] = {}
    for name, rule in config.rules.items():
        waits = [config.channels[channel].group_wait for channel in rule.notify or config.channels]
        found[name] = of_rule(by_rule.get(rule.id, ()), min(waits, default=0.0))
    return found


def _expected(expected: Expected | None) -> str:
    from watcher.text.duration import format_duration

    if expected is None:
        return "none of its sources could be read"
    typical, most = (format_duration(_rounded(seconds)) for seconds in (expected.typical, expected.most))
    return (
        f"delay to expect {typical}, at most {most} ({common.count(expected.sources, 'source')}; "
        f"the slowest is {expected.slowest.source}: {expected.slowest.why})"
    )


def _rounded(seconds: float) -> float:
    """To whole minutes from five on: no more is known."""
    return round(seconds / 60) * 60 if seconds >= 300 else seconds


def _delay_row(name: str, expected: Expected | None) -> dict[str, object]:
    level = "warning" if expected is None else "info"
    row = {"file": name, "line": 0, "column": 0, "level": level, "message": _expected(expected), "hint": ""}
    if expected is None:
        return row
    delay = {"typical_seconds": round(expected.typical), "most_seconds": round(expected.most)}
    return row | {"delay": delay | {"slowest": expected.slowest.source}}


def _summary(config: Config | None, errors: int, warnings: int, silent: int) -> str:
    numbers = ((errors, "error"), (warnings, "warning"), (silent, "source"))
    parts = [common.count(number, what) for number, what in numbers if number]
    found = ", ".join(parts) + (" could not be read" if silent else "")
    if config is None:
        return found
    kinds = (("channel", config.channels), ("source", config.sources), ("rule", config.rules))
    return ", ".join(common.count(len(things), what) for what, things in kinds) + ": " + (found or "fine")
