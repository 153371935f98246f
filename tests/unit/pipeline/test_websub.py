"""Subscriptions over time: the real pipeline and listener, a real hub on loopback, a clock in the test's hands."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random

import aiohttp
import pytest

from tests.fakes.hub import Hub
from tests.pipelines import DAY, HOUR, Pipeline
from watcher.daemon.start import catch_up
from watcher.model import Queue, SourceState, Subscription
from watcher.pipeline import subscribe
from watcher.store import SourceStatus
from watcher.web import serve as listen


@dataclass
class Desk:
    """A pipeline that watches a hub's feed, and listens."""

    pipeline: Pipeline
    hub: Hub
    port: int
    woken: int = 0

    def wake(self) -> None:
        self.woken += 1

    async def ask(self) -> None:
        """Ask for every subscription that is due, and let the hub verify."""
        for claim in await self.pipeline.services.store.claim(Queue.SUBSCRIPTION, 10, 60.0):
            await subscribe(self.pipeline.services, claim)
        await self.hub.settled()

    async def known(self) -> Subscription:
        async with self.pipeline.services.store.read() as tx:
            found = await tx.subscriptions.get("wire")
        assert found is not None
        return found

    async def source(self) -> SourceStatus:
        [one] = await self.pipeline.sources()
        return one

    async def wait(self) -> float:
        """Seconds until the next poll."""
        return (await self.source()).state.next_due - self.pipeline.clock.time

    async def titles(self) -> list[str]:
        async with self.pipeline.services.store.read() as tx:
            return sorted(one.item.title for one in await tx.items.list())

    async def subscribed(self) -> None:
        """A first poll, a subscription, and the poll that finds it active."""
        self.hub.publish("Harbour opens")
        await self.pipeline.poll()
        await self.ask()
        await self.pipeline.poll_all()


Open = Callable[..., Awaitable[Desk]]

CONFIGURATION = """
settings:
  store: sqlite:///w.db
  fetch: {{host_gap: 0s}}
  public_url: http://127.0.0.1:{port}/
  web: {{listen: 127.0.0.1:{port}}}
channels: {{ops: {{url: "json://127.0.0.1:9/ops"}}}}
sources: {{wire: {{feed: '{feed}', full_text: never{more}}}}}
rules: {{all: {{query: harbour}}}}
"""


@pytest.fixture
async def open_desk(start, hands) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def make(more: str = "", **settings: object) -> Desk:
            hub = await stack.enter_async_context(Hub(clock=hands, **settings))
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            pipeline = await start(CONFIGURATION.format(port=port, feed=hub.feed, more=more))
            desk = Desk(pipeline, hub, port)
            await stack.enter_async_context(listen(pipeline.services, desk.wake))
            return desk

        yield make


async def test_a_feed_that_names_a_hub_is_subscribed_to_and_polled_seldom(open_desk: Open) -> None:
    desk = await open_desk()
    await desk.subscribed()
    [form] = desk.hub.asked
    assert form["hub.topic"] == desk.hub.feed and form["hub.mode"] == "subscribe"
    assert form["hub.callback"].startswith(f"http://127.0.0.1:{desk.port}/websub/")
    assert len(form["hub.callback"].rpartition("/")[2]) >= 43
    assert [status for status, _ in desk.hub.verified] == [200]
    known = await desk.known()
    assert known.state == "active" and known.expires_at == pytest.approx(desk.pipeline.clock.time + 10 * DAY, abs=DAY)
    assert 10 * HOUR < await desk.wait() < 14 * HOUR


@pytest.mark.parametrize("settings", [{}, {"partial": True}, {"in_header": True}, {"method": "sha1"}])
async def test_what_is_pushed_is_read_as_what_is_polled(open_desk: Open, settings) -> None:
    desk = await open_desk(**settings)
    await desk.subscribed()
    polls, before = desk.hub.polls, (await desk.source()).state
    desk.hub.publish("Harbour closes")
    assert await desk.hub.push() == [202]
    assert await desk.hub.push() == [202]
    assert await desk.titles() == ["Harbour closes", "Harbour opens"]
    async with desk.pipeline.services.store.read() as tx:
        alerts = await tx.alerts.list(10)
    assert [alert.reason.name for alert in alerts].count("FIRST_SIGHT") == 1
    assert desk.hub.polls == polls and desk.woken
    after = await desk.source()
    assert (after.state.etag, after.state.body_hash, after.state.cache) == (
        before.etag, before.body_hash, before.cache,
    )  # fmt: skip
    assert after.new_items == 2

    await desk.pipeline.poll_all()  # the fallback finds nothing that was not pushed
    assert (await desk.source()).new_items == 2
    assert 10 * HOUR < await desk.wait() < 14 * HOUR


@pytest.mark.parametrize("signature", ["", "sha256=" + "0" * 64, "md5=" + "0" * 32, "none"])
async def test_what_is_not_signed_by_the_hub_is_taken_and_ignored(open_desk: Open, signature: str) -> None:
    desk = await open_desk()
    await desk.subscribed()
    desk.hub.publish("Harbour closes")
    assert await desk.hub.push(signature=signature) == [202]
    assert await desk.titles() == ["Harbour opens"]
    assert (await desk.known()).pushed_at is None


async def test_a_subscription_is_renewed_before_it_ends(open_desk: Open) -> None:
    desk = await open_desk(lease=86_400)
    await desk.subscribed()
    clock, first = desk.pipeline.clock, await desk.known()
    for _ in range(4):
        clock.time += 3 * HOUR
        await desk.ask()
    assert len(desk.hub.asked) == 1
    for _ in range(30 * 8):
        clock.time += 3 * HOUR
        await desk.ask()
        known = await desk.known()
        assert known.expires_at is not None and known.expires_at > clock.time
    assert 30 <= len(desk.hub.asked) <= 48
    assert {form["hub.callback"] for form in desk.hub.asked} == {desk.hub.asked[0]["hub.callback"]}
    assert known.verified_at == first.verified_at


async def test_one_that_lapses_is_polled_as_before_and_asked_for_again(open_desk: Open) -> None:
    desk = await open_desk(lease=86_400)
    await desk.subscribed()
    desk.hub.takes = 503
    clock = desk.pipeline.clock
    end = (await desk.known()).expires_at
    assert end is not None
    while clock.time < end:
        clock.time += HOUR
        await desk.ask()
        await desk.pipeline.poll()
    assert (await desk.known()).failures >= 2 and "503" in (await desk.known()).reason
    assert (await desk.source()).state.last_success >= end - 2 * HOUR
    await desk.pipeline.poll_all()
    assert await desk.wait() < 2 * HOUR

    desk.hub.takes = 202
    clock.time += DAY
    await desk.ask()
    await desk.pipeline.poll_all()
    assert await desk.wait() > 10 * HOUR


async def test_a_hub_that_never_verifies_is_asked_ever_more_seldom(open_desk: Open) -> None:
    desk = await open_desk(verifies=False)
    desk.hub.publish("Harbour opens")
    await desk.pipeline.poll()
    for _ in range(3 * 24 * 6):
        await desk.ask()
        desk.pipeline.clock.time += 600
    assert 8 <= len(desk.hub.asked) <= 12
    await desk.pipeline.poll_all()
    assert await desk.wait() < 2 * HOUR


async def test_a_denial_ends_it(open_desk: Open) -> None:
    desk = await open_desk()
    await desk.subscribed()
    assert (await desk.hub.deny("the feed\nis  gone"))[0] == 200
    known = await desk.known()
    assert (known.state, known.reason) == ("denied", "the feed is gone")
    assert await desk.wait() <= 0
    await desk.pipeline.poll()
    assert await desk.wait() < 2 * HOUR
    desk.hub.publish("Harbour closes")
    assert await desk.hub.push() == [404]
    await desk.ask()
    assert len(desk.hub.asked) == 1
    desk.pipeline.clock.time += 8 * DAY
    await desk.ask()
    assert (await desk.known()).state == "active"


async def test_a_hub_may_deny_at_once(open_desk: Open) -> None:
    desk = await open_desk(denies="not for you")
    desk.hub.publish("Harbour opens")
    await desk.pipeline.poll()
    await desk.ask()
    assert ((await desk.known()).state, (await desk.known()).reason) == ("denied", "not for you")


async def test_a_hub_that_leaves_something_out_is_not_relied_on_until_it_pushes(open_desk: Open) -> None:
    desk = await open_desk()
    await desk.subscribed()
    desk.hub.publish("Harbour closes")
    await desk.pipeline.poll_all()
    await desk.pipeline.poll_all()
    assert await desk.wait() < 2 * HOUR
    assert (await desk.known()).state == "active"
    desk.hub.publish("Harbour reopens")
    await desk.hub.push()
    await desk.pipeline.poll_all()
    assert await desk.wait() > 10 * HOUR


async def test_what_came_between_first_poll_and_verification_is_no_fault_of_the_hub(open_desk: Open) -> None:
    desk = await open_desk()
    desk.hub.publish("Harbour opens")
    await desk.pipeline.poll()
    desk.hub.publish("Harbour closes")
    await desk.ask()
    await desk.pipeline.poll_all()
    assert await desk.titles() == ["Harbour closes", "Harbour opens"]
    await desk.pipeline.poll_all()
    assert await desk.wait() > 10 * HOUR


@pytest.mark.parametrize(("settings", "body"), [({"json_feed": True}, None), ({}, b"<html>no feed</html>")])
async def test_what_cannot_be_read_as_a_part_of_the_feed_is_polled_at_once(open_desk: Open, settings, body) -> None:
    desk = await open_desk(**settings)
    await desk.subscribed()
    desk.hub.publish("Harbour closes")
    assert await desk.hub.push(body) == [202]
    assert desk.woken and await desk.wait() <= 0
    await desk.pipeline.poll()
    assert await desk.titles() == ["Harbour closes", "Harbour opens"]


async def test_an_explicit_interval_is_kept_to(open_desk: Open) -> None:
    desk = await open_desk(", every: 10m")
    await desk.subscribed()
    assert (await desk.known()).state == "active"
    assert 540 <= await desk.wait() <= 660


async def test_after_a_time_without_any_worker_what_hubs_push_is_polled(open_desk: Open) -> None:
    desk = await open_desk()
    await desk.subscribed()
    store, clock = desk.pipeline.services.store, desk.pipeline.clock
    await store.write(lambda tx: tx.workers.beat("one", "1", tx.now))
    await catch_up(store, Random(1))
    assert await desk.wait() > 10 * HOUR
    clock.time += HOUR
    await catch_up(store, Random(1))
    assert 0 <= await desk.wait() <= 60


async def test_without_a_public_url_nobody_is_asked_and_nobody_is_relied_on(open_desk: Open) -> None:
    desk = await open_desk()
    await desk.subscribed()
    text = (desk.pipeline.folder / "watcher.yaml").read_text().replace("  public_url", "  # public_url")
    await desk.pipeline.reload(text)
    async with desk.pipeline.services.store.read() as tx:
        assert await tx.subscriptions.list() == []
    await desk.pipeline.poll_all()
    assert await desk.wait() < 2 * HOUR


async def test_a_private_hub_is_not_asked_unless_the_configuration_names_it(open_desk: Open) -> None:
    desk = await open_desk(host="localhost")
    desk.hub.publish("Harbour opens")
    await desk.pipeline.poll()
    await desk.ask()
    assert desk.hub.asked == []
    assert "no public address" in (await desk.known()).reason


async def test_only_what_was_asked_for_is_verified(open_desk: Open) -> None:
    desk = await open_desk(verifies=False)
    desk.hub.publish("Harbour opens")
    await desk.pipeline.poll()
    await desk.ask()
    callback, topic = desk.hub.asked[0]["hub.callback"], desk.hub.feed
    call = desk.hub.call
    assert (await call(callback, mode="subscribe", topic=topic + "x", challenge="c"))[0] == 404
    assert (await call(callback, mode="unsubscribe", topic=topic, challenge="c"))[0] == 404
    assert (await call(callback, mode="subscribe", topic=topic))[0] == 404
    assert (await call(callback[:-1] + "_", mode="subscribe", topic=topic, challenge="c"))[0] == 404
    assert (await desk.known()).state == "pending"
    assert await call(callback, mode="subscribe", topic=topic, challenge="<b>", lease_seconds="3600") == (200, "<b>")
    assert (await call(callback, mode="subscribe", topic=topic, challenge="c"))[0] == 404, "once"
    assert (await desk.known()).expires_at == desk.pipeline.clock.time + 3600


async def test_the_listener_takes_only_what_it_can_bear(open_desk: Open) -> None:
    desk = await open_desk()
    await desk.subscribed()
    callback = desk.hub.asked[0]["hub.callback"]
    too_long = b"x" * (desk.pipeline.services.config.settings.fetch.max_body + 1)
    async with aiohttp.ClientSession() as session:

        async def status(method: str, url: str, **keys: object) -> int:
            async with session.request(method, url, **keys) as response:
                assert "Server" not in response.headers or "watcher" not in response.headers["Server"]
                return response.status

        assert await status("POST", callback, data=io.BytesIO(too_long)) == 413
        assert await status("POST", callback, data=b"x", headers={"Content-Encoding": "gzip"}) == 415
        assert await status("PUT", callback, data=b"x") == 405
        assert await status("POST", callback + "x", data=b"x") == 404
        assert await status("GET", f"http://127.0.0.1:{desk.port}/") == 404
        assert await status("GET", f"http://127.0.0.1:{desk.port}/websub/") == 404


async def test_a_hub_is_told_of_a_subscription_that_was_given_up(open_desk: Open) -> None:
    """410, by which it may end it; what it asks of it is still not found."""
    desk = await open_desk()
    await desk.subscribed()
    topic, callback = desk.hub.asked[0]["hub.topic"], desk.hub.asked[0]["hub.callback"]
    store = desk.pipeline.services.store
    await store.write(lambda tx: tx.subscriptions.sync(lambda: "", wanted=False))  # no public_url any more
    assert await desk.hub.push() == [410]
    assert (await desk.hub.call(callback, mode="subscribe", topic=topic, challenge="c"))[0] == 404


async def test_healthz_says_what_status_says(open_desk: Open) -> None:
    desk = await open_desk()
    store, url = desk.pipeline.services.store, f"http://127.0.0.1:{desk.port}/healthz"
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert (response.status, await response.text()) == (503, "not well\n")
        await store.write(lambda tx: tx.workers.beat("one", "1", tx.now))
        async with session.get(url) as response:
            assert (response.status, await response.text()) == (200, "well\n")
        desk.pipeline.clock.time += 400
        await store.write(lambda tx: tx.workers.beat("one", "1", tx.now))
        async with session.get(url, headers={"Accept": "application/json"}) as response:
            assert response.status == 503
            assert await response.json() == {"well": False, "workers": 1, "lag_seconds": 400}


def test_the_secrets_are_in_no_representation() -> None:
    assert "hush" not in repr(Subscription("a", "https://h.example/", "t", "hush", "hush"))
    assert SourceState("a", 0.0).relies_until is None
