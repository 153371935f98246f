"""A feed whose hub pushes: the real process, a real hub, an alert within a second; on PostgreSQL by any worker."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.world import CHAT, World
from tests.fakes import Fakes, telegram_url
from tests.fakes.hub import Hub
from watcher.demo.site import in_thread

CONFIG = """
settings:
  store: {store}
  fetch: {{host_gap: 0s}}
  public_url: http://127.0.0.1:{port}
  web: {{listen: 127.0.0.1:{port}}}
channels: {{chat: {{url: "{chat}", group_wait: 0s}}}}
sources: {{wire: {{feed: '{feed}', full_text: never, first_poll: silent}}}}
rules: {{harbour: {{query: harbour}}}}
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def pushed(tmp_path: Path, store_url: str) -> Iterator[tuple[World, Hub, int]]:
    with Fakes(tmp_path) as fakes, in_thread(Hub()) as hub:  # type: ignore[type-var]
        hub.publish("Harbour opens")
        world = World.__new__(World)
        world.directory, world.fakes, world.config, world.store = tmp_path, fakes, tmp_path / "watcher.yaml", store_url
        port = free_port()
        chat = telegram_url(CHAT)
        world.config.write_text(CONFIG.format(store=store_url, port=port, chat=chat, feed=hub.feed))
        yield world, hub, port


def took(world: World, hub: Hub, title: str, **keys: object) -> float:
    """Publish and push; the seconds until the alert is there."""
    time.sleep(1.2)  # the service takes a message a second, and that is kept to
    hub.publish(title)
    started = time.monotonic()
    assert hub.push_now(**keys) == [202]
    while not any(title in message.text for message in world.fakes.telegram.messages):
        assert time.monotonic() - started < 20, "no alert"
        time.sleep(0.01)
    return time.monotonic() - started


def test_what_is_pushed_is_told_within_a_second(pushed: tuple[World, Hub, int]) -> None:
    world, hub, _ = pushed
    with ExitStack() as stack:
        stack.enter_context(world.daemon())
        world.until(lambda: bool(hub.subscribers))
        took(world, hub, "Harbour warms up")  # the worker's and the service's libraries are loaded by now
        titles = ("Harbour closes its northern quay", "Storm over the harbour", "Ferry strike ends in the harbour")
        times = [took(world, hub, title) for title in titles]
        print(f"push to alert: {', '.join(f'{one:.2f}' for one in times)} s")
        assert sorted(times)[1] < 1.0, times
        assert hub.polls <= 2

        hub.publish("Harbour forged")
        assert hub.push_now(signature="sha256=" + "0" * 64) == [202]
        row = world.ask("sources", "wire")
        assert row["new_items"] == 5  # what stood there before, and four that were pushed
        assert row["websub"]["state"] == "active" and row["websub"]["last_push"]

        if world.store.startswith("postgresql"):  # a second worker takes what is pushed to it
            second = free_port()
            log = world.directory / "second.log"
            stack.enter_context(world.daemon(log=log, WATCHER_WEB__LISTEN=f"127.0.0.1:{second}"))
            world.until(lambda: answers(second))
            took(world, hub, "Harbour toll falls", port=second)
    status = world.ask("status")
    assert status["sources"]["active"] == 1


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def test_an_address_that_is_taken_is_an_error_in_words(pushed: tuple[World, Hub, int]) -> None:
    world, _, port = pushed
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = world.start("run")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port}" in err and "Traceback" not in err
