"""Tokens for ARM, kept in memory while they are valid: one sign-in for all who ask.

A check makes its own token request, so that it never calls a broken sign-in well, and keeps here
what it got.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from stacktui.config.locations import config_file
from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.model import Environment
from stacktui.environments.record import is_remembered, read_record, require_recorded
from stacktui.errors import FaultError
from stacktui.identities.device_code import Prompt
from stacktui.identities.faults import refuses_secret
from stacktui.identities.model import Identity, TypedSecret
from stacktui.identities.sign_in import acquire_token, prepare, read_secret
from stacktui.identities.token import Token, TokenFacts
from stacktui.transport.background import in_background
from stacktui.transport.session import HttpSession

# Seconds before its end from which a token is not sent any more, at most a tenth of its lifetime.
_MARGIN = 300.0
# Seconds for which a token is kept that does not say when it ends.
_UNKNOWN = 300.0


@dataclass(frozen=True, slots=True)
class SignIn:
    """Whose token, and where: the key under which it is kept. `config` is where both come from."""

    environment: Environment
    identity: Identity
    config: Path | None = None

    @property
    def key(self) -> tuple[str, str, Path | None, Identity]:
        return self.environment.name, self.environment.arm, self.config, self.identity


@dataclass(frozen=True, slots=True)
class SignInOutcome:
    """How the last sign-in of an identity to an environment ended, `at` seconds since the epoch.

    `facts` are the token's, which `ends` then by this machine's clock, None where that is unknown;
    without a token they are None, and `fault` is the FaultError's.
    """

    wanted: SignIn
    at: float
    facts: TokenFacts | None = None
    ends: float | None = None
    fault: Any = None


@dataclass(frozen=True, slots=True)
class _Kept:
    token: Token = field(repr=False)
    until: float


class TokenSource:
    """The tokens of this process, by environment and identity. Any thread and event loop may ask.

    Who asks while another signs in for the same waits for that, and gets its token or its error.
    `sign_ins` counts those that have ended, well or not.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = Lock()
        self._kept: dict[object, _Kept] = {}
        self._pending: dict[object, Future[Token | None]] = {}
        # By the names of identity and environment, each identity's last one at the end.
        self._outcomes: dict[str, dict[str, SignInOutcome]] = {}
        self.sign_ins = 0

    async def token(
        self,
        session: HttpSession,
        wanted: SignIn,
        refused: Token | None = None,
        prompt: Prompt | None = None,
    ) -> Token:
        """Return a valid token, other than one that ARM `refused`; `session` hides it.

        Signs in over `session`, if there is none. A device code needs `prompt`, unless a refresh
        token is known. Raises what `sign_in` raises.
        """
        key, token = wanted.key, None
        while token is None:
            with self._lock:
                kept, pending = self._kept.get(key), self._pending.get(key)
                usable = kept is not None and self._is_usable(kept, refused)
                if not usable and pending is None:
                    signing_in = self._pending[key] = Future()
                    signing_in.set_running_or_notify_cancel()  # no waiter can cancel it
            if kept is not None and usable:
                token = kept.token
            elif pending is not None:
                token = await asyncio.wrap_future(pending)  # None: who signed in was cancelled
            else:
                refresh_token = kept.token.refresh_token if kept else ""
                work = sign_in(session, wanted, prompt, refresh_token)
                token = await self._settle(wanted, signing_in, work)
        session.redactor.add_secret(token.value)
        return token

    def refresh_token(self, wanted: SignIn) -> str:
        """Return the refresh token of the last sign-in; empty where there is none."""
        with self._lock:
            kept = self._kept.get(wanted.key)
        return kept.token.refresh_token if kept else ""

    def keep(self, wanted: SignIn, token: Token) -> None:
        """Keep a token that has just been got for the same environment and identity."""
        with self._lock:
            self._keep(wanted, token, self._now())

    def failed(self, wanted: SignIn, fault: Any) -> None:
        """Note that a sign-in for this environment and identity has just failed."""
        with self._lock:
            self._note(SignInOutcome(wanted, self._now(), fault=fault))

    def kept(self, wanted: SignIn) -> Token | None:
        """Return the token that requests would be sent with, if there is one."""
        with self._lock:
            kept = self._kept.get(wanted.key)
            return kept.token if kept and self._is_usable(kept, None) else None

    def outcome(self, identity: str, environment: str) -> SignInOutcome | None:
        """Return the last sign-in to an environment with this identity, by their names."""
        with self._lock:
            return self._outcomes.get(identity, {}).get(environment)

    def outcomes(self, identity: str) -> list[SignInOutcome]:
        """Return the last sign-in to each environment with this identity, newest first."""
        with self._lock:
            return [*reversed(self._outcomes.get(identity, {}).values())]

    def refused(self, identity: Identity) -> SignInOutcome | None:
        """Return the sign-in that refused what was typed for an identity: sent again, it could lock
        the account. None where nothing was typed, or it was not refused."""
        secret = identity.secret
        if not isinstance(secret, TypedSecret):
            return None
        found = self.outcomes(identity.name)
        return next(
            (e for e in found if e.wanted.identity.secret is secret and refuses_secret(e.fault)),
            None,
        )

    def _keep(self, wanted: SignIn, token: Token, began: float) -> None:
        self._kept[wanted.key] = _Kept(token, _usable_until(token, began))
        self._note(SignInOutcome(wanted, began, token.facts, token.ends(began)))

    def _note(self, outcome: SignInOutcome) -> None:
        known = self._outcomes.setdefault(outcome.wanted.identity.name, {})
        known.pop(outcome.wanted.environment.name, None)
        known[outcome.wanted.environment.name] = outcome
        self.sign_ins += 1

    def _is_usable(self, kept: _Kept, refused: Token | None) -> bool:
        other = refused is None or kept.token.value != refused.value
        return other and self._now() < kept.until

    async def _settle(
        self, wanted: SignIn, signing_in: Future[Token | None], work: Awaitable[Token]
    ) -> Token:
        """Return the token of a sign-in, and keep it; tell its outcome to those who wait."""
        began, token, error = self._now(), None, None
        try:
            token = await work
        except Exception as caught:
            error = caught
            raise
        finally:
            with self._lock:
                del self._pending[wanted.key]
                if token is not None:
                    self._keep(wanted, token, began)
                elif isinstance(error, FaultError):
                    self._note(SignInOutcome(wanted, began, fault=error.fault))
            if error is not None:
                signing_in.set_exception(error)
            else:
                signing_in.set_result(token)
        return token


def _usable_until(token: Token, began: float) -> float:
    """Return until when a token is sent, in seconds since the epoch by this machine's clock."""
    ends = token.ends(began)
    seconds = ends - began if ends is not None else _UNKNOWN
    return began + seconds - min(_MARGIN, max(seconds, 0.0) / 10)


async def sign_in(
    session: HttpSession, wanted: SignIn, prompt: Prompt | None, refresh_token: str = ""
) -> Token:
    """Return a new token: metadata, the comparison with the record, and the token request.

    A refused `refresh_token` leads to `prompt`, if there is one. Raises TransportError,
    MetadataError, DriftError, RecordError and IdentityError.
    """
    environment, identity, redactor = wanted.environment, wanted.identity, session.redactor
    # First, so that the redactor knows the secret before anything of a response is recorded.
    credential = await in_background(lambda: prepare(identity, read_secret(identity, redactor)))
    config = wanted.config or config_file()
    recorded = read_record(config, environment) if is_remembered() else None
    metadata = await fetch_metadata(session, environment.arm, environment.endpoints)
    require_recorded(recorded, metadata, redactor)
    return await acquire_token(
        session, metadata, identity, credential, prompt, refresh_token, arm=environment.arm
    )
