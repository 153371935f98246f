"""Send a test message, or an alert again, to a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common

if TYPE_CHECKING:
    from watcher.config import Channel, Config
    from watcher.model import Message

app = typer.Typer(add_completion=False)


@app.command()
def notify(
    channel: Annotated[str | None, typer.Argument(help="A channel of the configuration.", show_default=False)] = None,
    alert: Annotated[
        str | None, typer.Option("--alert", help="Send this alert as the channel tells it, to try templates.")
    ] = None,
    setup: Annotated[
        str | None, typer.Option("--setup", help="telegram: find a chat by a word to the bot, and print its YAML.")
    ] = None,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Send a message to CHANNEL now, whatever its limits, and show the service's own answer.

    Exits with 1 where one of the channel's recipients did not take it.
    """
    if setup is not None:
        if setup != "telegram" or channel is not None:
            raise typer.BadParameter("telegram is what can be set up: watcher notify --setup telegram")
        _setup_telegram()
        return
    loaded = common.load_config(config, secrets)
    found = loaded.channels.get(channel or "")
    if found is None:
        raise typer.BadParameter(f"name a channel; there are: {', '.join(loaded.channels) or 'none'}")
    rows = common.run(_send(loaded, found, alert))
    if json:
        common.print_json(rows)
    else:
        for row in rows:
            typer.echo(f"{'sent' if row['sent'] else 'not sent'} to {row['target']}: {row['answer']}")
    if not all(row["sent"] for row in rows):
        raise typer.Exit(1)


async def _send(config: Config, channel: Channel, alert: str | None) -> list[dict[str, Any]]:
    import secrets

    from watcher.errors import TransportError
    from watcher.pipeline.compose import post_of

    post = await post_of(channel)
    style = post.transport.style(post.url)
    messages = await _alert(config, channel, alert) if alert else _test(channel, style)
    rows = []
    for target, address in post.transport.targets(post.url):
        row = {"channel": channel.name, "target": target.label, "sent": True, "answer": ""}
        for message in messages:
            try:
                row["answer"] = (await post.transport.send(address, message, secrets.token_hex(16))).answer
            except TransportError as error:
                row |= {"sent": False, "answer": error.answer, "failure": error.failure.value}
                break
        rows.append(row)
    return rows


def _test(channel: Channel, style: Any) -> list[Message]:
    from watcher.alerting.render import note

    said = f"This is a test of the channel {channel.name}.\nAlerts of the rules that notify it come here."
    return note("watcher can reach you", said, style)


async def _alert(config: Config, channel: Channel, alert_id: str) -> list[Message]:
    import time
    from types import SimpleNamespace

    from watcher.alerting.render import render
    from watcher.errors import StoreError
    from watcher.model import Group
    from watcher.pipeline import compose
    from watcher.transports import transport_for

    async with common.opened(config.settings) as store, store.read() as tx:
        found = await tx.alerts.get([alert_id])
        if not found:
            raise StoreError(f"there is no alert {alert_id}; `watcher alerts` lists them")
        news = await compose.news_of(tx, found)
    rules: Any = SimpleNamespace(rules={rule.id: rule for rule in config.rules.values()})
    group = Group("", channel.name, "alert", f"event:{news.stories[found[0].story].event}", 0.0, 0)
    notice = compose.notice(rules, group, channel, news, time.time())
    url = channel.url.get_secret_value()
    return render(notice, transport_for(url).style(url), channel.templates)


def _setup_telegram() -> None:
    from watcher.transports.bot_api import wait_for_word

    token = typer.prompt("The bot's token, as @BotFather gave it", hide_input=True, err=True).strip()
    typer.echo("Now write any word to the bot, or add it to a group and write one there …", err=True)
    chat, name = common.run(wait_for_word(token))
    typer.echo(f"Heard from {name}.", err=True)
    typer.echo(f'channels:\n  telegram: {{url: "tgram://${{TELEGRAM_TOKEN}}/{chat}"}}')
    typer.echo("Put the token into the environment, .env or the secrets directory as TELEGRAM_TOKEN.", err=True)
