"""The configuration over time: read at start, again on SIGHUP and when a file changes; all or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from watcher import log
from watcher.clock import Clock
from watcher.config import Config, configuration_files, load, load_settings, restore
from watcher.daemon.start import open_store, worker_name
from watcher.errors import ConfigError, StoreError

logger = log.get("config")

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where the configuration comes from: a file or directory, a directory of secrets, and the environment."""

    path: Path
    secrets: Path | None = None

    def load(self, before: Config | None = None) -> Config:
        """Read and check it whole; rules that stand in `before` are not compiled again. Raises ConfigError with all."""
        return load(self.path, secrets_dir=self.secrets, before=before)

    def signature(self) -> Signature:
        """Changes when a file of the configuration does: names, times of change and sizes."""
        found = []
        try:
            files = configuration_files(self.path)
        except ConfigError:  # replaced at this moment, or gone: the next look sees it again
            return ()
        for file in files:
            try:
                stat = file.stat()
            except OSError:  # replaced at this moment: the next look sees the new one
                continue
            found.append((str(file), stat.st_mtime_ns, stat.st_size))
        return tuple(found)


async def load_or_last_good(source: ConfigSource, clock: Clock, *, strict: bool) -> Config:
    """The configuration at start; where it is broken, the last good one that the store remembers, loudly.

    Raises ConfigError where `strict`, or where there is no last good one.
    """
    try:
        return await asyncio.to_thread(source.load)
    except ConfigError as error:
        if strict:
            raise
        broken = error
    try:
        settings = load_settings(source.path, secrets_dir=source.secrets)
        async with await open_store(settings.store, clock, worker_name()) as store, store.read() as tx:
            saved = await tx.configs.last_good()
    except (ConfigError, StoreError):
        raise broken from None
    if saved is None:
        raise broken
    files, saved_at = saved
    config = restore(files, source.path, secrets_dir=source.secrets)
    age = round(clock.now() - saved_at)
    logger.error("the configuration is broken; running the last good one", saved_seconds_ago=age)
    _say(broken)
    for name in config.withheld:
        logger.error("not usable until the configuration is mended: its secret is not kept in the store", name=name)
    return config


def _say(broken: ConfigError) -> None:
    """A line for each error; warnings are for `watcher check`."""
    for problem in broken.problems:
        if problem.level == "error":
            place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
            logger.error(problem.message, at=place, hint=problem.hint)


@dataclass(slots=True)
class Reloader:
    """Notices changed files and SIGHUP, and loads the configuration anew; an invalid one changes nothing."""

    source: ConfigSource
    clock: Clock
    every: float = 2.0  # seconds between looks at the files
    seen: Signature | None = None  # what was read last
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Reload now (SIGHUP); many at once are one."""
        self._asked.set()

    async def next(self, before: Config) -> Config:
        """Wait until the configuration, which was `before`, changed and is valid, and return it.

        Invalid ones are logged and passed over.
        """
        while True:
            self.seen = await self._changed(self.seen)
            try:
                return await asyncio.to_thread(self.source.load, before)
            except ConfigError as error:
                logger.error("the new configuration is broken; the old one stays in force")
                _say(error)

    async def _changed(self, seen: Signature | None) -> Signature:
        """Return when asked to, or when the files differ from `seen` and have not moved for one look."""
        last = seen
        while True:
            try:
                async with asyncio.timeout(self.every):
                    await self._asked.wait()
            except TimeoutError:
                now = self.source.signature()
                if now != seen and now == last:  # a file half written is not read
                    return now
                last = now
            else:
                self._asked.clear()
                return self.source.signature()
