"""How many 600-word articles a second are matched against 100 to 100,000 rules, beside the peers in the same run.

`python -m benchmarks.matching [--rules 100 1000 10000] [--peers] [--no-prefixes]`

Rules: 60% AND and OR of words, 20% phrases, 10% NEAR, 8% prefixes, 2% fields; about 0.05% of the pairs of rule and
document match. Everything is counted from the article's text on: folding, finding the words, judging. One process, one
thread. A peer finds its rules' words only (its figure has no AND, NOT, NEAR or field in it), folding counted; it is
skipped where its wheel is not installed (`pip install watcher[bench]`).

Articles are those of ../shared/corpora where they are, else made of invented words with news' frequencies.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.paths import CORPORA
from watcher.query import Document, RuleSet, parse
from watcher.text.fold import words

SEED = 20
WORDS = 600
ARTICLES = 2_000
BAND = (0.004, 0.04)  # the share of documents that hold a common word of a rule; rare ones are in fewer


def articles() -> list[Document]:
    """Documents of some 600 words each."""
    path = CORPORA / "newstext" / "articles_1000.jsonl"
    if not path.exists():
        return list(invented())
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    text = " ".join(row["text"] for row in rows).split()
    titles = [row["title"] for row in rows]
    pieces = [" ".join(text[at : at + WORDS]) for at in range(0, len(text) - WORDS, WORDS)][:ARTICLES]
    return [Document(title=titles[n % len(titles)], body=piece) for n, piece in enumerate(pieces)]


def invented() -> Iterator[Document]:
    rng = random.Random(SEED)
    letters = "etaoinshrdlucmfwypvbgk"
    lexicon = ["".join(rng.choices(letters, k=rng.randint(2, 11))) for _ in range(40_000)]
    weights = [1 / (rank + 3) for rank in range(len(lexicon))]
    for _ in range(ARTICLES):
        yield Document(
            title=" ".join(rng.choices(lexicon, weights, k=9)), body=" ".join(rng.choices(lexicon, weights, k=WORDS))
        )


def rules(documents: list[Document], count: int, prefixes: bool) -> list[str]:
    """Queries of the mix: rare words, as names are, common ones beside them, phrases of words that are not frequent."""
    rng = random.Random(SEED)
    frequency: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    for document in documents:
        found = words(document.body)
        frequency.update(set(found))
        pairs.update(pairwise(found))
    low, high = (share * len(documents) for share in BAND)
    usable = sorted(word for word, seen in frequency.items() if word.isascii() and word.isalpha() and len(word) > 2)
    rare = [word for word in usable if frequency[word] < low]
    common = [word for word in usable if low <= frequency[word] <= high]
    known = {*rare, *common}
    phrases = sorted(pair for pair in pairs if known.issuperset(pair))
    return [rule(rng, rare, common, phrases, prefixes) for _ in range(count)]


def rule(rng: random.Random, rare: list[str], common: list[str], phrases: list[tuple[str, str]], prefixes: bool) -> str:
    a, b, c = rng.sample(rare, 3)
    x, y, z = rng.sample(common, 3)
    kind = rng.random()
    if kind < 0.6:
        forms = [f"{a} OR {b} OR {c}", f"{a} AND {x}", f"({a} OR {x}) AND ({y} OR {z})", f"({x} AND {y}) NOT {z}"]
        return rng.choice(forms)
    if kind < 0.8:
        return rng.choice(['"{} {}"', '"{} {}" AND {}']).format(*rng.choice(phrases), x)
    if kind < 0.9:
        return f"{x} NEAR/5 ({y} OR {a})"
    if kind < 0.98:
        return f"{a[:6]}* AND {x}" if prefixes and len(a) > 6 else f"{a} AND {x}"
    return f"title:{x} AND {y}"


def memory() -> float:
    """MB that this process holds now."""
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def speed(match: Callable[[Document], object], documents: list[Document], seconds: float = 6.0) -> float:
    """Documents a second: every document once to warm up, then in rounds."""
    warm = time.perf_counter()
    for number, document in enumerate(documents):
        match(document)
        if time.perf_counter() - warm > seconds:
            documents = documents[: number + 1]
            break
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds / 2:
        for document in documents[:200]:
            match(document)
        done += len(documents[:200])
        documents = documents[200:] + documents[:200]
    return done / spent


def ours(queries: list[str], documents: list[Document]) -> None:
    gc.collect()
    before, start = memory(), time.perf_counter()
    parsed = {f"rule{n}": parse(query) for n, query in enumerate(queries)}
    parsing = time.perf_counter() - start
    ruleset = RuleSet(parsed)
    building = time.perf_counter() - start
    size = memory() - before
    hits = sum(len(ruleset.names(document)) for document in documents[:200])
    share = hits / (len(queries) * min(200, len(documents)))
    rate = speed(ruleset.names, documents)
    print(
        f"  watcher          {rate:9,.0f} docs/s   built in {building:5.2f} s (parsing {parsing:.2f}), {size:4.0f} MB,"
        f" {share:.3%} of pairs match"
    )


# --- peers ----------------------------------------------------------------------------------------------------------


def parts(queries: list[str]) -> list[str]:
    """The words and phrases that the rules name: what a peer looks for."""
    found = {part for query in queries for part in re.findall(r'"[^"]+"|[^\s():"]+', query) if not part.isupper()}
    return sorted(part.strip('"').rstrip("*") for part in found if not re.match(r"NEAR/|title", part))


def naive(queries: list[str]) -> Callable[[Document], object]:
    patterns = [re.compile(rf"\b{re.escape(part)}\b", re.IGNORECASE) for part in parts(queries)]
    return lambda document: [n for n, pattern in enumerate(patterns) if pattern.search(document.body)]


def re2_set(queries: list[str]) -> Callable[[Document], object]:
    import re2  # noqa: PLC0415 - a peer

    options = re2.Options()
    options.max_mem = 2 << 30
    found = re2.Set.SearchSet(options)
    for part in parts(queries):
        found.Add(rf"\b{re.escape(part)}\b")
    found.Compile()
    return lambda document: found.Match(document.body.casefold())


def ahocorasick(queries: list[str]) -> Callable[[Document], object]:
    import ahocorasick_rs  # noqa: PLC0415 - a peer

    automaton = ahocorasick_rs.AhoCorasick(parts(queries))
    return lambda document: set(automaton.find_matches_as_indexes(document.body.casefold(), overlapping=True))


def hyperscan(queries: list[str]) -> Callable[[Document], object]:
    import hyperscan as hs  # noqa: PLC0415 - a peer

    wanted = [rf"\b{re.escape(part)}\b".encode() for part in parts(queries)]
    database = hs.Database()
    database.compile(expressions=wanted, flags=[hs.HS_FLAG_CASELESS | hs.HS_FLAG_SINGLEMATCH] * len(wanted))
    scratch: set[int] = set()
    return lambda document: database.scan(document.body.encode(), match_event_handler=lambda n, *_: scratch.add(n))


PEERS = {
    "naive re": (naive, "re", 1_000),
    "google-re2 set": (re2_set, "re2", 10_000),
    "ahocorasick-rs": (ahocorasick, "ahocorasick_rs", 100_000),
    "hyperscan": (hyperscan, "hyperscan", 1_000),
}


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rules", type=int, nargs="*", default=[100, 1_000, 10_000, 100_000])
    options.add_argument("--peers", action="store_true", help="run the peers too")
    options.add_argument("--no-prefixes", action="store_true")
    chosen = options.parse_args()
    documents = articles()
    print(f"{len(documents)} articles of {WORDS} words")
    for count in chosen.rules:
        queries = rules(documents, count, not chosen.no_prefixes)
        print(f"{count:,} rules:")
        ours(queries, documents)
        for name, (build, module, most) in PEERS.items() if chosen.peers else ():
            if count > most:
                print(f"  {name:16} left out over {most:,} rules: it would take minutes")
                continue
            if importlib.util.find_spec(module) is None:
                print(f"  {name:16} not installed: pip install watcher[bench]")
                continue
            gc.collect()
            before, start = memory(), time.perf_counter()
            match = build(queries)
            built, size = time.perf_counter() - start, memory() - before
            print(f"  {name:16} {speed(match, documents, 3.0):9,.0f} docs/s   built in {built:5.2f} s, {size:4.0f} MB")


if __name__ == "__main__":
    main()
