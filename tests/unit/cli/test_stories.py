"""`watcher stories`, over a store and over a file."""

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.clock import FakeClock
from tests.newsroom import configured, ingest, newsroom
from watcher.cli.stories import app
from watcher.clock import SystemClock
from watcher.model import Item
from watcher.store import open_store

BODY = (
    "Soldiers entered the palace in Bamako on Tuesday and declared that President Assimi Goïta had been removed. "
    "The mutiny began at the Kati garrison before dawn, two officers said. Shops near the harbour stayed shut. "
    "State television showed archive films. The airport is closed until further notice."
)
ORIGINAL = Item(
    "1",
    "herald",
    "Goïta ousted as soldiers seize Bamako",
    body=BODY,
    outlet="herald.example",
    url="https://herald.example/1",
)
COPY = Item(
    "2",
    "mirror",
    "Palace taken in Mali",
    body=BODY.rpartition(" The airport")[0].replace("two officers", "three officers") + " More to follow from us soon.",
    outlet="mirror.example",
    url="https://mirror.example/2",
)
OWN = Item(
    "3",
    "courier",
    "Mutiny in Mali: Goïta held at Kati garrison",
    body="President Assimi Goïta is being held by mutinous troops at Kati, outside Bamako, diplomats told the Courier.",
    outlet="courier.example",
    url="https://courier.example/3",
)


async def stored(directory: Path) -> None:
    clock = FakeClock(SystemClock().now() - 900)
    config = configured(directory)
    async with await open_store(config.settings.store, clock, "test", exclusive=True) as store:
        services = newsroom(config, store, clock)
        for item in (ORIGINAL, COPY, OWN):
            await ingest(services, item)
            clock.advance(240)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_story_is_shown_with_its_outlets_and_what_copies_changed(tmp_path: Path) -> None:
    asyncio.run(stored(tmp_path))
    config = str(tmp_path / "watcher.yaml")
    own, story = json.loads(run("--config", config, "--json"))
    assert story["first"] == "herald.example"
    assert story["outlets"] == ["herald.example", "mirror.example"]
    assert story["spread_seconds"] == 240
    [copy] = story["copies"]
    assert (copy["outlet"], copy["after_seconds"]) == ("mirror.example", 240)
    assert copy["differs"]["title"] is True
    assert copy["differs"]["added"] == ["More to follow from us soon."]
    assert copy["differs"]["dropped"] == 1
    assert ["three" in edit["after"] for edit in copy["differs"]["edited"]] == [True]
    assert story["coverage"] == {"outlets": 3, "copies": 1, "own_reports": 2}
    assert [other["title"] for other in story["related"]] == [OWN.title]
    assert own["event"] == story["event"] == story["id"]

    shown = run("--config", config)
    assert f"m ago    2 items  {ORIGINAL.title}" in shown
    assert "carried by herald.example, mirror.example; spread over 4m" in shown
    assert "+4m    mirror.example: as 'Palace taken in Mali', without 1 of 5 passages, 1 edited, 1 added" in shown
    assert "one event, 3 outlets: 1 copy, 2 own reports" in shown


def test_a_file_of_items_is_grouped(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    lines: list[dict[str, Any]] = [
        {"id": item.id, "title": item.title, "body": item.body, "source": item.source, "url": item.url}
        for item in (ORIGINAL, COPY, OWN)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    one, two, three = [json.loads(line) for line in run("--items", str(file), "--json").splitlines()]
    assert one["story"] == two["story"] != three["story"]
    assert one["event"] == two["event"] == three["event"]
    shown = run("--items", str(file))
    assert "same event: Goïta" in shown
    assert "3 items: 2 stories of 1 event." in shown
