"""What is one story and what is two. The texts are invented for these tests."""

import os
import random
import subprocess
import sys

import pytest

from tests.paths import ROOT
from watcher.model import Candidate, Item, Reason, Story
from watcher.stories import decide, group_file, signature, signature_of

SYLLABLES = (
    "ba",
    "ko",
    "ri",
    "den",
    "mal",
    "sto",
    "ver",
    "lin",
    "tra",
    "gum",
    "pe",
    "sol",
    "nar",
    "quo",
    "fi",
    "hest",
    "wu",
)


def prose(seed: int, sentences: int) -> str:
    """Sentences of ten to twenty invented words and a number: different seeds share nothing but chance."""
    rng = random.Random(seed)

    def sentence() -> str:
        words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) for _ in range(rng.randint(9, 19))]
        return f"{' '.join(words).capitalize()} {rng.randint(2, 900)}."

    return " ".join(sentence() for _ in range(sentences))


def item(name: str, title: str = "", body: str = "", outlet: str = "", summary: str = "", url: str = "") -> Item:
    outlet = outlet or f"{name}.test"
    return Item(name, outlet, title, summary, body, url=url or f"https://{outlet}/{name}", outlet=outlet)


def candidate(first: Item, *, same_url: bool = False) -> Candidate:
    story = Story(f"story-{first.id}", first.id, first.title, 0.0, 0.0, f"story-{first.id}")
    return Candidate(story, first, signature_of(first), same_url)


def judged(new: Item, *known: Item, same_url: bool = False) -> Reason:
    return decide(new, signature_of(new), [candidate(first, same_url=same_url) for first in known]).reason


# The signature


def test_a_signature_is_signed_64_bit_and_sampled_in_long_texts_only() -> None:
    long, short = signature(prose(1, 60)), signature(prose(1, 5))
    assert all(-(2**63) <= value < 2**63 and value % 8 == 0 for value in long)
    assert any(value < 0 for value in long | short)
    assert any(value % 8 for value in short)


def test_a_signature_is_the_same_in_another_process() -> None:
    code = "from watcher.stories import signature; print(sorted(signature('Four plain words only, naïve Ёлка')))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{sorted(signature('Four plain words only, naïve Ёлка'))}\n"}


def test_case_marks_and_punctuation_do_not_count() -> None:
    assert signature("“Élan”, he SAID — twice!") == signature("elan he said twice")


def test_a_word_counts_at_its_place() -> None:
    assert not signature("one two three") & signature("three two one")


@pytest.mark.parametrize("text", ["", "word", "two words", "\ud800 lone surrogate here", "\0\0\0", "。。。"])
def test_any_text_has_a_signature(text: str) -> None:
    assert isinstance(signature(text), frozenset)


def test_unspaced_scripts_are_taken_by_characters() -> None:
    whole = "港口的老桥昨天重新开放议会说费用比去年预计的低一半居民表示欢迎"
    cut = whole[:22]
    other = "学校图书馆下周关闭装修校长请学生把书还到体育馆旁边的临时服务台"
    assert len(signature(whole) & signature(cut)) >= 0.9 * len(signature(cut))
    assert not signature(whole) & signature(other)


# Between outlets


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_a_cut_copy_under_another_head_is_the_same_story(share: float) -> None:
    words = prose(2, 60).split()
    cut = " ".join(words[: int(len(words) * share)])
    assert judged(item("b", "Another head", cut), item("a", "Old bridge opens", " ".join(words))) is Reason.SAME_TEXT


def test_other_text_is_another_story() -> None:
    assert (
        judged(item("b", "Ferry sold", prose(4, 40)), item("a", "Old bridge opens", prose(3, 40))) is Reason.NEW_STORY
    )


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15, 0.2])
def test_a_copy_that_was_edited_everywhere_is_the_same_story(share: float) -> None:
    rng, words = random.Random(1), prose(5, 60).split()
    edited = [rng.choice(words) if rng.random() < share else word for word in words]
    assert judged(item("b", "Second", " ".join(edited)), item("a", "First", " ".join(words))) is Reason.SAME_TEXT


@pytest.mark.parametrize("sentences", [3, 12, 24])
def test_own_reports_that_quote_the_same_are_two_stories(sentences: int) -> None:
    quotes = prose(5, sentences)
    one, other = f"{prose(6, 36)} {quotes}", f"{quotes} {prose(7, 36)}"
    assert judged(item("b", "Second", other), item("a", "First", one)) is Reason.NEW_STORY


def test_a_short_item_is_a_copy_under_the_same_title_when_its_text_agrees() -> None:
    first = item(
        "a", "UPDATE 2-Council votes to close the river tunnel", summary="The council voted nine to two on Monday."
    )
    same = item(
        "b", "Council votes to close the river tunnel", summary="The council voted nine to two on Monday, it said."
    )
    bare = item("c", "RPT-Council votes to close the river tunnel")
    other = item("d", "Ferry timetable for winter published today", summary="The council voted on nothing at all.")
    assert judged(same, first) is Reason.SAME_TEXT
    assert judged(bare, first) is Reason.SAME_TEXT
    assert judged(other, first) is Reason.NEW_STORY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("Selwyn Bridge crash driver had lost licence: court", ""),
            (
                "Selwyn Bridge crash driver Tom Arden 'saw nothing'",
                "Arden told the court that the sun had blinded him.",
            ),
        ),
        (
            (
                "Man, 23, charged over plan to blow up the Arlen dam",
                "Prosecutors in Arlen brought charges on Monday against a 23-year-old man who they say planned to "
                "blow up the dam in spring.",
            ),
            (
                "Charges brought against engineer over Arlen dam plot",
                "Arlen prosecutors have accused a 23-year-old man who they say planned to blow up the oldest dam.",
            ),
        ),
    ],
)
def test_short_reports_of_one_event_are_not_copies(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = item("a", one[0], summary=one[1]), item("b", other[0], summary=other[1])
    assert judged(second, first) is Reason.NEW_STORY
    assert judged(first, second) is Reason.NEW_STORY


def test_the_same_title_over_two_long_texts_is_not_enough() -> None:
    title = "Council votes to close the river tunnel"
    assert judged(item("b", title, prose(8, 30)), item("a", title, prose(9, 30))) is Reason.NEW_STORY


def test_a_title_that_recurs_is_not_enough() -> None:
    assert judged(item("b", "Morning briefing"), item("a", "Morning briefing")) is Reason.NEW_STORY


def test_a_copy_is_found_by_url_whatever_its_text() -> None:
    assert judged(item("b", "Two", prose(9, 9)), item("a", "One", prose(8, 9)), same_url=True) is Reason.SAME_URL


def test_the_best_candidate_wins() -> None:
    text = prose(10, 40)
    half, whole = item("a", "Half", f"{text[:1500]} {prose(11, 30)}"), item("b", "Whole", f"{prose(12, 30)} {text}")
    new = item("c", "New", text)
    verdict = decide(new, signature_of(new), [candidate(half), candidate(whole)])
    assert verdict.story is not None
    assert verdict.story.first_item == "b"


def test_a_round_up_is_a_story_of_its_own() -> None:
    parts = [item(name, f"Part {name}", prose(seed, 20)) for seed, name in enumerate("xyz", 20)]
    whole = item("r", "The week in three stories", "\n\n".join(part.body for part in parts))
    assert judged(whole, *parts) is Reason.ROUND_UP
    assert judged(whole, parts[0]) is Reason.SAME_TEXT


def test_a_round_up_of_two_stories_is_a_story_of_its_own_too() -> None:
    one, other = (
        item(name, f"{name} on {name} street today", prose(seed, 24)) for seed, name in ((60, "v"), (61, "w"))
    )
    links = prose(62, 8)
    whole = item("r", "The evening in short", f"{one.body}\n\n{links}\n\n{other.body}")
    assert judged(whole, one, other) is Reason.ROUND_UP
    assert judged(whole, other, one) is Reason.ROUND_UP


def test_a_text_from_which_two_pieces_were_cut_is_no_round_up() -> None:
    text = prose(63, 60).split()
    half = len(text) * 2 // 5
    head, tail = " ".join(text[:half]), " ".join(text[-half:])
    whole = item("w", "Council votes to close the river tunnel", " ".join(text))
    cut = item("a", "Council votes to close the river tunnel", head, "one.test")
    rest = item("b", "Something said of a vote", tail, "other.test")
    assert judged(whole, cut, rest) is Reason.SAME_TEXT
    mostly = item("m", "Under another head", " ".join(text[: len(text) * 3 // 5]), "one.test")
    last = item("l", "What remained", " ".join(text[-len(text) // 3 :]), "other.test")
    assert judged(whole, mostly, last) is Reason.SAME_TEXT


def test_parts_that_come_after_their_round_up_are_stories_of_their_own() -> None:
    parts = [item(name, f"{name} on {name} street today", prose(seed, 20)) for seed, name in enumerate("wxyz", 40)]
    whole = item("r", "The week in four stories", "\n\n".join(part.body for part in parts))
    assert [judged(part, whole) for part in parts[1:]] == [Reason.NEW_STORY] * 3
    assert judged(parts[0], whole) is Reason.SAME_TEXT  # so begins a copy that was cut
    renamed = item("p", "The week in four stories", parts[2].body)
    assert judged(renamed, whole) is Reason.SAME_TEXT


def test_a_cut_copy_stands_at_the_beginning_whatever_is_put_before_it() -> None:
    text = prose(50, 60)
    copy = item("b", "Another head altogether", "Read us every day. Sign up here. " + " ".join(text.split()[:250]))
    assert judged(copy, item("a", "The head that it had", text)) is Reason.SAME_TEXT


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (
            "港口罢工进入第三天",
            "工会表示谈判没有进展，数百艘货轮在近海等待。港务局呼吁双方回到谈判桌前，"
            "市长将于周四访问码头并会见工人代表。",
        ),
        (
            "港のストライキ三日目に",
            "労働組合は交渉に進展がないと述べ、数百隻の貨物船が沖合で待機している。"
            "港湾当局は双方に対話を求め、市長は木曜日に埠頭を訪れる。",
        ),
        (
            "การประท้วงที่ท่าเรือเข้าสู่วันที่สาม",
            "สหภาพแรงงานกล่าวว่าการเจรจาไม่มีความคืบหน้า เรือสินค้าหลายร้อยลำจอดรออยู่นอกชายฝั่ง นายกเทศมนตรีจะเยี่ยมชมท่าเรือในวันพฤหัสบดี",
        ),
    ],
)
def test_a_text_in_an_unspaced_script_is_found_again_cut_and_under_another_head(title: str, text: str) -> None:
    first = item("a", title, text)
    assert judged(item("b", f"UPDATE 1-{title}", text[: len(text) * 2 // 3]), first) is Reason.SAME_TEXT
    assert judged(item("b", title[::-1], f"社{text}"), first) is Reason.SAME_TEXT
    assert judged(item("b", title[::-1], text[::-1]), first) is Reason.NEW_STORY


@pytest.mark.parametrize(
    "address", ["https://amp.a.test/a", "https://m.a.test/a/amp/", "http://www.a.test/a?utm_source=x"]
)
def test_an_amp_or_mobile_address_makes_no_second_story(address: str) -> None:
    items = [item("a", "One", prose(8, 9)), item("b", "One again", prose(8, 4), outlet="a.test", url=address)]
    assert len(set(group_file(items).values())) == 1


def test_three_copies_of_one_text_make_no_round_up() -> None:
    text = prose(23, 20)
    cuts = [item(name, "A part", " ".join(text.split()[:size])) for name, size in (("x", 200), ("y", 220), ("z", 240))]
    assert judged(item("r", "The whole", f"{text} {prose(24, 20)}"), *cuts) is Reason.SAME_TEXT


# What is never a copy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fix for CVE-2031-1234 in the mail server", "Fix for CVE-2031-1235 in the mail server"),
        ("Gleam 4.2.1 released", "Gleam 4.2.2 released"),
        ("Ferry times for 3 May", "Ferry times for 4 May"),
        ("Bulletin 2031-05-03: harbour", "Bulletin 2031-05-04: harbour"),
        ("Monday at the harbour market", "Tuesday at the harbour market"),
        ("Погода на 3 мая в городе", "Погода на 4 мая в городе"),
    ],
)
def test_titles_with_other_versions_dates_or_numbers_are_two(one: str, other: str) -> None:
    text = prose(13, 40)
    assert judged(item("b", other, text), item("a", one, text)) is Reason.NEW_STORY
    assert judged(item("b", one, text), item("a", one, text)) is Reason.SAME_TEXT


def test_a_risen_number_in_the_title_is_an_update_of_a_long_report_and_another_notice_where_short() -> None:
    text, short = prose(13, 40), "The ferry office tells passengers of a change at the pier."
    first, second = "At least 11 boats lost off Holm", "At least 14 boats lost off Holm"
    assert judged(item("b", second, text), item("a", first, text)) is Reason.SAME_TEXT
    assert judged(item("b", second, short), item("a", first, short)) is Reason.NEW_STORY


def test_advisories_in_the_text_tell_two_texts_of_one_template_apart() -> None:
    text = prose(14, 40)
    one, other = f"{text} It closes CVE-2031-1111.", f"{text} It closes CVE-2031-2222."
    assert judged(item("b", "Security update", other), item("a", "Security fix", one)) is Reason.NEW_STORY
    assert judged(item("b", "Security update", text), item("a", "Security fix", one)) is Reason.SAME_TEXT


# Within one source


def test_a_template_is_not_a_copy_within_one_source() -> None:
    template = prose(15, 20)
    one = item("a", "Works on line 4 in Arlen", f"{template} Works in Arlen take 12 days.", "line.test")
    other = item("b", "Works on line 4 in Brisk", f"{template} Works in Brisk take 14 days.", "line.test")
    assert judged(other, one) is Reason.NEW_STORY


def test_the_same_promotion_under_unlike_titles_is_not_a_copy_within_one_source() -> None:
    text = prose(16, 20)
    assert (
        judged(item("b", "Placing parts", text, "v.test"), item("a", "Webcam built", text, "v.test"))
        is Reason.NEW_STORY
    )


def test_a_repost_under_a_new_address_is_a_copy_within_one_source() -> None:
    text = prose(17, 20)
    assert (
        judged(item("b", "Old bridge opens", text, "s.test"), item("a", "Old bridge opens", text, "s.test"))
        is Reason.SAME_TEXT
    )
    short = "The bridge opened at noon on Monday."
    one = item("a", "Old bridge opens", summary=short, outlet="s.test")
    assert judged(item("b", "Old bridge opens", summary=short, outlet="s.test"), one) is Reason.SAME_TEXT
    changed = item("b", "Old bridge opens", summary="The bridge opened at dusk on Monday.", outlet="s.test")
    assert judged(changed, one) is Reason.NEW_STORY


def test_entries_that_all_link_to_one_page_are_not_one_story() -> None:
    url = "https://s.test/live"
    one, other = (item(name, f"Entry {name}", prose(seed, 20), "s.test", url=url) for seed, name in enumerate("ab"))
    assert judged(other, one, same_url=True) is Reason.NEW_STORY
    assert judged(item("c", "Entry a", one.body, "s.test", url=url), one, same_url=True) is Reason.SAME_URL


def test_a_source_can_be_judged_by_url_only_or_not_at_all() -> None:
    one = item("a", "Bridge", prose(18, 30))
    hashes = signature_of(one)
    assert decide(one, hashes, [candidate(one)], "url").story is None
    assert decide(one, hashes, [candidate(one, same_url=True)], "url").reason is Reason.SAME_URL
    assert decide(one, hashes, [candidate(one, same_url=True)], "off").story is None


def test_a_verdict_says_why() -> None:
    text = prose(19, 40)
    new = item("b", "Other head", text)
    verdict = decide(new, signature_of(new), [candidate(item("a", "Old bridge opens", text))])
    assert "hashes shared" in verdict.detail
    assert "Old bridge opens" in verdict.detail


# Many at once


def test_what_many_stories_say_does_not_make_copies() -> None:
    boilerplate = prose(30, 6)
    items = [
        item(f"n{seed}", "A head", f"{prose(seed, sentences)} {boilerplate}", f"site{seed}.test")
        for seed, sentences in [*((seed, 12) for seed in range(40, 60)), *((seed, 4) for seed in range(60, 70))]
    ]
    copies = [item(f"c{seed}", "Another", prose(seed, 6), f"copy{seed}.test") for seed in range(40, 60)]
    story = group_file([*items, *copies])
    assert len(set(story.values())) == 30
    assert all(story[f"n{seed}"] == story[f"c{seed}"] for seed in range(40, 60))


def test_a_widely_carried_story_does_not_hide_itself() -> None:
    text = prose(31, 40)
    story = group_file([item(f"n{place}", f"Head {place} words", text) for place in "abcdefghijklmnop"])
    assert len(set(story.values())) == 1


def test_tracking_parameters_do_not_make_a_second_story() -> None:
    first = item("a", "Ferry", outlet="one.test", url="https://one.test/ferry")
    again = item("b", "Ferry", outlet="one.test", url="http://one.test/ferry?utm_source=feed")
    story = group_file([first, again])
    assert story["a"] == story["b"]


FOOTER = (
    "Follow our channel for the latest from the region, write to the newsroom with what you have seen, and support "
    "independent reporting with a gift of your own choice. No part of this page may be copied without our consent."
)
TEASER = "Read on at our website, where subscribers find all that we write about the region, every day of the week."
FERRY = "The ferry Aurora ran aground off Lindö on Monday with sixty people aboard, and none of them was hurt."
BRIDGE = "Engineers closed the old bridge at Karsk on Monday after a crack was found in its second pier."
QUAKE = "A quake of magnitude {} was felt in {} at night, the observatory said. Nobody was hurt and no harm was seen."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ferry runs aground off Lindö", f"{FERRY} {FOOTER}"), ("Karsk bridge closed", f"{BRIDGE} {FOOTER}")),
        (("Ferry runs aground off Lindö", TEASER), ("Karsk bridge closed", TEASER)),
        (("Quake felt in Padua", QUAKE.format("5.1", "Padua")), ("Quake felt in Osorno", QUAKE.format("4", "Osorno"))),
    ],
    ids=["a footer", "a teaser", "a template"],
)
def test_what_short_texts_of_two_sites_share_besides_their_subjects_makes_no_copy(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    first, second = item("a", *one), item("b", *other)
    assert judged(second, first) is Reason.NEW_STORY
    assert judged(first, second) is Reason.NEW_STORY


def test_a_short_text_under_another_head_is_a_copy() -> None:
    first = item("a", "Ferry runs aground off Lindö", f"{FERRY} {FOOTER}")
    assert judged(item("b", "Sixty aboard stranded ship, all safe", FERRY), first) is Reason.SAME_TEXT
    assert judged(item("b", "Grounded: the Aurora", FERRY.replace("ran", "has run")), first) is Reason.SAME_TEXT
