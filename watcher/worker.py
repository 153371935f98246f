"""A worker's own side: a process that takes jobs from a socket, one at a time. `watcher/workers.py` starts it.

It imports little, for each worker pays for that in memory: no event loop, and of watcher only what a job needs.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import pickle
import resource
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watcher.errors import ParseError

HEADER = struct.Struct(">Q")  # the length of what follows, before each job and each answer
_GRACE = 5  # seconds after which a worker ends itself, should its parent not have killed it at the deadline
_YIELD = 5  # steps of niceness, so that parsing never keeps the event loop from its turn
_WORN = 96 * 1024 * 1024  # bytes in use after a job, over which the worker is replaced; feeds and pages leave 40 to 65
_PAGE = resource.getpagesize()


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
        outcome = ("done", _find(function)(*args), _is_worn())
        return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except ParseError as error:
        outcome = ("refused", str(error), _is_worn())
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


def _is_worn() -> bool:
    """Whether a job left so much memory in use that a fresh process is better.

    What it left in cycles is collected: of a hostile feed that is 50 MB. What is there then is what jobs share, and not
    looked at again, so that this takes no time.
    """
    gc.collect()
    gc.freeze()
    return _resident() > _WORN


def _resident() -> int:
    """Bytes of memory in use; what fragmentation keeps is in it, and goes only with the process."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):  # not Linux: the most that it ever was, in kilobytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read(stream: Any) -> bytes:
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    (length,) = HEADER.unpack(header)
    data: bytes = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _write(stream: Any, data: bytes) -> None:
    stream.write(HEADER.pack(len(data)) + data)
    stream.flush()
