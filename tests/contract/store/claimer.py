"""A process that claims sources until there are none, for test_claims."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.clock import FakeClock
from watcher.model import Queue
from watcher.store import open_store


async def main(url: str) -> None:
    mine: list[str] = []
    async with await open_store(url, FakeClock(), "claimer", measure_skew=False) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        while claims := await store.claim(Queue.SOURCE, 5, 60):
            mine += [claim.id for claim in claims]
    print(json.dumps(mine))


asyncio.run(main(sys.argv[1]))
