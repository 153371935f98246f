"""Sources: when each was polled, how it is; add, import, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from watcher.cli import common


class Sources(typer.core.TyperGroup):
    """`watcher sources NAME` shows one: what names no subcommand is a source's name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Take an unknown word for a source."""
        if args and args[0] not in self.commands:
            return "show", self.commands["show"], args
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=Sources, add_completion=False)


@app.callback(invoke_without_command=True)
def sources(
    ctx: typer.Context,
    failing: Annotated[bool, typer.Option("--failing", help="Only those that fail or are not well.")] = False,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """List the sources of the configuration with what the store knows of them; with a name, show that one."""
    if ctx.invoked_subcommand is not None:
        ctx.obj = (config, secrets, json)
        return
    rows = common.run(_load(common.load_config(config, secrets)))
    if failing:
        rows = [row for row in rows if row["failures"] or row["state"] != "ok"]
    if json:
        common.print_json(rows)
        return
    _print(rows)
    typer.echo(f"{common.count(len(rows), 'source')}.")


@app.command()
def show(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="A source's name.")],
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show one source; `watcher sources NAME` is the same."""
    from watcher.query.lexer import suggest

    above = ctx.obj or (None, None, False)
    loaded = common.load_config(config or above[0], secrets or above[1])
    rows = common.run(_load(loaded))
    rows = [row for row in rows if source in (row["source"], row["id"])]
    if not rows:
        near = suggest(source, list(loaded.sources))
        raise typer.BadParameter(f"there is no source {source}; {near}`watcher sources` lists them")
    if json or above[2]:
        common.print_json(rows[0])
    else:
        _print(rows)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The address of a feed; `watcher preview` finds a site's.")],
    name: Annotated[str, typer.Option("--name", help="What to call it; default: by its address.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given several times.")] = None,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
) -> None:
    """Add a feed to sources-added.yaml in the configuration directory."""
    from watcher.config.opml import Outline

    _add([Outline(name, url, tuple(tag or ()))], config, secrets)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An OPML file; - reads standard input.")],
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
) -> None:
    """Add the feeds of an OPML file to sources-added.yaml; its folders become tags."""
    from watcher.config.opml import read_opml

    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    _add(read_opml(data, str(file)), config, secrets)


@app.command()
def export(config: common.ConfigOption = None, secrets: common.SecretsOption = None) -> None:
    """Print the feeds as OPML; tags become folders."""
    from watcher.config.opml import write_opml
    from watcher.fetch.urls import shown

    found = common.load_config(config, secrets).sources.values()
    typer.echo(write_opml(found), nl=False)
    if secret := [source.name for source in found if source.kind == "feed" and shown(source.address) != source.address]:
        typer.echo(f"with a secret in the address: {', '.join(secret)}", err=True)


def _add(outlines: list[Any], config: Path | None, secrets: Path | None) -> None:
    from watcher.config.added import FILE, add_feeds

    loaded = common.load_config(config, secrets)
    folder = common.config_path(config)
    there = {source.address for source in loaded.sources.values()}
    added, left_out = add_feeds(folder, outlines, loaded.sources, there)
    for reason in left_out:
        typer.echo(f"left out: {reason}", err=True)
    for name in added:
        typer.echo(name)
    typer.echo(f"{len(added)} added to {folder / FILE}, {len(left_out)} left out.", err=True)
    common.load_config(config, secrets)
    if left_out and not added:
        raise typer.Exit(1)


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        typer.echo(_line(row))
        if row["why"] or row["error"]:
            typer.echo(f"    {row['why'] or row['error']}")
        if len(rows) == 1 and row.get("interval"):
            typer.echo(f"    {row['interval']}")
        if len(rows) == 1 and row.get("flaw"):
            typer.echo(f"    {row['flaw']}")
        if pushed := row.get("websub"):
            typer.echo(f"    {_pushed(pushed)}")


def _pushed(row: dict[str, Any]) -> str:
    """How its subscription at a hub stands, in words."""
    if row["state"] != "active":
        return f"WebSub: {row['state']} at {row['hub']}{': ' if row['reason'] else ''}{row['reason']}"
    polled = "polled as a fallback" if row["relied_on"] else "polled as usual: it left something out"
    return f"WebSub: {row['hub']} pushes until {row['until']}, last {row['last_push'] or 'never yet'}; {polled}" + (
        f"; not renewed: {row['reason']}" if row["reason"] else ""
    )


def _line(row: dict[str, Any]) -> str:
    if row["polled"] is None:
        return f"{row['source']:20} {row['kind']:6} not polled yet"
    rate = "" if row["items_a_day"] is None else f", {row['items_a_day']:.3g} a day"
    failing = ", but the last poll failed" if row["failures"] and row["state"] == "ok" else ""
    times = f"polled {row['polled']}, next {row['next_due'] or 'never'}"
    return (
        f"{row['source']:20} {row['kind']:6} {row['state']}{failing}; {times}; "
        f"last new {row['last_new'] or 'never'}; {row['listed']} listed, {row['new_items']} new so far{rate}"
    )


async def _load(config: Any) -> list[dict[str, Any]]:
    async with common.opened(config.settings) as store, store.read() as tx:
        known = {one.state.id: one for one in await tx.sources.list()}
        pushed = {one.id: one for one in await tx.subscriptions.list()}
        now = store.now()
    return [_row(source, known.get(source.id), pushed.get(source.id), now) for source in config.sources.values()]


def _subscription(one: Any, status: Any, now: float) -> dict[str, Any]:
    from watcher.fetch.urls import shown

    lapsed = one.state == "active" and (one.expires_at or 0.0) <= now
    return {
        "hub": shown(one.hub),
        "state": "lapsed" if lapsed else one.state,
        "until": common.iso(one.expires_at),
        "last_push": common.iso(one.pushed_at),
        "relied_on": (status.state.relies_until or 0.0) > now,
        "reason": one.reason,
    }


def _interval(source: Any, state: Any, now: float) -> str:
    """How often it is polled, by what is remembered of its last poll."""
    from watcher.sources import Hints, Outcome, Poll
    from watcher.sources.delay import explain

    hints = Hints(None, state.cache.get("ttl"), state.cache.get("per_day"))
    got = Poll(Outcome.NOT_MODIFIED, etag=state.etag, last_modified=state.last_modified, hints=hints, cache=state.cache)
    return explain(source, got, now, state.relies_until)


def _row(source: Any, status: Any, subscription: Any, now: float) -> dict[str, Any]:
    from watcher.fetch.urls import shown
    from watcher.sources.health import health, per_day

    row: dict[str, Any] = {
        "source": source.name,
        "id": source.id,
        "kind": source.kind,
        "address": shown(source.address),
    }
    if status is None:
        return row | {"state": "ok", "why": "", "polled": None, "failures": 0, "error": None}
    state, found = status.state, health(status, now)
    return row | {
        "state": found.state.value,
        "why": found.why,
        "polled": common.iso(status.polled_at),
        "last_success": common.iso(state.last_success),
        "last_new": common.iso(state.last_new),
        "next_due": common.iso(state.next_due),
        "failures": state.failures,
        "error_kind": status.error_kind,
        "error": state.error,
        "latency_seconds": status.latency,
        "items_a_day": per_day(status),
        "listed": status.listed,
        "new_items": status.new_items,
        "interval": _interval(source, state, now),
        "flaw": state.cache.get("flaw", ""),
        "websub": _subscription(subscription, status, now) if subscription else None,
    }
