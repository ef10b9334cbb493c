"""Device codes and their states (RFC 8628)."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto

from stacktui.stamp.directory import User
from stacktui.stamp.oauth_errors import OAuthError, Reason

MAX_WAITING = 64
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""Characters that cannot be misread or form words (RFC 8628 section 6.1)."""


class Decision(Enum):
    """State of a code that no user has approved."""

    WAITING = auto()
    DECLINED = auto()


@dataclass(slots=True)
class DeviceCode:
    """One code; `decision` is the user once one has approved it."""

    device_code: str
    user_code: str
    client_id: str
    scope: str
    """Scope of the device request; the polls do not repeat it (RFC 8628 section 3.4)."""
    expires: float
    decision: Decision | User = Decision.WAITING
    polls: int = 0


class DeviceCodes:
    """The last MAX_WAITING codes of one stamp, each valid for `lifetime` seconds.

    With `declines`, the user declines every code at once.
    """

    def __init__(self, lifetime: int, *, declines: bool = False) -> None:
        self.lifetime = lifetime
        self._first = Decision.DECLINED if declines else Decision.WAITING
        self._codes: OrderedDict[str, DeviceCode] = OrderedDict()

    def issue(self, client_id: str, scope: str) -> DeviceCode:
        """Return a new code for a client and the scope it requests."""
        user_code = "".join(secrets.choice(ALPHABET) for _ in range(9))
        expires = time.monotonic() + self.lifetime
        code = DeviceCode(
            secrets.token_urlsafe(64), user_code, client_id, scope, expires, self._first
        )
        self._codes[code.device_code] = code
        if len(self._codes) > MAX_WAITING:
            self._codes.popitem(last=False)
        return code

    def by_user_code(self, user_code: str) -> DeviceCode | None:
        """Return the waiting, unexpired code that a user typed, in either case."""
        wanted = user_code.strip().upper()
        for code in self._codes.values():
            if code.user_code == wanted and code.decision is Decision.WAITING:
                return code if time.monotonic() < code.expires else None
        return None

    def redeem(self, device_code: str, client_id: str) -> tuple[User, str]:
        """Return the approving user and the scope, once; OAuthError while or when there is none."""
        code = self._codes.get(device_code)
        if code is None or code.client_id != client_id:
            raise OAuthError(Reason.DEVICE_CODE_UNKNOWN)
        code.polls += 1
        if time.monotonic() >= code.expires:
            raise OAuthError(Reason.DEVICE_EXPIRED)
        match code.decision:
            case Decision.WAITING:
                raise OAuthError(Reason.DEVICE_PENDING)
            case Decision.DECLINED:
                raise OAuthError(Reason.DEVICE_DECLINED)
            case User() as user:
                del self._codes[device_code]
                return user, code.scope

    def auto_approve(self, device_code: str, after: int, user: User) -> None:
        """Approve a waiting code if the coming poll is its `after`th."""
        code = self._codes.get(device_code)
        if code and code.decision is Decision.WAITING and code.polls + 1 >= after:
            code.decision = user
