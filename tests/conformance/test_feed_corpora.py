"""Real feeds and hostile ones, through the workers that the daemon uses."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from tests.paths import CORPORA
from watcher.errors import ParseError
from watcher.model import Item
from watcher.sources.feed import PARSE, PARSE_DEADLINE
from watcher.text.urls import canonical
from watcher.workers import Workers

pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")

NOW = 1_800_000_000.0
HOSTILE = CORPORA / "hostile"


@pytest.fixture
async def workers():
    async with Workers(count=2) as found:
        yield found


async def parse(workers: Workers, body: bytes, deadline: float = PARSE_DEADLINE) -> dict[str, Any]:
    parsed = await workers.run(PARSE, body, "", "https://news.example/feed", "s", NOW, deadline=deadline)
    return parsed | {"items": [Item(*values) for values in parsed["items"]]}


async def test_every_real_feed_gives_the_entries_that_feedparser_counts(workers) -> None:
    manifest = json.loads((CORPORA / "feeds/manifest.json").read_text())

    async def one(row: dict[str, Any]) -> tuple[str, Any, int]:
        parsed = await parse(workers, (CORPORA / "feeds" / row["file"]).read_bytes())
        assert all(item.url == "" or item.url.startswith(("http://", "https://")) for item in parsed["items"])
        assert len({item.id for item in parsed["items"]}) == len(parsed["items"]) <= parsed["entries"]
        return row["file"], parsed["entries"], row["fp_entries"]

    found = await asyncio.gather(*map(one, manifest))
    assert len(found) == 250
    # feedparser reads no JSON Feed; ours does.
    assert [each for each in found if each[1] != each[2] and not each[0].endswith(".json")] == []
    assert all(ours for name, ours, _ in found if name.endswith(".json"))


async def hostile(workers: Workers, name: str) -> list[Item]:
    return (await parse(workers, (HOSTILE / name).read_bytes()))["items"]


async def test_one_guid_on_many_entries(workers) -> None:
    items = await hostile(workers, "duplicate_guids.xml")
    assert len({item.id for item in items}) == 20
    assert items == await hostile(workers, "duplicate_guids.xml")


async def test_no_ids_and_no_links(workers) -> None:
    assert len({item.id for item in await hostile(workers, "no_ids_no_links.xml")}) == 20


async def test_guids_that_change_leave_the_canonical_url_as_it_was(workers) -> None:
    before, after = await hostile(workers, "guid_churn_A.xml"), await hostile(workers, "guid_churn_B.xml")
    assert [canonical(item.url) for item in before] == [canonical(item.url) for item in after]
    assert not {item.id for item in before} & {item.id for item in after}


async def test_dates(workers) -> None:
    assert [item.published for item in await hostile(workers, "future_and_ancient_dates.xml")] == [NOW, 0.0, None]


async def test_a_flood_is_cut(workers) -> None:
    parsed = await parse(workers, (HOSTILE / "flood_5000_items.xml").read_bytes())
    assert (parsed["entries"], parsed["dropped"]) == (5000, 3000)


@pytest.mark.parametrize("name", ["xml_xxe_file.xml", "xml_xxe_param.xml", "nul_bytes.xml", "truncated.xml"])
async def test_what_is_broken_gives_what_can_be_read_and_no_more(workers, name) -> None:
    items = await hostile(workers, name)
    assert len(items) <= 1
    assert not any("root:" in item.title or "\x00" in item.title for item in items)


@pytest.mark.parametrize("name", ["xml_billion_laughs.xml", "xml_quadratic.xml", "xml_deep.xml"])
async def test_xml_bombs_end_soon(workers, name) -> None:
    await parse(workers, b"<rss version='2.0'><channel/></rss>")
    started = time.monotonic()
    try:
        parsed = await parse(workers, (HOSTILE / name).read_bytes())
        assert sum(len(item.title + item.body + item.summary) for item in parsed["items"]) < 1_000_000
    except ParseError:
        pass
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    "name", ["empty.xml", "html_instead_of_feed.html", "jsonfeed_deep.json", "bomb_1GiB.gz", "bomb_double.gz.gz"]
)
async def test_what_is_no_feed_is_refused(workers, name) -> None:
    with pytest.raises(ParseError):
        await hostile(workers, name)


async def test_a_parse_that_would_take_minutes_is_stopped(workers) -> None:
    nested = b"<item><title>" * 300_000 + b"<item><description>" + b"&lt;b&gt;" * 400_000
    await parse(workers, b"<rss version='2.0'><channel/></rss>")
    started = time.monotonic()
    with pytest.raises(ParseError, match="longer than 1 s"):
        await parse(workers, b"<rss version='2.0'><channel></title>" + nested, deadline=1.0)
    assert time.monotonic() - started < 30
    assert (await parse(workers, b"<rss version='2.0'><channel/></rss>"))["items"] == []
