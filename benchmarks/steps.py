"""Where the CPU of a poll goes: the steps of the pipeline timed where they run, for benchmarks/polling.py."""

from __future__ import annotations

import importlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from watcher import workers
from watcher.pipeline import services
from watcher.query import RuleSet, presearch
from watcher.sources import conditional
from watcher.store.sqlite import SqliteStore

poll, judge, stories = (
    importlib.import_module(f"watcher.pipeline.{name}") for name in ("poll", "judge", "stories")
)  # functions, too

STEPS: tuple[tuple[str, Any, str], ...] = (
    ("pipe", workers.pickle, "dumps"),
    ("pipe", workers, "_plain"),
    ("fetch: hash", conditional, "hash_of"),
    ("language", poll, "detect"),
    ("match", RuleSet, "_judged"),
    ("match: words", presearch, "spans"),
    ("match: explain", judge, "explain"),
    ("story", judge, "signature_of"),
    ("story", judge, "outline"),
    ("story", stories, "relate"),
    ("story", stories, "decide_story"),
)


class Steps:
    """Times the steps while it is open. What runs in the store's thread and is no step of its own is the store."""

    def __init__(self, built: services.Services) -> None:
        assert isinstance(built.store, SqliteStore)
        assert built.store._thread is not None and built.store._thread.ident is not None
        self._writer = built.store._thread.ident
        self._clock = time.pthread_getcpuclockid(self._writer)
        self._spent: dict[tuple[str, bool], float] = defaultdict(float)  # by step, and whether in the writer's thread
        self._originals: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Self:
        for name, holder, attribute in STEPS:
            original = getattr(holder, attribute)
            self._originals.append((holder, attribute, original))
            setattr(holder, attribute, self._timed(name, original))
        self._began = time.thread_time(), time.clock_gettime(self._clock), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        began = self._began
        self.loop = time.thread_time() - began[0]
        self.writer = time.clock_gettime(self._clock) - began[1]
        self.process = time.process_time() - began[2]
        for holder, attribute, original in self._originals:
            setattr(holder, attribute, original)

    def _timed(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **named: Any) -> Any:
            before = time.thread_time()
            try:
                return original(*args, **named)
            finally:
                self._spent[name, threading.get_ident() == self._writer] += time.thread_time() - before

        return timed

    def told(self, in_workers: float, polls: int) -> str:
        """Milliseconds a poll, step by step; `in_workers` are the seconds that parsing took in its processes."""
        steps: dict[str, float] = defaultdict(float)
        for (name, _), seconds in self._spent.items():
            steps[name.partition(":")[0]] += seconds
        in_writer = sum(seconds for (_, writer), seconds in self._spent.items() if writer)
        in_loop = sum(seconds for (_, writer), seconds in self._spent.items() if not writer)
        parts = {
            "parse": in_workers,
            **steps,
            "store": self.writer - in_writer,
            "reads of the store": self.process - self.loop - self.writer,
            "fetch and the rest": self.loop - in_loop,
        }
        return ", ".join(f"{name} {seconds / polls * 1000:.2f}" for name, seconds in parts.items())
