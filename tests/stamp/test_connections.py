"""HTTP connections: keep-alive, limits, malformed input."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from stacktui.stamp import connection, sockets
from stacktui.stamp.running import RunningStamp

from .probe import Client, walk

METADATA = b"/metadata/endpoints?api-version=2015-01-01"


@contextmanager
def tls(stamp: RunningStamp) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=stamp.ca_file)
    with (
        socket.create_connection(("127.0.0.1", stamp.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as wrapped,
    ):
        yield wrapped


def get(path: bytes = METADATA, more: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n"


def read_all(stream: ssl.SSLSocket) -> bytes:
    """Return everything until the peer closes."""
    received = b""
    with suppress(ConnectionError, ssl.SSLEOFError):
        while data := stream.recv(65536):
            received += data
    return received


def test_keep_alive_and_pipelining(entra: RunningStamp) -> None:
    before = len(entra.requests)
    with tls(entra) as stream:
        stream.sendall(get() * 2 + get(more=b"Connection: close\r\n"))
        received = read_all(stream)
    assert received.count(b"HTTP/1.1 200") == 3
    mine = entra.requests[before:]
    assert len({record.connection for record in mine}) == 1


def test_head_has_no_body(entra: RunningStamp) -> None:
    with tls(entra) as stream:
        stream.sendall(get(more=b"Connection: close\r\n").replace(b"GET", b"HEAD", 1))
        head, _, body = read_all(stream).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_expect_continue(entra: RunningStamp) -> None:
    with tls(entra) as stream:
        stream.sendall(
            b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert stream.recv(1000).startswith(b"HTTP/1.1 100")
        stream.sendall(b"{}")
        assert b"HTTP/1.1 4" in read_all(stream)


MALFORMED = {
    "no request line": b"nonsense\r\n\r\n",
    "unknown version": b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "header without colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
    "target is no URL": b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "bad chunk": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    ),
    "too many fields": get(b"/?" + b"&".join(b"a%d=1" % n for n in range(200))),
    "head too large": get(more=b"X: " + b"a" * 2 * connection.MAX_HEAD + b"\r\n"),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_malformed_requests_get_400(entra: RunningStamp, sent: bytes) -> None:
    with tls(entra) as stream:
        stream.sendall(sent)
        received = read_all(stream)
    assert received.startswith(b"HTTP/1.1 400")


def test_a_body_over_the_limit(entra: RunningStamp) -> None:
    size = connection.MAX_BODY + 1
    with tls(entra) as stream:
        stream.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        with suppress(OSError):
            stream.sendall(b"x" * size)
        assert read_all(stream).startswith(b"HTTP/1.1 413")


def test_random_bytes_never_stop_it(start: Callable[..., RunningStamp]) -> None:
    stamp, source = start(), random.Random(7)
    for _ in range(60):
        junk = source.randbytes(source.randrange(1, 300))
        with tls(stamp) as stream, suppress(OSError):
            stream.sendall(junk if source.random() < 0.5 else get(b"/" + junk.hex().encode()))
        with socket.create_connection(("127.0.0.1", stamp.port)) as raw:
            raw.sendall(junk)
    assert walk(stamp) == "ok 18"


def test_connections_are_bounded(
    start: Callable[..., RunningStamp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAX_CONNECTIONS", 2)
    stamp = start()
    with tls(stamp) as one, tls(stamp) as two:
        for stream in (one, two):
            stream.sendall(get())
            assert stream.recv(100).startswith(b"HTTP/1.1 200")
        assert not _served(stamp)
    assert walk(stamp) == "ok 18"


def _served(stamp: RunningStamp) -> bool:
    """Return whether a new connection gets a response."""
    try:
        with tls(stamp) as stream:
            stream.sendall(get())
            return bool(stream.recv(100))
    except OSError:
        return False


def test_idle_connections_are_closed(
    start: Callable[..., RunningStamp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.1)
    with tls(start()) as stream:
        assert read_all(stream) == b""


def test_log_is_bounded(
    start: Callable[..., RunningStamp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_LOG", 3)
    stamp = start()
    for _ in range(5):
        Client(stamp).metadata()
    assert [record.connection for record in stamp.requests] == [3, 4, 5]
