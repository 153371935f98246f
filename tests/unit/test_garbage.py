"""Memory that matching uses again and again is not given back in between."""

import platform
import subprocess
import sys

import pytest

MATCH = """
import resource
from watcher.query import Document, RuleSet, parse
ruleset = RuleSet({word: parse(f"{word}* AND Mali") for word in ("aban", "aband", "abando", "abandon")})
documents = [Document(body="a coup is no news " * 120)] * 16
for _ in range(5):
    list(ruleset.names_all(documents))
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    list(ruleset.names_all(documents))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do as they like")
def test_a_batch_asks_the_system_for_no_memory_that_it_had_before() -> None:
    """In a process of its own, which has freed no large block before. Pages that were given back are faults."""
    done = subprocess.run([sys.executable, "-c", MATCH], check=True, capture_output=True, text=True, timeout=60)
    assert int(done.stdout) < 50 * 10
