"""The steps to a managed identity that works, as data: create, assign to a VM, grant, prove.

Each looks first and changes only what is missing, so that whoever runs them again, after a fault or
a kill, makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stacktui.environments.model import Environment
from stacktui.errors import FaultError
from stacktui.identities.faults import IdentityError, ImdsFault, ImdsProblem
from stacktui.resources import machine_identity, managed_identities
from stacktui.resources.client import ArmClient
from stacktui.resources.connection import unseen
from stacktui.resources.groups import group_path, resource_group
from stacktui.resources.identity_proof import arm_resource, as_identity, curl_lines, read_as
from stacktui.resources.listing import collect
from stacktui.resources.machine_identity import MachineIdentities
from stacktui.resources.managed_identities import ManagedIdentityError, UserIdentity
from stacktui.resources.model import ArmError, Principal, is_forbidden
from stacktui.resources.retry import Wait
from stacktui.resources.role_paths import READER, Reach, reach
from stacktui.resources.roles import PRINCIPAL_TIMEOUT, find_assignment, grant, pages_of_principal
from stacktui.resources.written import written
from stacktui.text.shell import command_line, for_this_machine
from stacktui.transport.records import Exchange, TransportError

_NOBODY_THERE = frozenset({ImdsProblem.UNREACHABLE, ImdsProblem.SOMETHING_ELSE})


class WalkStepName(StrEnum):
    """The steps, in their order."""

    CREATE = "create"
    ASSIGN = "assign"
    GRANT = "grant"
    PROVE = "prove"


class WalkOutcome(StrEnum):
    """How a step ended: ALREADY where nothing was to be done."""

    OK = "ok"
    ALREADY = "already"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class WalkStepStarted:
    """A step begins."""

    name: WalkStepName


@dataclass(frozen=True, slots=True)
class WalkStepResult:
    """How a step ended, in one line of `words`, with more `lines`; `facts` are JSON values.

    `commands` are bash lines, for the VM, that do what the step did not. `error` is why it failed.
    """

    name: WalkStepName
    outcome: WalkOutcome
    words: str
    lines: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    commands: tuple[str, ...] = ()
    error: FaultError[Any] | ManagedIdentityError | None = None


# Returns where the user lets a step do what it says, in one line and in more lines; else raises
# whatever ends the walk.
Confirm = Callable[[WalkStepName, str, tuple[str, ...]], Awaitable[None]]


@dataclass(slots=True)
class Walk:
    """Where the steps are done, for whom, and what they have found so far.

    `client` has the rights of an owner. `machine` is the VM's name, for ASSIGN. `api_version` is
    that of PROVE's request; None for the profile's. `settling` are the seconds for which a new
    principal or role may not be known yet.
    """

    client: ArmClient
    environment: Environment
    subscription: str
    group: str
    name: str
    confirm: Confirm
    machine: str = ""
    api_version: str | None = None
    settling: float = PRINCIPAL_TIMEOUT
    on_wait: Callable[[Wait], None] = unseen
    on_exchange: Callable[[Exchange], None] = unseen
    creates: bool = field(default=False, init=False)
    granted: bool = field(default=False, init=False)
    version: str = field(default="", init=False)
    location: str = field(default="", init=False)
    found: UserIdentity | None = field(default=None, init=False)

    @property
    def identity(self) -> UserIdentity:
        if self.found is None:
            raise AssertionError("each step looks for the identity, or makes it")
        return self.found

    @property
    def scope(self) -> str:
        """The group's path."""
        return group_path(self.client, self.subscription, self.group)

    @property
    def identity_path(self) -> str:
        return managed_identities.identity_path(self.scope, self.name)

    @property
    def machine_path(self) -> str:
        return machine_identity.machine_path(self.scope, self.machine)

    async def read_identity(self) -> UserIdentity | None:
        self.found = await managed_identities.user_identity(
            self.client, self.identity_path, self.version
        )
        return self.found

    async def look(self) -> None:
        """Find the provider, the group and the identity, which must be there unless it is made."""
        if not self.version:
            version = await managed_identities.identity_version(self.client, self.subscription)
            group, _ = await resource_group(self.client, self.scope)
            if group.name.casefold() == self.group.casefold():
                self.group = group.name  # in the case that it was named with
            self.version, self.location = version, group.location
            await self.read_identity()
        if self.found is None and not self.creates:
            raise ManagedIdentityError(
                f"there is no managed identity {self.name} in resource group {self.group}",
                f"make it: {self.command(WalkStepName.CREATE)}",
            )

    def command(self, step: WalkStepName) -> str:
        """Return the command, for this machine's shell, that does a step which takes no VM."""
        of = ("--group", self.group, "--name", self.name, "-e", self.environment.name)
        return for_this_machine(command_line(f"stacktui identities managed {step}", of))

    async def has_role(self) -> bool | None:
        """Return whether the identity has a role on the group; None where that cannot be read."""
        if self.granted:
            return True
        found = await collect(
            pages_of_principal(self.client, self.scope, self.identity.principal_id)
        )
        counting = any(reach(each, self.scope) is not Reach.BELOW for each in found.rows)
        return counting or (None if found.error else False)


@dataclass(frozen=True, slots=True)
class WalkStep:
    """A step: what it `needs` of the others, if those are done too, and its two coroutines.

    `look` finds what must be there, before anything is written; `run` does the rest.
    """

    name: WalkStepName
    needs: tuple[WalkStepName, ...]
    look: Callable[[Walk], Awaitable[None]]
    run: Callable[[Walk], Awaitable[WalkStepResult]]


async def _look(where: Walk) -> None:
    await where.look()


async def _look_for_machine(where: Walk) -> None:
    await where.look()
    await machine_identity.machine_identities(where.client, where.machine_path)


async def _create(where: Walk) -> WalkStepResult:
    words = f"managed identity {where.name} in resource group {where.group}"
    outcome = WalkOutcome.ALREADY
    if where.found is None:
        await where.confirm(
            WalkStepName.CREATE,
            f"create the {words}",
            (f"location: {where.location}, as the group's",),
        )
        await written(
            lambda: managed_identities.create_identity(
                where.client, where.identity_path, where.version, where.location
            ),
            where.read_identity,
            words,
            ManagedIdentityError,
        )
        outcome = WalkOutcome.OK
    identity = where.identity
    facts = {
        "identity": {
            "id": identity.id,
            "name": identity.name,
            "location": identity.location,
            "client_id": identity.client_id,
            "principal_id": identity.principal_id,
        }
    }
    lines = (f"client id: {identity.client_id}", f"principal id: {identity.principal_id}")
    return WalkStepResult(WalkStepName.CREATE, outcome, words, lines, facts)


async def _assign(where: Walk) -> WalkStepResult:
    client, path, identity = where.client, where.machine_path, where.identity

    async def with_identity() -> MachineIdentities | None:
        found = await machine_identity.machine_identities(client, path)
        return found if found.has(identity.id) else None

    before = await machine_identity.machine_identities(client, path)
    if not before.has(identity.id):
        then = ", ".join([*before.names, where.name])
        lines: tuple[str, ...] = (f"before: {before}", f"after:  {then}")
        words = f"assign {where.name} to the VM {where.machine}"
        await where.confirm(WalkStepName.ASSIGN, words, lines)
        # Others may have changed it while somebody read the question.
        before = await machine_identity.machine_identities(client, path)
    after, outcome = before, WalkOutcome.ALREADY
    if not before.has(identity.id):
        sent = before
        after = await written(
            lambda: machine_identity.assign(client, path, sent, identity.id),
            with_identity,
            f"the assignment of {where.name} to the VM {where.machine}",
            ManagedIdentityError,
        )
        outcome = WalkOutcome.OK
    lost = before.lost(after)
    facts = {
        "machine": client.redactor.sanitize(where.machine, 200),
        "before": _identities(before),
        "after": _identities(after),
        "vanished": list(lost),
    }
    lines = (f"before: {before}", f"after:  {after}")
    if outcome is WalkOutcome.ALREADY:
        lines = (f"its identities: {after}",)
    if lost:
        lines += (f"VANISHED meanwhile, see who took it away: {', '.join(lost)}",)
    words = f"the VM {where.machine} has {where.name}"
    return WalkStepResult(WalkStepName.ASSIGN, outcome, words, lines, facts)


def _identities(found: MachineIdentities) -> dict[str, Any]:
    return {"system_assigned": found.system, "user_assigned": list(found.users)}


async def _grant(where: Walk) -> WalkStepResult:
    client, scope, identity = where.client, where.scope, where.identity
    principal = Principal(identity.principal_id, is_application=True)
    words = f"{READER.name} on resource group {where.group}"
    assignment = await find_assignment(client, scope, READER, principal)
    outcome = WalkOutcome.ALREADY
    if assignment is None:
        lines = (f"principal id: {principal}",)
        await where.confirm(WalkStepName.GRANT, f"grant {where.name} {words}", lines)
        granted = await grant(
            client, scope, READER, principal, longest=where.settling, failure=ManagedIdentityError
        )
        assignment = granted.id or await find_assignment(client, scope, READER, principal)
        where.granted, outcome = True, WalkOutcome.OK
    facts = {
        "role": {"id": READER.id, "name": READER.name},
        "scope": scope,
        "principal": principal.object_id,
        "assignment": assignment,
    }
    words = f"{where.name} has {words}"
    return WalkStepResult(WalkStepName.GRANT, outcome, words, facts=facts)


async def _prove(where: Walk) -> WalkStepResult:
    client, environment, path = where.client, where.environment, where.scope
    name = WalkStepName.PROVE
    version = where.api_version or await client.version_of(path)
    resource = arm_resource(environment, await client.metadata())
    identity = as_identity(where.identity)
    facts: dict[str, Any] = {
        "resource": client.redactor.sanitize(resource, 200),
        "client_id": identity.client_id,
        "url": f"{environment.arm}{path}?api-version={version}",
    }
    has_role: bool | None = None

    async def may_settle() -> bool:
        nonlocal has_role
        has_role = await where.has_role()
        return bool(has_role)

    try:
        group = await read_as(
            environment,
            identity,
            resource,
            path,
            version,
            settling=where.settling,
            may_settle=may_settle,
            on_wait=where.on_wait,
            on_exchange=where.on_exchange,
        )
    except IdentityError as error:
        machine = f"the VM {where.machine}" if where.machine else "the VM that has it"
        there = (f"on {machine}, these lines do it:",)
        commands = curl_lines(environment, identity, resource, path, version)
        if isinstance(error.fault, ImdsFault) and error.fault.problem in _NOBODY_THERE:
            words = "no instance metadata service answers here"
            return WalkStepResult(name, WalkOutcome.SKIPPED, words, there, facts, commands)
        words = f"this machine gets no token for {where.name}: {error}"
        return WalkStepResult(name, WalkOutcome.FAILED, words, there, facts, commands, error)
    except (ArmError, TransportError) as error:
        lines = _lacking(where, has_role) if is_forbidden(error) else ()
        return WalkStepResult(name, WalkOutcome.FAILED, str(error), lines, facts, (), error)
    words = f"{where.name} reads resource group {group.name} with its own token"
    lines = (f"location: {group.location}", f"state: {group.state}")
    facts["group"] = {
        "id": group.id,
        "name": group.name,
        "location": group.location,
        "state": group.state,
    }
    return WalkStepResult(name, WalkOutcome.OK, words, lines, facts)


def _lacking(where: Walk, has_role: bool | None) -> tuple[str, ...]:
    """Return what helps an identity that ARM does not let read the group."""
    again = f"a new role can take minutes to count; then: {where.command(WalkStepName.PROVE)}"
    if has_role:
        return (again,)
    role = (
        "whether it has a role there cannot be read" if has_role is None else "it has no role there"
    )
    return (f"{role}; give it one: {where.command(WalkStepName.GRANT)}", again)


_C, _A, _G = WalkStepName.CREATE, WalkStepName.ASSIGN, WalkStepName.GRANT
STEPS = (
    WalkStep(_C, (), _look, _create),
    WalkStep(_A, (_C,), _look_for_machine, _assign),
    WalkStep(_G, (_C,), _look, _grant),
    WalkStep(WalkStepName.PROVE, (_A, _G), _look, _prove),
)
