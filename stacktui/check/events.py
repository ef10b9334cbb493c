"""The events of a running check, in order.

    CheckStarted (StepStarted (PhaseStarted PhaseFinished)* StepFinished)* CheckFinished

A skipped step has a StepFinished alone. Where a person must sign in, a SignInPrompt comes between
the phases of the token step. In a round of many, a check that is cancelled ends with CheckCancelled
and one with an internal error with CheckBroken. The live pane and the headless command consume the
same events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stacktui.check.report import Report, StepResult
from stacktui.check.step_names import STANDING
from stacktui.check.target import CheckTarget
from stacktui.transport.records import Phase, PhaseName


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """Whose event it is, of which run, and when: `at` is `time.monotonic()` in seconds."""

    environment: str = ""
    run_id: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckStarted(_Event):
    """`steps` are the names of the steps, in order."""

    target: CheckTarget
    started: datetime
    steps: tuple[str, ...] = STANDING


@dataclass(frozen=True, slots=True)
class StepStarted(_Event):
    name: str


@dataclass(frozen=True, slots=True)
class PhaseStarted(_Event):
    step: str
    name: PhaseName
    host: str


@dataclass(frozen=True, slots=True)
class PhaseFinished(_Event):
    step: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class SignInPrompt(_Event):
    """The user must open `page` in a browser, on any machine, and type `code` there by `until`.

    The token step waits for that. Both texts are the sign-in service's, sanitised; neither is
    secret. `host` (with its port, if the metadata names one) is the login host that gave them.
    `page` may be on another host, and signing in there still signs in the client of `host`.
    """

    host: str
    page: str
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class StepFinished(_Event):
    step: StepResult


@dataclass(frozen=True, slots=True)
class CheckFinished(_Event):
    report: Report


@dataclass(frozen=True, slots=True)
class CheckCancelled(_Event):
    pass


@dataclass(frozen=True, slots=True)
class CheckBroken(_Event):
    """A defect of ours; `error` is without values, which could be secret."""

    error: str


CheckEvent = (
    CheckStarted
    | StepStarted
    | PhaseStarted
    | PhaseFinished
    | SignInPrompt
    | StepFinished
    | CheckFinished
    | CheckCancelled
    | CheckBroken
)
