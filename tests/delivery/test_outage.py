"""A mail server down for six hours, a Slack that asks to wait, a Telegram that is well."""

from pathlib import Path

import pytest

from tests.clock import START
from tests.delivery.desk import Desk, DrivenClock, desk
from tests.fakes import SLACK_URL, Fakes, telegram_url

HOUR = 3600.0


def channels(fakes: Fakes) -> dict[str, str]:
    return {
        "mail": f'{{url: "{fakes.mail_url("desk@news.example")}", limit: 1000/h}}',
        "slack": f'{{url: "{SLACK_URL}", limit: 1000/h}}',
        "chat": f'{{url: "{telegram_url(4242)}", limit: 1000/h}}',
    }


async def news(at: Desk, hours: float, begin: int = 0) -> int:
    """A report each ten minutes; how many in all."""
    count = int(hours * 6)
    for number in range(begin, begin + count):
        await at.report(f"n{number:03}x", outlet=f"o{number}.example")
        await at.pass_time(600)
    return begin + count


def mails(fakes: Fakes) -> list[str]:
    return [str(mail.message.get_body(("plain",)).get_content()) for mail in fakes.mail.messages]  # type: ignore[union-attr]


def order(said: list[str], count: int) -> list[int]:
    """By report, the number of the one message that names it."""
    found = []
    for number in range(count):
        naming = [index for index, text in enumerate(said) if f"report n{number:03}x" in text]
        assert len(naming) == 1, number
        found += naming
    return found


async def test_six_hours_without_a_mail_server(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, channels(fakes)) as at:
        count = await news(at, 1)
        assert len(mails(fakes)) == len(fakes.slack.messages) == len(fakes.telegram.messages) == count
        fakes.mail.at_mail.extend(["421 4.3.2 shutting down"] * 100_000)
        fakes.slack.then("429 1800")
        count = await news(at, 6, count)
        assert len(fakes.telegram.messages) == count, "what is well is told at once"
        assert len(mails(fakes)) == 6
        tries = 100_000 - len(fakes.mail.at_mail)
        assert tries < 120, "who is down is not pestered"
        fakes.mail.at_mail.clear()
        await at.pass_time(HOUR + 600)
        assert {one.state.value for one in await at.deliveries()} == {"sent"}
    said = mails(fakes)
    assert order(said, count) == sorted(order(said, count))
    assert len(said) <= 6 + 2 + 1, "two that were on their way, and one that catches up"
    assert "while this channel could not be reached" in said[-1] and "The oldest came 6 hours ago" in said[-1]
    slack = [message.text for message in fakes.slack.messages]
    assert order(slack, count) == sorted(order(slack, count))
    caught_up = [text for text in slack if "while this channel could not be reached" in text]
    assert len(caught_up) == 1 and 2 <= caught_up[0].count("report n") <= 3


async def test_slack_is_not_asked_before_it_said(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, channels(fakes)) as at:
        fakes.slack.then("429 1800")
        count = await news(at, 0.5)
        assert len(fakes.slack.requests) == 1 and len(fakes.telegram.messages) == count
        await at.pass_time(900)
        assert [message.text.count("report n") for message in fakes.slack.messages] == [1, count - 1]
        assert "2 alerts while this channel could not be reached" in fakes.slack.messages[1].text


async def test_one_poisonous_message_does_not_stop_a_channel(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": channels(fakes)["slack"]}) as at:
        fakes.slack.poison = "report n000x"  # the service breaks on this one, whenever it comes
        count = await news(at, 3)
        assert len(fakes.slack.messages) == count - 1


async def test_a_hold_outlives_the_process(fakes: Fakes, tmp_path: Path) -> None:
    clock = DrivenClock(START)
    async with desk(tmp_path, {"slack": channels(fakes)["slack"]}, clock=clock) as at:
        fakes.slack.then("429 1800")
        await at.report("a")
        await at.pass_time(60)
    async with desk(tmp_path, {"slack": channels(fakes)["slack"]}, clock=clock) as at:
        await at.report("b")
        await at.report("c")
        await at.pass_time(1500)
        assert len(fakes.slack.requests) == 1
        await at.pass_time(600)
        assert len(fakes.slack.messages) == 2


@pytest.mark.parametrize(("chat", "most"), [(-100123, 20), (4242, 61)])
async def test_no_more_in_a_minute_than_telegram_takes(fakes: Fakes, tmp_path: Path, chat: int, most: int) -> None:
    """Two channels to one chat share what the service takes."""
    urls = {name: f'{{url: "{telegram_url(chat)}", limit: 1000/h, group_wait: 0s}}' for name in ("one", "two")}
    async with desk(tmp_path, urls) as at:
        for number in range(50):
            await at.report(f"n{number}")
        await at.pass_time(1200)
        at_times = sorted(one.sent_at for one in await at.deliveries() if one.sent_at is not None)
    assert len(at_times) == len(fakes.telegram.messages) == 100
    for start in at_times:
        assert sum(1 for moment in at_times if start <= moment < start + 59.9) <= most
        assert sum(1 for moment in at_times if start <= moment < start + 0.9) <= 1
