"""`watcher demo` as a newcomer runs it: a process that ends by itself, and is right."""

import subprocess
import sys

from tests.paths import ROOT


def test_the_demo_ends_within_a_minute_and_is_as_expected() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "watcher", "demo", "--seed", "7"],
        capture_output=True,
        text=True,
        check=False,
        timeout=70,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Seed: 7" in done.stdout
    assert "As expected" in done.stdout
    assert "also in 2 other outlets" in done.stdout
