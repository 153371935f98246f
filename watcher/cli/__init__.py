"""The command line. One file per command in this folder; a file is imported only when its command is asked for.

A command file `watcher/cli/NAME.py` holds a docstring, whose first line is the command's line in `watcher --help`, and
`app`, a `typer.Typer` with one command or with a group of them. The file's name is the command's name (`_` reads `-`).

Results go to standard output, logs and progress to standard error. Exit status: 0 fine, 1 the answer is no, 2 a usage
or configuration error.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

import watcher
from watcher.errors import ConfigError, FetchError, ParseError, QueryError, WatcherError

NOT_COMMANDS = {"__init__", "common"}


def summary(file: Path) -> str:
    """Read the first line of a command file's docstring without importing it."""
    with file.open(encoding="utf-8") as lines:
        return lines.readline().strip().strip('"').rstrip(".")


class Commands(typer.core.TyperGroup):
    """The commands found in this folder: cheap stand-ins for the list, the real one once it is called for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for file in sorted(Path(__file__).parent.glob("*.py")):
            if file.stem not in NOT_COMMANDS:
                name = file.stem.replace("_", "-")
                self.commands[name] = typer.core.TyperCommand(name, help=summary(file))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Import the command that is about to run."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            found: typer.Typer = import_module(f"watcher.cli.{name.replace('-', '_')}").app
            found.rich_markup_mode = None
            command = typer.main.get_command(found)
            command.name = name
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that watcher raised on purpose is told in its own words, without a traceback."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            from watcher.cli.common import print_problems

            print_problems(error.problems, sys.stderr)
            raise typer.Exit(2) from error
        except WatcherError as error:
            typer.echo(f"watcher: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, QueryError | FetchError | ParseError) else 1) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # typer's rich help imports Markdown and Pygments: 0.2 s
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"watcher {watcher.__version__}")
        raise typer.Exit()


@app.callback()
def _watcher(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Watch feeds and pages for what you care about; be told once."""


def main() -> None:
    """Run the command line: the `watcher` command."""
    app(prog_name="watcher")
