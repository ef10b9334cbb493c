"""Resolving names without blocking.

getaddrinfo can be neither cancelled nor limited, so each look-up runs in its own daemon thread: a
dead resolver then delays neither a cancelled check nor the end of the process.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.background import in_background
from stacktui.transport.host import is_address
from stacktui.transport.limits import LimitName
from stacktui.transport.records import TransportError, TransportFault, TransportFaultKind

# What a resolver opens: its configuration, the hosts file, sockets.
_DESCRIPTORS = 4
RESOLV_CONF = Path("/etc/resolv.conf")


async def resolve(host: str, port: int, limit: float) -> tuple[str, ...]:
    """Return the addresses of `host`, in the order to try them, within `limit` seconds.

    Raises TransportError with DNS_NOT_FOUND or DNS_TIMEOUT.
    """
    if is_address(host):
        return (host,)
    try:
        async with asyncio.timeout(limit):
            return await _look_up(host, port)
    except TimeoutError:
        kind, detail = TransportFaultKind.DNS_TIMEOUT, f"no answer in {limit:g} s"
        servers = configured_resolvers()
        raise TransportError(
            TransportFault(
                kind, host, port, detail, limit=limit, setting=LimitName.DNS, resolvers=servers
            )
        ) from None
    except OSError as error:
        if is_exhaustion(error):
            raise
        raise TransportError(_fault_of(error, host, port)) from None


async def _look_up(host: str, port: int) -> tuple[str, ...]:
    def work() -> tuple[str, ...]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            # The IDNA codec refuses labels that are empty or over 63 characters.
            raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
        except socket.gaierror:
            # Without free descriptors, a resolver may say that there is no such name. Another
            # thread may have closed one since.
            with ExitStack() as opened:
                for _ in range(_DESCRIPTORS):
                    opened.enter_context(socket.socket())
            raise
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    return await in_background(work)


def _fault_of(error: OSError, host: str, port: int) -> TransportFault:
    temporary = error.errno == socket.EAI_AGAIN
    kind = TransportFaultKind.DNS_TIMEOUT if temporary else TransportFaultKind.DNS_NOT_FOUND
    symbol = next(
        (
            name
            for name in ("EAI_NONAME", "EAI_NODATA", "EAI_AGAIN", "EAI_FAIL")
            if getattr(socket, name, None) == error.errno
        ),
        None,
    )
    detail = error.strerror or str(error)
    servers = configured_resolvers()
    return TransportFault(kind, host, port, detail, errno=symbol, resolvers=servers)


def configured_resolvers() -> tuple[str, ...]:
    """Return this machine's name servers (resolv.conf(5)); empty where they are unknown."""
    try:
        with RESOLV_CONF.open(encoding="utf-8", errors="replace") as file:
            words = [line.split() for line in file.read(65536).splitlines()]
    except OSError:
        return ()
    return tuple(
        escape_control_chars(line[1][:64])
        for line in words
        if line[:1] == ["nameserver"] and line[1:]
    )
