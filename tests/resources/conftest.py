"""A client of whatever ARM a test needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from stacktui.environments.model import Environment
from stacktui.identities.token import Token, TokenFacts
from stacktui.resources.client import ArmClient, only
from stacktui.transport.limits import Limits
from stacktui.transport.session import HttpSession
from tests.support.sessions import opened
from tests.support.web import Web

TOKEN = "t0ken-of-ours"
Client = Callable[..., AbstractAsyncContextManager[tuple[ArmClient, HttpSession]]]


@pytest.fixture
def client() -> Client:
    """Opens a client of a web server: `async with client(web) as (arm, session)`."""

    @asynccontextmanager
    async def open_client(
        web: Web, *, profile: str = "2020-09-01-hybrid", limits: Limits | None = None
    ) -> AsyncIterator[tuple[ArmClient, HttpSession]]:
        token = Token(TOKEN, TokenFacts("authority", "scope"))
        async with opened(limits=limits) as session:
            session.redactor.add_secret(TOKEN)
            yield ArmClient(session, Environment("A", web.url, profile), only(token)), session

    return open_client
