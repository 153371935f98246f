"""How much of an article is found, and of what is around it: F1 over real pages, with the time that it takes.

Run `python -m benchmarks.extraction [FOLDER]`; FOLDER holds ID.html.gz files and ground-truth.json. The measure is that
of scrapinghub/article-extraction-benchmark: word 4-grams, precision and recall over all pages, each page weighing as
much as any other.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

from tests.paths import CORPORA
from watcher.extract import extract

FLOOR = 0.955


def grams(text: str, size: int = 4) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[n : n + size]) for n in range(max(len(words) - size + 1, 1)))


def shares(found: str, true: str) -> tuple[float, float, float]:
    """What is right, what is too much and what is missing, as shares of the page's 4-grams."""
    ours, theirs = grams(found), grams(true)
    right, extra, missing = (sum(part.values()) for part in (ours & theirs, ours - theirs, theirs - ours))
    total = right + extra + missing
    return (right / total, extra / total, missing / total) if total else (0.0, 0.0, 0.0)


def measure(folder: Path) -> dict[str, float]:
    truth = json.loads((folder / "ground-truth.json").read_text())
    pages = {name: gzip.decompress((folder / f"{name}.html.gz").read_bytes()) for name in truth}
    extract(next(iter(pages.values())), "https://example.org/")  # imports
    right = extra = missing = 0.0
    times = []
    for name, page in pages.items():
        started = time.perf_counter()
        article = extract(page, truth[name]["url"])
        times.append(time.perf_counter() - started)
        each = shares(article.text, truth[name]["articleBody"])
        right, extra, missing = right + each[0], extra + each[1], missing + each[2]
    times.sort()
    precision, recall = right / (right + extra), right / (right + missing)
    return {
        "pages": len(pages),
        "f1": 2 * precision * recall / (precision + recall),
        "precision": precision,
        "recall": recall,
        "median_ms": times[len(times) // 2] * 1000,
        "p95_ms": times[int(len(times) * 0.95)] * 1000,
    }


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPORA / "pages"
    result = measure(folder)
    print("  ".join(f"{name} {value:.4g}" for name, value in result.items()))
    return 0 if result["f1"] >= FLOOR else 1


if __name__ == "__main__":
    raise SystemExit(main())
