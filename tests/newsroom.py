"""Invented news, and what it takes to record it: the part of the pipeline between a parsed feed and the outbox."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from watcher.clock import Clock
from watcher.config import Config, load
from watcher.fetch import Client
from watcher.model import Item
from watcher.pipeline import Services
from watcher.pipeline.judge import Judged, judge, record_new
from watcher.pipeline.services import Counts
from watcher.store import Store, Tx
from watcher.workers import Workers

RULES = "{all: {query: harbour}}"


def configured(directory: Path, rules: str = RULES) -> Config:
    """A configuration with one source, `wire`, and one channel; `rules` is YAML."""
    file = directory / "watcher.yaml"
    file.write_text(
        "channels: {screen: {url: 'console://'}}\n"
        "sources: {wire: {feed: 'https://wire.example/feed', lang: en}}\n"
        f"rules: {rules}\n"
    )
    return load(file, {})


def newsroom(config: Config, store: Store, clock: Clock) -> Services:
    """Services that record; nothing is fetched and no worker is started until asked for."""
    rng = random.Random(0)
    fetch = Client(config.settings.fetch.client(), config.private_hosts, clock, rng)
    return Services(config, store, fetch, Workers(), clock, rng)


def judged(services: Services, item: Item, **values: Any) -> Judged:
    """The item as a poll that is no baseline judges it."""
    given: dict[str, Any] = {"baseline": False, "oldest": 0.0, "article": False}
    return judge(services, services.sources["wire"], item, **{**given, **values})


async def ingest(services: Services, *items: Item) -> Counts:
    """Keep items and record what follows, as a poll does, in one transaction."""
    verdicts = [judged(services, item) for item in items]

    async def work(tx: Tx) -> Counts:
        return Counts.total((await record_new(tx, services, verdicts, tx.now)).values())

    return await services.store.write(work, ingest=True)


def words(number: int, count: int) -> list[str]:
    """Words of no language, the same ones for the same number."""
    rng = random.Random(number)
    syllables = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]
    return ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(count)]


def copy_of(number: int, copy: int) -> Item:
    """Copy `copy` (0 to 4) of story `number`: whole, cut, under another head, with a dateline, in boilerplate."""
    text = words(number, 220)
    title = " ".join(words(number, 7)).capitalize()
    if copy == 1:
        text = text[:130]
    if copy == 2:
        title = f"Harbour {words(number + 10**6, 1)[0]} says {words(number + 10**6, 2)[1]}"
    body = f"Harbour {' '.join(text)}."
    if copy == 3:
        body = f"PORTVILLE, May 3 (Agency) - {body}"
    if copy == 4:
        body = f"Read our paper every day of the week.\n\n{body}\n\nSend your letters to the editor."
    outlet = f"outlet{copy}.example"
    return Item(
        id=f"{number}-{copy}", source=outlet, title=title, body=body, outlet=outlet, url=f"https://{outlet}/{number}"
    )
