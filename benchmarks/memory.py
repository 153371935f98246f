"""What a process and its workers take, looked at from outside twice a second, so that looking costs them nothing.

`python -m benchmarks.memory PID` looks until its input ends, then prints what it found, in MB. RSS counts what two
processes share twice, PSS shares it out: its sum is what the machine gives. The workers are the children of PID that
run watcher/worker.py.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

EVERY = 0.5  # seconds
MB = 1024 * 1024


@contextmanager
def watching() -> Iterator[dict[str, Any]]:
    """Watch this process. At the end holds `most`, the PSS of it and of its workers when their sum was the most;
    `rss`, its peak; and `worker_rss`, the most that a worker had.
    """
    found: dict[str, Any] = {}
    command = [sys.executable, "-m", "benchmarks.memory", str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
        assert watcher.stdin and watcher.stdout
        try:
            yield found
        finally:
            watcher.stdin.close()
            found.update(json.loads(watcher.stdout.read()))


def told(found: dict[str, Any]) -> str:
    """What was found, in words."""
    here, *workers = found["most"]
    return (
        f"{here + sum(workers):.0f} MB at most: {here:.0f} here + {sum(workers):.0f} in {len(workers)} workers (PSS); "
        f"RSS at most {found['rss']:.0f} here, {found['worker_rss']:.0f} in a worker"
    )


def megabytes(pid: int, file: str, name: str) -> float:
    """A line of one of the kernel's files about a process, in MB."""
    return int(Path(f"/proc/{pid}/{file}").read_text().partition(f"{name}:")[2].split()[0]) * 1024 / MB


def workers_of(pid: int) -> list[int]:
    """The children of a process that run watcher/worker.py."""
    children: list[str] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it is gone
            children += (task / "children").read_text().split()
    return [int(child) for child in children if b"watcher.worker" in _command(child)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def look(pid: int, found: dict[str, Any]) -> None:
    workers = workers_of(pid)
    now = [megabytes(pid, "smaps_rollup", "Pss")]
    for worker in workers:
        with suppress(OSError, IndexError):  # it is gone
            now.append(megabytes(worker, "smaps_rollup", "Pss"))
            found["worker_rss"] = max(found["worker_rss"], megabytes(worker, "status", "VmHWM"))
    found["rss"] = megabytes(pid, "status", "VmHWM")
    if sum(now) > sum(found["most"]):
        found["most"] = now


def main() -> None:
    pid = int(sys.argv[1])
    found: dict[str, Any] = {"most": [0.0], "rss": 0.0, "worker_rss": 0.0}
    while True:
        look(pid, found)
        if select.select([sys.stdin], [], [], EVERY)[0]:
            break
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
