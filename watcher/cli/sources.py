"""Sources: when each was polled, what it gave, how it is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watcher.cli import common

app = typer.Typer()


@app.command()
def sources(
    source: Annotated[str | None, typer.Argument(help="Show this one whole.", show_default=False)] = None,
    failing: Annotated[bool, typer.Option("--failing", help="Only those that fail or are not well.")] = False,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """List the sources of the configuration with what the store knows of them, or show one."""
    rows = common.run(_load(common.load_config(config, secrets)))
    if source is not None:
        rows = [row for row in rows if source in (row["source"], row["id"])]
        if not rows:
            raise typer.BadParameter(f"there is no source {source}; `watcher sources` lists them")
    if failing:
        rows = [row for row in rows if row["failures"] or row["state"] != "ok"]
    if json:
        common.print_json(rows[0] if source is not None else rows)
        return
    for row in rows:
        typer.echo(_line(row))
        if row["why"] or row["error"]:
            typer.echo(f"    {row['why'] or row['error']}")
    typer.echo(f"{len(rows)} sources.")


def _line(row: dict[str, Any]) -> str:
    if row["polled"] is None:
        return f"{row['source']:20} {row['kind']:6} not polled yet"
    rate = "" if row["items_a_day"] is None else f", {row['items_a_day']:.3g} a day"
    times = f"polled {row['polled']}, next {row['next_due'] or 'never'}"
    return (
        f"{row['source']:20} {row['kind']:6} {row['state']}; {times}; "
        f"last new {row['last_new'] or 'never'}; {row['listed']} listed, {row['new_items']} new so far{rate}"
    )


async def _load(config: Any) -> list[dict[str, Any]]:
    async with common.opened(config) as store, store.read() as tx:
        known = {one.state.id: one for one in await tx.sources.list()}
        now = store.now()
    return [_row(source, known.get(source.id), now) for source in config.sources.values()]


def _row(source: Any, status: Any, now: float) -> dict[str, Any]:
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
    }
