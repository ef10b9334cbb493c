"""Opening an ARM client for whoever is no check: patient, and with tokens that are kept."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from stacktui.certificates.trust import build_context, ca_sources
from stacktui.config.locations import own_bundle
from stacktui.environments.model import Environment
from stacktui.identities.device_code import Prompt
from stacktui.identities.token import Token
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.client import ArmClient
from stacktui.resources.retry import RetryPolicy, Wait
from stacktui.text.sanitize import Redactor
from stacktui.transport.background import in_background
from stacktui.transport.connections import NullObserver
from stacktui.transport.records import Exchange
from stacktui.transport.session import HttpSession

# How often a request is repeated after a broken connection, and how many seconds it may wait.
_BROKEN, _LONGEST_WAIT = 3, 300.0


def unseen(_: object) -> None:
    """Show nothing."""


@asynccontextmanager
async def open_arm(
    wanted: SignIn,
    tokens: TokenSource,
    *,
    on_wait: Callable[[Wait], None] = unseen,
    on_exchange: Callable[[Exchange], None] = unseen,
    prompt: Prompt | None = None,
) -> AsyncIterator[ArmClient]:
    """Open a client of an environment's ARM; it has its connections until the context ends.

    The token is asked for with the first request. `on_wait` is called as each wait begins, and
    `on_exchange` with each request that was made, those of a sign-in too.
    """
    async with open_session(wanted.environment, on_exchange) as session:

        async def get_token(refused: Token | None) -> Token:
            return await tokens.token(session, wanted, refused, prompt)

        yield ArmClient(session, wanted.environment, get_token, patient(on_wait), wanted.config)


def patient(on_wait: Callable[[Wait], None]) -> RetryPolicy:
    """Return when such a client sends a request again."""
    return RetryPolicy(_BROKEN, _LONGEST_WAIT, on_wait)


@asynccontextmanager
async def open_session(
    environment: Environment, on_exchange: Callable[[Exchange], None] | None = None
) -> AsyncIterator[HttpSession]:
    """Open a session that reaches and trusts an environment as its settings say.

    Without `on_exchange` it keeps its exchanges for `take_exchanges`.
    """
    used = ca_sources(environment.ca, own_bundle())

    async def trust() -> ssl.SSLContext:
        return await in_background(lambda: build_context(used))

    session = HttpSession(
        trust,
        NullObserver(),
        Redactor(),
        proxy=environment.proxy,
        resolve=environment.resolve,
        limits=environment.limits,
        ca_files=used.files_for,
        on_exchange=on_exchange,
    )
    try:
        yield session
    finally:
        await session.aclose()
