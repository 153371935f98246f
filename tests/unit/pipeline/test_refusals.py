"""A channel that refuses for good is told through another, once, and so is its recovery."""

from __future__ import annotations

import itertools

from tests.pipelines import HOUR, Pipeline
from watcher.model import Delivery, Message, Queue, Style
from watcher.pipeline import deliver
from watcher.pipeline.refusals import REFUSED, recipients, refusals
from watcher.sources.health import Change
from watcher.store import ChannelState
from watcher.transports import transport_for

numbers = itertools.count()


async def send(pipeline: Pipeline, channel: str) -> None:
    """A message for a channel, and everything else that waits, sent."""
    services = pipeline.services
    url = services.config.channels[channel].url.get_secret_value()
    transport = transport_for(url)
    await transport.ready(url)
    [(target, _)] = transport.targets(url)
    message = Message("Harbour opens", "It is open.", Style.JSON)
    id_, now = f"delivery-{next(numbers)}", services.store.now()
    made = Delivery(id_, "group", channel, target, 0, message, next_try=now, created_at=now)
    await services.store.write(lambda tx: tx.deliveries.add([made]))
    await send_all(pipeline)


async def send_all(pipeline: Pipeline) -> None:
    for claim in await pipeline.services.store.claim(Queue.DELIVERY, 50, 60.0):
        await deliver(pipeline.services, claim)


async def told(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    pipeline.clock.time += HOUR
    return [(one.channel, one.message.title, one.message.body) for one in await pipeline.checkup()]


def configuration(site, notify: str) -> str:
    channels = "\n".join(f"  {name}: {{webhook: {{url: '{site.url}/{name}'}}}}" for name in ("desk", "ops", "spare"))
    return f"""
settings: {{store: sqlite:///w.db, health: {{notify: {notify}}}}}
channels:
{channels}
"""


async def test_it_is_told_through_another_once_and_when_it_is_mended(serve, start, ok) -> None:
    pages = {"/desk": ok(b"this hook was removed", status="410 Gone"), "/ops": ok(b"fine"), "/spare": ok(b"fine")}
    site = await serve(pages)
    pipeline = await start(configuration(site, "[ops]"))
    assert await told(pipeline) == []
    await send(pipeline, "desk")
    [(channel, title, body)] = await told(pipeline)
    assert (channel, title) == ("ops", "watcher: desk refused")
    assert "desk: refused for good: " in body and "410" in body and "watcher deliveries retry" in body
    await send(pipeline, "desk")
    assert await told(pipeline) == []

    pages["/desk"] = ok(b"fine")
    await send(pipeline, "desk")
    [(channel, title, body)] = await told(pipeline)
    assert (channel, title) == ("ops", "watcher: desk is well again") and "desk: takes messages again" in body
    assert await told(pipeline) == []


async def test_where_the_one_that_hears_of_health_refuses_the_next_one_hears(serve, start, ok) -> None:
    site = await serve({"/ops": ok(status="401 Unauthorized"), "/desk": ok(), "/spare": ok()})
    pipeline = await start(configuration(site, "[ops]"))
    await send(pipeline, "ops")
    [(channel, title, _)] = await told(pipeline)
    assert (channel, title) == ("desk", "watcher: ops refused")


async def test_one_that_was_removed_is_forgotten_without_a_word(serve, start, ok) -> None:
    site = await serve({"/ops": ok(), "/desk": ok(status="404 Not Found"), "/spare": ok()})
    pipeline = await start(configuration(site, "[ops]"))
    await send(pipeline, "desk")
    assert len(await told(pipeline)) == 1
    await pipeline.reload(configuration(site, "[ops]").replace("  desk:", "  tisch:"))
    assert await told(pipeline) == []
    async with pipeline.services.store.read() as tx:
        assert await tx.health.told() == {}


def test_a_channel_with_several_targets_is_told_once() -> None:
    states = [ChannelState("desk", "a", refused="gone"), ChannelState("desk", "b", refused="blocked")]
    found, refusing = refusals(states, {"desk"}, {})
    assert [(change.subject, change.state) for change in found] == [("channel:desk", REFUSED)]
    assert refusing == {"desk"}
    assert refusals(states, {"desk"}, {"channel:desk": REFUSED})[0] == []


def test_nobody_hears_where_nobody_is_to() -> None:
    news = [Change("channel:a", None, REFUSED, "", urgent=True)]
    assert recipients((), ["a", "b"], {"a"}, news) == []
    assert recipients(("a", "b"), ["a", "b"], {"a"}, news) == ["b"]
    assert recipients(("a",), ["a"], {"a"}, news) == []
    assert recipients(("a",), ["a", "b"], {"a"}, []) == ["a", "b"]
