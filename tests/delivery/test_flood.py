"""5,000 alerts at once into each kind of channel: few messages, and every alert named in one or counted in it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.delivery.desk import desk
from tests.fakes import SLACK_URL, Fakes, telegram_url
from watcher.model import AlertState

COUNT = 5000
KINDS = ("telegram", "slack", "bot", "mail", "plain", "webhook")


def channel(kind: str, fakes: Fakes) -> str:
    url = {
        "telegram": telegram_url(-100123),
        "slack": SLACK_URL,
        "bot": "slack://xoxb-1-canary-bot-token/#desk",
        "mail": fakes.mail_url("desk@news.example"),
        "plain": fakes.hook_url,
    }.get(kind)
    return f'{{url: "{url}"}}' if url else f'{{webhook: {{url: "https://localhost:{fakes.port}/in", secret: s}}}}'


def texts(kind: str, fakes: Fakes) -> list[str]:
    if kind == "telegram":
        return [message.text for message in fakes.telegram.messages]
    if kind in ("slack", "bot"):
        return [message.text for message in fakes.slack.messages]
    if kind == "mail":
        return [str(mail.message.get_body(("plain",)).get_content()) for mail in fakes.mail.messages]  # type: ignore[union-attr]
    return [hook["title"] + "\n" + hook["message"] if kind == "plain" else json.dumps(hook) for hook in fakes.hooks]


# At most so many messages within an hour and within a day, by the default limits: a burst and what is refilled.
ALLOWED = {"telegram": 40, "slack": 40, "bot": 40, "mail": 20, "plain": 40, "webhook": 120}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood(fakes: Fakes, tmp_path: Path, kind: str) -> None:
    async with desk(tmp_path, {"only": channel(kind, fakes)}) as at:
        await at.reports([f"n{number:04}x" for number in range(COUNT)], outlet="a.example")
        await at.pass_time(3600)
        sent = await at.deliveries()
        assert {one.state.value for one in sent} == {"sent"}
        assert len(sent) <= ALLOWED[kind]
        alerts = await at.alerts()
        assert len(alerts) == COUNT and {alert.state for alert in alerts} == {AlertState.TOLD}
    said = texts(kind, fakes)
    assert len(said) == len(sent)
    named = Counter(name for text in said for name in set(re.findall(r"report (n\d{4}x)", text)))
    assert set(named.values()) == {1}, "no alert is told twice"
    more = sum(
        int(count)
        for text in said
        for count in re.findall(r'and (\d+) more: |"more": (\d+)', text)
        for count in count
        if count
    )
    assert len(named) + more == COUNT
    assert any("watcher alerts" in text for text in said) or kind == "webhook"
