"""Facts from this machine's files, read while the steps run; a check hardly waits for them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stacktui.azure_cli.presence import az_facts, installed
from stacktui.check.open_files import OpenFile, open_files
from stacktui.check.pinning import FIRST_REQUEST
from stacktui.check.report import StepResult
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.locations import additions_file, is_demo
from stacktui.environments.endpoints import arm_endpoint
from stacktui.environments.profiles import PROFILES
from stacktui.transport.background import in_background
from stacktui.transport.records import TlsFacts

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.certificates.additions import LostAddition
    from stacktui.certificates.trust import TrustUsed
    from stacktui.check.clients import PythonClient
    from stacktui.python_clients.packages import PythonEnvironment

# Seconds after the steps have ended: a file on a dead network share must not delay the verdict.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """`lost` are additions to other programs' trust stores that are not there any more; `az` is
    what is known of the Azure CLI, None where it is not there; `open_files` are those of the
    target that others on this machine may read or change; `clients` are the Python environments
    with azure packages."""

    lost: tuple[LostAddition, ...]
    az: AzFacts | None
    open_files: tuple[OpenFile, ...]
    clients: tuple[PythonClient, ...]


class LocalFactsReader:
    """Reads them from when it is made; `used` is what the check trusts."""

    def __init__(self, target: CheckTarget, used: TrustUsed) -> None:
        self._arm = arm_endpoint(target.environment)
        self._arm_tls: asyncio.Future[TlsFacts | None] = asyncio.get_running_loop().create_future()
        self._lost = asyncio.create_task(_lost_additions())
        self._az = asyncio.create_task(_find_az())
        self._open = asyncio.create_task(_open_files(target))
        self._clients = asyncio.create_task(_python_clients(target, used, self._arm_tls))

    def step_ended(self, step: StepResult) -> None:
        """Take the chain that ARM presented in the first step, for the trust of other clients."""
        if not self._arm_tls.done():
            seen = (exchange.connection for exchange in step.evidence.exchanges)
            arm = (self._arm.host, self._arm.port)
            found = (each.tls for each in seen if each and (each.host, each.port) == arm)
            self._arm_tls.set_result(next((tls for tls in found if tls and tls.chain), None))

    async def collect(self) -> LocalFacts:
        """Return them; what is not known within 2 s is left out."""
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
        )

    async def aclose(self) -> None:
        """Cancel what is not done."""
        tasks = (self._lost, self._az, self._open, self._clients)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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


async def _find_az() -> AzFacts | None:
    # As above: where there is no az, a thread would cost more than finding that out.
    await asyncio.sleep(FIRST_REQUEST)
    if (found := installed()) is None:
        return None
    return await in_background(partial(az_facts, PROFILES, found))


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
