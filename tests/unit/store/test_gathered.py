"""What is asked for at about the same time is written together, and nobody waits for ever."""

import asyncio

import pytest

from watcher.store.gathered import Gathered


class Writer:
    """Writes what it is given, once it may."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, asked: list[int]) -> list[str | Exception]:
        self.batches.append(asked)
        await self.may.wait()
        return [ValueError("odd") if one % 2 else f"wrote {one}" for one in asked]


@pytest.fixture
async def writer() -> Writer:
    return Writer()


async def ask(gathered: Gathered[int, str], writer, *numbers: int, rest: float = 0.0) -> list[object]:
    return await asyncio.wait_for(
        asyncio.gather(*(gathered.ask(number, writer, rest) for number in numbers), return_exceptions=True), 60
    )


async def test_what_comes_while_some_are_written_goes_together(writer: Writer) -> None:
    gathered: Gathered[int, str] = Gathered()
    writer.may.clear()
    first = asyncio.create_task(gathered.ask(2, writer, 0.0))
    while not writer.batches:
        await asyncio.sleep(0)
    others = [asyncio.create_task(gathered.ask(number, writer, 0.0)) for number in (4, 6)]
    await asyncio.sleep(0)
    writer.may.set()
    assert await asyncio.gather(first, *others) == ["wrote 2", "wrote 4", "wrote 6"]
    assert writer.batches == [[2], [4, 6]]


async def test_each_hears_what_came_of_it(writer: Writer) -> None:
    came = await ask(Gathered(), writer, 2, 3)
    assert came[0] == "wrote 2"
    assert isinstance(came[1], ValueError)


async def test_a_batch_is_no_larger_than_it_may_be_but_for_one_alone(writer: Writer) -> None:
    await ask(Gathered(10, size=lambda one: one), writer, 4, 6, 2, 100, 2)
    assert writer.batches == [[4, 6], [2], [100], [2]]


async def test_after_one_batch_the_next_gathers_until_it_is_full(writer: Writer) -> None:
    gathered: Gathered[int, str] = Gathered(most=3)
    await ask(gathered, writer, 2, rest=1000.0)
    await ask(gathered, writer, 4, 6, 8, rest=1000.0)
    assert writer.batches == [[2], [4, 6, 8]]


async def test_or_until_all_wait_who_can(writer: Writer) -> None:
    gathered: Gathered[int, str] = Gathered(callers=2)
    await ask(gathered, writer, 2, rest=1000.0)
    await ask(gathered, writer, 4, 6, rest=1000.0)
    assert writer.batches == [[2], [4, 6]]


async def test_who_was_cancelled_is_not_written_and_costs_nobody_a_rest(writer: Writer) -> None:
    gathered: Gathered[int, str] = Gathered()
    task = asyncio.create_task(gathered.ask(2, writer, 1000.0))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await gathered.end()
    assert await ask(gathered, writer, 4, rest=1000.0) == ["wrote 4"]
    assert writer.batches == [[4]]


@pytest.mark.parametrize("error", [OSError("away"), asyncio.CancelledError()])
async def test_where_the_writing_fails_all_hear_of_it_and_the_next_is_written(
    writer: Writer, error: BaseException
) -> None:
    async def fails(asked: list[int]) -> list[str | Exception]:
        raise error

    gathered: Gathered[int, str] = Gathered()
    assert [type(one) for one in await ask(gathered, fails, 2, 4)] == [type(error)] * 2
    assert await ask(gathered, writer, 6) == ["wrote 6"]


async def test_an_answer_of_the_wrong_length_leaves_nobody_waiting(writer: Writer) -> None:
    async def short(asked: list[int]) -> list[str | Exception]:
        return ["one"]

    gathered: Gathered[int, str] = Gathered()
    first, second = await ask(gathered, short, 2, 4)
    assert first == "one"
    assert isinstance(second, ValueError)
    assert await ask(gathered, writer, 6) == ["wrote 6"]


async def test_its_end_waits_for_what_is_being_written(writer: Writer) -> None:
    gathered: Gathered[int, str] = Gathered()
    await gathered.end()
    writer.may.clear()
    task = asyncio.create_task(gathered.ask(2, writer, 0.0))
    while not writer.batches:
        await asyncio.sleep(0)
    task.cancel()
    ending = asyncio.create_task(gathered.end())
    await asyncio.wait([task])
    assert not ending.done()
    writer.may.set()
    await asyncio.wait_for(ending, 60)


async def test_but_not_for_ever(writer: Writer) -> None:
    gathered: Gathered[int, str] = Gathered()
    writer.may.clear()
    task = asyncio.create_task(gathered.ask(2, writer, 0.0))
    while not writer.batches:
        await asyncio.sleep(0)
    await asyncio.wait_for(gathered.end(within=0.01), 60)
    with pytest.raises(asyncio.CancelledError):
        await task
