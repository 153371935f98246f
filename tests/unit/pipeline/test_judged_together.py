"""The new items of a poll are matched together, and each is judged as it would be by itself."""

from pathlib import Path
from unittest import mock

from tests.delivery.desk import desk
from watcher.model import Item
from watcher.pipeline.judge import TOGETHER, judge, judge_all

TEXT = "The army denied on Tuesday that a coup was under way, and the capital's markets opened as on any other day."


async def test_many_items_are_judged_as_each_by_itself(tmp_path: Path) -> None:
    async with desk(tmp_path, {"screen": '{url: "console://"}'}) as at:
        services, source = at.services, at.services.config.sources["wire"]
        items = [
            Item(str(number), "wire", title, text, published=published)
            for number, (title, text, published) in enumerate(
                [
                    ("Army denies a coup", TEXT, at.now),
                    ("Old", TEXT, 1.0),
                    ("Weather", "Rain.", None),
                    ("Coup", "", 9e9),
                ]
                * 10
            )
        ]
        vocabulary = services.config.ruleset._vocabulary
        with mock.patch.object(vocabulary, "presence", wraps=vocabulary.presence) as presence:
            judged = await judge_all(services, source, items, baseline=True, oldest=2.0)
        assert [len(call.args[0]) for call in presence.call_args_list] == [16, 14]  # the old ones are not matched
        assert judged == [judge(services, source, item, baseline=True, oldest=2.0, article=False) for item in items]
        assert [[match.rule for match in one.matches] for one in judged[:4]] == [["coup", "army"], [], [], ["coup"]]
        assert await judge_all(services, source, [], baseline=True, oldest=2.0) == []


async def test_long_texts_are_matched_a_few_at_a_time_for_the_loop_waits(tmp_path: Path) -> None:
    async with desk(tmp_path, {"screen": '{url: "console://"}'}) as at:
        services, source = at.services, at.services.config.sources["wire"]
        items = [Item(str(number), "wire", "Coup", "word " * (TOGETHER // 20)) for number in range(8)]  # a quarter each
        vocabulary = services.config.ruleset._vocabulary
        with mock.patch.object(vocabulary, "presence", wraps=vocabulary.presence) as presence:
            await judge_all(services, source, items, baseline=True, oldest=0.0)
        assert [len(call.args[0]) for call in presence.call_args_list] == [3, 3, 2]
