"""Writes items and alerts, ten transactions at once, and prints the id of each when it is acknowledged; never ends."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.clock import START, FakeClock
from watcher.model import Alert, AlertState, Item, Reason
from watcher.store import Store, Tx, open_store


async def write(store: Store, numbers: itertools.count[int]) -> None:
    for number in numbers:
        id_ = f"item-{number}"
        alert = Alert(id_, "rule", f"story {number}", id_, AlertState.WAITING, Reason.FIRST_SIGHT, START)

        async def work(tx: Tx, id_: str = id_, alert: Alert = alert) -> None:
            await tx.items.add([Item(id_, "wire", body="x" * 3000)], now=START, baseline=False, read_at=None)
            await tx.alerts.add(alert)

        await store.write(work)
        print(id_, flush=True)


async def main(url: str) -> None:
    numbers = itertools.count()
    async with await open_store(url, FakeClock(), "writer", exclusive=True, measure_skew=False) as store:
        await asyncio.gather(*(write(store, numbers) for _ in range(10)))


asyncio.run(main(sys.argv[1]))
