"""Sessions of the product's transport, and a recorder of their phases."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stacktui.certificates.trust import TrustUsed, new_context
from stacktui.stamp.running import RunningStamp
from stacktui.text.sanitize import Redactor
from stacktui.transport.limits import Limits
from stacktui.transport.records import (
    Exchange,
    Phase,
    PhaseName,
    TransportError,
    TransportFault,
)
from stacktui.transport.session import HttpSession
from tests.support.authority import authority, trusting

MIB = 1024 * 1024


@dataclass
class Recorder:
    """A Watch that keeps what it is told."""

    started: list[PhaseName] = field(default_factory=list)
    finished: list[Phase] = field(default_factory=list)

    def phase_started(self, name: PhaseName, host: str) -> None:
        self.started.append(name)

    def phase_finished(self, phase: Phase) -> None:
        self.finished.append(phase)


@asynccontextmanager
async def opened(
    context: ssl.SSLContext | None = None,
    *,
    watch: Recorder | None = None,
    redactor: Redactor | None = None,
    proxy: str | None = "none",
    resolve: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    ca: Path | None = None,
    used: TrustUsed | None = None,
) -> AsyncIterator[HttpSession]:
    """Open a session that trusts `context`, the files `used`, or the tests' own authority.

    `ca` is that of the lines that repeat a request.
    """
    if context is None:
        context = new_context(used.sources) if used else trusting(authority().root)
    trusted = context

    async def trust() -> ssl.SSLContext:
        return trusted

    session = HttpSession(
        trust,
        watch or Recorder(),
        redactor or Redactor(),
        proxy=proxy,
        resolve=resolve,
        limits=limits,
        ca_files=used.files_for if used else lambda *_: (str(ca),) if ca else (),
    )
    try:
        yield session
    finally:
        await session.aclose()


def trusting_file(path: str | Path) -> ssl.SSLContext:
    """Return a client context that trusts the certificates of one file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=path)
    return context


@asynccontextmanager
async def opened_on(
    stamp: RunningStamp, *, redactor: Redactor | None = None
) -> AsyncIterator[HttpSession]:
    """Open a session that reaches and trusts a stamp."""
    context = trusting_file(stamp.ca_file)
    async with opened(context, resolve=stamp.resolve, redactor=redactor) as session:
        yield session


async def failure(
    session: HttpSession, url: str, *, limit: int = MIB
) -> tuple[TransportFault, Exchange]:
    """Return the fault of a GET that must fail, and its recorded exchange."""
    with pytest.raises(TransportError) as caught:
        await session.fetch("GET", url, limit=limit)
    (exchange,) = session.take_exchanges()
    assert exchange.fault == caught.value.fault
    return caught.value.fault, exchange


def names(phases: tuple[Phase, ...] | list[Phase]) -> list[str]:
    """Return the names of phases; `!` marks a failed one."""
    return [phase.name.value + ("" if phase.ok else "!") for phase in phases]
