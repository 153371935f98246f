"""Pages that a site's guard shows to what it takes for a robot, instead of what was asked for."""

from __future__ import annotations

from collections.abc import Mapping

READ = 65536  # bytes of a refusal that are looked at

_HEADERS = {
    "cf-mitigated": ("challenge", "Cloudflare"),
    "x-amzn-waf-action": ("", "AWS WAF"),  # challenge or captcha
    "x-datadome": ("protected", "DataDome"),
}
_MARKS = {
    b"/cdn-cgi/challenge-platform/": "Cloudflare",
    b"<title>just a moment...</title>": "Cloudflare",
    b"<title>attention required! | cloudflare</title>": "Cloudflare",
    b"geo.captcha-delivery.com": "DataDome",
    b"px-captcha": "HUMAN",
    b"_incapsula_resource": "Imperva",
    b"errors.edgesuite.net": "Akamai",
    b"awswafintegration": "AWS WAF",
    b"ddos-guard": "DDoS-Guard",
    b"servicepipe.ru": "Servicepipe",
    b"anubis_challenge": "Anubis",
    b"<title>checking your browser": "a browser check",
}


def challenger(headers: Mapping[str, str], page: bytes) -> str:
    """Who guards the site, where the answer is a challenge and not the page; "" where it is none.

    `page` is a refusal's body. Of a page that was delivered only a small one is a challenge: some sites carry their
    guard's script in every page.
    """
    for name, (value, guard) in _HEADERS.items():
        found = headers.get(name, "").lower()
        if found and value in found:
            return guard
    head = page[:READ].lower()
    return next((guard for mark, guard in _MARKS.items() if mark in head), "")
