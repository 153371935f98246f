"""Quiet hours hold whatever was placed before them, and a catch-up is not starved by what comes after it."""

from pathlib import Path

from tests.clock import START
from tests.delivery.desk import desk
from tests.fakes import Fakes
from watcher.alerting.group import parse_quiet
from watcher.model import AlertState

MINUTE, HOUR = 60.0, 3600.0


def hook(fakes: Fakes, **more: str) -> dict[str, str]:
    keys = "".join(f', {key}: "{value}"' for key, value in more.items())
    return {"hook": f'{{url: "{fakes.hook_url}"{keys}}}'}


async def test_what_was_placed_before_quiet_hours_waits_for_their_end(fakes: Fakes, tmp_path: Path) -> None:
    # Quiet begins a minute from now; the limit's catch-up would come in the midst of it.
    begin = int((START + MINUTE) // 60 % (24 * 60))
    quiet = f"{begin // 60:02}:{begin % 60:02}-{(begin // 60 + 2) % 24:02}:{begin % 60:02}"
    end = parse_quiet(quiet).end("UTC", START + 2 * MINUTE)
    assert end is not None
    async with desk(tmp_path, hook(fakes, quiet=quiet, limit="2/h", timezone="UTC")) as at:
        for number in range(5):
            await at.report(f"n{number}x")
        await at.pass_time(30)
        told = len(fakes.hooks)
        assert told == 2
        await at.pass_time(HOUR)
        assert len(fakes.hooks) == told, "the limit has refilled, and it is quiet"
        await at.pass_time(2 * HOUR)
        assert len(fakes.hooks) == told + 1, "the end of quiet hours is one message"
        assert {alert.state for alert in await at.alerts()} == {AlertState.TOLD}


async def test_a_catch_up_is_told_though_more_keeps_coming(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, hook(fakes, limit="20/h")) as at:
        for number in range(60):
            await at.report(f"burst{number:03}x")
        for number in range(80):  # one each two and a half minutes: as fast as the limit refills
            await at.report(f"later{number:03}x")
            await at.pass_time(150)
        waiting = [alert for alert in await at.alerts() if alert.state is AlertState.WAITING]
        assert all(at.now() - alert.created_at < HOUR for alert in waiting)
