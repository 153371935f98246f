import gzip
import sys
import zlib

import brotli
import pytest

if sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

from watcher.fetch.decode import STEP, Body, TooLarge, Undecodable

TEXT = b"".join(b"line %d of a feed\n" % n for n in range(5000))
BOMB = bytes(50_000_000)

CODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT, quality=4),
    "zstd": zstd.compress(TEXT),
    "": TEXT,
    "identity": TEXT,
}


def decode(encoding: str, data: bytes, cap: int = 1_000_000, step: int = 1000, cut: bool = False) -> bytes:
    body = Body(encoding, cap, cut=cut)
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
        if body.full:
            break
    return body.finish()


@pytest.mark.parametrize("encoding", CODED)
@pytest.mark.parametrize("step", [1, 1000, 10_000_000])
def test_undoes_each_coding_in_pieces_of_any_size(encoding: str, step: int) -> None:
    assert decode(encoding, CODED[encoding], step=step) == TEXT


def test_a_bare_deflate_stream() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert decode("deflate", packer.compress(TEXT) + packer.flush()) == TEXT


@pytest.mark.parametrize("step", [7, 10_000_000])
def test_several_members_and_frames(step: int) -> None:
    assert decode("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), step=step) == b"one two"
    assert decode("zstd", zstd.compress(b"one ") + zstd.compress(b"two"), step=step) == b"one two"


def test_padding_after_the_last_member_is_ignored() -> None:
    assert decode("gzip", gzip.compress(b"one") + bytes(100)) == b"one"


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(BOMB)),
        ("deflate", zlib.compress(BOMB)),
        ("br", brotli.compress(BOMB, quality=1)),
        ("zstd", zstd.compress(BOMB)),
    ],
)
def test_a_bomb_is_stopped_at_the_cap(encoding: str, bomb: bytes) -> None:
    body = Body(encoding, 100_000)
    with pytest.raises(TooLarge):
        body.feed(bomb)
    assert len(body.data) <= 100_000
    assert len(decode(encoding, bomb, cap=100_000, cut=True)) == 100_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_ends_early_or_is_something_else_is_refused(encoding: str) -> None:
    with pytest.raises(Undecodable):
        decode(encoding, CODED[encoding][:-20])
    with pytest.raises(Undecodable):
        decode(encoding, b"<rss>this was never compressed</rss>")
    assert decode(encoding, b"") == b""


@pytest.mark.parametrize("encoding", ["gzip, gzip", "compress", "x" * 1000])
def test_other_codings_are_refused(encoding: str) -> None:
    with pytest.raises(Undecodable, match="Content-Encoding"):
        Body(encoding, 100)


def test_exactly_the_cap_is_not_too_large() -> None:
    assert decode("gzip", CODED["gzip"], cap=len(TEXT)) == TEXT
    with pytest.raises(TooLarge):
        decode("gzip", CODED["gzip"], cap=len(TEXT) - 1)


BIG = b"".join(b"line %d of a long feed\n" % n for n in range(100_000))


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("gzip", gzip.compress(BIG), BIG),
        ("gzip", gzip.compress(BIG) + gzip.compress(BIG), BIG + BIG),
        ("gzip", gzip.compress(BIG) + bytes(5), BIG),
        ("deflate", zlib.compress(BIG), BIG),
        ("br", brotli.compress(BIG, quality=3), BIG),
        ("zstd", zstd.compress(BIG), BIG),
        ("zstd", zstd.compress(BIG) + zstd.compress(BIG), BIG + BIG),
        ("zstd", zstd.compress(bytes(5 * STEP)), bytes(5 * STEP)),
        ("gzip", gzip.compress(bytes(5 * STEP)), bytes(5 * STEP)),
        ("br", brotli.compress(bytes(5 * STEP)), bytes(5 * STEP)),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("size", [997, 65_536, 10_000_000])
def test_what_unfolds_to_much_comes_in_steps_and_whole(encoding: str, data: bytes, text: bytes, size: int) -> None:
    body, longest = Body(encoding, 20_000_000), 0
    for start in range(0, len(data), size):
        before = len(body.data)
        for _ in body.steps(data[start : start + size]):
            longest, before = max(longest, len(body.data) - before), len(body.data)
        longest = max(longest, len(body.data) - before)
    assert body.finish() == text
    assert longest <= 2 * STEP
