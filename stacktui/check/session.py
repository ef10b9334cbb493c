"""Requests of a target's that are no check: with its trust, proxy, pins and limits."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stacktui.certificates.trust import build_context
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources
from stacktui.text.sanitize import Redactor
from stacktui.transport.connections import NullObserver
from stacktui.transport.session import HttpSession


@asynccontextmanager
async def open_session(target: CheckTarget) -> AsyncIterator[HttpSession]:
    """Open a session, which has its connections until the context ends."""
    environment, used = target.environment, target_ca_sources(target)

    async def trust() -> ssl.SSLContext:
        return build_context(used)

    session = HttpSession(
        trust,
        NullObserver(),
        Redactor(),
        proxy=environment.proxy,
        resolve=environment.resolve,
        limits=environment.limits,
        ca_files=used.files_for,
    )
    try:
        yield session
    finally:
        await session.aclose()
