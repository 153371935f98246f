"""From a YAML watch list to a mailbox, a Slack channel and a Telegram chat, with the real process on loopback."""

from email.message import EmailMessage

from tests.e2e.world import MAILBOX, World
from watcher.demo.content import (
    COURIER,
    GEOLOGY,
    HALVORSEN,
    HARBOUR,
    LEDGER,
    MERIDIAN,
    TRAPS,
    WIRE,
    WIRE_AGAIN,
    WIRE_CUT,
    WIRE_TRACKED,
)

COUNTS = {"polled", "not_modified", "failed", "new_items", "unread", "matched", "alerts", "sent", "retrying", "dead"}


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_one_message_in_each_and_none_again(sahel: World) -> None:
    sahel.publish(COURIER, WIRE)
    sahel.publish(LEDGER, HALVORSEN)  # its teaser stands in every page's boxes
    for trap in TRAPS:
        sahel.publish(HARBOUR, trap)

    counts = sahel.once()
    assert counts.keys() >= COUNTS
    assert {name: counts[name] for name in ("polled", "failed", "matched", "alerts", "sent")} == {
        "polled": 4, "failed": 0, "matched": 1, "alerts": 1, "sent": 3,
    }  # fmt: skip
    assert counts["new_items"] == 2 + len(TRAPS)
    assert sahel.told() == (1, 1, 1)

    mail = sahel.fakes.mail.messages[0]
    assert mail.recipients == (MAILBOX,)
    assert WIRE.title in text_of(mail.message)
    for message in (sahel.fakes.slack.messages[0].text, sahel.fakes.telegram.messages[0].text):
        assert WIRE.title in message and "sahel" in message and "sahel-courier.example" in message
        assert "Halvorsen" not in message

    again = sahel.once()
    assert (again["polled"], again["not_modified"], again["new_items"], again["sent"]) == (4, 4, 0, 0)

    # The same text under a new GUID, URL and outlet; under another head, cut; and as a repost in its own outlet.
    sahel.publish(MERIDIAN, WIRE_TRACKED)
    sahel.publish(LEDGER, WIRE_CUT)
    sahel.publish(COURIER, WIRE_AGAIN)
    copies = sahel.once()
    assert (copies["new_items"], copies["alerts"], copies["sent"]) == (3, 0, 0)
    assert sahel.told() == (1, 1, 1)

    sahel.publish(HARBOUR, GEOLOGY)
    fresh = sahel.once()
    assert (fresh["new_items"], fresh["matched"], fresh["alerts"], fresh["sent"]) == (1, 1, 1, 3)
    assert sahel.told() == (2, 2, 2)
    assert GEOLOGY.title in sahel.fakes.telegram.messages[1].text

    alerts = sahel.ask("alerts")
    assert [alert["title"] for alert in alerts] == [GEOLOGY.title, WIRE.title]
    assert sorted(alerts[1]["others"]) == ["meridian-today.example", "northern-ledger.example"]
    whole = sahel.ask("alerts", alerts[0]["id"])
    assert {one["state"] for one in whole["deliveries"]} == {"sent"} and len(whole["deliveries"]) == 3
    assert {one["text"] for one in whole["matched"]} >= {"Russia", "Burkina Faso"}
    why = whole["explanation"]
    assert why["holds"] and why["query"] == "all of" and why["children"][0]["query"] == "Russia"


def test_a_daemon_tells_what_comes_in_and_a_restart_tells_nothing_again(sahel: World) -> None:
    sahel.publish(COURIER, TRAPS[0])
    with sahel.daemon():
        sahel.until(lambda: all(row["polled"] for row in sahel.ask("sources")))
        sahel.publish(COURIER, WIRE)
        sahel.publish(MERIDIAN, WIRE_TRACKED)
        sahel.until(lambda: sahel.told() == (1, 1, 1))
        status = sahel.ask("status")
        assert status["well"] and status["sources"]["active"] == 4 and not status["sources"]["failing"]

    with sahel.daemon():
        polled = {row["source"]: row["polled"] for row in sahel.ask("sources")}
        sahel.until(lambda: all(row["polled"] > polled[row["source"]] for row in sahel.ask("sources")))
    assert sahel.told() == (1, 1, 1)
