import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import CORPORA
from watcher.text.html import to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One &amp; two</p><p>three</p>", "One & two\n\nthree"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>Bur</b>kina <i>Faso</i>", "Burkina Faso"),
        ("x<script>var a = '<p>no</p>';</script>y", "xy"),
        ("<style>p{}</style><noscript>no</noscript>yes", "yes"),
        ("<td>Burkina</td><td>Faso</td>", "Burkina\n\nFaso"),
        ("<img alt='a > b' src=x>after", "after"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("&lt;b&gt; is a tag", "<b> is a tag"),
        ("Mali&#8217;s &nbsp; army", "Mali’s army"),
        ("<p class=Center>word</p>", "word"),
        ("<!-- Mali -->Niger<!-- open", "Niger"),
        ("<![CDATA[<p>in</p>]]>", "in"),
        ("plain\nlines\n\n  and a paragraph", "plain\nlines\n\nand a paragraph"),
        ("one\r\n\r\n\r\ntwo &amp; three", "one\n\ntwo & three"),
        ("nul\x00 and \ud800 go", "nul and go"),
        ("İ<p>İ</p><script>x</script>z", "İ\n\nİ\n\nz"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_to_text(markup: str, text: str) -> None:
    assert to_text(markup) == text


@given(st.text(alphabet=st.sampled_from("<>/!-[]&;#x=\"' \nabpscrit"), max_size=60))
def test_never_raises(markup: str) -> None:
    assert "\x0c" not in to_text(markup)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<a b='",
        '<a b="',
        "<![CDATA[",
        "<!--",
        "<script>",
        "<svg>",
        "<noscript>",
        "</",
        "&",
        "&#",
        "<div>",
        "\n ",
        "<?",
    ],
)
def test_takes_time_in_proportion(piece: str) -> None:
    small, large = piece * 4_000, piece * 40_000
    to_text(small)
    start = time.process_time()
    to_text(small)
    first = time.process_time() - start
    start = time.process_time()
    to_text(large + ">")
    assert time.process_time() - start < 0.1 + 40 * first


def test_real_pages_lose_no_paragraph() -> None:
    pages = sorted((CORPORA / "pages").glob("*.html.gz"))[:20]
    if not pages:
        pytest.skip("no corpora here")
    for page in pages:
        text = to_text(gzip.decompress(page.read_bytes()).decode("utf-8", "replace"))
        assert len(text.split()) > 100
        assert "<div" not in text and "function(" not in text[:200]
