"""The daemon as a service: reload, last good configuration, signals, readiness, one daemon a file."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import RULE, World, world
from watcher.demo.content import COURIER, GEOLOGY, HARBOUR, WIRE


@pytest.fixture
def sahel(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, "sqlite:///watcher.db") as made:
        yield made


def polled_once(sahel: World) -> bool:
    return all(row["polled"] for row in sahel.ask("sources"))


def until_logged(sahel: World, log: Path, words: str) -> None:
    sahel.until(lambda: words in log.read_text())


def test_a_changed_file_is_read_and_a_broken_one_changes_nothing(sahel: World, tmp_path: Path) -> None:
    sahel.write(store=sahel.store, rule="Bolivia")
    log = tmp_path / "log"
    with sahel.daemon(log=log) as process:
        sahel.until(lambda: polled_once(sahel))
        whole = sahel.config.read_text()

        sahel.config.write_text(whole.replace("notify: [mail, slack, telegram]", "notify: [male]"))
        until_logged(sahel, log, "the old one stays in force")
        assert "watcher.yaml:" in log.read_text() and "male" in log.read_text()

        sahel.config.write_text(whole.replace("Bolivia", RULE))
        until_logged(sahel, log, "configuration reloaded")
        sahel.publish(COURIER, WIRE)
        sahel.until(lambda: sahel.told() == (1, 1, 1))

        before = log.read_text().count("configuration reloaded")
        process.send_signal(signal.SIGHUP)
        sahel.until(lambda: log.read_text().count("configuration reloaded") > before)


def test_a_broken_file_at_start_runs_the_last_good_configuration_loudly(sahel: World, tmp_path: Path) -> None:
    # A literal password would not be kept in the store; a mail server without one is.
    sahel.config.write_text(sahel.config.read_text().replace("[mail, slack, telegram]", "[mail]"))
    sahel.once()
    sahel.config.write_text(sahel.config.read_text().replace("rules:", "rulez:"))

    refused = sahel.start("run", "--strict")
    _, err = refused.communicate(timeout=30)
    assert refused.returncode == 2 and 'unknown key "rulez"' in err and "did you mean rules?" in err

    log = tmp_path / "log"
    with sahel.daemon(log=log):
        until_logged(sahel, log, "running the last good one")
        sahel.publish(COURIER, WIRE)
        sahel.until(lambda: sahel.told()[0] == 1)


def test_a_second_daemon_on_the_same_file_refuses_and_names_the_first(sahel: World) -> None:
    with sahel.daemon() as first:
        sahel.until(lambda: polled_once(sahel))
        second = sahel.start("run")
        _, err = second.communicate(timeout=30)
        assert second.returncode == 1 and str(first.pid) in err
        assert [one["id"].partition(":")[2] for one in sahel.ask("status")["workers"]] == [str(first.pid)]
    assert sahel.ask("status")["workers"] == []  # at once, as it ended in order


def test_a_second_signal_stops_at_once_and_the_message_is_sent_later(sahel: World) -> None:
    sahel.fakes.telegram.then("hang")
    process = sahel.start("run")
    try:
        sahel.until(lambda: polled_once(sahel))
        sahel.publish(COURIER, WIRE)
        sahel.until(lambda: sahel.told()[:2] == (1, 1) and len(sahel.fakes.telegram.requests) == 1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None, "the first signal waits for what is under way"
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        process.communicate(timeout=25)
        assert time.monotonic() - started < 15 and process.returncode == 0  # the drain alone would take 30 s
    finally:
        process.kill()
    sahel.once()
    assert sahel.told() == (1, 1, 1)


def test_systemd_is_told_when_it_is_ready_reloads_and_stops(sahel: World, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        said: list[str] = []

        def until_said(word: str) -> None:
            while not any(word in text for text in said):
                said.append(listening.recv(4096).decode())

        with sahel.daemon(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="4000000") as process:
            until_said("READY=1")
            until_said("WATCHDOG=1")
            said.clear()
            process.send_signal(signal.SIGHUP)
            until_said("RELOADING=1")
            until_said("READY=1")
        until_said("STOPPING=1")


def test_once_says_by_its_status_that_something_failed(sahel: World) -> None:
    sahel.publish(HARBOUR, GEOLOGY)
    sahel.fakes.slack.then("500 rollup_error")
    process = sahel.start("once")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "2 messages sent, 1 to be tried again" in out
    (row,) = [row for row in sahel.ask("deliveries") if row["state"] == "retrying"]
    assert row["channel"] == "slack" and "500" in row["answer"]
