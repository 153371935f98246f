"""Others that read the same feeds of the same world in the same run as benchmarks/polling.py: CPU milliseconds a poll.

`reader` and `urlwatch` come with the extra `bench`. `changedetection.io` wants versions of its own of what we use, and
is looked for in a virtual environment of its own, by the name in CHANGEDETECTION or where this puts it:

    python3 -m venv .venv-changedetection && .venv-changedetection/bin/pip install changedetection.io

It is run in its batch mode, without a browser, on the first 40 feeds: a run takes half a minute of waiting. What
starting costs is measured by a run over one feed and taken off, of urlwatch's rounds too. All see plain feeds only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks import world

READER = """
import sys, time, urllib.request
from reader import make_reader
port, entries, feeds = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
reader = make_reader("reader.db", feed_root=None)
for feed in feeds:
    reader.add_feed(feed)
def update(name, chosen, expected):
    used = time.process_time()
    results = [reader.update_feed(feed) for feed in chosen]
    used = time.process_time() - used
    new = sum(result.new for result in results if result)
    assert new == expected, (name, new, expected)  # it really polled, and found what is new
    print(f"  reader              {name:12} {len(chosen):5} polls {used / len(chosen) * 1000:8.2f}; {new} new entries")
update("first sight", feeds, entries)
update("unchanged", feeds, 0)
at = int(urllib.request.urlopen(f"http://127.0.0.1:{port}/change").read())
changed = [feed for feed in feeds if int(feed.split("/")[3]) % 20 == at % 20]
update("changed", changed, 5 * len(changed))
"""

URLWATCH = Path(sys.executable).with_name("urlwatch")
CHANGEDETECTION = Path(os.environ.get("CHANGEDETECTION", ".venv-changedetection/bin/changedetection.io"))


def used(folder: Path, command: Sequence[str | Path]) -> float:
    """CPU seconds of a command and what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = {"ALLOW_IANA_RESTRICTED_ADDRESSES": "true", "DISABLE_VERSION_CHECK": "true", "LISTEN_HOST": "127.0.0.1"}
    subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def requests(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log") as answer:
        return sum(len(times) for times in json.load(answer).values())


def told(name: str, round_: str, port: int, polls: int, before: int, seconds: float, start: float) -> None:
    assert requests(port) - before >= polls, f"{name} did not ask for every feed"
    print(
        f"  {name:19} {round_:12} {polls:5} polls {(seconds - start) / polls * 1000:8.2f}; start {start:.2f} s",
        flush=True,
    )


def urlwatch(folder: Path, port: int, feeds: Sequence[str]) -> None:
    (folder / "urlwatch.yaml").write_text("report: {stdout: {enabled: false}}\n")

    def command(chosen: Sequence[str], cache: str) -> list[str | Path]:
        (folder / "urls.yaml").write_text("---\n".join(f"url: {url}\n" for url in chosen))
        return [URLWATCH, "--urls", "urls.yaml", "--config", "urlwatch.yaml", "--cache", cache]

    start = min(used(folder, command(feeds[:1], "one.db")) for _ in range(2))
    for round_ in ("first sight", "unchanged", "changed"):
        chosen = feeds if round_ != "changed" else changed(port, feeds)
        before = requests(port)
        told("urlwatch", round_, port, len(chosen), before, used(folder, command(chosen, "cache.db")), start)


def changedetection(folder: Path, port: int, feeds: Sequence[str]) -> None:
    program = CHANGEDETECTION.absolute()

    def command(store: str, *arguments: str) -> list[str | Path]:
        return [program, "-C", "-d", folder / store, "-b", "-l", "CRITICAL", "-p", "15993", *arguments]

    used(folder, command("one", "-u", feeds[0]))
    start = used(folder, command("one", "-r", "all"))
    for round_ in ("first sight", "unchanged", "changed"):
        if round_ == "changed":
            changed(port, feeds)  # of those that are rechecked, one of 20
        before = requests(port)
        adding = [part for feed in feeds for part in ("-u", feed)] if round_ == "first sight" else ["-r", "all"]
        told("changedetection.io", round_, port, len(feeds), before, used(folder, command("all", *adding)), start)


def changed(port: int, feeds: Sequence[str]) -> list[str]:
    """Begin the next round: those of `feeds` that changed."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/change") as answer:
        at = int(answer.read())
    return [feed for feed in feeds if world.changes(int(feed.split("/")[3]), at)]


def read(folder: Path, port: int, numbers: Sequence[int]) -> None:
    """Have all of them read these feeds, and print what a poll costs each."""
    feeds = [world.url(number, port) for number in numbers]
    entries = sum(map(world.entries, numbers))
    print(f"\nothers, the first {len(feeds)} plain feeds of the same world; ms of CPU a poll:", flush=True)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READER, str(port), str(entries), *feeds], cwd=folder, check=False
    )
    urlwatch(folder, port, feeds)
    if CHANGEDETECTION.exists():
        changedetection(folder, port, feeds[:40])
    else:
        print("  changedetection.io is not installed: see benchmarks/peers.py")
