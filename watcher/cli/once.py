"""Poll every due source, send everything due, and exit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from watcher.cli import common

if TYPE_CHECKING:
    from watcher.pipeline import Counts

app = typer.Typer(add_completion=False)


@app.command()
def once(
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
    log_level: common.LogLevelOption = None,
) -> None:
    """Poll every due source, send everything due, and exit; prints what happened.

    Exits with 1 if a source or a delivery failed. Quiet hours and digests are kept.
    """
    from random import Random

    from watcher.clock import SystemClock
    from watcher.daemon import once

    loaded = common.load_config(config, secrets)
    common.start_logs(common.config_path(config), log_level, quiet=True)
    say = _say_how_far if sys.stderr.isatty() else None  # cron would send it by mail
    counts = common.run(once(loaded, SystemClock(), Random(), say))
    if json:
        common.print_json(counts.as_dict())
    else:
        polled = common.count(counts.polled, "source")
        unread = f"{common.count(counts.unread, 'article')} to be read again, " if counts.unread else ""
        typer.echo(
            f"{polled} polled ({counts.not_modified} unchanged, {counts.failed} failed), "
            f"{common.count(counts.new_items, 'new item')}, {unread}{counts.matched} matched, "
            f"{common.count(counts.alerts, 'alert')}; {common.count(counts.sent, 'message')} sent, "
            f"{counts.retrying} to be tried again, {counts.dead} dead."
        )
    if counts.failed or counts.retrying or counts.dead:
        raise typer.Exit(1)


def _say_how_far(counts: Counts) -> None:
    typer.echo(
        f"so far: {common.count(counts.polled, 'source')} polled, {common.count(counts.new_items, 'new item')}, "
        f"{common.count(counts.sent, 'message')} sent",
        err=True,
    )
