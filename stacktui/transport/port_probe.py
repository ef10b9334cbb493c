"""Asking a port what it speaks, after it ended a connection before a handshake was done.

One plain request tells HTTP and what speaks first (SSH, mail) from silence; if nothing came, the
greeting of SOCKS tells that. No secret is sent, and nothing that could be one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stacktui.text.sanitize import Redactor
from stacktui.transport.port_answer import PortAnswer, Protocol, protocol_of
from stacktui.transport.records import TransportError, TransportFaultKind
from stacktui.transport.streams import Stream

# Bytes of an answer that are read, and characters of it that are quoted.
_ENOUGH, _QUOTED = 512, 120
# Seconds that each of the two may take at most.
_SECONDS = 1.0
# RFC 1928 section 3: version 5, one method, none that authenticates.
_SOCKS_GREETING = b"\x05\x01\x00"


async def probe_port(
    connect: Callable[[], Awaitable[Stream]],
    name: str,
    peer: tuple[str, int],
    redactor: Redactor,
    longest: float,
) -> PortAnswer | None:
    """Send one plain request for `name`, then perhaps the greeting of SOCKS, to `peer`.

    `connect` opens a connection for each; None where none comes about. Each waits at most
    `longest` seconds, or one.
    """
    head = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    seconds = min(longest, _SECONDS)
    said, is_silent = await _said(connect, head.encode("ascii", "ignore"), seconds)
    if said is None:
        return None
    if not said:
        greeted, _ = await _said(connect, _SOCKS_GREETING, seconds)
        said = greeted if greeted and greeted[:1] in (b"\x05", b"\x00") else b""
    if not said:
        return PortAnswer(*peer, Protocol.SILENCE if is_silent else Protocol.CLOSED)
    answer = redactor.snippet(said, _ENOUGH)
    return PortAnswer(*peer, protocol_of(answer), answer[:_QUOTED])


async def _said(
    connect: Callable[[], Awaitable[Stream]], request: bytes, seconds: float
) -> tuple[bytes | None, bool]:
    """Return the first bytes of the answer, None without a connection; and whether the peer kept
    the connection open for the whole time."""
    try:
        stream = await connect()
    except TransportError as error:
        is_reset = error.fault.kind is TransportFaultKind.TCP_RESET
        return b"" if is_reset else None, False
    said = b""
    try:
        async with asyncio.timeout(seconds):
            await stream.write(request)
            while len(said) < _ENOUGH and (more := await stream.read(_ENOUGH)):
                said += more
    except TimeoutError:
        return said, True
    except OSError:
        pass  # reset: what came before counts
    finally:
        stream.close()
    return said, False
