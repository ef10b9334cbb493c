"""Device codes: issued, waiting, approved or declined (RFC 8628)."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto

from stacktui.stamp.directory import User
from stacktui.stamp.signin.oauth_errors import OAuthError, Reason

LIFETIME = 900
"""Seconds until a code expires, where nothing is wrong."""

MAX_WAITING = 64
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""Letters and digits that cannot be misread or make a word (RFC 8628 section 6.1)."""


class Decision(Enum):
    """What has been done about a code, while nobody has approved it."""

    WAITING = auto()
    DECLINED = auto()


@dataclass(slots=True)
class DeviceCode:
    """One code; the decision is the user who approved it, once there is one."""

    device_code: str
    user_code: str
    client_id: str
    scope: str
    """What was asked for with the code: the polls do not repeat it (RFC 8628 section 3.4)."""
    expires: float
    decision: Decision | User = Decision.WAITING
    polls: int = 0


class DeviceCodes:
    """The codes of one stamp, a bounded number of them, each good for `lifetime` seconds.

    `declines` says that the user declines each as soon as it is there.
    """

    def __init__(self, lifetime: int = LIFETIME, *, declines: bool = False) -> None:
        self.lifetime = lifetime
        self._first = Decision.DECLINED if declines else Decision.WAITING
        self._codes: OrderedDict[str, DeviceCode] = OrderedDict()

    def issue(self, client_id: str, scope: str) -> DeviceCode:
        """A new code for a client and what it asks for."""
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
        """The code a user typed, in either case, while it waits and has not expired."""
        wanted = user_code.strip().upper()
        for code in self._codes.values():
            if code.user_code == wanted and code.decision is Decision.WAITING:
                return code if time.monotonic() < code.expires else None
        return None

    def redeem(self, device_code: str, client_id: str) -> tuple[User, str]:
        """Who approved the code, and its scope, once; OAuthError says why nobody did (yet)."""
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
        """Approve a waiting code that is about to be polled for the `after`th time."""
        code = self._codes.get(device_code)
        if code and code.decision is Decision.WAITING and code.polls + 1 >= after:
            code.decision = user
