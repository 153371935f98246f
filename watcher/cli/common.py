"""What commands share: options, results, problems, running a coroutine."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar

import typer

from watcher.errors import ConfigError, Problem

if TYPE_CHECKING:
    from watcher.config import Config, Settings
    from watcher.model import Delivery
    from watcher.store import Store

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="WATCHER_CONFIG",
        help="A YAML file, or a directory of them. Default: ./config if it is there, else ./watcher.yaml.",
        show_default=False,
    ),
]
SecretsOption = Annotated[
    Path | None,
    typer.Option(
        "--secrets",
        envvar="WATCHER_SECRETS_DIR",
        help="A directory with one file per secret, named as in ${NAME}. Default: systemd's credentials, /run/secrets.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SinceOption = Annotated[str, typer.Option("--since", help="How far back: 30m, 2h, 7d.")]
LimitOption = Annotated[int, typer.Option("--limit", help="At most so many.", min=1)]
LogLevelOption = Annotated[
    str | None,
    typer.Option("--log-level", help="debug, info, warning or error; goes before the settings.", show_default=False),
]


def config_path(path: Path | None) -> Path:
    """Where the configuration is: `path` as given, else ./config, else ./watcher.yaml. Raises ConfigError."""
    for candidate in [path] if path else [Path("config"), Path("watcher.yaml")]:
        if candidate.exists():
            return candidate
    if path:
        raise ConfigError.of(path, "there is no such file or directory")
    raise ConfigError.of(
        "config", "no configuration here", "name one with --config or WATCHER_CONFIG, or write one: watcher init"
    )


def start_logs(path: Path, level: str | None, *, quiet: bool = False) -> None:
    """Set up logging as the settings at `path` say; `level` from the command line goes before them.

    `quiet` hears from warnings up unless a level was asked for. Settings that cannot be read are reported later, by
    whoever needs them.
    """
    from watcher import log
    from watcher.config import load_settings
    from watcher.config.settings import Log

    if level is not None and level not in log.LEVELS:
        raise typer.BadParameter(f"{level}: expected one of {', '.join(log.LEVELS)}", param_hint="--log-level")
    try:
        settings = load_settings(path).log
    except ConfigError:
        settings = Log()
    usual = "warning" if quiet and "level" not in settings.model_fields_set else settings.level
    log.configure(level or usual, settings.format)


def load_config(path: Path | None, secrets: Path | None = None) -> Config:
    """Read and check the configuration; its warnings are for `watcher check` to show. Raises ConfigError."""
    from watcher.config.load import load

    return load(config_path(path), secrets_dir=secrets)


def load_settings(path: Path | None, secrets: Path | None = None) -> Settings:
    """The settings alone, for commands that only look into the store: they work while the rest is being mended."""
    from watcher.config import load_settings

    return load_settings(config_path(path), secrets_dir=secrets)


def print_json(value: Any) -> None:
    """Print `value` as JSON: indented for people on a terminal, one line for programs."""
    indent = 2 if sys.stdout.isatty() else None
    typer.echo(json.dumps(value, ensure_ascii=False, indent=indent, default=str))


def print_line(value: Any) -> None:
    """Print `value` as one line of JSON Lines."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_problems(problems: Iterable[Problem], stream: TextIO) -> None:
    """Print problems with their line and caret; coloured where `stream` is a terminal."""
    if not stream.isatty():
        for problem in problems:
            print(problem, file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for problem in problems:
        colour = "bold red" if problem.level == "error" else "bold yellow"
        text = Text(str(problem))
        text.highlight_words([f"{problem.level}:"], colour)
        text.highlight_regex(r"(?m)^ +\^$", colour)
        if problem.hint:
            text.stylize("cyan", len(text) - len(problem.hint))
        console.print(text)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end on a new event loop."""
    return asyncio.run(work)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The settings' store, beside whatever daemon holds it; times are shown in their zone. Raises StoreError."""
    import os
    import socket

    from watcher.clock import SystemClock
    from watcher.store import open_store

    os.environ["TZ"] = settings.timezone
    time.tzset()
    async with await open_store(settings.store, SystemClock(), f"{socket.gethostname()}:{os.getpid()}") as store:
        yield store


def seconds(duration: str) -> float:
    """A duration as typed on the command line, in seconds. Raises BadParameter."""
    from watcher.text.duration import parse_duration

    try:
        return parse_duration(duration)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def iso(when: float | None) -> str | None:
    """A time as ISO 8601 in the local time zone, to the second; None where there is none or it never comes."""
    if when is None or when in (float("inf"), float("-inf")):
        return None
    return datetime.fromtimestamp(when).astimezone().isoformat(timespec="seconds")


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 alert, 2 alerts."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def say_if_nearly_a_rule(what: str, rules: Collection[str]) -> None:
    """Say on the standard error that `what`, which names none of `rules`, is read as a query though it nearly does."""
    from watcher.query.lexer import suggest

    if what not in rules and (near := suggest(what, list(rules))):
        typer.echo(f"no rule has this name, so it is read as a query; {near.strip()}", err=True)


def ago(seconds: float) -> str:
    """A span of time in one unit: 45s, 12m, 3h, 5d."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def shorten(text: str, length: int) -> str:
    """The start of `text` on one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rsplit(" ", 1)[0] + "…"


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """A delivery as `--json` prints it."""
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "target": delivery.target.label,
        "state": delivery.state.value,
        "title": delivery.message.title,
        "created": iso(delivery.created_at),
        "sent": iso(delivery.sent_at),
        "next_try": iso(delivery.next_try) if delivery.next_try else None,
        "attempts": delivery.attempts,
        "answer": delivery.answer,
        "reason": delivery.reason,
        "may_repeat": delivery.ambiguous,
    }


def delivery_line(row: dict[str, Any]) -> str:
    """A delivery on one line, from its row."""
    said = f" · {row['answer'] or row['reason']}" if row["answer"] or row["reason"] else ""
    when = row["sent"] or row["created"]
    return f"{when}  {row['state']:8} {row['channel']} ({row['target']}): {row['title']}{said}  {row['id']}"
