import pytest
from pydantic import TypeAdapter, ValidationError

from watcher.model import SourceState
from watcher.sources import Source, kinds
from watcher.sources.base import ADOPT_AFTER, same_origin


def make(**keys) -> Source:
    kind = next(key for key in keys if key in kinds())
    return kinds()[kind].model_validate(keys)


def why(**keys) -> str:
    with pytest.raises(ValidationError) as caught:
        make(**keys)
    text = str(caught.value)
    assert "hunter2" not in text
    return text


FEED = "https://news.example/feed"


def test_the_folder_says_which_kinds_there_are() -> None:
    assert {"feed", "page"} <= set(kinds())
    assert all(kind in model.model_json_schema()["properties"] for kind, model in kinds().items())
    assert list(kinds()) == sorted(kinds())


def test_a_source_has_a_name_and_a_stable_one() -> None:
    source = make(feed=FEED).named("kyivpost")
    assert (source.name, source.id, source.address) == ("kyivpost", "kyivpost", FEED)
    assert make(feed=FEED, was="old").named("new").id == "old"


def test_durations_and_cron_times() -> None:
    assert make(feed=FEED).every == "auto"
    assert make(feed=FEED, every="5m").every == 300
    assert make(feed=FEED, cron="0 7 * * 1-5", timezone="Europe/Kyiv").cron == "0 7 * * 1-5"
    assert "30s, 5m" in why(feed=FEED, every="often")
    assert "five fields" in why(feed=FEED, cron="daily")
    assert "time zone" in why(feed=FEED, cron="0 7 * * *", timezone="Mars/Base")


@pytest.mark.parametrize(
    ("given", "key", "says"),
    [
        ({"cron": "0 7 * * *", "every": "5m"}, "cron", "not both"),
        ({"cron": "0 7 * * 8"}, "cron", "no day of the week"),
        ({"cron": "0 7 * * *", "max": "1h"}, "cron", "bound `every: auto`"),
        ({"every": "5m", "min": "2h"}, "min", "bound `every: auto`"),
        ({"min": "4h", "max": "1h"}, "max", "shorter than `min`"),
        ({"cron": "0 7 * * *", "timezone": "Mars/Base"}, "timezone", "no time zone"),
    ],
)
def test_what_is_wrong_with_its_times_is_said_of_one_key(given: dict[str, str], key: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(feed=FEED, **given)
    [error] = caught.value.errors()
    assert error["loc"] == (key,)
    assert says in error["msg"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("news.example/feed", "https://"),
        ("file:///etc/passwd", "https://"),
        ("feed://news.example", "https://"),
        ("http:///feed", "no host"),
        ("http://h\\@evil/", "backslash"),
        ("http://a b/", "blank"),
        ("http://h:99999/", "no valid URL"),
        ("http://[::1/", "no valid URL"),
        ("", "https://"),
    ],
)
def test_addresses(address: str, says: str) -> None:
    assert says in why(feed=address)


def test_unknown_keys_are_errors() -> None:
    assert "evry" in why(feed=FEED, evry="5m")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"headers": {"X-Key": "hunter2\r\nHost: x"}}, "line break"),
        ({"headers": {"X Key": "hunter2"}}, "no name of a header"),
        ({"cookies": {"a": "hunter2\n"}}, "line break"),
        ({"auth": {"basic": "hunter2"}}, "user:password"),
        ({"auth": {"basic": "a:hunter2", "bearer": "hunter2"}}, "either"),
        ({"auth": {}}, "either"),
        ({"proxy": "socks5://hunter2@127.0.0.1:9050"}, "socks5h://host:port"),
        ({"proxy": "socks5h://hunter2@127.0.0.1"}, "with its port"),
        ({"proxy": "hunter2"}, "https://"),
        ({"user_agent": "a\nb"}, "user_agent"),
        ({"lang": "English"}, "lang"),
        ({"full_text": "sometimes"}, "full_text"),
    ],
)
def test_what_cannot_be_sent_or_meant(keys: dict, says: str) -> None:
    assert says in why(feed=FEED, **keys)


SECRETS = {
    "headers": {"X-Api-Key": "hunter2"}, "auth": {"basic": "anna:hunter2"}, "cookies": {"sid": "hunter2"},
    "user_agent": "Other/1", "proxy": "http://anna:hunter2@proxy.example:3128",
}  # fmt: skip


def test_secrets_go_to_the_sources_own_origin_only() -> None:
    source = make(feed=FEED, **SECRETS)
    own = source.request("https://news.example/article")
    assert own.headers == {"X-Api-Key": "hunter2"}
    assert own.auth == "Basic YW5uYTpodW50ZXIy"
    assert (own.cookies, own.user_agent) == ({"sid": "hunter2"}, "Other/1")
    for url in ("https://other.example/article", "http://news.example/article", "https://news.example:8443/x"):
        other = source.request(url, robots=True)
        assert (dict(other.headers), other.auth, dict(other.cookies), other.user_agent) == ({}, None, {}, None)
        assert other.proxy == SECRETS["proxy"]
        assert other.robots


def test_secrets_are_not_shown() -> None:
    source = make(feed=FEED, **SECRETS)
    assert "hunter2" not in repr(source)
    assert "hunter2" not in repr(source.request(FEED))
    assert b"hunter2" not in TypeAdapter(type(source)).dump_json(source)


def test_bearer() -> None:
    assert make(feed=FEED, auth={"bearer": "t"}).request(FEED).auth == "Bearer t"


def test_validators_come_from_the_state() -> None:
    state = SourceState("s", 0.0, etag='"e"', last_modified="then")
    request = make(feed=FEED).request(FEED, state=state)
    assert (request.etag, request.last_modified) == ('"e"', "then")


def test_permanent_redirects_are_adopted_after_repeats_and_dropped_when_they_fail() -> None:
    source = make(feed=FEED)
    there = "https://new.example/feed"
    assert source.poll_url(SourceState("s", 0.0, redirect_to=there, redirects=ADOPT_AFTER - 1)) == FEED
    assert source.poll_url(SourceState("s", 0.0, redirect_to=there, redirects=ADOPT_AFTER)) == there
    assert source.poll_url(SourceState("s", 0.0, redirect_to=there, redirects=ADOPT_AFTER, failures=1)) == FEED


def test_origins() -> None:
    assert same_origin("https://a.example/x", "HTTPS://A.example:443/y")
    assert not same_origin("https://a.example/", "https://a.example.org/")
    assert not same_origin("https://a.example:x/", "https://a.example/")


def test_selectors() -> None:
    assert make(page=FEED, select="main > .list li").select == "main > .list li"
    assert "no CSS selector" in why(page=FEED, select="main >>")


def test_every_kind_has_a_schema() -> None:
    for kind, model in kinds().items():
        schema = model.model_json_schema()
        if kind not in ("command", "search", "telegram"):  # what names no address of its own
            assert schema["properties"][kind]["format"] == "uri"
        assert schema["additionalProperties"] is False
        assert all("description" in value for value in schema["properties"].values())
