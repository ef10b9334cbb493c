"""The walk of a managed identity as its screen shows it: where it stands, and what it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from stacktui.check.target import CheckTarget
from stacktui.resources.identity_steps import WalkOutcome, WalkStepName, WalkStepResult
from stacktui.resources.retry import Wait
from stacktui.transport.records import Exchange
from stacktui.tui.check_state import CheckState


@dataclass(frozen=True, slots=True)
class WalkPlace:
    """Where it is done: names as they were typed, and the id of the subscription."""

    subscription: str
    group: str
    name: str
    machine: str


@dataclass(frozen=True, slots=True)
class WalkQuestion:
    """What the step under way would write, in one line and in more; `allow` lets it."""

    words: str
    lines: tuple[str, ...]
    allow: Callable[[], None]


@dataclass(frozen=True, slots=True)
class LiveWalk:
    """A walk that began at `began`, a `time.monotonic()`.

    `step` is under way, or was when the walk was cancelled; `writing`, if it was let write.
    `requests` are those that have ended, with the step that made them, None before the first.
    ARM or IMDS is waited for until `time.monotonic()` is `waits_until`. `error` says why the walk
    ended outside its steps.
    """

    target: CheckTarget
    place: WalkPlace
    began: float
    state: CheckState = CheckState.RUNNING
    step: WalkStepName | None = None
    writing: bool = False
    results: tuple[WalkStepResult, ...] = ()
    requests: tuple[tuple[WalkStepName | None, Exchange], ...] = ()
    question: WalkQuestion | None = None
    wait: Wait | None = None
    waits_until: float = 0.0
    error: str = ""

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING

    @property
    def seconds_to_wait(self) -> int:
        return max(0, round(self.waits_until - monotonic())) if self.running else 0

    @property
    def unknown(self) -> WalkStepName | None:
        """The step of which nobody knows whether it was done."""
        return self.step if self.writing and not self.running else None

    @property
    def commands(self) -> tuple[str, ...]:
        """The lines for the VM, if the proof could not be made here."""
        return tuple(line for each in self.results for line in each.commands)

    def ended(self, outcome: WalkOutcome) -> tuple[WalkStepResult, ...]:
        """Return how the steps ended that ended so."""
        return tuple(each for each in self.results if each.outcome is outcome)
