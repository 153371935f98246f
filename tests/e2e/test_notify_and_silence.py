"""`watcher notify` and `watcher silence` as users type them."""

import json
from pathlib import Path

import pytest

from tests.e2e.world import World, world


@pytest.fixture
def newsroom(tmp_path: Path):  # type: ignore[no-untyped-def]
    with world(tmp_path, f"sqlite:///{tmp_path / 'watcher.db'}") as made:
        yield made


def say(world: World, *arguments: str) -> tuple[int, str]:
    process = world.start(*arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_a_test_message_shows_the_services_own_answer(newsroom: World) -> None:
    status, said = say(newsroom, "notify", "telegram")
    assert status == 0 and "sent to" in said and "200 taken" in said
    assert "watcher can reach you" in newsroom.fakes.telegram.messages[0].text
    newsroom.fakes.slack.then("410 channel_is_archived")
    status, said = say(newsroom, "notify", "slack")
    assert status == 1 and "410 channel_is_archived" in said
    status, said = say(newsroom, "notify", "slak")
    assert status == 2 and "mail, slack, telegram" in said


def test_a_silence_is_made_listed_and_ended(newsroom: World) -> None:
    status, said = say(newsroom, "silence", "sahel", "--for", "2h", "--reason", "planned exercise")
    assert status == 0 and "rule sahel is silent until" in said
    [row] = newsroom.ask("silence", "list")
    assert (row["kind"], row["name"], row["reason"], row["active"]) == ("rule", "sahel", "planned exercise", True)
    assert say(newsroom, "silence", "end", row["id"])[0] == 0
    assert newsroom.ask("silence") == []
    assert say(newsroom, "silence", "end", row["id"])[0] == 1
    [ended] = newsroom.ask("silence", "list", "--all")
    assert not ended["active"]
    status, said = say(newsroom, "silence", "sahle", "--for", "2h")
    assert status == 2 and "there is no rule sahle" in said
    assert json.dumps(newsroom.ask("silence", "--channel", "slack", "--for", "1h"))
