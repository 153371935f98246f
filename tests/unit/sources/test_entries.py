import pytest

from watcher.sources.entries import Entry, keys, newest, per_day, primary_language, texts, to_items

NOW = 1_800_000_000.0
DAY = 86400.0


def test_a_guid_identifies_where_it_is_the_only_one() -> None:
    entries = [Entry(guid="a", url="http://h/1"), Entry(guid="b", url="http://h/1")]
    assert keys(entries) == ["a", "b"]


def test_else_the_canonical_url() -> None:
    entries = [Entry(guid="same", url=f"http://h.example/{n}?utm_source=x", title="t") for n in range(3)]
    found = keys(entries)
    assert len(set(found)) == 3
    again = [Entry(guid="same", url=f"http://h.example/{n}?utm_source=y", title="t") for n in range(3)]
    assert keys(again) == found


def test_else_title_date_and_text() -> None:
    entries = [Entry(title="one", summary="x"), Entry(title="two", summary="x"), Entry(title="one", summary="y")]
    found = keys(entries)
    assert len(set(found)) == 3
    assert keys(list(reversed(entries))) == list(reversed(found))


def test_an_entry_that_stands_twice_is_one_and_keeps_its_guid() -> None:
    entry = Entry(guid="a", url="http://h.example/1", title="t")
    assert keys([entry, entry]) == ["a", "a"]
    assert len(to_items("s", [entry, entry], NOW)) == 1


def test_ids_are_the_sources_own() -> None:
    entry = Entry(guid="a", title="t")
    one, other = (to_items(source, [entry], NOW)[0].id for source in ("s", "r"))
    assert one != other
    assert one == to_items("s", [Entry(guid="b", title="u"), entry], NOW)[1].id


def test_an_empty_entry_is_none() -> None:
    assert to_items("s", [Entry(guid="a"), Entry(guid="b", title="t")], NOW)[0].key == "b"


def test_dates_ahead_are_now_and_old_ones_stay() -> None:
    entries = [Entry(guid=str(n), title="t", published=at) for n, at in enumerate([NOW + DAY, 0.0, -DAY, None])]
    assert [item.published for item in to_items("s", entries, NOW)] == [NOW, 0.0, -DAY, None]


def test_an_item_says_where_it_is_from() -> None:
    item = to_items("s", [Entry(guid="a", url="https://www.news.example.co.uk/x", lang="en-GB", title="t")], NOW)[0]
    assert (item.outlet, item.site, item.lang, item.source) == ("example.co.uk", "www.news.example.co.uk", "en", "s")


@pytest.mark.parametrize(
    ("summary", "body", "expected"),
    [
        ("short", "the whole text", ("short", "the whole text")),
        ("the whole text", "short", ("short", "the whole text")),
        ("the same", "the same", ("the same", "")),
        ("only", "", ("only", "")),
        ("", "only", ("", "only")),
    ],
)
def test_the_longer_text_is_the_body(summary: str, body: str, expected: tuple[str, str]) -> None:
    assert texts(summary, body) == expected


@pytest.mark.parametrize(
    ("tag", "lang"),
    [("en-GB", "en"), ("UK", "uk"), ("", "und"), ("english", "und"), ("x", "und"), ("fil", "fil"), ("1", "und")],
)
def test_languages(tag: str, lang: str) -> None:
    assert primary_language(tag) == lang


def test_the_newest_are_kept_in_their_order() -> None:
    entries = [Entry(guid=str(n), published=float(n)) for n in (3, 1, 2, 5, 4)]
    assert [entry.guid for entry in newest(entries, 3)] == ["3", "5", "4"]
    assert [entry.guid for entry in newest([*entries, Entry(guid="undated")], 2)] == ["3", "1"]
    assert len(newest(entries, 10)) == 5


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ([], None),
        ([DAY * n for n in range(30)], 8 / 7),
        ([3600.0 * n for n in range(1, 11)], 24),
        ([30 * DAY, 60 * DAY], 0),
        ([DAY], 1 / 7),
        ([-DAY, 0, 0], 72),
    ],
)
def test_how_much_a_source_publishes(ages: list[float], expected: float | None) -> None:
    found = per_day([NOW - age for age in ages], NOW)
    assert found == (None if expected is None else pytest.approx(expected))
