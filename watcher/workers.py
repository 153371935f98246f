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
import importlib
import io
import logging
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from watcher.errors import ParseError, WorkerError

START_LIMIT = 60.0  # seconds for a worker to start; a machine under load takes its time
_GRACE = 5  # seconds after which a worker ends itself, should its parent not have killed it at the deadline
_YIELD = 5  # steps of niceness, so that parsing never keeps the event loop from its turn
_HEADER = struct.Struct(">Q")
_PAGE = resource.getpagesize()


class Workers:
    """A few worker processes, started when first needed. An asynchronous context manager."""

    def __init__(self, count: int = 2, memory: int = 512 * 1024 * 1024) -> None:
        """`count` jobs at once; `memory` is each worker's limit of address space, in bytes."""
        self._count = count
        self._memory = memory
        self._turns = asyncio.Semaphore(count)
        self._closed = False
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    async def run(self, function: str, *args: Any, deadline: float) -> Any:
        """Call `function` ("package.module:name") with `args` in a worker; its result, within `deadline` seconds.

        Arguments can be anything that pickles, results plain values only. The wait for a free worker does not count.
        Raises ParseError where the function did, WorkerError where it raised anything else, or where the worker was
        killed at the deadline, ran out of memory, or died.
        """
        async with self._turns:
            if self._closed:
                raise WorkerError("the workers are being shut down")
            worker = self._idle.pop() if self._idle else await self._start()
            try:
                status, answer, worn = await worker.call((function, args, deadline), deadline)
            except BaseException:
                await self._end(worker)
                raise
            if worn:
                await self._end(worker)
            else:
                self._idle.append(worker)
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
        if worker in self._idle:
            self._idle.remove(worker)
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
            f"import sys; sys.path[:] = {path!r}; from watcher.workers import serve; serve({theirs.fileno()}, {memory})"
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
        await asyncio.get_running_loop().sock_sendall(self._socket, _HEADER.pack(len(data)) + data)

    async def _receive(self) -> bytearray:
        (length,) = _HEADER.unpack(await self._exactly(_HEADER.size))
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


def serve(descriptor: int, memory: int) -> None:
    """A worker's whole life: take jobs from the socket `descriptor`, one at a time, until it closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the daemon drains; it ends us when it is done
    os.nice(_YIELD)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()  # what libraries say of strangers' pages is of use to nobody
    with socket.socket(fileno=descriptor) as ours, ours.makefile("rwb") as stream:
        _write(stream, b"")
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            while True:
                function, args, deadline = pickle.loads(_read(stream))  # noqa: S301 - from our parent
                signal.alarm(int(deadline) + _GRACE)
                answer = _answer(function, args, memory)
                signal.alarm(0)
                _write(stream, answer)


def _answer(function: str, args: tuple[Any, ...], memory: int) -> bytes:
    """The job's outcome as `_Worker.call` gives it, pickled."""
    try:
        outcome = ("done", _find(function)(*args), _resident() > memory // 2)
        return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except ParseError as error:
        outcome = ("refused", str(error), _resident() > memory // 2)
    except MemoryError:
        outcome = ("failed", f"needs more than {memory // 1_000_000} MB of memory", True)
    except RecursionError:
        outcome = ("failed", "is nested too deeply", True)
    except Exception as error:
        outcome = ("failed", f"cannot be read: {type(error).__name__}: {' '.join(str(error).split())[:200]}", False)
    return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)


def _find(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _resident() -> int:
    """Bytes of memory in use; what fragmentation keeps is in it, and goes only with the process."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):  # not Linux: the most that it ever was, in kilobytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read(stream: Any) -> bytes:
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError
    (length,) = _HEADER.unpack(header)
    data: bytes = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _write(stream: Any, data: bytes) -> None:
    stream.write(_HEADER.pack(len(data)) + data)
    stream.flush()
