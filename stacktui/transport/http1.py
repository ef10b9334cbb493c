"""HTTP/1.1 over one stream: h11 parses, and each part of a request can be timed apart."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress

import h11

from stacktui.transport.streams import READ_SIZE, Stream

# RFC 9112 names no limit; no service that we talk to sends a larger head.
MAX_HEAD = 100 * 1024
# Where h11 starts to quote the bytes that it read.
_QUOTED_BYTES = re.compile(r":? \(?(?:expected )?(?:bytearray\()?b['\"]")


def what_is_wrong(error: h11.RemoteProtocolError) -> str:
    """Return why a response is not HTTP/1.1, without quoting it."""
    return _QUOTED_BYTES.split(str(error), maxsplit=1)[0] or type(error).__name__


class Http1Connection:
    """One connection, one request at a time: `send`, then `head`, then `body` to its end.

    Raises h11.RemoteProtocolError for a response that is not HTTP/1.1, ConnectionResetError for
    one that ends too early, h11.LocalProtocolError for a request that HTTP/1.1 cannot carry, and
    OSError from the stream. After any of them, only `close` may be called.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)

    async def send(
        self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Send a whole request as one write."""
        data = self._h11.send(h11.Request(method=method, target=target, headers=headers)) or b""
        if body:
            data += self._h11.send(h11.Data(data=body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        # A server may respond and close before it has read all: its response still counts.
        with suppress(OSError):
            await self._stream.write(data)

    async def head(self) -> h11.Response:
        """Return the response's status and headers; interim responses (1xx) are skipped."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise ConnectionResetError("closed before an answer came")

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the response's body as it arrives, still encoded."""
        while True:
            event = await self._event()
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return the next event; never NEED_DATA, though h11 has no type that excludes it."""
        while True:
            event = self._h11.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = await self._stream.read(READ_SIZE)
            if not data and self._h11.their_state is h11.SEND_RESPONSE:
                raise ConnectionResetError("closed before an answer came")
            self._h11.receive_data(data)

    def reuse(self) -> bool:
        """Prepare for another request; False where the connection must not be reused."""
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        # What follows the response, bytes or EOF, must not count for the next request.
        done = done and self._h11.trailing_data == (b"", False)
        if done:
            self._h11.start_next_cycle()
        return done

    def stale(self) -> bool:
        """Return whether the server has closed an idle connection, so that EOF can be read."""
        return self._stream.readable()

    def close(self) -> None:
        self._stream.close()
