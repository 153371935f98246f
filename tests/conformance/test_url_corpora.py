"""Canonical addresses against what three libraries expect; where they disagree, docs/decisions/canonical-urls.md says
whom we follow. Addresses that one of them makes one must be one here as well, but for the reasons below."""

import csv
import json
from typing import Any

import pytest

from tests.paths import CORPORA
from watcher.text.urls import canonical

URLS = CORPORA / "urls"
pytestmark = pytest.mark.skipif(not URLS.exists(), reason="the corpora are not here")

# They answer other questions: is it worth crawling, what is its domain.
OTHER_QUESTIONS = ("check_url", "is_not_crawlable", "extract_domain")
# These say which page of a shop campaign is meant only beside others; alone they may name a page.
KEPT_PARAMETERS = {"toolid", "customid"}


def pairs() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (URLS / "canonical_pairs.jsonl").read_text(encoding="utf-8").splitlines()]


def why_not(pair: dict[str, Any]) -> str:
    """The reason for which we need not agree, or ""."""
    given, wanted = pair["inp"], pair["out"]
    if pair["src"].endswith(OTHER_QUESTIONS):
        return "another question"
    if pair["kw"] not in ({}, ""):
        return "made with an option"
    if not given.lower().startswith(("http://", "https://")):
        return "no scheme: no address, resolve() makes it one"
    if any(mark in given for mark in "<\"'") or given.endswith("/&") or given.count("https://") > 1:
        return "a broken address is repaired by cutting: we keep what it says, escaped"
    if any(ord(char) < 32 for char in given):
        return "control characters: dropped, as browsers drop them (WHATWG URL), not escaped"
    if not canonical(wanted) or not canonical(given):
        return "a host that IDNA 2008 refuses"
    if "&c=" in wanted and "&c=" not in given:
        return "a parameter without `=` stays without"
    return ""


def test_addresses_that_a_library_makes_one_are_one_here() -> None:
    judged = [pair for pair in pairs() if not why_not(pair)]
    assert len(judged) > 80
    wrong = [(pair["inp"], pair["out"]) for pair in judged if canonical(pair["inp"]) != canonical(pair["out"])]
    assert wrong == []


def test_canonical_forms_are_their_own() -> None:
    for pair in pairs():
        for address in (pair["inp"], pair["out"]):
            if isinstance(address, str):
                assert canonical(canonical(address)) == canonical(address)


def test_tracking_parameters_go() -> None:
    with (URLS / "tracking_params.csv").open(encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert len(names) > 90
    page = "https://paper.example/a?id=7"
    kept = {name for name in names if canonical(f"{page}&{name}=x1") != page}
    assert kept == KEPT_PARAMETERS
