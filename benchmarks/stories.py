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
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from difflib import SequenceMatcher
from importlib import import_module
from pathlib import Path
from typing import Any

from watcher.model import Item
from watcher.stories import group_file, group_items, outline, signature, story_text

decide_module, event_module = (import_module(f"watcher.stories.{name}") for name in ("decide", "event"))
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
    print_own_reports(read(news / "articles_1000.jsonl"), mined, labelled)
    print_sensitivity(items, truth, mined, labelled)


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
    recall, precision = synthetic(story, truth)
    print(f"  synthetic, mixed order: recall {recall:.4f}, precision {precision:.5f} (of pairs)")
    for variant in VARIANTS:
        numbers = set(truth.values())
        hits = sum(story[f"{number}-original"] == story[f"{number}-{variant}"] for number in numbers)
        print(f"    {variant:9} {hits / len(numbers):.3f}", end="")
    print()


def synthetic(story: dict[str, str], truth: dict[str, int]) -> tuple[float, float]:
    """Recall and precision, of pairs."""
    members = defaultdict(list)
    for name, number in truth.items():
        members[story[name]].append(number)
    true = sum(pairs(size) for group in members.values() for size in Counter(group).values())
    merged = sum(pairs(len(group)) for group in members.values())
    return true / sum(pairs(size) for size in Counter(truth.values()).values()), true / max(merged, 1)


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


def print_own_reports(
    articles: Sequence[dict[str, Any]], mined: Sequence[dict[str, Any]], labelled: Sequence[dict[str, Any]]
) -> None:
    """Pairs that are own reports of one event by a measure that is not ours, and which of them are taken for copies."""
    pairs = own_reports([*articles, *(pair[half] for pair in mined for half in ("a", "b"))])
    same = [halves(pair) for pair in labelled if pair["label"] == "OK"]
    pairs += [(one, other) for one, other in same if overlap(one["text"], other["text"])[1] < OWN_SHARE]
    told = [(kin(pair_items(one, other, False)), one, other) for one, other in pairs]
    copies = [(one, other) for kind, one, other in told if kind == "copy"]
    related = sum(kind == "related" for kind, _, _ in told)
    print(f"\nown reports of one event: {len(copies)} copies, {related} related, of {len(told)} pairs")
    for one, other in copies:
        run, share = overlap(one["text"], other["text"])
        print(f"  copy: {one['title'][:60]} ~ {other['title'][:60]} (a run of {run} words, {share:.0%} in common)")
    for kind, one, other in told[:: max(len(told) // 10, 1)]:
        print(f"  {kind}: {one['title'][:60]} ~ {other['title'][:60]}")


OWN_SHARE = 0.2  # of the shorter text's words in runs of RUN or more that the other has: less than a fifth
RUN = 5


def own_reports(articles: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Of two outlets, within a day, with two words of the titles and five names in common, and hardly a passage."""
    unique = {article["text"][:300]: article for article in articles if article.get("date")}
    by_day: defaultdict[int, list[tuple[dict[str, Any], set[str], set[str]]]] = defaultdict(list)
    for article in unique.values():
        day = date.fromisoformat(article["date"][:10]).toordinal()
        title = set(re.findall(r"\w{4,}", article["title"].lower()))
        names = set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}", article["text"][:1500]))
        by_day[day].append((article, title, names))
    found = []
    for day, here in sorted(by_day.items()):
        near = [*here, *by_day.get(day + 1, [])]
        for place, (one, title, names) in enumerate(here):
            for other, title_too, names_too in near[place + 1 :]:
                if one["source"] == other["source"] or len(title & title_too) < 2 or len(names & names_too) < 5:
                    continue
                if overlap(one["text"], other["text"])[1] < OWN_SHARE:
                    found.append((one, other))
    return found


def overlap(one: str, other: str) -> tuple[int, float]:
    """The longest run of words that both texts have, and the share of the shorter one in such runs of RUN or more."""
    ours, theirs = (re.findall(r"\w+", text.lower()) for text in (one, other))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    runs = [block.size for block in blocks if block.size >= RUN]
    return max(runs, default=0), sum(runs) / max(min(len(ours), len(theirs)), 1)


def print_sensitivity(
    items: Sequence[Item],
    truth: dict[str, int],
    mined: Sequence[dict[str, Any]],
    labelled: Sequence[dict[str, Any]],
) -> None:
    """What becomes of the figures where a threshold is a fifth lower or higher."""
    print(
        "\nthresholds a fifth lower and higher: synthetic recall and precision; mined >= .5 and below; BAD, OK merged"
    )
    for module, name in (
        (decide_module, "CONTAINED"),
        (decide_module, "LOOSELY"),
        (decide_module, "SPREAD"),
        (decide_module, "SHARED"),
        (event_module, "ALIKE"),
    ):
        usual = getattr(module, name)
        for factor in (0.8, 1.0, 1.2):
            value = round(usual * factor) if isinstance(usual, int) else usual * factor
            setattr(module, name, value)
            print(f"  {name} {value:.2f}: {figures(items, truth, mined, labelled)}")
        setattr(module, name, usual)


def figures(
    items: Sequence[Item],
    truth: dict[str, int],
    mined: Sequence[dict[str, Any]],
    labelled: Sequence[dict[str, Any]],
) -> str:
    recall, precision = synthetic(group_file(items), truth)
    bands = {
        high: [
            merges(group_file, pair_items(pair["a"], pair["b"], False))
            for pair in mined
            if not pair["same_source"] and (pair["containment5"] >= 0.5) is high
        ]
        for high in (True, False)
    }
    told = {
        label: Counter(kin(pair_items(*halves(pair), False)) for pair in labelled if pair["label"] == label)
        for label in ("BAD", "OK")
    }
    parts = [f"{sum(hits)}/{len(hits)}" for hits in bands.values()]
    parts += [f"{label} {kinds['copy']} copies {kinds['related']} related" for label, kinds in told.items()]
    return f"{recall:.4f} {precision:.4f}, {', '.join(parts)}"


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
