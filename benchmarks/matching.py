"""How many 600-word articles a second are matched against 100 to 100,000 rules, beside the peers in the same run.

`python -m benchmarks.matching [--rules 100 1000 10000 100000] [--peers [NAME …]] [--no-prefixes] [--steps]`

Rules: 60% AND and OR of words, 20% phrases, 10% NEAR, 8% prefixes, 2% fields. A rule is written by one who reads the
news: each word is a word of an article drawn at random, so that words come by the number of articles that hold them; a
phrase is two words that stand side by side there, the words of a NEAR stand within five of each other there. Words that
more than CEILING of the articles hold are left out, as nobody watches for them alone: this one number is set so that
0.05% (± 0.01) of the pairs of rule and article match. A rule that is OR of words and nothing else is not among them,
since it would match a hundred times as often.

Everything is counted from the article's text on: folding, finding the words, judging. "watcher" has the articles as a
poll has its new items, TOGETHER of them at once; "one by one" is the same rules over each article by itself, as one
that was fetched is judged. A peer has each by itself, too: what a call costs it is little beside the text, and nothing
is gained where they are joined. Each row in a process of its own, one thread ("one by one" after "watcher", in its
process); seconds are of CPU. Half of the articles are read first, and the rules filed anew by what they hold; the other
half is timed ("new": none was seen before, as in service); "again" is over articles whose every word is known. Building
counts from the queries' texts on; reading YAML is no part of it.

A peer finds the rules' words, prefixes and phrases as whole words, without case: no AND, NOT, NEAR or field is in its
figure, nor possessives, accents, or which rule matched. "its rules" is ahocorasick-rs made to say which rules match
(`benchmarks/judged.py`), which is what our own figure has in it. Whole words cost: hyperscan and RE2 with word
boundaries in their patterns, Aho-Corasick over text whose words have one space between. It is skipped where its wheel
is not installed (`pip install watcher[bench]`).

Articles are those of ../shared/corpora where they are, else made of invented words with news' frequencies.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import multiprocessing
import random
import re
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeVar

from tests.paths import CORPORA
from watcher.garbage import settle, uncollected
from watcher.query import Document, RuleSet, parse
from watcher.query.presearch import FILING
from watcher.text.fold import words

T = TypeVar("T")

SEED = 20
WORDS = 600
FEW = 150  # words of a short text, as feeds give them
TOGETHER = 16  # articles
ARTICLES = 2_000
CEILING = 0.028  # the largest share of articles that hold a word or phrase of a rule: sets how many pairs match
ROUNDS = 15  # of one article, where steps are measured
FUNCTION = 0.6  # a word that more of the articles hold is in no phrase


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


class Vocabulary:
    """What rules are made of: each draw is what an article drawn at random holds, so by document frequency."""

    def __init__(self, documents: list[Document], rng: random.Random) -> None:
        self.rng = rng
        self.texts = [words(document.body) for document in documents]
        held = Counter(word for text in self.texts for word in set(text))
        paired = Counter(pair for text in self.texts for pair in set(pairwise(text)))
        usual = {word for word, seen in held.items() if seen > FUNCTION * len(documents)}
        most = CEILING * len(documents)
        self.words = {word for word, seen in held.items() if seen <= most and word.isascii() and word.isalpha()}
        self.words -= {word for word in self.words if len(word) < 3}
        self.pairs = {
            pair
            for pair, seen in paired.items()
            if seen <= most and all(word.isascii() and word.isalpha() and word not in usual for word in pair)
        }

    def word(self, least: int = 3) -> str:
        """A word of a random article."""
        while True:
            word = self.rng.choice(self.rng.choice(self.texts))
            if word in self.words and len(word) >= least:
                return word

    def close(self) -> tuple[str, str]:
        """Two words of a random article with at most five between them."""
        while True:
            text = self.rng.choice(self.texts)
            at, gap = self.rng.randrange(len(text) - 7), self.rng.randint(1, 6)
            if text[at] in self.words and text[at + gap] in self.words and text[at] != text[at + gap]:
                return text[at], text[at + gap]

    def phrase(self) -> str:
        """Two words that stand side by side in a random article."""
        while True:
            text = self.rng.choice(self.texts)
            at = self.rng.randrange(len(text) - 1)
            if (text[at], text[at + 1]) in self.pairs:
                return f'"{text[at]} {text[at + 1]}"'


def rules(documents: list[Document], count: int, prefixes: bool) -> list[str]:
    """Queries of the mix; the same ones in every run."""
    drawn = Vocabulary(documents, random.Random(SEED))
    return [rule(drawn, prefixes) for _ in range(count)]


def rule(drawn: Vocabulary, prefixes: bool) -> str:
    kind = drawn.rng.random()
    a, b, c, d = drawn.word(), drawn.word(), drawn.word(), drawn.word()
    if kind < 0.6:
        forms = [f"{a} AND {b}", f"{a} AND ({b} OR {c})", f"({a} OR {b}) AND ({c} OR {d})", f"({a} AND {b}) NOT {c}"]
        return drawn.rng.choice(forms)
    if kind < 0.8:
        return drawn.rng.choice(["{}", "{} AND {}"]).format(drawn.phrase(), a)
    if kind < 0.9:
        one, other = drawn.close()
        return f"{one} NEAR/5 ({other} OR {c})"
    if kind < 0.98:
        long = drawn.word(6)
        return f"{long[:-2]}* AND {a}" if prefixes else f"{long} AND {a}"
    return f"title:{a} AND {b}"


def memory() -> float:
    """MB that this process holds now."""
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


Match = Callable[[list[Document]], object]  # what matches each of some documents


def each(match: Callable[[Document], object]) -> Match:
    """What matches each of them by itself."""
    return lambda documents: [match(document) for document in documents]


def speed(match: Match, documents: list[Document], seconds: float) -> tuple[float, float]:
    """Documents a second: of the half that was not seen before, and of all in rounds."""
    settle()  # as the daemon does once it has read its configuration
    half = len(documents) // 2
    timed(match, documents[:half], seconds)
    for thread in threading.enumerate():  # that files the rules by what was learnt, once
        if thread.name == FILING:
            thread.join()
    new = timed(match, documents[half:], seconds)
    return new, timed(match, documents, seconds, rounds=True)


def timed(match: Match, documents: list[Document], seconds: float, rounds: bool = False) -> float:
    """Documents a second of CPU, for so many seconds at most, or exactly where they are gone through in rounds."""
    done, start = 0, time.process_time()
    while True:
        for at in range(0, len(documents), TOGETHER):
            some = documents[at : at + TOGETHER]
            match(some)
            done += len(some)
            if time.process_time() - start > seconds:
                return done / (time.process_time() - start)
        if not rounds:
            return done / (time.process_time() - start)


def row(name: str, patterns: int, figures: tuple[float, float], built: float, size: float, note: str = "") -> None:
    new, again = figures
    print(
        f"| {name:14} | {patterns:8,} | {new:9,.0f} | {again:9,.0f} | {built:6.2f} | {size:6.0f} | {note}", flush=True
    )


def ours(queries: list[str], documents: list[Document], seconds: float, name: str = "watcher") -> None:
    gc.collect()
    before, start = memory(), time.process_time()
    with uncollected():  # as where a configuration is read
        parsed = {f"rule{n}": parse(query) for n, query in enumerate(queries)}
        parsing = time.process_time() - start
        ruleset = RuleSet(parsed)
    built = time.process_time() - start
    size = memory() - before
    figures = speed(lambda some: list(ruleset.names_all(some)), documents, seconds)
    some = documents[::8]
    share = sum(map(len, ruleset.names_all(some))) / (len(queries) * len(some))
    row(name, len(queries), figures, built, size, f"parsing {parsing:.2f} s of it; {share:.3%} of pairs match")
    fresh = RuleSet(parsed)
    row("  one by one", len(queries), speed(each(fresh.names), documents, seconds), built, size, "the same")


# --- peers ----------------------------------------------------------------------------------------------------------

SPACED = re.compile(r"\W+")


def parts(queries: list[str]) -> list[str]:
    """The words, prefixes (with `*`) and phrases that the rules name: what a peer looks for."""
    found = {part for query in queries for part in re.findall(r'"[^"]+"|[\w*]+', re.sub(r"NEAR/5|title:", "", query))}
    return sorted(part.strip('"') for part in found if not part.isupper())


def pattern(part: str) -> str:
    """A part as a regular expression."""
    return rf"\b{part[:-1]}" if part.endswith("*") else r"\b" + part.replace(" ", r"\W+") + r"\b"


def naive(wanted: list[str]) -> Callable[[Document], object]:
    patterns = [re.compile(pattern(part), re.IGNORECASE) for part in wanted]
    return lambda document: [
        n for n, one in enumerate(patterns) if one.search(document.body) or one.search(document.title)
    ]


def both(document: Document) -> str:
    return f"{document.title}\n\n{document.body}"


def re2_set(wanted: list[str]) -> Callable[[Document], object]:
    import re2  # noqa: PLC0415 - a peer

    options = re2.Options()
    options.max_mem = 2 << 30
    found = re2.Set.SearchSet(options)
    for part in wanted:
        found.Add(pattern(part))
    found.Compile()
    return lambda document: found.Match(both(document).casefold())


def ahocorasick(wanted: list[str]) -> Callable[[Document], object]:
    import ahocorasick_rs  # noqa: PLC0415 - a peer

    automaton = ahocorasick_rs.AhoCorasick([f" {part[:-1]}" if part[-1] == "*" else f" {part} " for part in wanted])
    find = automaton.find_matches_as_indexes
    return lambda document: set(find(f" {SPACED.sub(' ', both(document).casefold())} ", overlapping=True))


def its_rules(queries: list[str]) -> Callable[[Document], list[int]]:
    from benchmarks.judged import judged  # noqa: PLC0415 - needs the peer

    return judged(queries)


def hyperscan(wanted: list[str]) -> Callable[[Document], object]:
    import hyperscan as hs  # noqa: PLC0415 - a peer

    database = hs.Database()
    flags = hs.HS_FLAG_CASELESS | hs.HS_FLAG_SINGLEMATCH
    database.compile(
        expressions=[pattern(part).encode() for part in wanted],
        ids=list(range(len(wanted))),
        flags=[flags] * len(wanted),
    )

    def match(document: Document) -> set[int]:
        found: set[int] = set()
        database.scan(both(document).encode(), match_event_handler=lambda n, *_: found.add(n))
        return found

    return match


# How to build it, its module, and the most rules: beyond, it takes minutes.
PEERS = {
    "naive re": (naive, "re", 10_000),
    "google-re2 set": (re2_set, "re2", 10_000),
    "ahocorasick-rs": (ahocorasick, "ahocorasick_rs", 100_000),
    "its rules": (its_rules, "ahocorasick_rs", 100_000),
    "hyperscan": (hyperscan, "hyperscan", 1_000),
}


def peer(name: str, queries: list[str], documents: list[Document], seconds: float) -> None:
    build, module, most = PEERS[name]
    wanted = parts(queries)
    if len(queries) > most:
        print(f"| {name:14} | {len(wanted):8,} | left out over {most:,} rules: it takes minutes")
        return
    if importlib.util.find_spec(module) is None:
        print(f"| {name:14} | {len(wanted):8,} | not installed: pip install watcher[bench]")
        return
    gc.collect()
    before, start = memory(), time.process_time()
    match = build(queries if build is its_rules else wanted)
    built, size = time.process_time() - start, memory() - before
    figures = speed(each(match), documents, seconds)
    note = ""
    if build is its_rules:
        held = sum(len(match(document)) for document in documents[::8])  # type: ignore[arg-type]
        note = f"{held / (len(queries) * len(documents[::8])):.3%} of pairs match"
    row(name, len(wanted), figures, built, size, note)


def steps(queries: list[str], documents: list[Document]) -> None:
    """What an article costs by step, in µs: of each article the quickest of ROUNDS, and of these the mean."""
    ruleset = RuleSet({f"rule{n}": parse(query) for n, query in enumerate(queries)})
    for _ in ruleset.names_all(documents[::4]):
        pass
    for many in (WORDS, FEW):
        some = [Document(title=one.title, body=" ".join(one.body.split()[:many])) for one in documents[::4]]
        batches = [some[at : at + TOGETHER] for at in range(0, len(some), TOGETHER)]
        fold = quickest(lambda one: (words(one.title), words(one.body)), some) / len(some)
        alone = quickest(ruleset.names, some) / len(some)
        together = quickest(lambda batch: list(ruleset.names_all(batch)), batches) / len(some)
        print(
            f"{many} words: fold and cut into words {fold:.0f} µs; "
            f"matched in all {together:.0f} µs, {TOGETHER} together; {alone:.0f} µs, one by one"
        )


def quickest(work: Callable[[T], object], inputs: list[T]) -> float:
    """The µs that all of them take, each at its quickest."""
    best = []
    for one in inputs:
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            work(one)
            seconds.append(time.perf_counter() - start)
        best.append(min(seconds))
    return sum(best) * 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rules", type=int, nargs="*", default=[100, 1_000, 10_000, 100_000])
    options.add_argument("--peers", nargs="*", choices=PEERS, help="run these peers too; all where none is named")
    options.add_argument("--no-prefixes", action="store_true", help="a row for the same rules without prefixes")
    options.add_argument("--steps", action="store_true", help="also what an article costs by step")
    options.add_argument("--seconds", type=float, default=3.0, help="for each figure")
    chosen = options.parse_args()
    documents = articles()
    print(f"{len(documents)} articles of {WORDS} words")
    for count in chosen.rules:
        queries = rules(documents, count, prefixes=True)
        print(f"\n{count:,} rules\n")
        print(
            "|                | patterns |  new docs/s | again docs/s | build s | MB |\n|---|--:|--:|--:|--:|--:|---|"
        )
        alone(ours, queries, documents, chosen.seconds)
        if chosen.no_prefixes:
            alone(ours, rules(documents, count, prefixes=False), documents, chosen.seconds, "no prefixes")
        if chosen.steps:
            alone(steps, queries, documents)
        for name in PEERS if chosen.peers == [] else chosen.peers or ():
            alone(peer, name, queries, documents, chosen.seconds)


def alone(measure: Callable[..., None], *arguments: object) -> None:
    """Measure in a process of its own, so that memory and what is remembered are its own."""
    sys.stdout.flush()
    child = multiprocessing.get_context("spawn").Process(target=measure, args=arguments)
    child.start()
    child.join()


if __name__ == "__main__":
    main()
