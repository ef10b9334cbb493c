"""Accepting a stamp as it is now: what it says and presents is recorded in place of what was."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stacktui.certificates.trust import build_context
from stacktui.check.target import Target
from stacktui.check.trust import trust_of
from stacktui.config.locations import config_file
from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import Environment
from stacktui.environments.record import (
    RecordError,
    StampRecord,
    is_recordable,
    read_record,
    write_record,
)
from stacktui.errors import FaultError, StacktuiError
from stacktui.text.sanitize import Cleaner
from stacktui.transport.connections import Deaf
from stacktui.transport.facts import Exchange
from stacktui.transport.session import Session


@dataclass(frozen=True, slots=True)
class Offer:
    """What is recorded of a stamp, if anything, and what would be once it is accepted."""

    known: StampRecord | None
    seen: StampRecord


class AcceptError(StacktuiError):
    """Why the stamp cannot be recorded anew."""


def config_of(target: Target) -> Path:
    """The config by which what is recorded of a target is found."""
    return target.config or config_file()


async def ask_stamp(target: Target) -> Offer:
    """Ask the stamp, verified as ever and without any secret, what there is to accept.

    Takes no longer than a step of a check may.

    Raises AcceptError: only a stamp that answers, with a chain that this box trusts, can be
    accepted.
    """
    environment = target.environment
    used, cleaner = trust_of(target), Cleaner()

    async def trust() -> ssl.SSLContext:
        return build_context(used)

    session = Session(
        trust,
        Deaf(),
        cleaner,
        proxy=environment.proxy,
        resolve=environment.resolve,
        limits=environment.limits,
    )
    step = environment.limits.step
    try:
        async with asyncio.timeout(step):
            metadata = await fetch_metadata(session, environment.arm)
    except TimeoutError:
        raise AcceptError(f"{environment.arm} did not answer whole in {step:g} s") from None
    except FaultError as error:
        raise AcceptError(str(error)) from None
    finally:
        await session.aclose()
    record = record_of(environment, metadata, session.take_exchanges(), datetime.now(UTC))
    if not is_recordable(record, cleaner):
        raise AcceptError("its login endpoint or audience holds what cannot be shown")
    try:
        return Offer(read_record(config_of(target), environment), record)
    except RecordError as error:
        raise AcceptError(str(error)) from None


def record_of(
    environment: Environment, metadata: Metadata, exchanges: Sequence[Exchange], now: datetime
) -> StampRecord:
    """What is to be recorded of a stamp whose metadata the last of `exchanges` brought."""
    # Heavy to import, and only a stamp that is not known yet is recorded.
    from stacktui.certificates.chain import top_of

    seen = exchanges[-1].connection if exchanges else None
    top = top_of(seen.tls.chain if seen and seen.tls else ())
    return StampRecord(environment.arm, metadata.login_endpoint, metadata.audience, now, top)


def accept(target: Target, offer: Offer) -> None:
    """Record what was offered. Blocks on disk. Raises AcceptError."""
    if trouble := write_record(config_of(target), target.environment, offer.seen):
        raise AcceptError(trouble)


def forget(target: Target) -> None:
    """Forget the stamp: the next good check records it anew. Raises AcceptError."""
    if trouble := write_record(config_of(target), target.environment, None):
        raise AcceptError(trouble)


def differences(offer: Offer) -> Iterator[tuple[str, str, str]]:
    """What would be recorded anew: its name, the value so far, and the new one."""
    known, seen = offer.known, offer.seen
    rows = (
        ("login endpoint", known.login_endpoint if known else "-", seen.login_endpoint),
        ("audience", known.audience if known else "-", seen.audience),
        ("root", _root(known), _root(seen)),
    )
    for what, before, now in rows:
        if before != now:
            yield what, before, now


def _root(record: StampRecord | None) -> str:
    from stacktui.certificates.chain import describe

    if record is None or not record.top:
        return "-"
    top = describe(record.top)
    return f"{top.issuer_name}{f' ({top.sha256})' if top.self_issued else ''}"
