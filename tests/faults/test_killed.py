"""kill -9 at exact places between a match and its messages: nothing is lost, and at most one message comes twice."""

import asyncio
import signal
import time
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest

from tests.e2e.world import World
from watcher.demo.content import COURIER, WIRE
from watcher.model import Queue

# Where the process dies, and whether a message had been taken by then.
RECORD = [
    "watcher.store.alerts:AlertStatements.add:after",  # within the transaction that records the match
    "watcher.pipeline.flush:flush:before",  # recorded, not rendered
    "watcher.store.groups:GroupStatements.flushed:after",  # within the transaction that fills the outbox
    "watcher.pipeline.deliver:_send:before",  # in the outbox
    "watcher.store.deliveries:DeliveryStatements.begin:after",  # within the transaction that writes the try down
]


def killed(sahel: World, at: str) -> None:
    process = sahel.start("once", WATCHER_TEST_KILL=at)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, err


def after_restart(sahel: World) -> None:
    """Start again twice. Where several may share a store, the dead process's leases have ended by then."""
    if sahel.store.startswith("postgresql"):
        asyncio.run(end_leases(sahel.store))
    sahel.once()
    sahel.once()


async def end_leases(url: str) -> None:
    """Bring the time forward at which leases end, rather than wait for a minute."""
    connection = await asyncpg.connect(url)
    for queue in Queue:
        await connection.execute(f'UPDATE "{queue.value}" SET lease_until = 0 WHERE lease_until IS NOT NULL')
    await connection.close()


def identities(sahel: World) -> list[Counter[str]]:
    """What each channel took, by what tells one message from another."""
    return [
        Counter(str(mail.message["Message-ID"]) for mail in sahel.fakes.mail.messages),
        Counter(message.text for message in sahel.fakes.slack.messages),
        Counter(message.text for message in sahel.fakes.telegram.messages),
    ]


@pytest.mark.parametrize("at", RECORD)
def test_a_message_that_was_not_sent_is_sent_once(sahel: World, at: str) -> None:
    sahel.publish(COURIER, WIRE)
    killed(sahel, at)
    assert sahel.told() == (0, 0, 0)
    after_restart(sahel)
    assert sahel.told() == (1, 1, 1)


def test_a_kill_between_send_and_its_record_repeats_that_one_message_at_most(sahel: World) -> None:
    sahel.publish(COURIER, WIRE)
    killed(sahel, "watcher.store.deliveries:DeliveryStatements.sent:before")
    taken = sum(sahel.told())
    assert taken >= 1
    after_restart(sahel)
    counts = identities(sahel)
    assert all(len(kinds) == 1 for kinds in counts), "a repeated message is recognisable: it has the same identity"
    assert all(1 <= sum(kinds.values()) <= 2 for kinds in counts)
    assert sum(sahel.told()) <= 3 + taken


def test_a_daemon_that_is_killed_while_polling_loses_no_item(sahel: World) -> None:
    sahel.publish(COURIER, WIRE)
    killed(sahel, "watcher.store.sources:SourceStatements.polled:after")
    assert sahel.told() == (0, 0, 0)
    after_restart(sahel)
    assert sahel.told() == (1, 1, 1)


@pytest.mark.parametrize(
    "at",
    [
        "watcher.store.versions:VersionStatements.add:after",  # within the transaction that sees the entry changed
        "watcher.store.alerts:AlertStatements.add:after",  # within the one that records the update
        "watcher.store.deliveries:DeliveryStatements.begin:after",
    ],
)
def test_an_update_is_told_once(sahel: World, at: str) -> None:
    text = sahel.config.read_text().replace("group_wait: 1s", "group_wait: 1s, group_interval: 1s")
    sahel.config.write_text(text.replace("    query:", "    on_update: reply\n    query:"))
    sahel.publish(COURIER, WIRE)
    sahel.once()
    assert sahel.told() == (1, 1, 1)
    sahel.site.published.clear()
    more = "The three of them also bought 40 helicopters from Halvorsen Aero, the ministry of Mali said."
    sahel.publish(COURIER, replace(WIRE, summary=f"{WIRE.summary} Updated.", paragraphs=(more, *WIRE.paragraphs)))
    time.sleep(1.5)  # every: 1s, with a jitter
    killed(sahel, at)
    assert sahel.told() == (1, 1, 1)
    after_restart(sahel)
    assert sahel.told() == (2, 2, 2)
    assert f"+ {more}" in sahel.fakes.telegram.messages[1].text
    assert sahel.fakes.telegram.messages[1].raw["reply_parameters"]["message_id"] == 1
    update, first = sahel.ask("alerts")
    assert (first["update"], update["update"]["of"], update["update"]["how"]) == (None, first["id"], "reply")
    assert update["reach"] == {"outlets": 1, "copies": 0, "own": 1}
    shown, _ = sahel.start("alerts", update["id"]).communicate(timeout=60)
    assert f"update of {first['id']}:\n" in shown and f"    + {more}" in shown
