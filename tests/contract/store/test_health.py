from tests.clock import START, FakeClock
from watcher.store import Store


async def test_what_was_told_is_remembered(store: Store, clock: FakeClock) -> None:
    await store.write(lambda tx: tx.health.tell({"source:a": "gone", "source:b": "quiet"}, START))
    clock.advance(5)
    await store.write(lambda tx: tx.health.tell({"source:a": None, "source:b": "failing", "source:c": None}, START + 5))
    async with store.read() as tx:
        assert await tx.health.told() == {"source:b": "failing"}
        assert (await tx.health.since("source:b"), await tx.health.since("source:a")) == (START + 5, None)


async def test_a_note_of_the_day(store: Store) -> None:
    await store.write(lambda tx: tx.health.note("source:a", "something", START))
    await store.write(lambda tx: tx.health.note("source:a", "something", START + 60))  # once a day is enough
    await store.write(lambda tx: tx.health.note("source:b", "something else", START + 1))
    async with store.read() as tx:
        notes = await tx.health.notes()
    assert [(note.subject, note.text, note.at) for note in notes] == [
        ("source:a", "something", START),
        ("source:b", "something else", START + 1),
    ]
    await store.write(lambda tx: tx.health.noted([notes[0].id]))
    async with store.read() as tx:
        assert await tx.health.notes() == notes[1:]
