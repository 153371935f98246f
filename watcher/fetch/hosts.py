"""One gate per host: how many requests at once, how far apart, and when the host asked to be left alone."""

from __future__ import annotations

import asyncio
from random import Random

from watcher.clock import Clock

_KEPT = 4096  # hosts that are remembered before idle ones are dropped
QUEUE = 8  # how many may wait at one host
PATIENCE = 10.0  # and for how many seconds


class Busy(Exception):
    """Too many wait at a host. `later`: in how many seconds there is a turn, kept for who was sent away."""

    def __init__(self, later: float) -> None:
        self.later = later
        super().__init__(f"too many requests wait for this host; there is a turn in {later:.0f} s")


class _Host:
    __slots__ = ("held_until", "inside", "next_start", "promised", "slots", "waiting")

    def __init__(self, per_host: int) -> None:
        self.slots = asyncio.Semaphore(per_host)
        self.waiting = 0  # wait for their start
        self.inside = 0
        self.next_start = 0.0
        self.held_until = 0.0
        self.promised = 0.0  # the last turn that was given to who was sent away


class HostGate:
    """Keeps requests to one host apart. A host is a name with its port."""

    def __init__(self, per_host: int, gap: float, clock: Clock, rng: Random) -> None:
        """`per_host` requests at once, their starts at least `gap` seconds apart (and up to a fifth more)."""
        self._per_host = per_host
        self._gap = gap
        self._clock = clock
        self._rng = rng
        self._hosts: dict[str, _Host] = {}

    def enter(self, key: str, gap: float = 0.0, *, patient: bool = True) -> _Turn:
        """A turn at host `key`, as an asynchronous context: waited for, and kept until the block ends.

        `gap`: seconds to the next start there, where the host's own limit asks for more than is usual. Who is not
        `patient` is sent away with Busy where the wait would be long: what waits here holds a place that the sources
        of other hosts could have.
        """
        return _Turn(self, self._host(key), max(self._gap, gap), patient)

    def hold(self, key: str, seconds: float) -> None:
        """Nothing goes to host `key` for `seconds`."""
        host = self._host(key)
        host.held_until = max(host.held_until, self._clock.now() + seconds)

    def held(self, key: str) -> float:
        """For how many more seconds host `key` asked to be left alone."""
        host = self._hosts.get(key)
        return max(host.held_until - self._clock.now(), 0.0) if host else 0.0

    def _promise(self, host: _Host) -> None:
        """Send who is not patient away with a turn of its own, where it would wait for long. Raises Busy."""
        now = self._clock.now()
        if host.waiting >= QUEUE or host.next_start - now > PATIENCE:
            host.promised = max(host.promised, now + PATIENCE, host.next_start) + max(self._gap, 0.1) * 1.2
            raise Busy(host.promised - now)

    async def _wait(self, host: _Host, gap: float) -> None:
        now = self._clock.now()
        # A clock that was set back must not hold the host for as long.
        start = max(now, min(host.next_start, now + host.waiting * gap * 1.2))
        host.next_start = start + gap * self._rng.uniform(1.0, 1.2)
        if start > now:
            await self._clock.sleep(start - now)

    def _host(self, key: str) -> _Host:
        host = self._hosts.get(key)
        if host is None:
            if len(self._hosts) >= _KEPT:
                self._drop_idle()
            host = self._hosts[key] = _Host(self._per_host)
        return host

    def _drop_idle(self) -> None:
        now = self._clock.now()
        for key, host in list(self._hosts.items()):
            if not host.waiting and not host.inside and max(host.next_start, host.held_until, host.promised) <= now:
                del self._hosts[key]


class _Turn:
    """A turn at a host. A class of its own and no generator: there is one a request."""

    __slots__ = ("_gap", "_gate", "_host", "_patient")

    def __init__(self, gate: HostGate, host: _Host, gap: float, patient: bool) -> None:
        self._gate = gate
        self._host = host
        self._gap = gap
        self._patient = patient

    async def __aenter__(self) -> None:
        host = self._host
        if not self._patient:
            self._gate._promise(host)
        host.waiting += 1
        try:
            await host.slots.acquire()
            host.inside += 1
            if self._gap > 0:
                try:
                    await self._gate._wait(host, self._gap)
                except BaseException:
                    self._leave()
                    raise
        finally:
            host.waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self._host.inside -= 1
        self._host.slots.release()
