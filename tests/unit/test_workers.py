import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.paths import ROOT
from watcher.errors import ParseError, WorkerError
from watcher.sources.feed import PARSE
from watcher.workers import Workers

# The jobs, which the workers import from this file.
ME = "jobs_of_test_workers"
JOBS = """
import os, signal, sys, time
from watcher.errors import ParseError

def add(a, b): return a + b
def echo(value): return value
def pid(): return os.getpid()
def spin():
    while True: pass
def nap(seconds): time.sleep(seconds); return os.getpid()
def exhaust(): return len(bytearray(10**10))
def leak():
    sys.kept = b"x" * 150_000_000
    return os.getpid()
def tangle():
    knot = [b"x" * 150_000_000]
    knot.append(knot)
    return os.getpid()
def modules(): return sorted(sys.modules)
def leave(): os._exit(3)
def crash(): os.kill(os.getpid(), signal.SIGSEGV)
def refuse(): raise ParseError("this is no feed")
def fail(): raise ValueError("an odd value")
def dig(n): return dig(n + 1)
def environment(): return dict(os.environ)
def shout(): print("to standard output"); return "quiet"
def instance(): return ParseError("not plain")
def poke(): os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGINT); return "alive"
"""


@pytest.fixture(autouse=True)
def jobs(tmp_path, monkeypatch) -> None:
    (tmp_path / f"{ME}.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
async def workers():
    async with Workers(count=2) as found:
        yield found


async def run(workers: Workers, name: str, *args, deadline: float = 20.0):
    return await workers.run(f"{ME}:{name}", *args, deadline=deadline)


def alive(pid: int) -> bool:
    """Whether the process is there, a zombie included."""
    return Path(f"/proc/{pid}").exists()


async def test_gives_the_result(workers) -> None:
    assert await run(workers, "add", 2, 3) == 5
    value = {"text": "я" * 100_000, "bytes": bytes(range(256)) * 10_000, "list": [1, 2.5, None, (True,)]}
    assert await run(workers, "echo", value) == value


async def test_a_worker_serves_again_and_again(workers) -> None:
    assert len({await run(workers, "pid") for _ in range(5)}) == 1


async def test_as_many_at_once_as_there_are(workers) -> None:
    pids = await asyncio.gather(*(run(workers, "nap", 0.05) for _ in range(6)))
    assert len(set(pids)) == 2


async def test_the_deadline_kills_and_the_next_job_finds_a_new_worker(workers) -> None:
    before = await run(workers, "pid")
    started = time.monotonic()
    with pytest.raises(WorkerError, match=r"longer than 0\.3 s"):
        await run(workers, "spin", deadline=0.3)
    assert time.monotonic() - started < 15  # it would spin for ever
    assert not alive(before)
    assert await run(workers, "pid") != before


async def test_memory_is_limited(workers) -> None:
    with pytest.raises(WorkerError, match="more than 536 MB"):
        await run(workers, "exhaust")
    assert await run(workers, "add", 1, 1) == 2


async def test_a_worker_that_keeps_much_memory_is_replaced() -> None:
    async with Workers(count=1, memory=300_000_000) as workers:
        before = await run(workers, "leak")
        assert not alive(before)
        assert await run(workers, "pid") != before


async def test_what_a_job_leaves_in_cycles_is_collected(workers) -> None:
    before = await run(workers, "tangle")
    assert await run(workers, "pid") == before


async def test_a_worker_without_a_job_ends_and_the_next_job_finds_a_new_one(workers, monkeypatch) -> None:
    monkeypatch.setattr("watcher.workers.IDLE", 0.05)
    before = await run(workers, "pid")
    assert await run(workers, "nap", 0.2) == before  # one that has a job does not
    async with asyncio.timeout(20):
        while alive(before):
            await asyncio.sleep(0.01)
    assert await run(workers, "pid") != before


async def test_a_worker_that_parses_feeds_loads_little(workers) -> None:
    feed = b"<rss version='2.0'><channel><title>T</title><item><title>One</title></item></channel></rss>"
    parsed = await workers.run(PARSE, feed, "", "https://example.org/feed", "s", 1.7e9, deadline=20.0)
    assert len(parsed["items"]) == 1
    loaded = set(await run(workers, "modules"))
    assert "feedparser" in loaded
    assert not loaded & {"asyncio", "aiohttp", "lxml", "numpy", "pydantic", "sqlalchemy", "trafilatura", "yaml"}


async def test_one_that_exits_or_crashes_is_named_and_replaced(workers) -> None:
    with pytest.raises(WorkerError, match="exited with status 3"):
        await run(workers, "leave")
    with pytest.raises(WorkerError, match="SIGSEGV"):
        await run(workers, "crash")
    assert await run(workers, "add", 1, 1) == 2


async def test_what_the_function_raises(workers) -> None:
    with pytest.raises(ParseError, match="this is no feed") as caught:
        await run(workers, "refuse")
    assert not isinstance(caught.value, WorkerError)
    with pytest.raises(WorkerError, match="ValueError: an odd value"):
        await run(workers, "fail")
    with pytest.raises(WorkerError, match="nested too deeply"):
        await run(workers, "dig", 0)
    with pytest.raises(WorkerError, match="no_such_module"):
        await workers.run("no_such_module:f", deadline=5)


async def test_only_plain_values_come_back(workers) -> None:
    with pytest.raises(WorkerError, match=r"no plain value: watcher\.errors\.ParseError"):
        await run(workers, "instance")


async def test_standard_output_stays_clean(workers, capfd) -> None:
    assert await run(workers, "shout") == "quiet"
    assert capfd.readouterr().out == ""


async def test_a_worker_knows_none_of_our_secrets(workers, monkeypatch) -> None:
    monkeypatch.setenv("SLACK_URL", "slack://secret")
    seen = await run(workers, "environment")
    assert "PATH" in seen
    assert "SLACK_URL" not in seen


async def test_the_daemons_signals_do_not_end_a_worker(workers) -> None:
    assert await run(workers, "poke") == "alive"


async def test_a_cancelled_job_is_stopped(workers) -> None:
    before = await run(workers, "pid")
    job = asyncio.create_task(run(workers, "spin"))
    await asyncio.sleep(0.05)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert not alive(before)


async def test_the_event_loop_goes_on_meanwhile(workers) -> None:
    await run(workers, "pid")
    job = asyncio.create_task(run(workers, "spin", deadline=0.5))
    turns = 0
    while not job.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert isinstance(job.exception(), WorkerError)
    assert turns > 5  # a job on the event loop would have let none pass


async def test_nothing_is_left_behind() -> None:
    async with Workers(count=2) as workers:
        pids = set(await asyncio.gather(run(workers, "nap", 0.05), run(workers, "nap", 0.05)))
        job = asyncio.create_task(run(workers, "spin"))
        await asyncio.sleep(0.05)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(WorkerError):
        await job


async def test_a_worker_ends_with_its_parent(tmp_path) -> None:
    script = (
        "import asyncio, os, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from watcher.workers import Workers\n"
        "async def main():\n"
        "    workers = Workers(1)\n"
        f"    print(await workers.run('{ME}:pid', deadline=20), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    out, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    pid = int(out)
    async with asyncio.timeout(10):
        while alive(pid) and " Z" not in Path(f"/proc/{pid}/stat").read_text():
            await asyncio.sleep(0.01)


def test_no_descriptor_leaks() -> None:
    async def main() -> None:
        async with Workers(1) as workers:
            for _ in range(3):
                with pytest.raises(WorkerError):
                    await run(workers, "leave")

    before = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(main())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_where_no_process_can_be_started_it_is_said(workers, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(WorkerError, match="no worker process can be started: No such file"):
        await run(workers, "pid")
