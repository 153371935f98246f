"""The watch list that the demo writes for the daemon."""

from __future__ import annotations

from collections.abc import Iterable

from watcher.demo.content import RULES, Outlet

EVERY = 1  # seconds between polls
GROUP_WAIT = 8  # seconds in which copies are gathered: long enough for a slow machine


def watch_list(feeds: Iterable[tuple[Outlet, str]]) -> str:
    """The configuration as YAML, for `feeds`: each outlet with its feed's address."""
    sources = "\n".join(
        f"  {outlet.domain.split('.')[0]}: {{feed: '{address}', every: {EVERY}s, outlet: {outlet.domain}}}"
        for outlet, address in feeds
    )
    rules = "\n".join(f"  {name}: {{query: '{query}', notify: [screen]}}" for name, query in RULES.items())
    return f"""\
settings:
  store: sqlite:///watcher.db
  # The sites are all on this machine; for real ones keep the defaults.
  fetch: {{host_gap: 0s, per_host: 4}}

channels:
  screen: {{url: "console://", group_wait: {GROUP_WAIT}s}}

# On loopback there are no domains, so that each source says whose it is.
sources:
{sources}

rules:
{rules}
"""
