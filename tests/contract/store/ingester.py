"""A process that records copies as they come in, for test_ingest: worker `sys.argv[2]` of `sys.argv[3]`."""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.clock import FakeClock
from tests.newsroom import configured, copy_of, ingest, newsroom
from watcher.store import open_store

STORIES, COPIES = 200, 5


async def main(url: str, worker: int, workers: int) -> None:
    arrivals = [(number, copy) for number in range(STORIES) for copy in range(COPIES)]
    random.Random(1).shuffle(arrivals)
    arrivals.sort(key=lambda arrival: arrival[0] // 10)  # ten stories at a time: copies meet in different workers
    mine = [copy_of(*arrival) for arrival in arrivals[worker::workers]]
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder:
        config = configured(Path(folder))
    async with await open_store(url, clock, f"worker {worker}", measure_skew=False) as store:
        services = newsroom(config, store, clock)
        print("ready", flush=True)
        sys.stdin.readline()
        for start in range(0, len(mine), 4):
            await asyncio.gather(*(ingest(services, item) for item in mine[start : start + 4]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
