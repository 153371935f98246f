from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.slack import read_mrkdwn
from watcher.transports.apprise import SECTION, sections

WORD = st.sampled_from(["a", "word", "&amp;", "&lt;!channel&gt;", "<https://n.example/x|a label>", " ", "\n", "\n\n"])


@given(st.lists(st.tuples(WORD, st.integers(1, 400)), max_size=30))
def test_sections_hold_the_whole_text_and_cut_no_link(words: list[tuple[str, int]]) -> None:
    body = "".join(word * count for word, count in words)
    pieces = sections(body)
    if len(pieces) < 50:
        assert "".join("".join(pieces).split()) == "".join(body.split())
    for piece in pieces:
        assert 0 < len(piece) <= SECTION
        text, links, acts = read_mrkdwn(piece)
        assert acts == []
        assert set(links) <= {"https://n.example/x"}
        assert text.count("<!channel>") == piece.count("&lt;!channel&gt;")


def test_a_short_text_is_one_section() -> None:
    assert sections("a\n\nb\nc") == ["a\n\nb\nc"]
    assert sections("\n\n") == []
