"""Messages: sent, to be tried again, dead; retry or drop them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watcher.cli import common

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def deliveries(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", help="pending, retrying, sent, dead or dropped.", show_default=False)
    ] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only of this channel.")] = None,
    limit: common.LimitOption = 50,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """List messages, newest first, with each channel's own answer."""
    if ctx.invoked_subcommand is not None:
        return
    from watcher.model import DeliveryState

    if state is not None and state not in list(DeliveryState):
        raise typer.BadParameter(f"{state}: expected one of {', '.join(DeliveryState)}", param_hint="--state")
    wanted = DeliveryState(state) if state else None
    rows = common.run(_load(common.load_settings(config, secrets), wanted, channel, limit))
    if json:
        common.print_json(rows)
        return
    for row in rows:
        typer.echo(common.delivery_line(row))
    typer.echo(f"{common.count(len(rows), 'message')}.")


async def _load(settings: Any, state: Any, channel: str | None, limit: int) -> list[dict[str, Any]]:
    async with common.opened(settings) as store, store.read() as tx:
        found = await tx.deliveries.list(limit, states=[state] if state else (), channel=channel)
    return [common.delivery_row(one) for one in found]


IdsArgument = Annotated[list[str] | None, typer.Argument(help="Delivery ids.", show_default=False)]
DeadOption = Annotated[bool, typer.Option("--dead", help="Every dead letter.")]


@app.command()
def retry(
    ids: IdsArgument = None,
    dead: DeadOption = False,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
) -> None:
    """Send dead letters again, now."""
    common.run(_change(common.load_settings(config, secrets), ids or [], dead, again=True))


@app.command()
def drop(
    ids: IdsArgument = None,
    dead: DeadOption = False,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
) -> None:
    """Give messages up: they are kept, and never sent."""
    common.run(_change(common.load_settings(config, secrets), ids or [], dead, again=False))


async def _change(settings: Any, ids: list[str], dead: bool, *, again: bool) -> None:
    from watcher.model import DeliveryState

    if not ids and not dead:
        raise typer.BadParameter("name deliveries by id, or all dead letters with --dead")
    async with common.opened(settings) as store:
        async with store.read() as tx:
            if dead:
                ids = [*ids, *(one.id for one in await tx.deliveries.list(100_000, states=[DeliveryState.DEAD]))]
        if again:
            changed = await store.write(lambda tx: tx.deliveries.requeue(ids))
        else:
            changed = await store.write(lambda tx: tx.deliveries.drop(ids))
    typer.echo(f"{common.count(len(changed), 'message')} {'will be sent again' if again else 'dropped'}.")
    if missed := set(ids) - changed:
        typer.echo(f"{len(missed)} were not found, or are in another state.", err=True)
        raise typer.Exit(1)
