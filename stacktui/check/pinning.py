"""Trust on first use: compare a stamp with its record, and write or remove the record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from stacktui.certificates.same_root import leads_to, path_to_root
from stacktui.check.report import Report
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.read_only import is_read_only
from stacktui.environments.discovery import fetch_metadata, fetch_other_shape
from stacktui.environments.metadata import Metadata, completed, disagreements
from stacktui.environments.model import Environment
from stacktui.environments.record import (
    DriftError,
    RecordError,
    RecordFault,
    StampRecord,
    is_recordable,
    is_remembered,
    more_of,
    read_record,
    record_first,
    require_recorded,
    write_record,
)
from stacktui.errors import FaultError, StacktuiError
from stacktui.resources.connection import open_session
from stacktui.text.sanitize import Redactor
from stacktui.transport.background import in_background
from stacktui.transport.records import Exchange, TlsFacts

# Seconds by which a check has sent its first request: other work before that would delay it.
FIRST_REQUEST = 0.01
# Why a stamp is not recorded whose metadata echoes a secret.
UNSHOWABLE = "its login endpoint or audience holds what cannot be shown"


class Pin:
    """The record of a target's stamp: read while the check begins, compared before a secret is
    sent, and written after a first check in which no step failed."""

    def __init__(self, target: CheckTarget, redactor: Redactor) -> None:
        self._target = target
        self._redactor = redactor
        self._seen: Metadata | None = None
        self._drifted = False
        self._reading = asyncio.create_task(_recorded_stamp(target))

    async def read(self) -> StampRecord | RecordFault | None:
        """Return the record, or why it cannot be read."""
        return await self._reading

    @property
    def recorded(self) -> StampRecord | None:
        """The record, once it has been read."""
        known = self._reading.result()
        return None if isinstance(known, RecordFault) else known

    @property
    def login_endpoint(self) -> str | None:
        """The one to probe after a failure: of two, the recorded one, as the other may trap."""
        known = self._seen
        if known is None or self._drifted:
            return self.recorded.login_endpoint if self.recorded else None
        return known.login_endpoint

    async def compare(self, metadata: Metadata) -> None:
        """Raise DriftError where `metadata` differs from the record, which may not get a secret.

        Raises RecordError where the record cannot be read and there is a secret to send.
        """
        self._seen = metadata
        known = await self._reading
        if isinstance(known, RecordFault):
            if self._target.identity is not None:
                raise RecordError(known)
            return
        try:
            require_recorded(known, metadata, self._redactor)
        except DriftError:
            self._drifted = True
            raise

    async def record(self, report: Report, now: datetime) -> str:
        """Record a stamp that was found healthy for the first time; returns why not, if so.

        Waits for other processes that write the record as long as a step may take.
        """
        known, environment = await self._reading, self._target.environment
        if isinstance(known, RecordFault):
            return str(known)
        if self._seen is None:
            return ""
        exchanges = report.steps[0].evidence.exchanges
        record = new_record(known, environment, self._seen, exchanges, now)
        if record is None or is_read_only():
            return ""
        if not is_recordable(record, self._redactor):
            return UNSHOWABLE
        patience = environment.limits.step
        return await in_background(
            partial(record_first, config_of(self._target), environment, record, patience)
        )

    async def aclose(self) -> None:
        """Cancel what is not done."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


async def _recorded_stamp(target: CheckTarget) -> StampRecord | RecordFault | None:
    # Without a thread, which would cost more than reading this small file.
    await asyncio.sleep(FIRST_REQUEST)
    if not is_remembered():
        return None
    try:
        return read_record(config_of(target), target.environment)
    except RecordError as error:
        return error.fault


@dataclass(frozen=True, slots=True)
class RecordDiff:
    """What is recorded of a stamp, None if nothing is, and what would be recorded now.

    `disagreements` are the values that differ between the two shapes of its metadata: name, value
    of the older shape, which counts, and of the newer.
    """

    known: StampRecord | None
    seen: StampRecord
    disagreements: tuple[tuple[str, str, str], ...] = ()


class AcceptError(StacktuiError):
    """Why the stamp cannot be recorded anew; `fault` is that of its answer, if it is one."""

    def __init__(self, message: str, fault: object = None) -> None:
        super().__init__(message)
        self.fault = fault


async def ask_stamp(target: CheckTarget) -> RecordDiff:
    """Fetch the stamp's metadata, verified and without a secret, and compare it with the record.

    Both shapes are asked for; the newer adds to the older. Takes at most `Limits.step` seconds, and
    a part of it for the newer shape. Raises AcceptError where the stamp does not answer, or
    where this machine does not trust its chain.
    """
    environment = target.environment
    step = environment.limits.step
    try:
        async with open_session(environment) as session:
            async with asyncio.timeout(step):
                metadata = await fetch_metadata(session, environment.arm, environment.endpoints)
            exchanges = session.take_exchanges()
            newer = await fetch_other_shape(
                session, environment.arm, metadata, environment.endpoints
            )
    except TimeoutError:
        raise AcceptError(f"{environment.arm} did not answer whole in {step:g} s") from None
    except FaultError as error:
        raise AcceptError(str(error), error.fault) from None
    whole = completed(metadata, newer) if newer is not None else metadata
    record = record_of(environment, whole, exchanges, datetime.now(UTC))
    if newer is not None:
        record = replace(record, more=more_of(whole, both_shapes=True))
    if not is_recordable(record, session.redactor):
        raise AcceptError(UNSHOWABLE)
    try:
        known = read_record(config_of(target), environment)
    except RecordError as error:
        raise AcceptError(str(error)) from None
    differing = disagreements(metadata, newer) if newer is not None else ()
    return RecordDiff(known, record, tuple(differing))


def record_of(
    environment: Environment, metadata: Metadata, exchanges: Sequence[Exchange], now: datetime
) -> StampRecord:
    """Return the record of a stamp whose metadata came with the last of `exchanges`."""
    # Heavy to import, and needed only for a stamp that has no record yet.
    from stacktui.certificates.chain import top_of

    seen = exchanges[-1].connection if exchanges else None
    tls = seen.tls if seen and seen.tls else TlsFacts("")
    return StampRecord(
        environment.arm,
        metadata.login_endpoint,
        metadata.audience,
        now,
        top_of(tls.chain),
        tls.verified_chain[-1] if tls.verified_chain else b"",
        more_of(metadata),
    )


def new_record(
    known: StampRecord | None,
    environment: Environment,
    metadata: Metadata,
    exchanges: Sequence[Exchange],
    now: datetime,
) -> StampRecord | None:
    """Return what to record after a check in which no step failed; None if nothing is new.

    A record of an earlier version has no root, or no more of the metadata than two values: it gets
    the rest, and the root that verified the chain, if what it has leads there.
    """
    if known is not None and known.root and known.more:
        return None
    seen = record_of(environment, metadata, exchanges, now)
    if known is None or not seen.root:
        return seen if known is None else None
    connection = exchanges[-1].connection
    path = path_to_root(connection.tls) if connection and connection.tls else ()
    if known.signer and not leads_to(path, known.signer):
        return None
    return replace(known, root=known.root or seen.root, more=seen.more)


def accept(target: CheckTarget, diff: RecordDiff) -> None:
    """Write the new record. Blocks on disk. Raises AcceptError."""
    if trouble := write_record(config_of(target), target.environment, diff.seen):
        raise AcceptError(trouble)


def forget(target: CheckTarget) -> None:
    """Remove the record; the next good check makes a new one. Raises AcceptError."""
    if trouble := write_record(config_of(target), target.environment, None):
        raise AcceptError(trouble)


def differences(diff: RecordDiff) -> Iterator[tuple[str, str, str]]:
    """Yield each value that would change: its name, the recorded value and the new one."""
    known, seen = diff.known, diff.seen
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

    if record is None or not record.signer:
        return "-"
    signer = describe(record.signer)
    return f"{signer.issuer_name}{f' ({signer.sha256})' if signer.self_issued else ''}"
