"""The events of a running check, in order.

    CheckStarted (StepStarted (PhaseStarted PhaseFinished)* StepFinished)* CheckFinished

A skipped step has a StepFinished alone. Where a person must sign in, a SignInPrompt comes between
the phases of the token step. The live pane and the headless command consume the same events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stacktui.check.report import Report, StepName, StepResult
from stacktui.check.target import CheckTarget
from stacktui.transport.records import Phase, PhaseName


@dataclass(frozen=True, slots=True)
class CheckStarted:
    target: CheckTarget
    started: datetime


@dataclass(frozen=True, slots=True)
class StepStarted:
    name: StepName


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    step: StepName
    name: PhaseName
    host: str


@dataclass(frozen=True, slots=True)
class PhaseFinished:
    step: StepName
    phase: Phase


@dataclass(frozen=True, slots=True)
class SignInPrompt:
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
class StepFinished:
    step: StepResult


@dataclass(frozen=True, slots=True)
class CheckFinished:
    report: Report


CheckEvent = (
    CheckStarted
    | StepStarted
    | PhaseStarted
    | PhaseFinished
    | SignInPrompt
    | StepFinished
    | CheckFinished
)
