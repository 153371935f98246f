"""An item that says something else at its own address: who is told of it, how, and how often."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape

import pytest

from tests.delivery.wire import Wire, wire
from tests.fakes import Fakes, telegram_url
from tests.sites import Serve, serve  # noqa: F401 - a fixture
from watcher.model import AlertState, Reason, Silence
from watcher.pipeline.update import keep_renewed, look

TITLE = "Ferry capsizes off Portville, 4 dead"
TEXT = (
    "A ferry capsized off Portville on Sunday, the coast guard said. Four people were killed and 12 are missing. "
    "Captain Elena Marsh told reporters that the vessel was overloaded. The harbour has been closed since noon. "
) + "Rescuers searched the bay until dark and will go on in the morning, a spokesman for the port said. " * 6
OTHER = "The council of Hilltown met on Monday to talk about the budget of its schools and its two libraries. " * 8

CONFIG = """
channels:
{channels}
sources:
  wire: {{feed: "SITE/feed", every: 1m, first_poll: {first_poll}, full_text: {full_text}{source}}}
rules:
{rules}
"""
BOT = "slack://xoxb-1234-canary/#desk"


class Start(Protocol):
    def __call__(
        self, rules: str, *, full_text: str = "never", source: str = "", **channels: str
    ) -> AbstractAsyncContextManager[Wire]: ...


@pytest.fixture(params=["sqlite", "postgresql"])
def start(request: pytest.FixtureRequest, fakes: Fakes, tmp_path: Path, serve: Serve) -> Start:  # noqa: F811
    url = "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))

    def make(
        rules: str, *, full_text: str = "never", source: str = "", **channels: str
    ) -> AbstractAsyncContextManager[Wire]:
        channels = channels or {"chat": f'url: "{telegram_url(4242)}"'}
        lines = "\n".join(f"  {name}: {{{how}, limit: 1000/h}}" for name, how in channels.items())
        return wire(tmp_path, serve, configured(lines, rules, full_text, source), url)

    return make


def configured(channels: str, rules: str, full_text: str = "never", source: str = "") -> str:
    first_poll, source = ("digest", "") if source == "digest" else ("silent", source)
    rules = "\n".join(f"  {line}" for line in rules.splitlines())
    return CONFIG.format(channels=channels, rules=rules, full_text=full_text, source=source, first_poll=first_poll)


async def told(at: Wire) -> None:
    """The feed's baseline, and then the ferry, told."""
    at.say("council", "Hilltown council meets", OTHER)
    await at.polled()
    at.say("ferry", TITLE, TEXT)
    await at.polled()


FERRY = "ferry: {query: ferry, on_update: reply}"
DEATHS = TEXT.replace("Four people", "Eleven people").replace("12 are missing", "5 are missing")


async def test_a_reply_shows_what_changed_once(start: Start, fakes: Fakes) -> None:
    async with start(FERRY) as at:
        await told(at)
        assert len(fakes.telegram.messages) == 1
        at.say("ferry", "Ferry capsizes off Portville, 11 dead", DEATHS)
        counts = await at.polled(700)
        assert counts.alerts == 1
        [_, update] = fakes.telegram.messages
        assert update.raw["reply_parameters"] == {"message_id": 1, "allow_sending_without_reply": True}
        assert "ferry · update" in update.text
        assert "− Ferry capsizes off Portville, 4 dead" in update.text
        assert "+ Ferry capsizes off Portville, 11 dead" in update.text
        assert "− Four people were killed and 12 are missing." in update.text
        assert "+ Eleven people were killed and 5 are missing." in update.text
        assert next(entity.text for entity in update.entities if entity.kind == "s") == TITLE
        for _ in range(3):  # the same again, and the old alert as it was
            at.say("ferry", "Ferry capsizes off Portville, 11 dead", DEATHS)
            await at.polled(700)
        assert len(fakes.telegram.messages) == 2 and fakes.telegram.edits == []
        [alert] = [one for one in await at.alerts() if one.update is None]
        async with at.store.read() as tx:
            items = await tx.items.get([alert.item])
        assert items[alert.item].title == TITLE, "the text that was told stays"


@pytest.mark.parametrize(
    "after",
    [
        (TITLE, TEXT.replace("Sunday, the", "Sunday the").replace("capsized", "capsised")),
        (TITLE, TEXT + "Win a holiday in Bermuda in our great spring lottery."),
        ("UPDATE 2-" + TITLE, TEXT),
        (TITLE, ""),
    ],
)
async def test_what_changes_nothing_of_substance_is_not_told(
    start: Start, fakes: Fakes, after: tuple[str, str]
) -> None:
    async with start(FERRY) as at:
        await told(at)
        at.say("ferry", *after)
        assert (await at.polled(700)).alerts == 0
        at.say("ferry", TITLE, TEXT)
        assert (await at.polled(700)).alerts == 0
    assert len(fakes.telegram.messages) == 1


async def test_nothing_is_told_by_default(start: Start, fakes: Fakes) -> None:
    async with start("ferry: {query: ferry}") as at:
        await told(at)
        at.say("ferry", "Ferry capsizes off Portville, 11 dead", DEATHS)
        await at.polled(700)
        assert await at.updates() == []
    assert len(fakes.telegram.messages) == 1


async def test_the_rule_says_and_else_the_source(start: Start, fakes: Fakes) -> None:
    rules = "ferry: {query: ferry}\nport: {query: Portville, on_update: ignore}"
    async with start(rules, source=", on_update: alert") as at:
        await told(at)
        at.say("ferry", "Ferry capsizes off Portville, 11 dead", DEATHS)
        await at.polled(700)
        assert [(one.rule, one.update.how) for one in await at.updates() if one.update] == [("ferry", "alert")]
    [_, update] = fakes.telegram.messages
    assert "reply_parameters" not in update.raw, "a message of its own"
    assert "ferry · update" in update.text and "port" not in update.text.split("\n")[0]


async def test_a_change_with_which_the_rule_no_longer_holds(start: Start, fakes: Fakes) -> None:
    """Said as the change that it is; an edit that is none is said nowhere, whatever the rule says of it."""
    async with start("marsh: {query: overloaded, on_update: reply}") as at:
        await told(at)
        at.say("ferry", TITLE, TEXT.replace("overloaded", "too full"))
        await at.polled(700)
        assert len(fakes.telegram.messages) == 1
        at.say("ferry", TITLE, TEXT.replace("overloaded", "too full").replace("Elena Marsh", "Ivo Brandt"))
        await at.polled(700)
    [_, update] = fakes.telegram.messages
    assert "Ivo Brandt" in update.text and "the rule does not match the text as it is now" in update.text


async def test_a_rule_that_did_not_match_before_alerts(start: Start, fakes: Fakes) -> None:
    rules = "ferry: {query: ferry}\nmayor: {query: mayor}\nnavy: {query: navy}"
    async with start(rules) as at:
        await told(at)
        more = TEXT + "The mayor blamed the company."
        at.say("ferry", TITLE, more)
        assert (await at.polled(700)).alerts == 1
        at.say("council", "Hilltown council meets", OTHER + "The navy sent a band.")  # of this one nothing was told
        assert (await at.polled(700)).alerts == 1
        at.say("council", "Hilltown council meets", OTHER + "The navy sent a good band.")
        at.say("ferry", TITLE, more + " He did.")
        assert (await at.polled(700)).alerts == 0
        alerts = {alert.rule: alert for alert in await at.alerts()}
        async with at.store.read() as tx:
            items = await tx.items.get([alert.item for alert in alerts.values()])
        assert "mayor blamed" in items[alerts["mayor"].item].summary
        assert alerts["mayor"].story == alerts["ferry"].story
        assert alerts["navy"].reason is Reason.LATER_TEXT
        assert alerts["ferry"].reason is Reason.FIRST_SIGHT
    assert len(fakes.telegram.messages) == 2 and "navy" in fakes.telegram.messages[-1].text
    assert "mayor" in fakes.telegram.edits[-1].text


async def test_a_new_rule_alerts_on_no_old_item_that_is_merely_edited(start: Start, fakes: Fakes) -> None:
    async with start("ferry: {query: ferry}") as at:
        await told(at)
        await at.reload(configured(f'  chat: {{url: "{telegram_url(4242)}"}}', "schools: {query: schools}"))
        at.say("council", "Hilltown council meets", OTHER + "Nobody came.")
        assert (await at.polled(700)).alerts == 0


async def test_at_most_one_update_an_interval_names_all_changes(start: Start, fakes: Fakes) -> None:
    async with start(FERRY) as at:
        await told(at)
        for dead in range(5, 11):  # one a minute
            at.say("ferry", f"Ferry capsizes off Portville, {dead} dead", TEXT)
            await at.polled(0)
        await at.pass_time(3600)
        assert len(await at.updates()) == 6
        assert {one.state for one in await at.alerts()} == {AlertState.TOLD}
    assert len(fakes.telegram.messages) == 2
    assert "+ Ferry capsizes off Portville, 10 dead" in fakes.telegram.messages[1].text


async def test_a_correction_back_is_told_and_a_text_that_swings_is_not(start: Start, fakes: Fakes) -> None:
    async with start(FERRY) as at:
        await told(at)
        for _ in range(6):
            at.say("ferry", TITLE.replace("4", "11"), TEXT)
            await at.polled(700)
            at.say("ferry", TITLE, TEXT)
            await at.polled(700)
    assert len(fakes.telegram.messages) == 3


async def test_an_article_is_read_again_when_its_entry_changes(start: Start, fakes: Fakes) -> None:
    async with start(FERRY, full_text="always") as at:
        at.write("/council", OTHER)
        at.write("/ferry", TEXT)
        at.say("council", "Hilltown council meets", "Budget talks.")
        await at.polled()
        at.say("ferry", TITLE, "A ferry has capsized.")
        await at.polled()
        at.write("/ferry", DEATHS)
        at.say("ferry", TITLE, "A ferry has capsized. More inside.")
        await at.polled(700)
        [_, update] = fakes.telegram.messages
        assert "+ Eleven people were killed and 5 are missing." in update.text
        at.say("ferry", TITLE, "A ferry has capsized. Still more inside.")
        await at.polled(700)
        async with at.store.read() as tx:
            [alert] = [one for one in await tx.alerts.list() if one.update is None]
            family = (await tx.versions.families([alert.item]))[alert.item]
        assert len(family) == 2, "a version that says nothing new goes"
    assert len(fakes.telegram.messages) == 2


async def test_an_article_that_is_gone_is_judged_by_its_entry(start: Start, fakes: Fakes) -> None:
    async with start(FERRY, full_text="always") as at:
        at.write("/ferry", TEXT)
        at.write("/council", OTHER)
        at.say("council", "Hilltown council meets", "Budget talks.")
        await at.polled()
        at.say("ferry", TITLE, "A ferry has capsized.")
        await at.polled()
        del at.pages["/ferry"]
        at.say("ferry", TITLE.replace("4", "11"), "A ferry has capsized.")
        for _ in range(8):
            await at.polled(3600)
    assert len(fakes.telegram.messages) == 2
    assert "11 dead" in fakes.telegram.messages[1].text and "− Four" not in fakes.telegram.messages[1].text


async def test_each_channel_in_its_own_way(start: Start, fakes: Fakes) -> None:
    channels = {
        "mail": f'url: "{fakes.mail_url("desk@news.example")}"',
        "bot": f'url: "{BOT}"',
        "hook": f'url: "{fakes.hook_url}"',
        "program": f'webhook: {{url: "https://localhost:{fakes.port}/hook"}}',
        "screen": 'url: "console://"',
    }
    async with start(FERRY, **channels) as at:
        await told(at)
        at.say("ferry", TITLE.replace("4", escape("<b>11</b> <!channel>")), DEATHS)  # escaped twice: text, no markup
        await at.polled(700)
        assert {one.state.value for one in await at.deliveries()} == {"sent"}
    [first, second] = [mail.message for mail in fakes.mail.messages]
    assert second["References"] == first["References"] and second["Subject"].startswith("Re: [ferry]")
    assert first["Message-ID"] != second["Message-ID"]
    said = second.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "What changed since it was told:" in said and "+ Ferry capsizes off Portville, <b>11</b>" in said
    assert "&lt;b&gt;11&lt;/b&gt;" in second.get_body(("html",)).get_content()  # type: ignore[union-attr]
    [_, reply] = fakes.slack.messages
    assert reply.raw["thread_ts"] == "1" and reply.raw["channel"] == "C0123" and reply.acts == ()
    assert "<!channel>" in reply.text
    [alerted, updated] = [document for document in fakes.hooks if "alerts" in document]
    assert (alerted["type"], updated["type"]) == ("alert", "update")
    [alert] = updated["alerts"]
    assert alert["update"]["of"] == alerted["alerts"][0]["id"] and alert["update"]["how"] == "reply"
    assert {"before": TITLE, "after": TITLE.replace("4", "<b>11</b> <!channel>")} in alert["update"]["edits"]
    assert sum("Update: Ferry" in json.dumps(document) for document in fakes.hooks) == 2


async def test_a_digest_names_the_change_where_the_story_stands(start: Start, fakes: Fakes) -> None:
    async with start(FERRY, chat=f'url: "{telegram_url(4242)}", digest: 6h') as at:
        await told(at)
        at.say("ferry", TITLE.replace("4", "11"), DEATHS)
        await at.polled(7 * 3600)
    [digest] = fakes.telegram.messages
    assert digest.text.count("11 dead") == 2 and "− " + TITLE in digest.text


async def test_a_silence_holds_updates_back_like_all_else(start: Start, fakes: Fakes) -> None:
    async with start(FERRY) as at:
        await told(at)
        silence = Silence("quiet", "ferry", at.now + 7200, at.now)
        await at.store.write(lambda tx: tx.silences.add(silence))
        at.say("ferry", TITLE.replace("4", "11"), DEATHS)
        await at.polled(3600)
        assert len(fakes.telegram.messages) == 1
        await at.pass_time(7200)
    assert len(fakes.telegram.messages) == 2 and "11 dead" in fakes.telegram.messages[1].text


async def test_keeping_it_twice_is_keeping_it_once(start: Start, fakes: Fakes) -> None:
    """As after a crash, or by two workers: nothing is allotted, everything is derived."""
    async with start(FERRY) as at:
        await told(at)
        source = at.services.sources["wire"]
        async with at.store.read() as tx:
            [item] = [one.item for one in await tx.items.list() if one.item.title == TITLE]
        later = replace(item, title=TITLE.replace("4", "11"), summary=DEATHS)
        for _ in range(3):
            found = await look(at.services, source, [later], baseline=False, oldest=0.0, now=at.now)
            for _ in range(2):
                await at.store.write(lambda tx, found=found: keep_renewed(tx, at.services, found, at.now), ingest=True)  # type: ignore[misc]
            await at.pass_time(700)
        assert len(await at.updates()) == 1
    assert len(fakes.telegram.messages) == 2


async def test_an_edit_of_the_first_message_says_how_its_event_has_grown(start: Start, fakes: Fakes) -> None:
    async with start("ferry: {query: ferry}") as at:
        await told(at)
        async with at.store.read() as tx:
            [alert] = await tx.alerts.list()
        at.say("ferry", "Four die as ferry sinks", TEXT)
        await at.polled(0)
        for number in range(4):
            await at.copy(f"copy{number}", alert.story, f"o{number}.example")
        await at.pass_time(1300)
    assert len(fakes.telegram.messages) == 1
    edited = fakes.telegram.edits[-1].text
    assert "1 → 5 outlets, headline changed" in edited and "Four die as ferry sinks" in edited
    assert "5 outlets: 4 copies, 1 own report" in edited


@pytest.mark.parametrize("bot", [False, True])
async def test_what_follows_on_an_event_is_a_reply(start: Start, fakes: Fakes, bot: bool) -> None:
    """A further report is a message of its own, in reply to the first; so is an edit that is no longer possible."""
    channels = {"bot": f'url: "{BOT}"'} if bot else {}
    async with start("ferry: {query: ferry}", **channels) as at:
        await told(at)
        async with at.store.read() as tx:
            [first] = await tx.alerts.list()
            story = (await tx.stories.get([first.story]))[first.story]
        await at.report("b", event=story.event, outlet="b.example", rules=["ferry"])
        await at.pass_time(700)
        await at.copy("c", first.story, "c.example")
        if bot:
            fakes.slack.then('200 {"ok": false, "error": "message_not_found"}')
        else:
            fakes.telegram.gone = True
        await at.pass_time(7200)
    if bot:
        assert [message.raw.get("thread_ts") for message in fakes.slack.messages] == [None, "1", "1"]
        return
    replies = [message.raw.get("reply_parameters", {}).get("message_id") for message in fakes.telegram.messages]
    assert replies == [None, 1, 1]


async def test_an_edited_entry_under_a_new_guid_is_an_update_too(start: Start, fakes: Fakes) -> None:
    async with start(FERRY) as at:
        await told(at)
        at.entries.pop("ferry")
        at.say("ferry-2", "Ferry capsizes off Portville, 11 dead", DEATHS, link="/ferry")
        assert (await at.polled(700)).alerts == 1
        at.entries.pop("ferry-2")
        at.say("ferry-3", "Ferry capsizes off Portville, 11 dead", DEATHS + "Win a holiday.", link="/ferry")
        assert (await at.polled(700)).alerts == 0
    [_, update] = fakes.telegram.messages
    assert update.raw["reply_parameters"]["message_id"] == 1
    assert "+ Eleven people were killed and 5 are missing." in update.text


async def test_what_was_kept_before_changes_were_remembered_is_compared_in_full(start: Start, fakes: Fakes) -> None:
    async with start(FERRY) as at:
        await told(at)
        async with at.store.read() as tx:
            ids = [one.item.id for one in await tx.items.list()]
        await at.store.write(lambda tx: tx.versions.remember(dict.fromkeys(ids)))  # as an older version left them
        at.say("council", "Hilltown council meets", OTHER + "Nobody came.")
        assert (await at.polled(700)).alerts == 0
        at.say("ferry", TITLE.replace("4", "11"), DEATHS)
        assert (await at.polled(700)).alerts == 1
    assert len(fakes.telegram.messages) == 2


async def test_a_change_before_the_first_look_is_told_is_no_update_of_it(start: Start, fakes: Fakes) -> None:
    async with start(FERRY, source="digest") as at:
        at.say("ferry", TITLE, TEXT)
        await at.poll()
        at.say("ferry", TITLE.replace("4", "11"), DEATHS)
        counts = await at.polled(700)
        assert counts.alerts == 0 and await at.updates() == []
        assert [state.value for state in {alert.state for alert in await at.alerts()}] == ["told"]
        [first_look] = fakes.telegram.messages
        assert "11 dead" in first_look.text and "4 dead" not in first_look.text
        at.say("ferry", TITLE.replace("4", "12"), DEATHS.replace("Eleven", "Twelve"))
        await at.polled(700)
    assert (
        len(fakes.telegram.messages) == 2
        and "+ Ferry capsizes off Portville, 12 dead" in fakes.telegram.messages[1].text
    )
