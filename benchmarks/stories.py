"""How well near-duplicates and events are told, beside MinHash LSH (datasketch) and SimHash, in the same run.

    python -m benchmarks.stories CORPUS [--articles 500] [--seed 1]

CORPUS is a folder with newstext/articles_1000.jsonl (id, source, title, text), newstext/mined_near_duplicates.jsonl
(pairs a, b of different or the same outlet, with the containment of their 5-word shingles) and
newstext/tgcontest_pairs.jsonl (pairs with a label by hand: OK is one event, BAD is two). Peers are optional:
`pip install watcher[bench]`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from watcher.model import Item
from watcher.stories import group_file, group_items, outline, signature, story_text

Grouping = Callable[[Sequence[Item]], dict[str, str]]
VARIANTS = ("whole", "cut60", "cut30", "head", "swapped", "edit5", "edit10", "edit15", "dateline")
FILLER = (
    "Sign up for our newsletter and never miss a story from our reporters.",
    "Follow us on social media and share this article with your friends.",
    "Read more on this topic in our archive and listen to our daily podcast.",
    "This site uses cookies; by continuing you agree to the use of cookies.",
    "Support independent journalism with a small monthly contribution today.",
    "Have a tip for the newsroom? Write to the desk in confidence at any time.",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("corpus", type=Path)
    options.add_argument("--articles", type=int, default=500)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    news = given.corpus / "newstext"
    articles = read(news / "articles_1000.jsonl")[: given.articles]
    mined, labelled = read(news / "mined_near_duplicates.jsonl"), read(news / "tgcontest_pairs.jsonl")

    print(f"signatures: {signatures_a_second(articles):,.0f}/s, {per_item(articles):.0f} hashes a text")
    items, truth = syndicated(articles, random.Random(given.seed))
    for name, grouping in methods().items():
        started = time.process_time()
        story = grouping(items)
        took = time.process_time() - started
        print(f"\n{name}: {len(items):,} items in {took:.1f} s CPU, {len(items) / took:,.0f}/s")
        print_synthetic(items, story, truth)
        print_mined(mined, grouping)
        print_labelled(labelled, grouping)
    print_events(labelled, read(news / "articles_1000.jsonl"), mined)


def methods() -> dict[str, Grouping]:
    found: dict[str, Grouping] = {"watcher": group_file}
    try:
        import_module("datasketch")
        import_module("simhash")
    except ImportError:
        print("(datasketch and simhash are not installed: no peers)")
        return found
    return found | {"MinHash LSH, 128, Jaccard 0.5": minhash, "SimHash 64, 3 bits": simhash_groups}


# Input ----------------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def syndicated(articles: Sequence[dict[str, Any]], rng: random.Random) -> tuple[list[Item], dict[str, int]]:
    """Each article and nine variants at ten of 25 outlets with a boilerplate of their own, in mixed order."""
    sites = [[f"{line} Outlet {site} {line[::-1]}" for line in rng.sample(FILLER, 2)] for site in range(25)]
    vocabulary = sorted({word for article in articles for word in article["text"].split()})
    items, truth = [], {}
    for number, article in enumerate(articles):
        outlets = rng.sample(range(25), len(VARIANTS) + 1)
        for variant, site in zip(("original", *VARIANTS), outlets, strict=True):
            paragraphs = varied(article["text"].split("\n\n"), variant, vocabulary, rng)
            head = f"{rng.choice(vocabulary)} {article['title']} {rng.choice(vocabulary)}" if variant == "head" else ""
            body = "\n\n".join([sites[site][0], *paragraphs, sites[site][1]])
            item = Item(f"{number}-{variant}", f"s{site}", head or article["title"], body=body, outlet=f"s{site}.test")
            items.append(item)
            truth[item.id] = number
    rng.shuffle(items)
    return items, truth


def varied(paragraphs: list[str], variant: str, vocabulary: list[str], rng: random.Random) -> list[str]:
    if variant.startswith("cut"):
        words = " ".join(paragraphs).split()
        return [" ".join(words[: len(words) * int(variant[3:]) // 100])]
    if variant in ("head", "swapped"):
        mixed = paragraphs[:]
        for _ in range(max(1, len(mixed) // 4)):
            one, other = rng.randrange(len(mixed)), rng.randrange(len(mixed))
            mixed[one], mixed[other] = mixed[other], mixed[one]
        return mixed
    if variant.startswith("edit"):
        share = int(variant[4:]) / 100
        return [
            " ".join(rng.choice(vocabulary) if rng.random() < share else word for word in paragraph.split())
            for paragraph in paragraphs
        ]
    if variant == "dateline":
        return [f"GENEVA, 3 March (Agency) - {paragraphs[0]}", *paragraphs[1:]]
    return paragraphs


def pair_items(one: dict[str, Any], other: dict[str, Any], same_site: bool) -> list[Item]:
    return [
        Item(str(place), outlet if same_site else f"{outlet}{place}", half["title"], body=half["text"], url=half["url"])
        for place, (half, outlet) in enumerate(((one, "site"), (other, "site")))
    ]


# Figures --------------------------------------------------------------------------------------------------------------


def print_synthetic(items: Sequence[Item], story: dict[str, str], truth: dict[str, int]) -> None:
    members = defaultdict(list)
    for item in items:
        members[story[item.id]].append(truth[item.id])
    true = sum(pairs(size) for group in members.values() for size in Counter(group).values())
    merged = sum(pairs(len(group)) for group in members.values())
    wanted = sum(pairs(size) for size in Counter(truth.values()).values())
    print(f"  synthetic, mixed order: recall {true / wanted:.4f}, precision {true / max(merged, 1):.5f} (of pairs)")
    for variant in VARIANTS:
        numbers = set(truth.values())
        hits = sum(story[f"{number}-original"] == story[f"{number}-{variant}"] for number in numbers)
        print(f"    {variant:9} {hits / len(numbers):.3f}", end="")
    print()


def pairs(size: int) -> int:
    return size * (size - 1) // 2


def print_mined(mined: Sequence[dict[str, Any]], grouping: Grouping) -> None:
    bands: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    for pair in mined:
        band = next(
            name for floor, name in ((0.5, "≥ .5"), (0.3, ".3-.5"), (0.0, "< .3")) if pair["containment5"] >= floor
        )
        bands[pair["same_source"], band].append(merges(grouping, pair_items(pair["a"], pair["b"], pair["same_source"])))
    for (same_site, band), hits in sorted(bands.items()):
        where = "one outlet" if same_site else "two outlets"
        print(f"  mined, {where}, containment5 {band:6} {sum(hits)}/{len(hits)} merged")


def print_labelled(labelled: Sequence[dict[str, Any]], grouping: Grouping) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for pair in labelled:
        items = pair_items(*halves(pair), False)
        found[pair["label"]].append(pair["first_title"] if merges(grouping, items) else "")
    for label, titles in sorted(found.items()):
        print(f"  labelled {label}: {sum(map(bool, titles))}/{len(titles)} merged")


def halves(pair: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"title": pair[f"{which}_title"], "text": pair[f"{which}_text"], "url": pair[f"{which}_url"]}
        for which in ("first", "second")
    ]


def print_events(
    labelled: Sequence[dict[str, Any]], articles: Sequence[dict[str, Any]], mined: Sequence[dict[str, Any]]
) -> None:
    """What is related: pairs labelled by hand, pairs of two outlets, and articles of many years as if of one hour."""
    print("\nevents")
    for label in ("OK", "BAD"):
        told = Counter(kin(pair_items(*halves(pair), False)) for pair in labelled if pair["label"] == label)
        print(f"  labelled {label}: {told['copy']} copies, {told['related']} related, of {told.total()}")
    for floor, end in ((0.5, 2.0), (0.3, 0.5), (0.0, 0.3)):
        some = [pair for pair in mined if not pair["same_source"] and floor <= pair["containment5"] < end]
        told = Counter(kin(pair_items(pair["a"], pair["b"], False)) for pair in some)
        print(
            f"  mined, two outlets, from {floor}: {told['copy']} copies, {told['related']} related, of {told.total()}"
        )
    items = [
        Item(str(place), article["source"], article["title"], body=article["text"], outlet=article["source"])
        for place, article in enumerate(articles)
    ]
    for item in items:
        outline(item)
    started = time.process_time()
    for item in items:
        outline(item)
    took = (time.process_time() - started) / len(items)
    related = [(items[int(name)], one.relation) for name, one in group_items(items).items() if one.relation]
    print(f"  {len(items)} articles of many years: {len(related)} related; an outline takes {took * 1e3:.2f} ms")
    for item, relation in related:
        print(f"    {item.title[:60]} ~ {relation.story.title[:60]} ({relation.detail})")


def kin(items: Sequence[Item]) -> str:
    one, other = group_items(items).values()
    if one.story.id == other.story.id:
        return "copy"
    return "related" if one.story.event == other.story.event else "other"


def merges(grouping: Grouping, items: Sequence[Item]) -> bool:
    return len(set(grouping(items).values())) == 1


def signatures_a_second(articles: Sequence[dict[str, Any]]) -> float:
    for article in articles:  # the daemon has met most words before
        signature(article["text"])
    started = time.process_time()
    for article in articles:
        signature(article["text"])
    return len(articles) / (time.process_time() - started)


def per_item(articles: Sequence[dict[str, Any]]) -> float:
    return sum(len(signature(article["text"])) for article in articles) / len(articles)


# Peers ----------------------------------------------------------------------------------------------------------------


def shingles(text: str) -> set[str]:
    words = text.lower().split()
    return {" ".join(words[start : start + 3]) for start in range(max(len(words) - 2, 1))}


def minhash(items: Sequence[Item]) -> dict[str, str]:
    datasketch = import_module("datasketch")
    index, story = datasketch.MinHashLSH(threshold=0.5, num_perm=128), {}
    for item in items:
        sketch = datasketch.MinHash(num_perm=128)
        sketch.update_batch([shingle.encode() for shingle in shingles(story_text(item))])
        known = index.query(sketch)
        story[item.id] = story[known[0]] if known else item.id
        if not known:
            index.insert(item.id, sketch)
    return story


def simhash_groups(items: Iterable[Item]) -> dict[str, str]:
    simhash = import_module("simhash")
    index, story = simhash.SimhashIndex([], k=3), {}
    for item in items:
        sketch = simhash.Simhash(list(shingles(story_text(item))))
        known = index.get_near_dups(sketch)
        story[item.id] = story[known[0]] if known else item.id
        if not known:
            index.add(item.id, sketch)
    return story


if __name__ == "__main__":
    main()
