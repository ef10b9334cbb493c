"""Facts from this machine's files, read while the steps run; a check hardly waits for them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from stacktui.azure_cli.presence import az_facts, installed
from stacktui.check.open_files import OpenFile, open_files
from stacktui.check.pinning import FIRST_REQUEST
from stacktui.check.report import Probe, StepResult
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.locations import additions_file, is_demo
from stacktui.environments.endpoints import arm_endpoint
from stacktui.environments.profiles import PROFILES
from stacktui.transport.background import in_background
from stacktui.transport.records import ConnectionFacts, TlsFacts

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.certificates.additions import LostAddition
    from stacktui.certificates.trust import TrustUsed
    from stacktui.check.az_clients import AzClient
    from stacktui.check.clients import PythonClient
    from stacktui.python_clients.packages import PythonEnvironment

# Seconds after the steps have ended: a file on a dead network share must not delay the verdict.
_PATIENCE = 2.0
# Seconds for a name that the environment pins, which a healthy resolver answers in milliseconds.
_RESOLVING = 0.3


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """`lost` are additions to other programs' trust stores that are not there any more; `az` is
    what is known of the Azure CLI, None where it is not there, and `az_clients` what each would
    meet; `open_files` are those of the target that others on this machine may read or change;
    `clients` are the Python environments with azure packages."""

    lost: tuple[LostAddition, ...]
    az: AzFacts | None
    open_files: tuple[OpenFile, ...]
    clients: tuple[PythonClient, ...]
    az_clients: tuple[AzClient, ...] = ()


class AzReader:
    """The facts of `az`, None where it is not there: read at the first call, and then the same."""

    def __init__(self) -> None:
        self._task: asyncio.Task[AzFacts | None] | None = None

    async def read(self) -> AzFacts | None:
        """Return them. Who waits may be cancelled, the others have them all the same."""
        if self._task is None:
            self._task = asyncio.create_task(_find_az())
        return await asyncio.shield(self._task)

    async def aclose(self) -> None:
        """Stop reading; a later call reads anew."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


async def _find_az() -> AzFacts | None:
    # Where there is no az, a thread would cost more than finding that out.
    await asyncio.sleep(FIRST_REQUEST)
    if (found := installed()) is None:
        return None
    return await in_background(partial(az_facts, PROFILES, found))


class LocalFactsReader:
    """Reads them from when it is made; `used` is what the check trusts, `az` what reads of az."""

    def __init__(self, target: CheckTarget, used: TrustUsed, az: AzReader) -> None:
        self._target, self._used = target, used
        self._connections: dict[tuple[str, int], ConnectionFacts] = {}
        self._early: asyncio.Task[tuple[AzClient, ...]] | None = None
        self._early_seen: tuple[ConnectionFacts, ...] = ()
        self._arm = arm_endpoint(target.environment)
        self._arm_tls: asyncio.Future[TlsFacts | None] = asyncio.get_running_loop().create_future()
        self._lost = asyncio.create_task(_lost_additions())
        self._az = asyncio.create_task(az.read())
        self._open = asyncio.create_task(_open_files(target))
        self._clients = asyncio.create_task(_python_clients(target, used, self._arm_tls))

    def step_ended(self, step: StepResult) -> None:
        """Take the connections of a step, and of the first one the chain that ARM presented."""
        self._take(exchange.connection for exchange in step.evidence.exchanges)
        if not self._arm_tls.done():
            seen = (exchange.connection for exchange in step.evidence.exchanges)
            arm = self._host_of_arm
            found = (each.tls for each in seen if each and (each.host, each.port) == arm)
            self._arm_tls.set_result(next((tls for tls in found if tls and tls.chain), None))
        elif self._early is None:  # the token's step: after it no other host follows
            self._early = asyncio.create_task(self._az_clients(self._seen))

    @property
    def _seen(self) -> tuple[ConnectionFacts, ...]:
        return tuple(self._connections.values())

    def _take(self, seen: Iterable[ConnectionFacts | None]) -> None:
        """Keep the first connection to each host, one with a chain before one without."""
        for each in seen:
            if each is None or not (each.tls or (each.host, each.port) == self._host_of_arm):
                continue  # that is the metadata service of the machine
            known = self._connections.setdefault((each.host, each.port), each)
            if each.tls and each.tls.chain and not (known.tls and known.tls.chain):
                self._connections[each.host, each.port] = each

    @property
    def _host_of_arm(self) -> tuple[str, int]:
        return self._arm.host, self._arm.port

    async def collect(self, probes: Iterable[Probe] = ()) -> LocalFacts:
        """Return them; what is not known within 2 s is left out.

        `probes` are the hosts that were looked at after a failure.
        """
        self._take(probe.exchange.connection for probe in probes)
        lost = await self._lost
        late = {task for task in (self._az, self._open, self._clients) if not task.done()}
        if late:
            await asyncio.wait(late, timeout=_PATIENCE)
        az = self._az.result() if self._az.done() else None
        return LocalFacts(
            lost,
            az,
            self._open.result() if self._open.done() else (),
            self._clients.result() if self._clients.done() else (),
            await self._judged_az() if az is not None and az.launchers else (),
        )

    async def _judged_az(self) -> tuple[AzClient, ...]:
        """Return what each az would meet, at the hosts of all steps."""
        if self._early is None or self._early_seen != self._seen:
            await _cancelled(self._early)
            self._early = asyncio.create_task(self._az_clients(self._seen))
        await asyncio.wait({self._early}, timeout=_PATIENCE)
        return self._early.result() if self._early.done() else ()

    async def _az_clients(self, seen: tuple[ConnectionFacts, ...]) -> tuple[AzClient, ...]:
        self._early_seen = seen
        az = await self._az
        if az is None or not az.launchers:
            return ()
        resolved = await _resolved({each.host for each in seen if each.pinned})
        work = partial(_judged_az, self._target, self._used, az, seen, resolved)
        return await in_background(work)

    async def aclose(self) -> None:
        """Cancel what is not done."""
        await _cancelled(self._early, self._lost, self._az, self._open, self._clients)


async def _cancelled(*tasks: asyncio.Task[Any] | None) -> None:
    there = [task for task in tasks if task is not None]
    for task in there:
        task.cancel()
    await asyncio.gather(*there, return_exceptions=True)


async def _lost_additions() -> tuple[LostAddition, ...]:
    await asyncio.sleep(FIRST_REQUEST)
    # Most machines have no such file, and a thread would cost more than finding that out.
    if not _remembers_additions():
        return ()
    from stacktui.certificates import additions

    return await asyncio.to_thread(additions.lost_additions)


def _remembers_additions() -> bool:
    # Unlike Path.exists, False for a folder that may not be searched.
    return os.path.exists(additions_file())


async def _open_files(target: CheckTarget) -> tuple[OpenFile, ...]:
    await asyncio.sleep(FIRST_REQUEST)
    return await in_background(partial(open_files, config_of(target), target.identity))


async def _python_clients(
    target: CheckTarget, used: TrustUsed, arm_tls: asyncio.Future[TlsFacts | None]
) -> tuple[PythonClient, ...]:
    await asyncio.sleep(FIRST_REQUEST)
    if is_demo():
        return ()
    found = await in_background(partial(_environments, target))
    tls = await arm_tls if found else None
    return await in_background(partial(_judged, target, used, found, tls)) if found else ()


def _environments(target: CheckTarget) -> tuple[PythonEnvironment, ...]:
    from stacktui.python_clients.packages import find_environments

    return find_environments(target.pythons)


def _judged(
    target: CheckTarget,
    used: TrustUsed,
    found: tuple[PythonEnvironment, ...],
    tls: TlsFacts | None,
) -> tuple[PythonClient, ...]:
    from stacktui.check.clients import judge_clients, trusting_files

    if tls is None:
        return judge_clients(found, target.environment, ())
    trusted = trusting_files(used, tls, found)
    return judge_clients(found, target.environment, tls.chain, trusted)


async def _resolved(names: set[str]) -> dict[str, tuple[str, ...] | None]:
    """Return the addresses of names, as az finds them: none where there is no such name, and None
    where no resolver answers in time."""

    async def addresses(name: str) -> tuple[str, ...] | None:
        asking = partial(socket.getaddrinfo, name, None, type=socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(_RESOLVING):
                found = await in_background(asking)
        except TimeoutError:
            return None
        except (OSError, ValueError):
            return ()
        return tuple(dict.fromkeys(str(each[4][0]) for each in found))

    listed = sorted(names)
    return dict(zip(listed, await asyncio.gather(*map(addresses, listed)), strict=True))


def _judged_az(
    target: CheckTarget,
    used: TrustUsed,
    az: AzFacts,
    seen: tuple[ConnectionFacts, ...],
    resolved: dict[str, tuple[str, ...] | None],
) -> tuple[AzClient, ...]:
    from stacktui.check.az_clients import az_clients

    return az_clients(az, seen, used, target.identity, resolved)
