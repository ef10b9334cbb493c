"""Happy Eyeballs (RFC 8305): connect to the first address that answers, record each attempt."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from time import perf_counter

from stacktui.errors import is_exhaustion
from stacktui.transport.records import Attempt

# RFC 8305 section 8: the recommended Connection Attempt Delay, seconds.
ATTEMPT_DELAY = 0.25
# Errors of this machine for an address that it cannot even try, such as IPv6 where there is none.
# The errors of other addresses are reported before these.
_OUR_SIDE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


async def connect_any(
    addresses: Sequence[str], port: int, limit: float, attempts: list[Attempt]
) -> socket.socket:
    """Connect to one of `addresses`, within `limit` seconds for all of them together.

    `attempts` receives one entry for each address that was tried; ECANCELED is the error of one
    that was given up because another connected. Raises the OSError that says what this machine
    lacks, else that of the first attempt that reached the network, else of the first, or
    TimeoutError where the limit passed first.
    """
    pending: dict[asyncio.Task[socket.socket], tuple[str, float]] = {}
    errors: list[OSError] = []
    waiting = list(addresses)
    deadline = perf_counter() + limit
    timed_out = False
    try:
        while waiting or pending:
            if waiting:
                address = waiting.pop(0)
                pending[asyncio.create_task(_connect(address, port))] = (address, perf_counter())
            left = deadline - perf_counter()
            pause = min(ATTEMPT_DELAY, left) if waiting else left
            done, _ = await asyncio.wait(
                pending, timeout=max(pause, 0), return_when=asyncio.FIRST_COMPLETED
            )
            winner: socket.socket | None = None
            for task in done:
                address, started = pending.pop(task)
                error = task.exception()
                symbol = _symbol(error) if error is not None else None
                attempts.append(Attempt(address, port, perf_counter() - started, symbol))
                if error is None and winner is None:
                    winner = task.result()
                elif error is None:
                    task.result().close()
                elif isinstance(error, OSError):
                    errors.append(error)
                else:
                    raise error
            if winner is not None:
                return winner
            timed_out = perf_counter() >= deadline
            if timed_out:
                break
    finally:
        given_up = "ETIMEDOUT" if perf_counter() >= deadline else "ECANCELED"
        for task, (address, started) in pending.items():
            task.cancel()
            attempts.append(Attempt(address, port, perf_counter() - started, given_up))
        for late in await asyncio.gather(*pending, return_exceptions=True):
            if isinstance(late, socket.socket):  # connected before it could be cancelled
                late.close()
    lacking = [error for error in errors if is_exhaustion(error)]
    told = lacking or [error for error in errors if error.errno not in _OUR_SIDE]
    if told or (errors and not timed_out):
        raise (told or errors)[0]
    raise TimeoutError


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _symbol(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
