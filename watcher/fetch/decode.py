"""Content codings, undone piece by piece against a cap, so that no bomb ever unfolds in memory."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import brotli

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

ACCEPTED = "gzip, br, zstd"
STEP = 262_144  # bytes that are decoded on end: a millisecond

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ERRORS = (zlib.error, brotli.error, zstd.ZstdError, EOFError)


class TooLarge(Exception):
    """The decoded body is longer than its cap."""


class Undecodable(Exception):
    """The body is not what its Content-Encoding says."""


class _Decoder(Protocol):
    @property
    def finished(self) -> bool: ...

    def decode(self, data: bytes, limit: int) -> bytes:
        """What `data` unfolds to. Stops soon after `limit` bytes; the rest comes when it is called with no data."""
        ...


class Body:
    """A body that grows by the pieces that come in. `data` is what is decoded so far, never more than `cap` bytes."""

    def __init__(self, encoding: str, cap: int, *, cut: bool = False) -> None:
        """`encoding` is the Content-Encoding header; with `cut`, what is over the cap is dropped in silence."""
        self.data = bytearray()
        self.full = False
        self._cap = cap
        self._cut = cut
        self._any = False
        self._decoder = _decoder(encoding)

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came. Raises TooLarge or Undecodable."""
        for _ in self.steps(piece):
            pass

    def steps(self, piece: bytes) -> Iterator[None]:
        """Take the next piece in steps, none of which takes long: a few bytes may unfold to megabytes."""
        self._any = self._any or bool(piece)
        while True:
            room = self._cap - len(self.data)
            limit = min(room + 1, STEP)
            if self._decoder is not None:
                try:
                    piece = self._decoder.decode(piece, limit)
                except _ERRORS as error:
                    raise Undecodable(str(error)) from None
            if len(piece) > room:
                if not self._cut:
                    raise TooLarge
                self.full = True
                piece = piece[:room]
            self.data += piece
            if self._decoder is None or self.full or len(piece) < limit:
                return
            piece = b""
            yield

    def finish(self) -> bytes:
        """The whole body. Raises Undecodable where the coding ended too early."""
        if self._decoder is not None and self._any and not self._decoder.finished and not self.full:
            raise Undecodable("the compressed body ends too early")
        return bytes(self.data)


def _decoder(encoding: str) -> _Decoder | None:
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return _Zlib(gzip=coding != "deflate")
    if coding == "br":
        return _Brotli()
    if coding == "zstd":
        return _Zstd()
    raise Undecodable(f"the server sent Content-Encoding {coding[:40]!r}; {ACCEPTED} were offered")


class _Zlib:
    def __init__(self, *, gzip: bool) -> None:
        self.finished = False
        self._gzip = gzip
        self._object: Any = zlib.decompressobj(zlib.MAX_WBITS | 16) if gzip else None
        self._held = b""  # too short to tell what it starts, or not looked at yet
        self._more = False  # there may be output without further input

    def decode(self, data: bytes, limit: int) -> bytes:
        data, self._held = self._held + data, b""
        if self._object is None:
            if len(data) < 2:
                self._held = data
                return b""
            # "deflate" is zlib's format (RFC 9110, 8.4.1.2), but some servers send the bare stream.
            zlib_header = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._object = zlib.decompressobj(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)
        out = b""
        while (data or self._more) and len(out) < limit:
            if self.finished:  # another member follows (RFC 1952), or padding, which is ignored
                if not (self._gzip and data.startswith(_GZIP_MAGIC)):
                    self._held = data if _GZIP_MAGIC.startswith(data) else b""
                    return out
                self._object = zlib.decompressobj(zlib.MAX_WBITS | 16)
            wanted = limit - len(out)
            got = self._object.decompress(data, wanted)
            out += got
            self.finished = self._object.eof
            self._more = len(got) == wanted and not self.finished
            data = self._object.unused_data if self.finished else self._object.unconsumed_tail
        self._held = data
        return out


class _Brotli:
    def __init__(self) -> None:
        self._object = brotli.Decompressor()

    @property
    def finished(self) -> bool:
        return bool(self._object.is_finished())

    def decode(self, data: bytes, limit: int) -> bytes:
        if self.finished:
            return b""
        out: bytes = self._object.process(data, output_buffer_limit=limit)
        while len(out) < limit and not self._object.can_accept_more_data() and not self.finished:
            out += self._object.process(b"", output_buffer_limit=limit - len(out))
        return out


class _Zstd:
    # A frame may ask for a window of 2 GiB; RFC 9659 allows 8 MiB in HTTP.
    _WINDOW_LOG = 23

    def __init__(self) -> None:
        self.finished = False
        self._object = self._frame()
        self._held = b""  # too short to tell whether it starts a frame, or not looked at yet

    def _frame(self) -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={int(zstd.DecompressionParameter.window_log_max): self._WINDOW_LOG})

    def decode(self, data: bytes, limit: int) -> bytes:
        data, self._held = self._held + data, b""
        out = b""
        while len(out) < limit:
            if self.finished:
                if not data.startswith(_ZSTD_MAGIC):
                    self._held = data if _ZSTD_MAGIC.startswith(data) else b""
                    return out
                self._object = self._frame()
            got = self._object.decompress(data, limit - len(out))
            out += got
            self.finished = self._object.eof
            data = self._object.unused_data if self.finished else b""
            if not self.finished and (self._object.needs_input or not got):
                break
        self._held = data
        return out
