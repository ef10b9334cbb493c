"""Faults of single requests, chosen by number or by method and path.

A request fault is written `WHEN=WHAT[:SECONDS]`:

    3=drop                                      the third request of all
    GET */resourcegroups=throttle:17            each request that matches
    GET */resourcegroups@2=reset-after          the second that matches
    * /subscriptions@2+=500                     from the second that matches on

Numbers count from 1, over both ports. Several faults may apply to one request: delays add up, and
of the others the first counts.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple
from uuid import uuid4

from stacktui.stamp.messages import Delivery, Request, Response, html_page, json_response


class FaultKind(NamedTuple):
    """What a fault does with a request."""

    carried_out: bool
    delivery: Delivery
    answer: Callable[[int], Response] | None
    """Makes the response from the seconds of the fault; None keeps the honest one."""


def _error(status: int, code: str, message: str, **headers: str) -> Callable[[int], Response]:
    """Return what makes an ARM error; `{seconds}` may stand in the message and the headers."""

    def error(seconds: int) -> Response:
        text = message.format(seconds=seconds, tracking=uuid4())
        answer = json_response(status, {"error": {"code": code, "message": text}})
        return answer.with_headers(**{k: v.format(seconds=seconds) for k, v in headers.items()})

    return error


_INTERNAL = _error(
    500, "InternalServerError", "Encountered internal server error. Tracking id '{tracking}'."
)
_TIMEOUT = _error(
    504,
    "GatewayTimeout",
    "The gateway did not receive a response from 'Microsoft.Resources' within the specified time "
    "period.",
)
_EXPIRED = _error(
    401,
    "ExpiredAuthenticationToken",
    "The access token has expired. Acquire a new one.",
    WWW_Authenticate='Bearer error="invalid_token", error_description="The access token expired"',
)
_REVOKED = json_response(
    400,
    {
        "error": "invalid_grant",
        "error_description": "AADSTS50173: The provided grant has expired due to it being revoked, "
        "a fresh auth token is needed.",
    },
)
_REQUEST_TIMEOUT = html_page(408, "408 Request Time-out", "<h1>408 Request Time-out</h1>")
_GATEWAY = html_page(502, "502 Bad Gateway", "<h1>502 Bad Gateway</h1>")

FAULT_KINDS = {
    "delay": FaultKind(True, Delivery.COMPLETE, None),
    "drop": FaultKind(False, Delivery.CLOSED, None),
    "drop-after": FaultKind(True, Delivery.CLOSED, None),
    "reset": FaultKind(False, Delivery.ABORTED, None),
    "reset-after": FaultKind(True, Delivery.ABORTED, None),
    "cut": FaultKind(True, Delivery.RESET, None),
    "hang": FaultKind(False, Delivery.NEVER, None),
    "hang-after": FaultKind(True, Delivery.NEVER, None),
    "401": FaultKind(False, Delivery.COMPLETE, _EXPIRED),
    "revoked": FaultKind(False, Delivery.COMPLETE, lambda _seconds: _REVOKED),
    "408": FaultKind(False, Delivery.COMPLETE, lambda _seconds: _REQUEST_TIMEOUT),
    "408-after": FaultKind(True, Delivery.COMPLETE, lambda _seconds: _REQUEST_TIMEOUT),
    "throttle": FaultKind(
        False,
        Delivery.COMPLETE,
        _error(
            429,
            "TooManyRequests",
            "The request is being throttled. Please try again after '{seconds}' seconds.",
            Retry_After="{seconds}",
        ),
    ),
    "500": FaultKind(False, Delivery.COMPLETE, _INTERNAL),
    "500-after": FaultKind(True, Delivery.COMPLETE, _INTERNAL),
    "502": FaultKind(False, Delivery.COMPLETE, lambda _seconds: _GATEWAY),
    "503": FaultKind(
        False,
        Delivery.COMPLETE,
        _error(503, "ServiceUnavailable", "The service is unavailable.", Retry_After="{seconds}"),
    ),
    "504": FaultKind(False, Delivery.COMPLETE, _TIMEOUT),
    "504-after": FaultKind(True, Delivery.COMPLETE, _TIMEOUT),
}
"""Kinds by the word for them; `-after` carries the request out first."""

DEFAULT_SECONDS = 1

_SPEC = re.compile(
    r"(?:(?P<number>[1-9][0-9]*)|(?P<method>[A-Z]+|\*) (?P<path>/?\S*?)(?:@(?P<nth>[1-9][0-9]*))?)"
    r"(?P<on>\+)?=(?P<what>[a-z0-9-]+)(?::(?P<seconds>[0-9]+(?:\.[0-9]+)?))?"
)


@dataclass(frozen=True, slots=True)
class RequestFault:
    """One fault: the requests that it applies to, and what it does with them."""

    method: str
    path: str
    """Pattern of fnmatch, in lower case."""
    first: int | None
    """Number of the first match that it applies to; None for all."""
    onwards: bool
    what: str
    seconds: float

    @classmethod
    def parse(cls, text: str) -> RequestFault:
        """Parse `WHEN=WHAT[:SECONDS]`; ValueError says what is wrong with it."""
        match = _SPEC.fullmatch(text)
        if match is None:
            raise ValueError(
                f"a request fault is N=WHAT or 'METHOD PATH[@N]=WHAT', such as "
                f"'GET */resourcegroups@2=reset', not {text!r}"
            )
        if match["what"] not in FAULT_KINDS:
            raise ValueError(f"unknown request fault {match['what']!r}: {', '.join(FAULT_KINDS)}")
        number = match["number"] or match["nth"]
        return cls(
            match["method"] or "*",
            (match["path"] or "*").lower(),
            int(number) if number else None,
            bool(match["on"]),
            match["what"],
            float(match["seconds"] or DEFAULT_SECONDS),
        )

    def matches(self, request: Request) -> bool:
        same = self.method in ("*", request.method)
        return same and fnmatchcase(request.path.lower(), self.path)

    def applies_to(self, number: int) -> bool:
        """Whether the fault applies to the match with this number."""
        if self.first is None:
            return True
        return number >= self.first if self.onwards else number == self.first


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """What all faults together do with one request; times in seconds."""

    delay: float = 0.0
    kind: FaultKind = FAULT_KINDS["delay"]
    seconds: float = 0.0


class RequestFaults:
    """The request faults of a stamp, which may be switched while it runs; thread-safe."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self.switch(texts)

    def switch(self, texts: Iterable[str]) -> None:
        """Replace all faults, and count from 1 again."""
        faults = tuple(RequestFault.parse(text) for text in texts)
        with self._lock:
            self._faults = faults
            self._matches: Counter[RequestFault] = Counter()

    def apply(self, request: Request) -> FaultEffect:
        """Count a request, and return what the faults do with it."""
        delay, found = 0.0, None
        with self._lock:
            for fault in dict.fromkeys(self._faults):
                if not fault.matches(request):
                    continue
                self._matches[fault] += 1
                if not fault.applies_to(self._matches[fault]):
                    continue
                if fault.what == "delay":
                    delay += fault.seconds
                else:
                    found = found or fault
        if found is None:
            return FaultEffect(delay)
        return FaultEffect(delay, FAULT_KINDS[found.what], found.seconds)
