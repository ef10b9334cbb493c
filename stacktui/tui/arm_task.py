"""Background work on ARM, one piece at a time. Light to import, as all that uses it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.check.target import CheckTarget
    from stacktui.tui.arm_engine import ArmEngine


class LiveState(Protocol):
    """The state of the work on one target."""

    @property
    def target(self) -> CheckTarget: ...
    @property
    def running(self) -> bool: ...


L = TypeVar("L", bound=LiveState)


class ArmTask(ABC, Generic[L]):
    """Does one piece of work at a time; `on_state` is called with every new state of it."""

    group: ClassVar[str]

    def __init__(
        self, app: App[Any], load: Callable[[], ArmEngine], on_state: Callable[[L], None]
    ) -> None:
        self._app = app
        self._load = load
        self._on_state = on_state
        self._live: L | None = None
        self._worker: Worker[None] | None = None

    @abstractmethod
    def _cancelled(self, live: L) -> L:
        """Return the state after a cancellation; what was read stays."""

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def cancel(self, environment: str | None = None) -> None:
        """Stop the work, if it is under way, of an environment or without a name of any.

        Returns at once.
        """
        live, worker = self._live, self._worker
        if live is None or environment not in (None, live.target.environment.name):
            return
        if live.running:
            self._publish(live, self._cancelled(live))
        if worker is not None:
            worker.cancel()

    def _begin(self, live: L, work: Coroutine[Any, Any, None]) -> None:
        self._live = live
        self._on_state(live)
        self._worker = self._app.run_worker(work, group=self.group, exit_on_error=False)

    def _publish(self, before: L, after: L) -> L:
        """Publish the new state, unless other work has begun since."""
        if self._live is before:
            self._live = after
            self._on_state(after)
        return after
