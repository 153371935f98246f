"""Processes that can be killed, for what is slow or hostile: parsing feeds, taking articles out of pages.

`concurrent.futures` cannot kill a process at a job's deadline; these can. Each worker is a fresh interpreter (spawned,
never forked) on one end of a socket pair, with one job at a time. At its deadline it is killed and replaced. Its
address space is limited, so that a bomb ends in a MemoryError there. It ends when its socket does, so that it never
outlives its parent. What it sends back is unpickled with every class refused: a parser that was taken over from within
can send wrong data, but no code.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import pickle
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from watcher.errors import ParseError, WorkerError
from watcher.worker import HEADER

START_LIMIT = 60.0  # seconds for a worker to start; a machine under load takes its time
IDLE = 300.0  # seconds after which a worker without a job ends: after so long its memory is worth the 0.2 s of a start


class Workers:
    """A few worker processes, started when needed and ended when not. An asynchronous context manager."""

    def __init__(self, count: int = 2, memory: int = 512 * 1024 * 1024) -> None:
        """`count` jobs at once; `memory` is each worker's limit of address space, in bytes."""
        self._count = count
        self._memory = memory
        self._turns = asyncio.Semaphore(count)
        self._closed = False
        self._idle: dict[_Worker, asyncio.TimerHandle] = {}  # and when they end
        self._all: set[_Worker] = set()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, function: str, *args: Any, deadline: float) -> Any:
        """Call `function` ("package.module:name") with `args` in a worker; its result, within `deadline` seconds.

        Arguments can be anything that pickles, results plain values only. The wait for a free worker does not count.
        Raises ParseError where the function did, WorkerError where it raised anything else, or where the worker was
        killed at the deadline, ran out of memory, or died.
        """
        async with self._turns:
            if self._closed:
                raise WorkerError("the workers are being shut down")
            worker = self._take() or await self._start()
            try:
                status, answer, worn = await worker.call((function, args, deadline), deadline)
            except BaseException:
                await self._end(worker)
                raise
            if worn:
                await self._end(worker)
            else:
                self._rest(worker)
        if status == "done":
            return answer
        raise (ParseError if status == "refused" else WorkerError)(answer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for worker in self._all:
            worker.kill()
        for _ in range(self._count):  # once all turns are ours, no job is under way
            await self._turns.acquire()
        for worker in list(self._all):
            await self._end(worker)
        await asyncio.gather(*self._ending)

    def _take(self) -> _Worker | None:
        """The worker that rested last, so that those that are not needed rest for long; None where none does."""
        if not self._idle:
            return None
        worker, ends = self._idle.popitem()
        ends.cancel()
        return worker

    def _rest(self, worker: _Worker) -> None:
        self._idle[worker] = asyncio.get_running_loop().call_later(IDLE, self._retire, worker)

    def _retire(self, worker: _Worker) -> None:
        """End a worker that has rested for long."""
        del self._idle[worker]
        task = asyncio.create_task(self._end(worker))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _start(self) -> _Worker:
        try:
            worker = _Worker(self._memory)
        except OSError as error:
            raise WorkerError(f"no worker process can be started: {error.strerror}") from None
        self._all.add(worker)
        try:
            await worker.ready()
        except BaseException:
            await self._end(worker)
            raise
        return worker

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        if ends := self._idle.pop(worker, None):
            ends.cancel()
        # Shielded, so that a cancelled task leaves no zombie.
        await asyncio.shield(asyncio.ensure_future(worker.end()))


class _Worker:
    """One process and our end of its socket pair."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        # The same modules are found as here, and none from the directory that we happen to be in.
        path = [str(Path(entry).resolve()) for entry in sys.path if entry]
        code = (
            f"import sys; sys.path[:] = {path!r}; from watcher.worker import serve; serve({theirs.fileno()}, {memory})"
        )
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(self._socket.close)
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-P", "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # standard output belongs to --json
                env=_environment(),
                process_group=0,  # Ctrl-C on a terminal goes to the daemon alone, which drains
            )
            undo.pop_all()

    async def ready(self) -> None:
        """Wait until the process serves. Raises WorkerError where it does not."""
        try:
            async with asyncio.timeout(START_LIMIT):
                await self._receive()
        except TimeoutError:
            raise WorkerError(f"a worker process did not start within {START_LIMIT:g} s") from None
        except (EOFError, OSError):
            raise WorkerError(f"a worker process could not start: {await self._how_it_ended()}") from None

    async def call(self, job: Any, deadline: float) -> tuple[str, Any, bool]:
        """Have `job` done: "done", "refused" or "failed", the result or the reason, and whether the worker is worn."""
        try:
            async with asyncio.timeout(deadline):
                await self._send(pickle.dumps(job, pickle.HIGHEST_PROTOCOL))
                status, answer, worn = _plain(await self._receive())
                return str(status), answer, bool(worn)
        except TimeoutError:
            raise WorkerError(f"took longer than {deadline:g} s and was stopped") from None
        except (EOFError, OSError):
            raise WorkerError(f"the worker process died: {await self._how_it_ended()}") from None
        except pickle.UnpicklingError as error:
            raise WorkerError(f"the worker process sent what is no plain value: {error}") from None

    def kill(self) -> None:
        """End the process at once; a job under way hears of it."""
        self._process.kill()

    async def end(self) -> None:
        """Kill the process, if it still runs, and reap it."""
        self._socket.close()
        self.kill()
        await asyncio.to_thread(self._process.wait)

    async def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, 1.0)
        code = self._process.returncode
        if code is None:
            return "it closed its socket"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"it exited with status {code}"

    async def _send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, HEADER.pack(len(data)) + data)

    async def _receive(self) -> bytearray:
        (length,) = HEADER.unpack(await self._exactly(HEADER.size))
        if length > self._memory:
            raise pickle.UnpicklingError("it is longer than the worker's memory")
        return await self._exactly(length)

    async def _exactly(self, count: int) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        loop = asyncio.get_running_loop()
        while view:
            got = await loop.sock_recv_into(self._socket, view)
            if not got:
                raise EOFError
            view = view[got:]
        return data


def _environment() -> dict[str, str]:
    """What a worker needs of our environment, and none of the secrets in it."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
    needed = {name: value for name, value in os.environ.items() if name in kept or name.startswith("PYTHON")}
    return needed | {"MALLOC_ARENA_MAX": "2"}  # each arena takes 64 MB of the address space


class _PlainUnpickler(pickle.Unpickler):
    """Takes numbers, texts, bytes, and containers of them."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")


def _plain(data: bytes | bytearray) -> Any:
    return _PlainUnpickler(io.BytesIO(data)).load()
