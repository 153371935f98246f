"""Watch: poll, match and tell, until stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from watcher.cli import common

app = typer.Typer(add_completion=False)


@app.command()
def run(
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse a broken configuration at start, rather than run the last good one."),
    ] = False,
    log_level: common.LogLevelOption = None,
) -> None:
    """Watch until stopped.

    SIGTERM or Ctrl-C ends what is under way and stops; a second one stops at once. The configuration is read again when
    a file changes and on SIGHUP; one that is broken changes nothing.
    """
    from random import Random

    from watcher.clock import SystemClock
    from watcher.daemon import ConfigSource, run
    from watcher.web import serve

    source = ConfigSource(common.config_path(config), secrets)
    common.start_logs(source.path, log_level)
    status = common.run(run(source, SystemClock(), Random(), strict=strict, serve=serve))
    raise typer.Exit(status)
