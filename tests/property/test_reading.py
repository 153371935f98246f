"""What must hold of everything that strangers send: for any input, and however it is cut."""

from __future__ import annotations

import gzip
import random
from ipaddress import IPv4Address, IPv6Address

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import FetchError, ParseError
from watcher.fetch.decode import Body, TooLarge, Undecodable
from watcher.fetch.guard import is_public
from watcher.fetch.urls import checked, shown
from watcher.fetch.validators import freshness, retry_after
from watcher.sources.entries import Entry, keys, to_items
from watcher.sources.feed_parser import parse_bytes
from watcher.text.duration import format_duration, parse_duration

pieces = st.lists(st.binary(max_size=200), max_size=20)
short = st.text(max_size=20)


@given(st.binary(max_size=3000), st.integers(1, 700), st.sampled_from(["gzip", "br", "identity"]))
def test_a_body_is_the_same_however_it_is_cut(data: bytes, step: int, encoding: str) -> None:
    sent = {"gzip": gzip.compress, "br": brotli.compress, "identity": bytes}[encoding](data)
    body = Body(encoding, len(data))
    for start in range(0, len(sent), step):
        body.feed(sent[start : start + step])
    assert body.finish() == data


@given(pieces, st.sampled_from(["gzip", "deflate", "br", "zstd", ""]), st.integers(0, 500))
def test_no_body_grows_over_its_cap(data: list[bytes], encoding: str, cap: int) -> None:
    body = Body(encoding, cap)
    try:
        for piece in data:
            body.feed(piece)
        body.finish()
    except (TooLarge, Undecodable):
        pass
    assert len(body.data) <= cap


@given(st.integers(0, 2**32 - 1))
def test_no_special_ipv4_address_is_public(number: int) -> None:
    address = IPv4Address(number)
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public(str(address)) or address in (IPv4Address("192.0.0.9"), IPv4Address("192.0.0.10"))
    for carrier in ("::ffff:", "::", "64:ff9b::"):
        assert not is_public(f"{carrier}{address}")
    assert not is_public(str(IPv6Address((0x2002 << 112) | (number << 80))))


@given(st.integers(0, 2**128 - 1))
def test_no_special_ipv6_address_is_public(number: int) -> None:
    address = IPv6Address(number)
    if not address.is_global or address.is_multicast or address.is_site_local:
        assert not is_public(str(address))


@given(st.one_of(st.text(), st.from_regex(r"https?:[/\\]{0,3}[^ ]{0,30}")))
def test_a_url_is_checked_or_refused(text: str) -> None:
    try:
        url = checked(text)
    except FetchError as error:
        assert str(error).isprintable() or not text.isprintable()
        return
    assert url.scheme in ("http", "https")
    assert url.host
    assert "\\" not in str(url)


@given(st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True), st.from_regex(r"[A-Za-z0-9]{8,20}", fullmatch=True))
def test_no_password_is_shown(user: str, secret: str) -> None:
    assert secret not in shown(f"https://{user}:{secret}@h.example/?api_token={secret}&x=1")


@given(short, short, short)
def test_headers_never_raise(first: str, second: str, third: str) -> None:
    headers = {"Retry-After": first, "Date": second, "Expires": third, "Cache-Control": first, "Age": second}
    waits = [retry_after(headers, 1e9), freshness(headers)]
    assert all(wait is None or wait >= 0 for wait in waits)


@given(
    st.one_of(st.binary(max_size=500), st.binary(max_size=200).map(lambda b: b"<rss version='2.0'><channel><item>" + b))
)
def test_a_feed_is_read_or_refused(body: bytes) -> None:
    try:
        parsed = parse_bytes(body, "", "https://h.example/", "s", 1e9)
    except ParseError:
        return
    assert len(parsed["items"]) <= parsed["entries"]


@given(st.text(max_size=300).map(lambda text: '{"items": [' + text + "]}"))
def test_a_json_feed_is_read_or_refused(body: str) -> None:
    try:
        parse_bytes(body.encode("utf-8", "surrogatepass"), "", "https://h.example/", "s", 1e9)
    except ParseError:
        return


entries = st.lists(
    st.builds(
        Entry,
        guid=st.sampled_from(["", "a", "b", "c"]),
        url=st.sampled_from(["", "https://h.example/1", "https://h.example/1?utm_source=x", "https://h.example/2"]),
        title=st.sampled_from(["t", "u"]),
        date=st.sampled_from(["", "today"]),
    ),
    max_size=8,
)


@given(entries, st.randoms(use_true_random=False))
def test_an_entrys_key_does_not_depend_on_the_order(found: list[Entry], rng: random.Random) -> None:
    order = list(range(len(found)))
    rng.shuffle(order)
    there = keys(found)
    assert keys([found[n] for n in order]) == [there[n] for n in order]


@given(entries)
def test_different_entries_are_different_items(found: list[Entry]) -> None:
    items = to_items("s", found, 1e9)
    assert len({item.id for item in items}) == len(items)
    assert len(items) >= len({(entry.title, entry.date) for entry in found})


@given(st.integers(0, 10**8))
def test_durations_are_read_as_they_are_written(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize("carrier", ["::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_even_a_public_address_within_another_is_refused(carrier: str) -> None:
    assert not is_public(carrier)
