"""A worker that does not know a channel yet gives up nothing that another worker's newer configuration knows."""

from pathlib import Path

from tests.delivery.desk import desk
from watcher.model import AlertState


async def test_what_a_newer_configuration_may_know_waits(tmp_path: Path) -> None:
    async with desk(tmp_path, {"screen": '{url: "console://"}'}) as at:
        await at.report("first")
        at.services.config.channels.clear()  # as a worker that has not reloaded yet
        await at.services.store.write(lambda tx: tx.configs.save({}, at.now + 1))
        await at.pass_time(30)
        assert [alert.state for alert in await at.alerts()] == [AlertState.WAITING]


async def test_what_no_configuration_knows_is_dropped_with_its_reason(tmp_path: Path) -> None:
    async with desk(tmp_path, {"screen": '{url: "console://"}'}) as at:
        await at.report("first")
        at.services.config.channels.clear()
        await at.pass_time(30)
        assert [(alert.state, alert.reason.name) for alert in await at.alerts()] == [
            (AlertState.DROPPED, "CHANNEL_REMOVED")
        ]
