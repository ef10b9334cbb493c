"""Walks of a managed identity on an embedded stamp, and what they left there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stacktui.environments.model import Environment
from stacktui.identities.model import Identity
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.client import ArmClient
from stacktui.resources.connection import open_arm, unseen
from stacktui.resources.groups import group_path
from stacktui.resources.identity_steps import (
    Walk,
    WalkOutcome,
    WalkStepName,
    WalkStepResult,
)
from stacktui.resources.identity_walk import walk
from stacktui.resources.listing import collect
from stacktui.resources.machine_identity import machine_identities, machine_path
from stacktui.resources.managed_identities import identity_path, user_identity
from stacktui.resources.retry import Wait
from stacktui.resources.role_paths import READER
from stacktui.resources.roles import pages_of_principal
from stacktui.stamp import Cloud
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from tests.identities.sign_ins import identity_of

GROUP, MACHINE, VERSION = "rg-identity", "vm-ops", "2018-11-30"
OK, ALREADY, FAILED, SKIPPED = WalkOutcome
CREATE, ASSIGN, GRANT, PROVE = WalkStepName
WRITES = ("PUT", "PATCH", "POST", "DELETE")
# The metadata service is not asked again for long; whatever hangs on purpose is noticed soon.
USUAL = Limits(step=4)
QUICK = replace(USUAL, first_byte=0.4)


@dataclass
class Done:
    """What a walk said and ended with."""

    results: list[WalkStepResult] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    @property
    def outcomes(self) -> list[WalkOutcome]:
        return [each.outcome for each in self.results]

    def __getitem__(self, name: WalkStepName) -> WalkStepResult:
        return next(each for each in self.results if each.name is name)


@asynccontextmanager
async def arm_of(
    stamp: RunningStamp,
    identity: Identity | None = None,
    on_wait: Callable[[Wait], None] = unseen,
    limits: Limits = USUAL,
) -> AsyncIterator[tuple[ArmClient, Environment]]:
    environment = Environment(
        "A",
        stamp.arm_url,
        "latest" if stamp.cloud is Cloud.PUBLIC else "2020-09-01-hybrid",
        ca=Path(stamp.ca_file),
        resolve=stamp.resolve,
        limits=limits,
        proxy="none",
    )
    wanted = SignIn(environment, identity or identity_of(stamp))
    async with open_arm(wanted, TokenSource(), on_wait=on_wait) as client:
        yield client, environment


async def walked(
    stamp: RunningStamp,
    name: str,
    names: Sequence[WalkStepName] = tuple(WalkStepName),
    identity: Identity | None = None,
    confirm: Any = None,
    limits: Limits = USUAL,
    **given: Any,
) -> Done:
    done = Done()
    on_wait = given.pop("on_wait", done.waits.append)

    async def yes(step: WalkStepName, words: str, lines: tuple[str, ...]) -> None:
        done.asked.append("\n".join((words, *lines)))
        if confirm is not None:
            await confirm(step)

    async with arm_of(stamp, identity, on_wait, limits) as (client, environment):
        values = {"group": GROUP, "machine": MACHINE, "settling": 0.35} | given
        where = Walk(
            client,
            environment,
            stamp.subscription_id,
            name=name,
            confirm=yes,
            on_wait=on_wait,
            **values,
        )
        async for event in walk(where, names):
            if isinstance(event, WalkStepResult):
                done.results.append(event)
    return done


@dataclass(frozen=True)
class State:
    """What is there: the principal, the VM's identities by name, the assignments."""

    principal: str | None
    machine: frozenset[str]
    assignments: tuple[str, ...]


async def state_of(stamp: RunningStamp, name: str) -> State:
    async with arm_of(stamp) as (client, _):
        scope = group_path(client, stamp.subscription_id, GROUP)
        found = await user_identity(client, identity_path(scope, name), VERSION)
        machine = await machine_identities(client, machine_path(scope, MACHINE))
        names = [each.rpartition("/")[2] for each in machine.users]
        assert len(names) == len({*names})
        held: tuple[str, ...] = ()
        if found is not None:
            pages = pages_of_principal(client, scope, found.principal_id)
            held = tuple(each.id for each in (await collect(pages)).rows if each.role == READER.id)
        return State(
            found and found.principal_id,
            frozenset(names) | ({"system"} if machine.system else set()),
            held,
        )


def writes(stamp: RunningStamp) -> list[str]:
    return [
        f"{each.method} {each.path}"
        for each in stamp.requests
        if each.method in WRITES and each.path.startswith("/subscriptions/")
    ]
