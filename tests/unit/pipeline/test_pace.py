"""What is computed on the loop gives way: one slice in each round of it, whoever it is for."""

import asyncio
import threading
import time

from watcher.model import Item
from watcher.pipeline.pace import LONG, SLICE, Pace


def items(count: int, body: str = "") -> list[Item]:
    return [Item(str(number), "s", body=body) for number in range(count)]


def slow(item: Item) -> str:
    end = time.perf_counter() + SLICE / 2
    while time.perf_counter() < end:
        pass
    return item.id


async def test_all_is_done_in_its_order() -> None:
    pace = Pace()
    assert await pace.map(slow, items(7)) == [str(number) for number in range(7)]
    assert await pace.map(slow, []) == []


async def test_the_loop_goes_round_between_slices_of_all_who_compute() -> None:
    pace, rounds, steps = Pace(), 0, []

    async def look() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    def work(item: Item) -> None:
        slow(item)
        steps.append(rounds)

    looking = asyncio.create_task(look())
    await asyncio.gather(*(pace.map(work, items(6)) for _ in range(5)))
    looking.cancel()
    assert len(steps) == 30
    assert max(steps.count(number) for number in set(steps)) <= 2, "never more than a slice in one round"


async def test_a_long_text_is_not_computed_on_the_loop() -> None:
    pace = Pace()
    threads = await pace.map(lambda _: threading.get_ident(), [*items(1), *items(1, "x" * (LONG + 1))])
    assert threads[0] == threading.get_ident() != threads[1]


async def test_what_fails_fails_for_its_own_alone() -> None:
    pace = Pace()

    def work(item: Item) -> str:
        return str(1 // int(item.id))

    done = await asyncio.gather(pace.map(work, items(3)), pace.map(slow, items(3)), return_exceptions=True)
    assert isinstance(done[0], ZeroDivisionError) and done[1] == ["0", "1", "2"]
