"""Is it well: daemon, sources, queue, last alerts, lag."""

from __future__ import annotations

from typing import Any

import typer

from watcher.cli import common
from watcher.cli.alerts import rows_of

app = typer.Typer(add_completion=False)

SHOWN = 10  # sources that failed at their last poll and are not unwell yet


@app.command()
def status(
    config: common.ConfigOption = None, secrets: common.SecretsOption = None, json: common.JsonOption = False
) -> None:
    """Say whether watcher is well. Exits with 1 where no daemon is running or due work is not being done."""
    found = common.run(_status(common.load_settings(config, secrets)))
    if json:
        common.print_json(found)
    else:
        _show(found)
    if not found["well"]:
        raise typer.Exit(1)


async def _status(settings: Any) -> dict[str, Any]:
    from watcher.model import AlertState, DeliveryState
    from watcher.sources.health import State, health, outage
    from watcher.store.wellness import wellness

    async with common.opened(settings) as store, store.read() as tx:
        now = store.now()
        found = await wellness(tx)
        sources = await tx.sources.list()
        deliveries = await tx.deliveries.counts()
        kept = [state for state in AlertState if state is not AlertState.DROPPED]
        alerts = await rows_of(tx, await tx.alerts.list(5, states=kept))
    states = [(one.state.id, one, health(one, now)) for one in sources]
    return {
        "well": found.well,
        "workers": [
            {"id": one.id, "version": one.version, "up_seconds": round(now - one.started_at)} for one in found.workers
        ],
        "sources": {
            "active": len(sources),
            "polled": sum(one.polled_at is not None for one in sources),
            "failing": [{"source": name, "error": one.state.error} for name, one, _ in states if one.state.failures],
            "states": {state.value: sum(how.state is state for _, _, how in states) for state in State},
            "unwell": [
                {"source": name, "state": how.state.value, "why": how.why}
                for name, _, how in states
                if how.state is not State.OK
            ],
            "network_out": outage(sources, now),
        },
        "queues": {
            queue.value: {"due": row.due, "late_seconds": round(row.late)} for queue, row in found.waiting.items()
        },
        "deliveries": {state.value: deliveries.get(state, 0) for state in DeliveryState},
        "alerts": [{"rule": one["rule"], "title": one["title"], "at": one["at"]} for one in alerts],
        "lag_seconds": round(found.lag),
    }


def _show(found: dict[str, Any]) -> None:
    if found["workers"]:
        for worker in found["workers"]:
            typer.echo(f"running: {worker['id']}, version {worker['version']}, up {common.ago(worker['up_seconds'])}")
    else:
        typer.echo("not running: no daemon has given a sign of life in the last minute")
    sources = found["sources"]
    states = ", ".join(f"{count} {state}" for state, count in sources["states"].items() if count)
    told = {one["source"] for one in sources["unwell"]}
    others = [one for one in sources["failing"] if one["source"] not in told]
    lately = f"; {len(others)} of the ok ones failed at the last poll" if others else ""
    typer.echo(f"sources: {sources['active']}{': ' if states else ''}{states}{lately}")
    if sources["network_out"]:
        typer.echo("  nearly no source can be reached: the network or the name server here is out")
    for one in sources["unwell"]:
        typer.echo(f"  {one['source']}: {one['state']}: {one['why']}")
    for one in others[:SHOWN]:
        typer.echo(f"  {one['source']}: {one['error']}")
    if len(others) > SHOWN:
        typer.echo(f"  and {len(others) - SHOWN} more, whose last poll failed: watcher sources --failing")
    late = f", {common.ago(found['lag_seconds'])} behind" if found["lag_seconds"] > 1 else ""
    queues = ", ".join(common.count(row["due"], name) for name, row in found["queues"].items())
    typer.echo(f"due now: {queues}{late}")
    typer.echo(f"messages: {', '.join(f'{count} {state}' for state, count in found['deliveries'].items())}")
    for alert in found["alerts"]:
        typer.echo(f"  {alert['at']}  {alert['rule']}: {alert['title']}")
