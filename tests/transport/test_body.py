"""Bodies: whole, too large, broken off, compressed and badly so."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.text.sanitize import Redactor
from stacktui.transport.records import Exchange, TransportFault, TransportFaultKind
from tests.support.draws import draws
from tests.support.sessions import MIB, failure, names, opened
from tests.support.web import Raw, answer, serving

GIB = 1024 * MIB


def zipped(body: bytes) -> bytes:
    """The same bytes each time, as tests are named after them."""
    return gzip.compress(body, mtime=0)


async def body_of(said: Raw, limit: int = MIB) -> bytes:
    async with serving(said) as web, opened() as session:
        return (await session.fetch("GET", web.url, limit=limit)).body


async def fault_of(said: Raw, limit: int = MIB) -> tuple[TransportFault, Exchange]:
    async with serving(said) as web, opened() as session:
        return await failure(session, web.url, limit=limit)


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n", encoding: str = "identity") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: {encoding}\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (answer(b"hello"), b"hello"),
        (answer(b""), b""),
        (Raw(chunked(b"he", b"llo")), b"hello"),
        (Raw(b"HTTP/1.1 200 OK\r\n\r\nhello", "close"), b"hello"),
        (Raw(b"HTTP/1.0 200 OK\r\n\r\nhello", "close"), b"hello"),
        (Raw(b"HTTP/1.1 204 No Content\r\n\r\n"), b""),
        (answer(zipped(b"hello"), Content_Encoding="gzip"), b"hello"),
        (answer(zipped(b"hello"), Content_Encoding=" GZIP "), b"hello"),
        (answer(zipped(b""), Content_Encoding="gzip"), b""),
        (answer(b"", Content_Encoding="gzip"), b""),
        (answer(b"hello", Content_Encoding="identity"), b"hello"),
        (
            Raw(chunked(*(zipped(b"hello")[i : i + 1] for i in range(25)), encoding="gzip")),
            b"hello",
        ),
        (answer(zipped(b"hel") + zipped(b"lo"), Content_Encoding="gzip"), b"hello"),
    ],
)
async def test_a_whole_body_is_read(said: Raw, body: bytes) -> None:
    assert await body_of(said) == body


@settings(max_examples=draws(25), deadline=None)
@given(body=st.binary(max_size=3000), cut=st.integers(1, 500), compressed=st.booleans())
def test_any_body_in_any_pieces_is_read(body: bytes, cut: int, compressed: bool) -> None:
    sent = zipped(body) if compressed else body
    parts = [sent[i : i + cut] for i in range(0, len(sent), cut)]
    said = Raw(chunked(*parts, encoding="gzip" if compressed else "identity"))
    assert asyncio.run(body_of(said)) == body


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("size", "fits"), [(999, True), (1000, True), (1001, False)])
async def test_the_bound_is_exact_and_counts_what_is_unpacked(
    size: int, fits: bool, compressed: bool
) -> None:
    body = bytes(size)
    said = answer(zipped(body), Content_Encoding="gzip") if compressed else answer(body)
    if fits:
        assert await body_of(said, 1000) == body
        return
    fault, exchange = await fault_of(said, 1000)
    assert fault.kind is TransportFaultKind.TOO_LARGE
    assert (fault.limit, fault.detail) == (1000, "larger than 1000 bytes")
    assert names(exchange.phases)[-1] == "body!"
    assert exchange.response is not None
    assert exchange.response.status == 200


def _endless(head: bytes, part: bytes) -> Raw:
    def parts() -> Iterator[bytes]:
        yield head
        while True:
            yield part

    return Raw(parts())


@cache
def _bomb() -> bytes:
    """256 MiB of nothing in a quarter of a megabyte."""
    pack = zlib.compressobj(9, wbits=31)
    return b"".join(pack.compress(bytes(MIB)) for _ in range(256)) + pack.flush()


@pytest.mark.parametrize(
    "said",
    [
        lambda: _endless(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (4 * GIB), bytes(65536)
        ),
        lambda: _endless(chunked(end=b""), b"10000\r\n" + bytes(65536) + b"\r\n"),
        lambda: answer(_bomb(), Content_Encoding="gzip"),
    ],
    ids=["promised", "chunked", "bomb"],
)
async def test_a_giant_body_is_given_up_in_little_memory(said: object) -> None:
    assert callable(said)
    prepared = said()
    tracemalloc.start()
    try:
        fault, _ = await fault_of(prepared)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fault.kind is TransportFaultKind.TOO_LARGE
    assert peak < 12 * MIB


async def test_what_follows_a_compressed_body_is_not_piled_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (4 * GIB)
    said = _endless(head + zipped(b"hello"), bytes(65536))
    tracemalloc.start()
    try:
        fault, _ = await fault_of(said)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fault.kind is TransportFaultKind.BODY_ENCODING
    assert peak < 12 * MIB


@pytest.mark.parametrize(
    "said",
    [
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close"),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "reset"),
        Raw(chunked(b"hello", end=b""), "close"),
        Raw(chunked(b"hello", end=b"5\r\nhe"), "close"),
        Raw(chunked(b"hello", end=b"zz\r\n"), "close"),
        answer(zipped(b"hello" * 100)[:-5], Content_Encoding="gzip"),
        answer(zipped(b"hello" * 100)[:12], Content_Encoding="gzip"),
        answer(zipped(b"")[:5], Content_Encoding="gzip"),
    ],
)
async def test_a_body_that_breaks_off_is_named(said: Raw) -> None:
    fault, exchange = await fault_of(said)
    assert fault.kind is TransportFaultKind.BODY_TRUNCATED
    assert fault.detail.isprintable()
    assert names(exchange.phases)[-2:] == ["first-byte", "body!"]
    assert exchange.response is not None
    assert exchange.response.status == 200


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"hello", "gzip"),
        (zipped(b"hello")[:-4] + b"\0\0\0\0", "gzip"),
        (zipped(b"hello")[:-8] + b"\0\0\0\0\5\0\0\0", "gzip"),
        (zipped(b"hello") + b"garbage", "gzip"),
        (b"hello", "br"),
        (b"hello", "deflate"),
        (b"hello", "gzip, gzip"),
        (b"hello", "\x9b31m" + "x" * 5000),
    ],
)
async def test_an_encoding_that_cannot_be_undone_is_named(body: bytes, encoding: str) -> None:
    fault, exchange = await fault_of(answer(body, Content_Encoding=encoding))
    assert fault.kind is TransportFaultKind.BODY_ENCODING
    assert fault.detail.isprintable()
    assert len(fault.detail) < 200
    assert names(exchange.phases)[-1] == "body!"


async def test_an_encoding_that_echoes_a_secret_does_not_show_it() -> None:
    redactor = Redactor()
    redactor.add_secret("s3cret-value")
    async with (
        serving(answer(Content_Encoding="s3cret-value")) as web,
        opened(redactor=redactor) as session,
    ):
        fault, _ = await failure(session, web.url)
    assert fault.detail == "encoded as '[redacted]'"
