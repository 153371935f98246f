import pytest

from watcher.errors import FetchError, FetchKind
from watcher.fetch import urls
from watcher.fetch.urls import checked, hide, origin, shown


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("https://h.example/a%2Fb?x=a+b%2Bc&sig=%7e", "https://h.example/a%2Fb?x=a+b%2Bc&sig=%7e"),
        (" http://h.example/a b#part ", "http://h.example/a%20b"),
        ("https://пример.example/новости", "https://xn--e1afmkfd.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
    ],
)
def test_keeps_a_url(text: str, same: str) -> None:
    assert str(checked(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd", "file:/etc/passwd", "gopher://h/", "data:text/html,x", "javascript:alert(1)", "ftp://h/",
        "//h/feed", "/feed", "feed", "", "http://", "http:///x", "http://h:0/", "http://h:99999/", "http://h\\@evil/",
        "http://h/a\\b", "http://h/a\r\nHost: x", "http://h/\x00", "http://[::1/",
    ],
)  # fmt: skip
def test_refuses_the_rest(text: str) -> None:
    with pytest.raises(FetchError) as caught:
        checked(text)
    assert caught.value.kind is FetchKind.FORBIDDEN_URL
    assert "\r" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    text = shown("https://anna:hunter2@h.example/feed?api_key=abc123&page=2&sig=xyz")
    assert text == "https://h.example/feed?api_key=***&page=2&sig=***"


def test_origin() -> None:
    assert origin(checked("HTTPS://Example.org./x")) == origin(checked("https://example.org:443/y"))
    assert origin(checked("http://example.org/")) != origin(checked("https://example.org/"))


@pytest.mark.parametrize(
    ("value", "address", "as_shown"),
    [
        ("s3cr3t-4", "https://h.example/{}/feed", "https://h.example/${KEY}/feed"),
        ("s3cr3t-4", "https://h.example/feed?q={}&x=1", "https://h.example/feed?q=${KEY}&x=1"),
        ("p@ss word+1", "https://h.example/{}/feed", "https://h.example/${KEY}/feed"),
        ("p@ss word+1", "https://h.example/feed?q={}", "https://h.example/feed?q=${KEY}"),
        ("пароль", "https://h.example/{}/feed?q={}", "https://h.example/${KEY}/feed?q=${KEY}"),
        ("https://me:pw@H.example/SECRET/feed?u=abc", "{}", "https://h.example/${KEY}"),
        ("h.example", "https://h.example/feed", "https://h.example/feed"),  # a host is no secret
        ("feed", "https://h.example/feed", "https://h.example/feed"),  # nor what is so short
        ("\udcff\udcfe-12345", "https://h.example/feed", "https://h.example/feed"),
    ],
)
def test_what_was_a_reference_is_shown_as_one(
    monkeypatch: pytest.MonkeyPatch, value: str, address: str, as_shown: str
) -> None:
    monkeypatch.setattr(urls, "_hidden", {})
    hide(value, "KEY")
    address = address.replace("{}", value)
    assert shown(str(checked(address))) == as_shown
    assert shown(address).lower() == as_shown.lower()
