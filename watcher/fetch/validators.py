"""What a response's headers say about asking again: validators, freshness, and when to come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

DAY = 86400.0

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)


def validator(headers: Mapping[str, str], name: str) -> str | None:
    """The ETag or Last-Modified as the server wrote it, to be sent back byte for byte.

    None where there is none, or where it holds bytes that are no UTF-8 and so could not be sent back unchanged.
    """
    value = headers.get(name)
    if not value or not value.isprintable():
        return None
    return value


def http_date(value: str) -> float | None:
    """An HTTP date (RFC 9110, 5.6.7, obsolete forms included) in seconds since the epoch."""
    try:
        return parsedate_to_datetime(value.strip()).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds Retry-After (RFC 9110, 10.2.3) asks to wait, at most a day; None where it asks nothing."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), DAY)
    moment = http_date(value)
    if moment is None:
        return None
    # By the server's own clock where it shows it: ours may differ.
    shown = http_date(headers.get("Date", ""))
    return min(max(moment - (now if shown is None else shown), 0.0), DAY)


def freshness(headers: Mapping[str, str]) -> float | None:
    """For how many seconds the response stays fresh (RFC 9111, 4.2): max-age less Age, else Expires less Date.

    0 where the server says that it is stale already (no-cache, no-store, an Expires that is past or no date); None
    where it says nothing.
    """
    control = headers.get("Cache-Control", "")
    if re.search(r"no-cache|no-store", control, re.IGNORECASE):
        return 0.0
    found = _MAX_AGE.search(control)
    if found:
        age = headers.get("Age", "").strip()
        return max(float(found[1]) - (float(age[:9]) if age.isascii() and age.isdigit() else 0.0), 0.0)
    if "Expires" not in headers:
        return None
    expires, date = http_date(headers["Expires"]), http_date(headers.get("Date", ""))
    if expires is None or date is None:
        return 0.0
    return max(expires - date, 0.0)
