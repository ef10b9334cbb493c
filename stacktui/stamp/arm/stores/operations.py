"""Long-running operations that clients poll (PROTOCOL.md section 4)."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

MAX_OPERATIONS = 256


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that ends at `done_at`, in monotonic seconds."""

    name: str
    done_at: float
    end: int = 200
    """Status of the poll after the end: 200, 204, 409 for a failure, 404 when then forgotten."""

    @property
    def failed(self) -> bool:
        return self.end == 409

    @property
    def done(self) -> bool:
        return time.monotonic() >= self.done_at


class OperationStore:
    """The last MAX_OPERATIONS operations."""

    def __init__(self) -> None:
        self._operations: OrderedDict[str, Operation] = OrderedDict()

    def start(self, done_at: float, end: int = 200) -> Operation:
        """Return a new operation."""
        operation = Operation(f"eyJqb2JJZCI6{secrets.token_hex(24)}", done_at, end)
        self._operations[operation.name] = operation
        if len(self._operations) > MAX_OPERATIONS:
            self._operations.popitem(last=False)
        return operation

    def get(self, name: str) -> Operation | None:
        """Return an operation; None when there is none, or none any more."""
        operation = self._operations.get(name)
        if operation and operation.done and operation.end == 404:
            return None
        return operation
