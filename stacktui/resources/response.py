"""A response of ARM, and what it says of an operation that goes on (PROTOCOL.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stacktui.text.json_fields import text
from stacktui.transport.records import Exchange
from stacktui.transport.retry_after import retry_after

# Seconds between two polls: where ARM names none, and the least and the most that it may name.
_INTERVAL, _SHORTEST, _LONGEST = 10.0, 0.1, 60.0
_FAILED = frozenset({"failed", "canceled", "cancelled"})
# A `Location` that is forgotten, or that a provider does not serve: the resource itself decides.
FORGOTTEN = frozenset({404, 405})


@dataclass(frozen=True, slots=True)
class ArmResponse:
    """A response of ARM. `document` is its JSON value, unsanitised; None where it has no body.

    `content` is the body as it came; `repeated` says that the request was sent before, with an
    unknown end.
    """

    method: str
    url: str = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    document: Any = field(repr=False)
    exchange: Exchange
    content: bytes = field(default=b"", repr=False)
    repeated: bool = False

    @property
    def operation_url(self) -> str:
        """The URL to ask for an operation that runs; empty where it has ended."""
        operation = self.headers.get("azure-asyncoperation", "")
        if operation:
            return "" if text(self.document, "status").lower() == "succeeded" else operation
        return self.headers.get("location", "") if self.status in (201, 202) else ""

    @property
    def failed_state(self) -> str:
        """The state of an operation that failed, unsanitised; empty where it did not."""
        document = self.document
        state = text(document, "status") or text(document, "properties", "provisioningState")
        return state if state.lower() in _FAILED else ""

    @property
    def interval(self) -> float:
        """How many seconds to wait until the next poll."""
        named = retry_after(self.exchange)
        seconds = _INTERVAL if named is None else named.total_seconds()
        return min(max(seconds, _SHORTEST), _LONGEST)

    def polled(self, after: ArmResponse) -> ArmResponse:
        """Return the response to a poll, with the operation's URL where it does not repeat that."""
        if after.status in FORGOTTEN:
            return replace(after, headers={}, document=None, content=b"")
        names = ("azure-asyncoperation", "location")
        kept = {name: self.headers[name] for name in names if name in self.headers}
        headers = {**kept, **{name.lower(): value for name, value in after.headers.items()}}
        return replace(after, headers=headers)

    def result_url(self, last: ArmResponse) -> str:
        """Return the URL of what the operation made that this response began.

        Empty where the `last` response to a poll is more than its status.
        """
        if "azure-asyncoperation" not in last.headers or self.method == "DELETE":
            return ""
        return last.headers.get("location", "") if self.method == "POST" else self.url
