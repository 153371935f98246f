"""One event is one message, and what follows on it comes together."""

from pathlib import Path

from tests.delivery.desk import desk
from tests.fakes import SLACK_URL, Fakes, telegram_url

SLACK = f'{{url: "{SLACK_URL}"}}'


async def test_three_rules_on_one_story_are_one_message_that_names_all_three(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": SLACK}) as at:
        await at.report("a", rules=["coup", "army", "urgent"])
        await at.pass_time(3600)
    [message] = fakes.slack.messages
    assert all(rule in message.text for rule in ("coup", "army", "urgent"))
    assert message.acts == ("<!here>",)


async def test_related_reports_follow_together_after_the_interval(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": SLACK}) as at:
        first = await at.report("a", event="e", outlet="a.example")
        await at.pass_time(5)
        assert len(fakes.slack.messages) == 1
        for name in "bcdefgh":
            await at.report(name, event="e", outlet=f"{name}.example")
        await at.copy("z", first, "z.example")
        await at.pass_time(599)
        assert len(fakes.slack.messages) == 1
        await at.pass_time(2)
        [_, follow_up] = fakes.slack.messages
        assert "Also reported by 8" in follow_up.text
        assert all(f"{name}.example" in follow_up.text for name in "bcdefghz")
        assert "Told before: The army's coup: report a" in follow_up.text
        await at.pass_time(86400)
    assert len(fakes.slack.messages) == 2


async def test_a_further_rule_on_a_told_story_follows(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": SLACK}) as at:
        story = await at.report("a")
        await at.pass_time(10)
        await at.further_rule(story, "a", "army")
        await at.pass_time(700)
    assert len(fakes.slack.messages) == 2
    assert "army" in fakes.slack.messages[1].text


async def test_an_urgent_rule_is_told_at_once_and_only_once_for_an_event(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": SLACK}) as at:
        await at.report("a", event="e")
        await at.pass_time(10)
        await at.report("b", event="e", rules=["urgent"])
        await at.pass_time(0)
        assert len(fakes.slack.messages) == 2, "what is urgent does not wait for the interval"
        for name in "cdef":
            await at.report(name, event="e", rules=["urgent", "coup"], outlet=f"{name}.example")
            await at.pass_time(1)
        assert len(fakes.slack.messages) == 2
        await at.pass_time(3600)
    assert len(fakes.slack.messages) == 3


async def test_copies_alone_are_told_less_and_less_often(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"slack": SLACK}) as at:
        story = await at.report("a", outlet="a.example")
        await at.pass_time(5)
        for number in range(300):  # a copy each five minutes, for 25 hours
            await at.copy(f"copy{number}", story, f"o{number}.example")
            await at.pass_time(300)
        await at.pass_time(86400)
    assert 5 <= len(fakes.slack.messages) <= 10
    named = " ".join(message.text for message in fakes.slack.messages[1:])
    assert all(f"o{number}.example" in named for number in range(60))


async def test_a_sent_alert_is_edited_as_its_event_grows(fakes: Fakes, tmp_path: Path) -> None:
    async with desk(tmp_path, {"chat": f'{{url: "{telegram_url(-100123)}"}}'}) as at:
        story = await at.report("a", outlet="a.example")
        await at.pass_time(5)
        for number in range(10):
            await at.copy(f"copy{number}", story, f"o{number}.example")
            await at.pass_time(30)
        await at.further_rule(story, "a", "army")
        await at.pass_time(3600)
        assert len(fakes.telegram.messages) == 1
        assert 1 <= len(fakes.telegram.edits) <= 2
        assert "10 other outlets" in fakes.telegram.edits[-1].text and "army" in fakes.telegram.edits[-1].text
        fakes.telegram.gone = True  # deleted, or too old to be edited
        await at.copy("late", story, "late.example")
        await at.pass_time(86400)
    assert len(fakes.telegram.messages) == 2 and "late.example" in fakes.telegram.messages[1].text
