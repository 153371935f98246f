"""Agency heads and dates in titles, case by case."""

import pytest

from watcher.stories.headlines import differ, names, read


@pytest.mark.parametrize(
    "title",
    [
        "UPDATE 2-Bank of Arlen raises rates",
        "UPDATE 1-UPDATE 2-Bank of Arlen raises rates",
        "WRAPUP 3-Bank of Arlen raises rates",
        "RPT-Bank of Arlen raises rates",
        "RPT-UPDATE 2-Bank of Arlen raises rates",
        "CORRECTED-Bank of Arlen raises rates",
        "CORRECTED: Bank of Arlen raises rates",
        "REFILE-UPDATE 1-Bank of Arlen raises rates",
        "UPDATE: Bank of Arlen raises rates",
        "(UPDATE) Bank of Arlen raises rates",
        "(2nd LD) Bank of Arlen raises rates",
        "[Updated] Bank of Arlen raises rates",
        "Bank of Arlen raises rates (UPDATE 3)",
        "BREAKING | Bank of Arlen raises rates",
        "Exclusive: Bank of Arlen raises rates",
        "ACTUALIZA 1-Bank of Arlen raises rates",
        "Срочно: Bank of Arlen raises rates",
        "MISE À JOUR 2-Bank of Arlen raises rates",
        "  bank of ARLEN raises “rates”  ",
        "Bank of Arlen raises rates - Holm Courier",
        "Bank of Arlen raises rates | The Holm Courier",
    ],
)
def test_heads_and_tails_that_say_nothing_are_taken_off(title: str) -> None:
    assert read(title, "holmcourier.example").text == "bank of arlen raises rates"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Update your mail server today", "update your mail server today"),
        ("Lead found in the river at Holm", "lead found in the river at holm"),
        ("Bank of Arlen raises rates - sources", "bank of arlen raises rates sources"),
        ("UPDATE 2-", "update 2"),
        ("Update", "update"),
        ("", ""),
    ],
)
def test_what_belongs_to_a_title_stays(title: str, text: str) -> None:
    assert read(title, "holmcourier.example").text == text


@pytest.mark.parametrize(
    ("one", "other", "two"),
    [
        ("Market report, 3 May", "Market report, May 3rd", False),
        ("Market report, 3 May", "Market report, 4 May", True),
        ("3 мая: обзор рынка", "4 мая: обзор рынка", True),
        ("Le marché du 3 août", "Le marché du 4 août", True),
        ("Notes of 2031-02-03", "Notes of 3 February", False),
        ("Notes of 2031-02-03", "Notes of 2031-02-04", True),
        ("Friday live: the talks", "Saturday live: the talks", True),
        ("Inflation at 2.1 percent", "Prices rise more slowly as 40 towns report", False),
        ("Kernel v6.1 is out", "Kernel v6.2 is out", True),
        ("Patch for GHSA-aaaa-bbbb-cccc", "A patch, GHSA-aaaa-bbbb-dddd", True),
        ("UPDATE 1-Two boats lost at Holm", "UPDATE 2-Two boats lost at Holm", False),
    ],
)
def test_titles_that_make_two_texts(one: str, other: str, two: bool) -> None:
    assert differ(read(one), read(other), numbered=False) is two


def test_numbers_make_two_texts_where_it_is_asked_for() -> None:
    one, other = read("Notice 11 on the tunnel"), read("Notice 12 on the tunnel")
    assert differ(one, other, numbered=True)
    assert not differ(one, other, numbered=False)


def test_names_of_versions_and_advisories() -> None:
    text = "CVE-2031-1234 and DSA-5555-1 are closed in v1.2 and 1.3.0-rc1, KB5031234; prices rose 3.5 percent to 12,000"
    assert names(text) == {"cve-2031-1234", "dsa-5555-1", "1.2", "1.3.0-rc1", "kb5031234"}
