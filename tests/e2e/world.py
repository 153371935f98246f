"""The world that an end-to-end test watches: news sites, the services alerts go to, and the real `watcher` process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes import SLACK_URL, Fakes, telegram_url
from watcher.demo.content import OUTLETS, Outlet, Piece
from watcher.demo.site import Site, in_thread

MAILBOX = "desk@news.example"
CHAT = "-1001234567890"
RULE = "Russia AND (Mali OR Niger OR Burkina Faso)"

CONFIG = """\
settings:
  store: {store}
  fetch: {{host_gap: 0s, per_host: 4}}
channels:
  mail: {{url: "{mail}", group_wait: 1s}}
  slack: {{url: "{slack}", group_wait: 1s}}
  telegram: {{url: "{telegram}", group_wait: 1s}}
sources:
{sources}
rules:
  sahel:
    query: {rule}
    notify: [mail, slack, telegram]
"""


def name(outlet: Outlet) -> str:
    """What the configuration calls an outlet's feed."""
    return outlet.domain.partition(".")[0]


class World:
    """Sites, fakes and a configuration in a directory; starts `watcher` as users do."""

    def __init__(self, directory: Path, fakes: Fakes, site: Site, store: str) -> None:
        self.directory, self.fakes, self.site = directory, fakes, site
        self.config, self.store = directory / "watcher.yaml", store
        self.write(store=store)

    def write(self, store: str, rule: str = RULE) -> None:
        """Write the configuration."""
        sources = "\n".join(
            f"  {name(outlet)}: {{feed: '{self.site.address(outlet)}', every: 1s, outlet: {outlet.domain}}}"
            for outlet in OUTLETS
        )
        self.config.write_text(
            CONFIG.format(
                store=store,
                mail=self.fakes.mail_url(MAILBOX),
                slack=SLACK_URL,
                telegram=telegram_url(CHAT),
                sources=sources,
                rule=rule,
            )
        )

    def publish(self, outlet: Outlet, piece: Piece) -> None:
        self.site.publish(outlet, piece)

    def environment(self, **more: str) -> dict[str, str]:
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {**keep, **self.fakes.environment(), "TZ": "UTC", **more}

    def start(self, *arguments: str, errors: Any = subprocess.PIPE, **environment: str) -> subprocess.Popen[str]:
        """Start a `watcher` command."""
        return subprocess.Popen(
            [sys.executable, "-m", "watcher", *arguments, "--config", str(self.config)],
            cwd=self.directory,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

    def once(self, **environment: str) -> dict[str, int]:
        """`watcher once --json`, every source being due: what it counted."""
        time.sleep(1.2)  # every: 1s, with a jitter of a tenth
        process = self.start("once", "--json", **environment)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 1), err
        counts: dict[str, int] = json.loads(out)
        return counts

    def ask(self, *arguments: str) -> Any:
        """A command that reads, with --json."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=60)
        assert out, err
        return json.loads(out)

    @contextmanager
    def daemon(self, log: Path | None = None, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """`watcher run` until the block ends, its log in a file; it must then stop by itself at SIGTERM."""
        log = log or self.directory / "daemon.log"
        with log.open("w") as file:
            process = self.start("run", errors=file, **environment)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            assert process.returncode == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def told(self) -> tuple[int, int, int]:
        """How many messages are in the mailbox, the Slack channel and the Telegram chat."""
        return len(self.fakes.mail.messages), len(self.fakes.slack.messages), len(self.fakes.telegram.messages)

    def until(self, done: Callable[[], bool], seconds: float = 40.0) -> None:
        """Wait until `done`, and fail where that does not come."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"not within {seconds} s; told {self.told()}"
            time.sleep(0.1)


@contextmanager
def world(directory: Path, store: str) -> Iterator[World]:
    """A world whose sites and services run until the block ends."""
    with Fakes(directory) as fakes, in_thread(Site()) as site:
        yield World(directory, fakes, site, store)
