"""A coup: 40 outlets' own reports and 60 copies over three hours, three rules, three channels."""

from pathlib import Path
from random import Random

from tests.delivery.desk import desk
from tests.fakes import SLACK_URL, Fakes, telegram_url
from watcher.model import AlertState

HOURS = 3
INTERVALS = HOURS * 6
RULES = ("coup", "army", "urgent")


async def test_an_event(fakes: Fakes, tmp_path: Path) -> None:
    rng = Random(11)
    moments = sorted((rng.uniform(0, HOURS * 3600), number) for number in range(1, 100))
    order = [0, *(number for _, number in moments)]
    times = [0.0, *(moment for moment, _ in moments)]
    own = {0, *rng.sample(range(1, 100), 39)}
    channels = {
        "mail": f'{{url: "{fakes.mail_url("desk@news.example")}"}}',
        "slack": f'{{url: "{SLACK_URL}"}}',
        "chat": f'{{url: "{telegram_url(-100123)}"}}',
    }
    stories: list[str] = []
    async with desk(tmp_path, channels) as at:
        for moment, number in zip(times, order, strict=True):
            await at.pass_time(moment - at.elapsed)
            if number in own:
                rules = RULES if number == 0 else rng.sample(RULES, rng.randint(1, 3))
                stories.append(
                    await at.report(f"n{number:02}x", event="coup", outlet=f"o{number:02}.example", rules=rules)
                )
            else:
                await at.copy(f"n{number:02}x", rng.choice(stories), f"o{number:02}.example")
        await at.pass_time(86400)
        alerts, sent = await at.alerts(), await at.deliveries()
        assert {alert.state for alert in alerts} == {AlertState.TOLD}
        assert len({alert.story for alert in alerts}) == 40
        assert {one.state.value for one in sent} == {"sent"}
    told = {
        "mail": [str(mail.message.get_body(("plain",)).get_content()) for mail in fakes.mail.messages],  # type: ignore[union-attr]
        "slack": [message.text for message in fakes.slack.messages],
        "chat": [message.text for message in fakes.telegram.messages],
    }
    for name, messages in told.items():
        print(name, len(messages), "messages;", len(fakes.telegram.edits), "edits in the chat")
        first, *follow_ups = messages
        assert all(rule in first for rule in RULES), "three rules on one story are one message that names all three"
        assert not any(rule_told_alone(text) for text in follow_ups)
        assert len(follow_ups) <= INTERVALS + 2
        everything = " ".join(messages + ([edit.text for edit in fakes.telegram.edits] if name == "chat" else []))
        missing = [number for number in range(100) if f"o{number:02}.example" not in everything]
        assert missing == [], name
    references = {str(mail.message["References"]) for mail in fakes.mail.messages}
    assert len(references) == 1, "mail clients show one thread"


def rule_told_alone(text: str) -> bool:
    return not any(words in text for words in ("Also reported by", "more report"))
