"""What commands share: options, results, problems, running a coroutine."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar

import typer

from watcher.errors import ConfigError, Problem

if TYPE_CHECKING:
    from watcher.config.load import Config

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


def load_config(path: Path | None, secrets: Path | None = None) -> Config:
    """Read and check the configuration; its warnings are printed to standard error. Raises ConfigError."""
    from watcher.config.load import load

    config = load(config_path(path), secrets_dir=secrets)
    print_problems(config.warnings, sys.stderr)
    return config


def print_json(value: Any) -> None:
    """Print `value` as JSON: indented for people on a terminal, one line for programs."""
    indent = 2 if sys.stdout.isatty() else None
    typer.echo(json.dumps(value, ensure_ascii=False, indent=indent, default=str))


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
