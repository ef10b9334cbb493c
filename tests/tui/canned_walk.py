"""The walk of a managed identity, canned: what it has come to, and nothing is asked of ARM."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from stacktui.check.target import CheckTarget
from stacktui.resources.identity_steps import (
    Confirm,
    WalkOutcome,
    WalkStepName,
    WalkStepResult,
    WalkStepStarted,
)
from stacktui.resources.listing import Rows
from stacktui.resources.machine_identity import Machine
from stacktui.resources.model import ArmError, ArmFault, ArmProblem
from stacktui.resources.retry import Wait
from stacktui.transport.records import Exchange
from stacktui.tui.live_walk import WalkPlace

from . import canned
from .canned_arm import SUBSCRIPTION, CannedArm

CREATE, ASSIGN, GRANT, PROVE = WalkStepName
OK, ALREADY, FAILED, SKIPPED = WalkOutcome
_IDS = ("client id: 8f6c1c0d-5b1c-4e62-9d3f-71c0fb3a0d11",
        "principal id: 1f6c1c9d-9d3f-4e62-5b1c-71c0fb3a0d11")  # fmt: skip
_CREATED = WalkStepResult(CREATE, OK, "managed identity id-app in resource group team-01", _IDS)
_SET = ("before: system-assigned", "after:  system-assigned, id-app")
_REFUSED = ArmError(
    ArmFault(
        ArmProblem.REFUSED, "granting the role", 403, "AuthorizationFailed",
        "The client does not have authorization to perform action", "6f1c0d1e-77aa",
    )
)  # fmt: skip
_LINES = (
    "TOKEN=$(curl -sS --noproxy '*' -H Metadata:true 'http://169.254.169.254/metadata')",
    "curl -sS 'https://management.local.azurestack.external' -H \"Authorization: Bearer $TOKEN\"",
)

Item = WalkStepStarted | WalkStepResult | Wait | Exchange | tuple[str, tuple[str, ...]]


def made(method: str, status: int) -> Exchange:
    exchange = canned.reused(canned.ARM, "/", 3, 0.1)
    assert exchange.response is not None
    response = replace(exchange.response, status=status)
    return replace(exchange, method=method, response=response)


_FIRST: tuple[Item, ...] = (
    WalkStepStarted(CREATE), made("PUT", 201), made("GET", 200), _CREATED,
    WalkStepStarted(ASSIGN), made("GET", 200),
)  # fmt: skip
_SECOND: tuple[Item, ...] = (
    *_FIRST, made("PATCH", 200), made("GET", 200),
    WalkStepResult(ASSIGN, OK, "the VM vm-app has id-app", _SET),
    WalkStepStarted(GRANT), made("GET", 200),
)  # fmt: skip
# A question is left open, and so is what ends with a wait.
WALKS: dict[str, tuple[Item, ...]] = {
    "asking": (*_FIRST, ("assign id-app to the VM vm-app", _SET)),
    "waiting": (*_FIRST, made("PATCH", 202), Wait("assigning to the VM vm-app", 202, 15.0)),
    "refused": (
        *_SECOND, made("PUT", 403),
        WalkStepResult(GRANT, FAILED, str(_REFUSED), error=_REFUSED),
        WalkStepResult(PROVE, SKIPPED, "not done, because of grant"),
    ),
    "skipped": (
        *_SECOND, made("PUT", 201), made("GET", 200),
        WalkStepResult(GRANT, OK, "id-app has Reader on resource group team-01"),
        WalkStepStarted(PROVE),
        WalkStepResult(
            PROVE, SKIPPED, "no instance metadata service answers here",
            ("on the VM vm-app, these lines do it:",), commands=_LINES,
        ),
    ),
}  # fmt: skip


class CannedWalk(CannedArm):
    """Lists VMs, and comes to what `walk` names."""

    def __init__(self, walk: str) -> None:
        super().__init__()
        self._walk = WALKS[walk]

    async def machines(self, target: CheckTarget) -> tuple[str, Rows[Machine]]:
        return SUBSCRIPTION, Rows((Machine("vm-app", "team-01"), Machine("vm-db", "team-02")))

    async def identity_walk(
        self,
        target: CheckTarget,
        place: WalkPlace,
        confirm: Confirm,
        on_wait: Callable[[Wait], None],
        on_exchange: Callable[[Exchange], None],
    ) -> AsyncGenerator[WalkStepStarted | WalkStepResult, None]:
        for item in self._walk:
            match item:
                case Exchange():
                    on_exchange(item)
                case Wait():
                    on_wait(item)
                    await asyncio.Event().wait()
                case (words, lines):
                    await confirm(ASSIGN, words, lines)
                case _:
                    yield item
