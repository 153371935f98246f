"""A silence holds back, and what it held back is told when it ends."""

from pathlib import Path

import pytest

from tests.delivery.desk import desk
from tests.fakes import SLACK_URL, Fakes
from watcher.model import AlertState, Reason, Silence

HOOK = "hook"


@pytest.mark.parametrize(("kind", "name"), [("rule", "coup"), ("source", "wire"), ("channel", "slack")])
async def test_what_a_silence_held_back_is_one_message_at_its_end(
    fakes: Fakes, tmp_path: Path, kind: str, name: str
) -> None:
    async with desk(tmp_path, {"slack": f'{{url: "{SLACK_URL}"}}', "hook": f'{{url: "{fakes.hook_url}"}}'}) as at:
        silence = Silence("s", name, at.now + 7200, at.now, "planned exercise", kind)
        await at.store.write(lambda tx: tx.silences.add(silence))
        for number in range(4):
            await at.report(f"n{number}")
            await at.pass_time(60)
        await at.report("other", rules=["army"], source="local")
        await at.pass_time(60)
        told = 1 if kind == "channel" else 0
        assert len(fakes.slack.messages) == 1 - told
        assert len(fakes.hooks) == (5 if told else 1)
        if kind != "channel":
            held = [alert for alert in await at.alerts() if alert.state is AlertState.WAITING]
            assert {alert.reason for alert in held} == {Reason.SILENCED} and len(held) == 4
        await at.pass_time(7200)
        message = fakes.slack.messages[-1]
        count = 5 if told else 4
        assert len(fakes.slack.messages) == 2 - told
        assert f"{count} alerts that a silence held back" in message.text
        assert "planned exercise" in message.text and all(f"report n{number}" in message.text for number in range(4))
        assert {alert.state for alert in await at.alerts()} == {AlertState.TOLD}


async def test_a_silence_that_is_ended_tells_at_once_and_one_that_follows_holds_on(
    fakes: Fakes, tmp_path: Path
) -> None:
    async with desk(tmp_path, {"slack": f'{{url: "{SLACK_URL}"}}'}) as at:
        first = Silence("s", "coup", at.now + 7200, at.now)
        second = Silence("t", "wire", at.now + 600, at.now, kind="source")
        for silence in (first, second):
            await at.store.write(lambda tx: tx.silences.add(silence))  # noqa: B023
        await at.report("a")
        await at.pass_time(60)
        assert await at.store.write(lambda tx: tx.silences.end("s"))
        await at.pass_time(60)
        assert fakes.slack.messages == []
        await at.pass_time(600)
        assert len(fakes.slack.messages) == 1


async def test_a_rule_that_fires_far_over_its_history_is_said_to_be_noisy(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": f'{{url: "{SLACK_URL}", limit: 2/h}}'}) as at:
        for number in range(40):
            await at.report(f"n{number}")
        await at.pass_time(3600)
    [noisy] = [message.text for message in fakes.slack.messages if "noisy" in message.text]
    assert "Rule coup is noisy: 40 alerts in an hour" in noisy and "watcher backtest coup" in noisy
