"""Deletions of resource groups that go on in ARM, followed side by side in the background.

Light to import: what follows them is imported with the first.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stacktui.transport.background import in_background
from stacktui.tui.arm_task import StreamTask, now
from stacktui.tui.check_state import CheckState
from stacktui.tui.task_state import TaskState

if TYPE_CHECKING:
    from textual.app import App

    from stacktui.check.settings import Settings
    from stacktui.check.target import CheckTarget
    from stacktui.identities.model import Identity
    from stacktui.resources.group_deletion import (
        DeletionAccepted,
        OperationResult,
        PlannedDeletion,
    )
    from stacktui.resources.operations import Operation, OperationState
    from stacktui.resources.retry import Wait
    from stacktui.tui.arm_engine import ArmEngine

    Event = DeletionAccepted | OperationResult

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveDeletion(TaskState):
    """A deletion that is followed, or was: `result` is its end, once that was seen.

    `accepted` says that ARM took it; `not_remembered` why it is not in the file of operations.
    One that nobody may look at without a person is CANCELLED, and `error` says what to do.
    """

    operation: Operation = field(kw_only=True)
    accepted: bool = False
    not_remembered: str = ""
    result: OperationResult | None = None

    @property
    def outcome(self) -> OperationState:
        """How it is, as far as is known."""
        # Whoever has a deletion has imported it.
        from stacktui.resources.operations import OperationState
        from stacktui.resources.written import ChangeError

        if self.running:
            return OperationState.RUNNING
        if self.result is not None:
            return self.result.state
        unknown = self.caught is None or (
            isinstance(self.caught, ChangeError) and self.caught.unknown
        )
        return OperationState.UNKNOWN if unknown or self.accepted else OperationState.FAILED

    @property
    def words(self) -> str:
        """How it is, in one line."""
        if self.running:
            return "ARM deletes the group" if self.accepted else "ARM is asked"
        return self.result.words if self.result is not None else self.error

    def with_event(self, event: Event) -> LiveDeletion:
        from stacktui.resources.group_deletion import OperationResult

        if isinstance(event, OperationResult):
            return replace(self, operation=event.operation, result=event)
        return replace(
            self,
            operation=event.operation,
            accepted=True,
            not_remembered=event.not_remembered,
        )


class Deletions:
    """Begins deletions and follows them; `on_state` is called with every new state of one.

    To follow none any more ends no deletion: it goes on in ARM, and is remembered. `unreadable`
    says why the file that remembers them could not be read; empty where it could.
    """

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], ArmEngine],
        on_state: Callable[[LiveDeletion], None],
    ) -> None:
        self._app, self._load, self._on_state = app, load, on_state
        self._tasks: dict[Key, StreamTask[LiveDeletion]] = {}
        self._known: dict[Key, LiveDeletion] = {}
        self.unreadable = ""

    @property
    def known(self) -> tuple[LiveDeletion, ...]:
        """Those of this run, and those that were found in the file; oldest first."""
        return tuple(sorted(self._known.values(), key=lambda each: each.operation.began))

    @property
    def running(self) -> bool:
        return any(each.running for each in self._known.values())

    def of(self, environment: str | None) -> dict[str, LiveDeletion]:
        """Return the last ones of an environment, by the group's path in folded case."""
        return {
            each.operation.path.casefold(): each
            for each in self._known.values()
            if each.operation.environment == environment
        }

    def start(self, target: CheckTarget, plan: PlannedDeletion) -> None:
        """Ask ARM to delete a group, and follow that."""
        from stacktui.resources.operations import deletion_of

        group, of = plan.group.name, target.environment
        operation = deletion_of(target.config, of, plan.subscription, group, plan.path)
        self._begin(
            LiveDeletion(target, now(), operation=operation),
            lambda engine, waits: engine.delete_group(target, plan, waits),
        )

    def follow(self, target: CheckTarget, operation: Operation) -> None:
        """Follow a deletion that was begun before; it says so where a person has to sign in."""
        live = LiveDeletion(target, now(), operation=operation, accepted=True)
        identity = target.identity
        if identity is None or not self._signed_in(target, identity):
            why = f"not looked at: {target.environment.name} has no identity"
            if identity is not None:
                why = f"not looked at yet: {identity.name} needs a person to sign in, with a check"
            self._publish(replace(live, state=CheckState.CANCELLED, error=why))
            return
        self._begin(live, lambda engine, waits: engine.follow_deletion(target, operation, waits))

    async def resume(self, settings: Settings) -> int:
        """Follow what is remembered of the config's environments; return how many are new.

        Raises OperationsFileError.
        """
        from stacktui.resources.operations import OperationsFileError, all_remembered

        path = settings.path
        try:
            found = await in_background(lambda: all_remembered(path))
        except OperationsFileError as error:
            self.unreadable = str(error)
            raise
        self.unreadable = ""
        new = 0
        for operation in found:
            environment = settings.environments.get(operation.environment)
            if environment is None or environment.arm != operation.arm:
                continue
            before = self._known.get(operation.key)
            if before is None or not (before.running or before.operation.began >= operation.began):
                self.follow(settings.target(operation.environment), operation)
                new += 1
        return new

    def again(self, target: CheckTarget) -> None:
        """Look anew at those of an environment whose end is not known."""
        for each in self.of(target.environment.name).values():
            if not each.running and each.result is None and each.outcome == "unknown":
                self.follow(target, each.operation)

    def waiting(self, environment: str) -> bool:
        """Whether one of an environment was not looked at, as a person has to sign in."""
        return any(each.state is CheckState.CANCELLED for each in self.of(environment).values())

    def forget(self, environment: str) -> None:
        """Follow none of an environment any more, whose settings are others."""
        for key, each in tuple(self._known.items()):
            if each.operation.environment == environment:
                del self._known[key]
                if (task := self._tasks.pop(key, None)) is not None:
                    task.cancel()

    def _signed_in(self, target: CheckTarget, identity: Identity) -> bool:
        """Return whether an identity signs in with nobody there."""
        if not identity.needs_person:
            return True
        from stacktui.identities.token_source import SignIn
        from stacktui.tui.check_runner import session_tokens

        wanted = SignIn(target.environment, identity, target.config)
        return session_tokens().kept(wanted) is not None

    def _begin(
        self,
        live: LiveDeletion,
        work: Callable[[ArmEngine, Callable[[Wait], None]], AsyncIterable[Any]],
    ) -> None:
        key = live.operation.key
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = StreamTask(self._app, self._load, self._publish)
        task.begin(live, work, LiveDeletion.with_event)

    def _publish(self, live: LiveDeletion) -> None:
        key = live.operation.key
        if live.state is CheckState.CANCELLED and not live.error and key not in self._known:
            return  # forgotten
        self._known[key] = live
        self._on_state(live)
