"""When an ARM client sends a request again, and how long it waits. The default is: never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stacktui.errors import FaultError
from stacktui.resources.model import ArmError, ArmFault, OperationError
from stacktui.transport.records import Exchange, TransportFaultKind
from stacktui.transport.retry_after import retry_after

# A broken connection says nothing of whether the request was carried out, so only those are
# repeated whose repeat is the same request (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_BROKEN = frozenset(
    {
        TransportFaultKind.TCP_RESET,
        TransportFaultKind.TLS_RESET,
        TransportFaultKind.HTTP_RESET,
        TransportFaultKind.BODY_TRUNCATED,
    }
)
_THROTTLED, _UNAVAILABLE = 429, 503
# Seconds: a wait of none would go on for ever.
_SHORTEST_WAIT = 0.1


@dataclass(frozen=True, slots=True)
class Wait:
    """The client waits `seconds`, as a response of this status says, before it goes on.

    `what` is what was asked for, in words; with status 0, what is waited for. It is sanitised.
    """

    what: str
    status: int
    seconds: float


def _unseen(_wait: Wait) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent again after a broken connection, and how long it may wait.

    `longest_wait` is in seconds, for all the waits of one request that `Retry-After` asks for.
    `on_wait` is called as each wait begins.
    """

    broken: int = 0
    longest_wait: float = 0.0
    on_wait: Callable[[Wait], None] = _unseen

    def repeats(self, method: str, kind: TransportFaultKind, before: int) -> bool:
        """Return whether to repeat a request that failed so, after `before` repeats."""
        return before < self.broken and method in _IDEMPOTENT and kind in _BROKEN

    def wait(self, method: str, status: int, exchange: Exchange, waited: float) -> float | None:
        """Return the seconds to wait before the next try; None to take the response as it is.

        A throttled request was not carried out; of an unavailable service nobody knows.
        """
        if status != _THROTTLED and not (status == _UNAVAILABLE and method in _IDEMPOTENT):
            return None
        named = retry_after(exchange)
        if named is None:
            return None
        seconds = max(named.total_seconds(), _SHORTEST_WAIT)
        return seconds if waited + seconds <= self.longest_wait else None


NO_RETRY = RetryPolicy()


def is_passing(error: FaultError[Any]) -> bool:
    """Return whether asking again may help: no answer of ARM, or one of its own trouble.

    Not where ARM refuses (4xx), but for throttling, nor where an operation failed.
    """
    if not isinstance(error, ArmError):
        return True
    refused = error.refused and error.fault.status != _THROTTLED
    return not (refused or isinstance(error, OperationError))


def status_of(error: FaultError[Any] | None) -> int:
    """Return the status of ARM's response; 0 where there was none."""
    fault = error.fault if error else None
    return fault.status if isinstance(fault, ArmFault) else 0


def no_answer(error: FaultError[Any] | None, what: str) -> str:
    """Return what is waited for after an error, for a Wait of its status."""
    return what if status_of(error) else f"no answer of ARM ({what})"
