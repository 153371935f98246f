"""kill -9 in the middle of writes: what was acknowledged is there, and nothing half."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clock import FakeClock
from tests.paths import ROOT
from watcher.store import open_store


@pytest.mark.parametrize("acknowledged", [1, 40, 200])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_nothing_acknowledged_is_lost(
    engine: str, acknowledged: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/watcher.db" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    command = [sys.executable, str(Path(__file__).with_name("store_writer.py")), url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    seen = [process.stdout.readline().strip() for _ in range(acknowledged)]
    process.send_signal(signal.SIGKILL)
    seen += process.stdout.read().split()[:-1]  # the last line may be cut
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    assert len(set(seen)) >= acknowledged

    async with (
        await open_store(url, FakeClock(), "after", exclusive=True, measure_skew=False) as store,
        store.read() as tx,
    ):
        kept = {one.item.id for one in await tx.items.list(1_000_000)}
        alerts = {one.id for one in await tx.alerts.list(1_000_000)}
    assert set(seen) <= kept
    assert alerts == kept  # each transaction wrote both, or neither
