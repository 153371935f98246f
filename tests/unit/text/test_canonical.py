import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watcher.text.urls import canonical, outlet

PAGE = "https://paper.example/2026/05/03/harbour"


@pytest.mark.parametrize(
    "address",
    [
        "http://paper.example/2026/05/03/harbour",
        "HTTPS://WWW.Paper.Example:443/2026/05/03/harbour/",
        "https://paper.example//2026/./05/04/../03/harbour",
        "https://m.paper.example/2026/05/03/harbour#comments",
        "https://mobile.paper.example/2026/05/03/harbour?utm_source=rss&utm_medium=feed&fbclid=1",
        "https://amp.paper.example/2026/05/03/harbour",
        "https://paper.example/2026/05/03/harbour/amp/",
        "https://paper.example/2026/05/03/harbour/amp.html",
        "https://paper.example/2026/05/03/harbour?amp=1",
        "https://paper.example/2026/05/03/harbour?outputType=amp",
        "https://paper-example.cdn.ampproject.org/c/s/paper.example/2026/05/03/harbour?usqp=mq331AQ&utm_source=x",
        "https://paper-example.cdn.ampproject.org/v/s/www.paper.example/2026/05/03/harbour/amp?amp_js_v=0.1",
        "https://www.google.com/amp/s/amp.paper.example/2026/05/03/harbour",
        "https://paper.example/2026/05/03/h%61rbour",
        " https://reader:secret@paper.example/2026/05/03/harbour\n",
    ],
)
def test_one_page_has_one_address(address: str) -> None:
    assert canonical(address) == PAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://paper.example/a", "https://paper.example/A"),
        ("https://paper.example/?id=1", "https://paper.example/?id=2"),
        ("https://paper.example/#!/a", "https://paper.example/#!/b"),
        ("https://paper.example/a%2Fb", "https://paper.example/a/b"),
        ("https://paper.example:8443/a", "https://paper.example/a"),
        ("https://en.paper.example/a", "https://fr.paper.example/a"),
        ("https://paper.example/camp", "https://paper.example/c"),
        ("https://www.google.com/amp/s/", "https://www.google.com/"),
    ],
)
def test_two_pages_have_two(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_what_is_no_address_of_a_page_has_no_canonical_form() -> None:
    for address in ("", "paper.example/a", "mailto:desk@paper.example", "https://", "https://a\\b/", "x" * 9000):
        assert canonical(address) == ""


HOSTS = (
    "paper.example www.paper.example m.amp.www.paper.example amp.co.uk [::1] 10.0.0.1 x.cdn.ampproject.org"
    " www.google.com bücher.example"
)
PIECES = "/ // /. /.. /amp /amp/ /amp.html /c/s/ /v/ paper.example/ %41 %2f % é &amp; ; + ' < | \\ /a.amp.html . x"
FIELDS = "utm_source=x id=1 amp amp=1 a = b= q=%20+ é=ü usqp=1 a=1&amp;b=2"
hosts, fields = st.sampled_from(HOSTS.split()), st.sampled_from(FIELDS.split())
pieces = st.sampled_from([*PIECES.split(), " ", '"'])


@example("http", "x.cdn.ampproject.org", "", ["/amp", "/a.amp.html", "/c/s/"], [], "")
@given(
    st.sampled_from(["http", "https", "HTTP"]),
    hosts,
    st.sampled_from(["", ":80", ":443", ":8080", ":"]),
    st.lists(pieces, max_size=6),
    st.lists(fields, max_size=4),
    st.sampled_from(["", "#", "#top", "#!/a", "#!é"]),
)
def test_a_canonical_form_is_its_own(
    scheme: str, host: str, port: str, path: list[str], query: list[str], fragment: str
) -> None:
    once = canonical(f"{scheme}://{host}{port}/{''.join(path)}?{'&'.join(query)}{fragment}")
    assert canonical(once) == once
    assert outlet(once) == outlet(canonical(once))
    assert once == "" or once.startswith("https://")
    assert once.isascii()


@given(st.text(alphabet=string.printable + "éß漢\u202e\ud800", max_size=60))
def test_any_text_at_all_has_one_or_none(text: str) -> None:
    once = canonical("https://paper.example/" + text)
    assert canonical(once) == once
    assert canonical(canonical(text)) == canonical(text)
