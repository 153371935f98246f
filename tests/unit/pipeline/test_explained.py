"""Why a rule held is worked out for what becomes an alert, not for every copy that the rule matches too."""

from pathlib import Path

import pytest

from tests.delivery.desk import desk
from watcher.model import Item
from watcher.pipeline import judge as judging
from watcher.query import explain

TEXT = "The army denied on Tuesday that a coup was under way, and the capital's markets opened as on any other day."


async def test_copies_are_not_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counting(node: object, document: object) -> object:
        asked.append(document)
        return explain(node, document)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "explain", counting)
    async with desk(tmp_path, {"screen": '{url: "console://"}'}) as at:
        for number, source in enumerate(("wire", "local", "wire")):
            item = Item(f"item {number}", source, "Army denies a coup", TEXT, outlet=source, published=at.now)
            judged = judging.judge(
                at.services, at.services.config.sources[source], item, baseline=False, oldest=0.0, article=False
            )
            assert {match.rule for match in judged.matches} == {"coup", "army"}

            async def work(tx, judged=judged, item=item):
                await tx.items.add([item], now=at.now, baseline=False, read_at=None)
                return await judging.record(tx, at.services, [judged], at.now)

            counts = await at.store.write(work, ingest=True)
            assert counts.alerts == (2 if number == 0 else 0)
        assert len(asked) == 2
        alerts = await at.alerts()
        assert all(alert.explanation and alert.explanation["holds"] for alert in alerts)
