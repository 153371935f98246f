"""A lane: claims the due rows of one queue and runs their step, as many at once as it has room for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from watcher import log
from watcher.errors import LeaseLost, StoreError
from watcher.model import Claim, Queue
from watcher.pipeline import Counts, Services

GATHER = 0.05  # seconds in which steps end before more rows are claimed for their places
ENDING = 1.0  # seconds that a step may take to end once its result is written

logger = log.get("daemon")

Step = Callable[[Services, Claim[Any]], Awaitable[Counts]]


def one_by_one(claims: Sequence[Claim[Any]]) -> Iterable[list[Claim[Any]]]:
    """Every claim on its own."""
    return ([claim] for claim in claims)


def by_target(claims: Sequence[Claim[Any]]) -> Iterable[list[Claim[Any]]]:
    """Deliveries to one target in their order, so that a chat reads them in the order of the news."""
    queues: dict[tuple[str, str], list[Claim[Any]]] = {}
    for claim in sorted(claims, key=lambda c: (c.row.created_at, c.row.part)):
        queues.setdefault((claim.row.channel, claim.row.target.key), []).append(claim)
    return queues.values()


@dataclass(slots=True)
class Lane:
    """One of the four loops. `lease` is in seconds: twice what the step may take; it is renewed while the step runs."""

    queue: Queue
    step: Step
    services: Services
    room: int
    lease: float
    batches: Callable[[Sequence[Claim[Any]]], Iterable[list[Claim[Any]]]] = one_by_one
    then: Callable[[], None] = lambda: None  # called when a step ended whose result may be work for other lanes
    counts: Counts = field(default_factory=Counts)
    _claims: dict[str, Claim[Any]] = field(default_factory=dict)
    _tasks: dict[asyncio.Task[None], set[str]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _waking: asyncio.TimerHandle | None = None
    _renewed_at: float = 0.0
    ticked_at: float = 0.0
    _more: bool = False  # the last claim took all that there was room for

    def wake(self) -> None:
        """Look for due rows now."""
        self._wake.set()

    async def pump(self) -> None:
        """Claim what is due each time the lane is woken; ends when cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self._claim():
                    pass
            except Exception as error:  # the loop must outlive a store that is away for a while
                logger.error("cannot claim work", queue=self.queue.value, error=repr(error))
            self.ticked_at = self.services.clock.now()

    async def run_dry(self, due: float | None = None) -> None:
        """Run everything that is due (by `due`, where given) and what comes of it on this queue, then return."""
        while True:
            claimed = await self._claim(due)
            if not self._tasks and not claimed:
                return
            if self._tasks:  # a claim is a transaction: none is made where none is due, nor one for each step
                until = asyncio.FIRST_COMPLETED if self._more else asyncio.ALL_COMPLETED
                await asyncio.wait(self._tasks, return_when=until)
                if self._more:
                    await asyncio.sleep(GATHER)

    async def renew(self) -> None:
        """Renew the leases of what runs; a step whose lease is lost is cancelled: its result could not be written."""
        if not self._claims:
            self._renewed_at = self.services.clock.now()
            return
        running = dict(self._tasks)  # what begins while this is written has a fresh lease
        try:
            ours = await self.services.store.renew(list(self._claims.values()), self.lease)
            self._renewed_at = self.services.clock.now()
        except StoreError as error:
            logger.error("cannot renew leases", queue=self.queue.value, error=str(error))
            ours = set() if self.services.clock.now() - self._renewed_at > self.lease / 2 else set(self._claims)
        lost = [task for task, ids in running.items() if not ids & ours and not task.done()]
        if lost:  # what was written down a moment ago is leased no more either: such a step is about to end
            await asyncio.wait(lost, timeout=ENDING)
        for task in lost:
            if not task.done():
                task.cancel()
                for id_ in running[task]:
                    self._claims.pop(id_, None)

    async def drain(self, grace: float) -> bool:
        """Wait up to `grace` seconds for what runs, cancel the rest, give back the others; True where all was done."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        done = not self._tasks
        self.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._claims:
            await self.services.store.release(list(self._claims.values()))
            self._claims.clear()
        return done

    def cancel(self) -> None:
        """End what runs, now; nothing of it is written."""
        for task in self._tasks:
            task.cancel()

    @property
    def running(self) -> int:
        """How many claims are being worked on."""
        return len(self._claims)

    async def _claim(self, due: float | None = None) -> bool:
        """Claim up to the free room and start the steps; True where more may be due."""
        free = self.room - len(self._claims)
        if free <= 0:
            self._more = True
            return False
        if not self._claims:
            self._renewed_at = self.services.clock.now()
        elif self.services.clock.now() - self._renewed_at > self.lease / 2:
            await self.renew()  # the machine slept: what runs here is still ours, and must not be claimed again
        claims = await self.services.store.claim(self.queue, free, self.lease, due=due)
        for batch in self.batches(claims):
            self._claims.update((claim.id, claim) for claim in batch)
            task = asyncio.create_task(self._run(batch))
            self._tasks[task] = {claim.id for claim in batch}
            task.add_done_callback(self._tasks.pop)
        self._more = len(claims) == free
        return self._more

    async def _run(self, batch: list[Claim[Any]]) -> None:
        news = False
        for claim in batch:
            try:
                counted = await self.step(self.services, claim)
                self.counts += counted
                # Most polls bring nothing, and then there is nothing for the other lanes.
                news = news or self.queue is not Queue.SOURCE or counted.new_items + counted.alerts > 0
            except LeaseLost as error:
                logger.warning("lease lost", queue=self.queue.value, id=claim.id, error=str(error))
            except Exception as error:  # one row must not stop the others; its lease ends and it is tried again
                logger.exception("step failed", queue=self.queue.value, id=claim.id, error=repr(error))
                self.counts += Counts(failed=1)
            self._claims.pop(claim.id, None)
        if news:
            self.then()
        if self._more and self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(GATHER, self._wake_for_more)

    def _wake_for_more(self) -> None:
        self._waking = None
        self.wake()
