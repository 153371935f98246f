import pytest

from watcher.fetch.validators import freshness, http_date, retry_after, validator

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994 GMT"]
)
def test_dates_in_the_three_forms(date: str) -> None:
    assert http_date(date) == NOW


@pytest.mark.parametrize("date", ["", "0", "-1", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_no_date(date: str) -> None:
    assert http_date(date) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "99999999999"}, 86400),
        ({"Retry-After": "Sun, 06 Nov 1994 08:59:37 GMT"}, 600),
        ({"Retry-After": "Sun, 06 Nov 1994 07:00:00 GMT"}, 0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:59:37 GMT", "Date": "Sun, 06 Nov 1994 08:58:37 GMT"}, 60),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "a while"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "public, max-age=300"}, 300),
        ({"Cache-Control": 'max-age="300"', "Age": "100"}, 200),
        ({"Cache-Control": "max-age=300", "Age": "1000"}, 0),
        ({"Cache-Control": "s-maxage=300"}, None),
        ({"Cache-Control": "no-cache, max-age=300"}, 0),
        ({"Cache-Control": "max-age=60", "Expires": "Sun, 06 Nov 1994 09:49:37 GMT"}, 60),
        ({"Expires": "Sun, 06 Nov 1994 09:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 3600),
        ({"Expires": "Sun, 06 Nov 1994 07:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),
        ({"Expires": "0"}, 0),
        ({"Expires": "-1", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),
        ({}, None),
    ],
)
def test_freshness(headers: dict[str, str], seconds: float | None) -> None:
    assert freshness(headers) == seconds


@pytest.mark.parametrize("etag", ['"abc"', 'W/"abc"', "unquoted", '"a b"', '"é"', '""'])
def test_validators_are_kept_as_they_came(etag: str) -> None:
    assert validator({"ETag": etag}, "ETag") == etag


@pytest.mark.parametrize("etag", ["", '"\udce9"', '"a\x01"'])
def test_what_could_not_be_sent_back_unchanged_is_dropped(etag: str) -> None:
    assert validator({"ETag": etag}, "ETag") is None
