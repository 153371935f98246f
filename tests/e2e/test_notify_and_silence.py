"""`watcher notify` and `watcher silence` as users type them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.world import World, world
from tests.fakes.together import TELEGRAM_TOKEN
from watcher.demo.content import COURIER, WIRE


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


def test_an_alert_is_sent_again_as_its_channel_tells_it(newsroom: World) -> None:
    """`notify --alert`: to try templates. It is recorded as no alert and no delivery."""
    newsroom.publish(COURIER, WIRE)
    newsroom.once()
    [alert] = newsroom.ask("alerts")
    before = newsroom.told()
    for channel in ("mail", "slack", "telegram"):
        status, said = say(newsroom, "notify", channel, "--alert", alert["id"])
        assert status == 0 and "sent to" in said
    assert newsroom.told() == tuple(number + 1 for number in before)
    for first, again in (
        [message.text for message in newsroom.fakes.telegram.messages[-2:]],
        [message.text for message in newsroom.fakes.slack.messages[-2:]],
        [mail.message["Subject"] for mail in newsroom.fakes.mail.messages[-2:]],
    ):
        assert first == again and alert["title"] in first
    [first, again] = [mail.message for mail in newsroom.fakes.mail.messages[-2:]]
    assert first["References"] == again["References"] and first["Message-ID"] != again["Message-ID"]
    assert newsroom.ask("alerts")[0]["messages"] == {"sent": 3}

    (newsroom.directory / "own").mkdir()
    (newsroom.directory / "own" / "telegram.html").write_text(
        "{% macro alert(e) %}OURS: {{ e.title }}{% endmacro %}{% macro head(h, e) %}{% endmacro %}"
    )
    text = newsroom.config.read_text()
    newsroom.config.write_text(text.replace("telegram: {url:", "telegram: {templates: own, url:"))
    assert say(newsroom, "notify", "telegram", "--alert", alert["id"])[0] == 0
    assert newsroom.fakes.telegram.messages[-1].text == f"OURS: {alert['title']}"

    status, said = say(newsroom, "notify", "telegram", "--alert", "nothing")
    assert status == 1 and "there is no alert nothing" in said and "watcher alerts" in said
    newsroom.fakes.telegram.then("blocked")
    [row] = newsroom.ask("notify", "telegram", "--alert", alert["id"])
    assert (row["sent"], row["failure"]) == (False, "permanent") and "blocked by the user" in row["answer"]


def test_a_telegram_chat_is_set_up_by_a_word_to_the_bot(newsroom: World) -> None:
    """`notify --setup telegram`: what it prints is a channel that can be used."""
    newsroom.fakes.telegram.updates.append(
        {"update_id": 7, "message": {"text": "hello", "chat": {"id": -1009, "title": "Desk", "type": "supergroup"}}}
    )
    status, out, err = set_up(newsroom, TELEGRAM_TOKEN)
    assert status == 0 and "Heard from Desk." in err
    channel = yaml.safe_load(out)["channels"]["telegram"]
    assert channel == {"url": "tgram://${TELEGRAM_TOKEN}/-1009"}
    assert TELEGRAM_TOKEN not in out + err, "the token goes where secrets are kept, and is not shown"

    newsroom.config.write_text(out + "sources: {}\nrules: {}\n")
    process = newsroom.start("notify", "telegram", TELEGRAM_TOKEN=TELEGRAM_TOKEN)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "200 taken" in said
    [message] = newsroom.fakes.telegram.messages
    assert message.chat == -1009 and "watcher can reach you" in message.text

    status, out, err = set_up(newsroom, "no token")
    assert status == 1 and out == "" and "a bot's token is like" in err
    status, said = say(newsroom, "notify", "--setup", "signal")
    assert status == 2 and "watcher notify --setup telegram" in said


def set_up(world: World, token: str) -> tuple[int, str, str]:
    """The command without a terminal, the token on its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "watcher", "notify", "--setup", "telegram"],
        cwd=world.directory, env=world.environment(), input=f"{token}\n", capture_output=True, text=True,
        timeout=60, start_new_session=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
