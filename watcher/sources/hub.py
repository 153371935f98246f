"""The hub of a feed (WebSub, W3C Recommendation of 23 January 2018): where it is named, and what hubs send. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from watcher.text.urls import resolve

if TYPE_CHECKING:
    from watcher.sources.base import Source

DAY = 86400.0

LEASE = 10 * DAY  # that hubs are asked for; Google's gives no more
SHORTEST_LEASE = 300.0  # a hub that gives less is taken to give this: it would be asked all the time
LONGEST_LEASE = 30 * DAY  # and one that gives more, this
RENEW = 0.75  # of the lease, when it is renewed
AGAIN = 600.0  # seconds until a hub is asked again after the first time that it did not work out; doubled each time
SELDOM = DAY  # at most
DENIED = 7 * DAY  # until a hub that said no is asked again

_METHODS = ("sha1", "sha256", "sha384", "sha512")
_LINK = re.compile(r"<([^<>]*)>((?:[^,\"<]|\"(?:[^\"\\]|\\.)*\")*)")
_PARAMETER = re.compile(r";\s*([\w*-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*))")

Link = tuple[str, str]  # a hub, and what it knows the feed by


def named_in(links: Iterable[tuple[str, str]], base: str) -> Link | None:
    """The hub and the feed's own address among `links` (relation and address each); None where one is not there.

    Of several hubs the first that is asked by https is taken, else the first.
    """
    found: dict[str, list[str]] = {"hub": [], "self": []}
    for relation, address in links:
        if relation in found and (url := resolve(base, "".join(address.split()))):
            found[relation].append(url)
    hubs = sorted(found["hub"], key=lambda url: not url.startswith("https:"))
    return (hubs[0], found["self"][0]) if hubs and found["self"] else None


def named_by_headers(headers: Mapping[str, str], base: str) -> Link | None:
    """The same among the Link headers (RFC 8288) of a response."""
    values: Sequence[str] = headers.getall("Link", []) if hasattr(headers, "getall") else [headers.get("Link", "")]
    links = []
    for target, parameters in _LINK.findall(", ".join(values)[:20_000]):
        relations = [quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters) if name.lower() == "rel"]
        links += [(word.lower(), target) for word in " ".join(relations[:1]).split()]
    return named_in(links, base)


def may_subscribe(source: Source) -> bool:
    """Whether a hub may be told of this source: not where that would give a secret away, or who asks for it."""
    from watcher.fetch.urls import shown  # noqa: PLC0415 - brings aiohttp's URLs

    return not (
        source.auth or source.headers or source.cookies or source.proxy or shown(source.address) != source.address
    )


def is_signed(secret: str, header: str, body: bytes) -> bool:
    """Whether X-Hub-Signature is what `secret` makes of `body` (WebSub, 7: HMAC by sha1, sha256, sha384 or sha512)."""
    method, _, digest = header.strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    made = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(made.encode(), digest.strip().lower().encode())


def lease(said: str) -> float:
    """For how many seconds a subscription holds, by what the hub said when it verified it."""
    seconds = float(said[:12]) if said.isascii() and said.isdigit() else LEASE
    return min(max(seconds, SHORTEST_LEASE), LONGEST_LEASE)


def ask_again(failures: int) -> float:
    """In how many seconds a hub is asked again that did not give a subscription `failures` times in a row."""
    return min(AGAIN * 2.0 ** min(max(failures - 1, 0), 16), SELDOM)
