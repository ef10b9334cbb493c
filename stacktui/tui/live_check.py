"""A check as it happens: the events so far, folded into one value that a pane can draw.

Imported when the first check starts: the first frame needs none of a report's types.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from stacktui.certificates.trust import TrustUsed
from stacktui.check.events import (
    CheckEvent,
    CheckFinished,
    CheckStarted,
    PhaseFinished,
    PhaseStarted,
    SignInPrompt,
    StepFinished,
    StepStarted,
)
from stacktui.check.report import Evidence, Report, Step, StepName
from stacktui.check.target import Target
from stacktui.config.error_file import describe_error
from stacktui.diagnosis.finding import Diagnosis, Finding
from stacktui.environments.metadata import Metadata
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ResourceGroupList
from stacktui.transport.facts import ConnectionFacts, Phase
from stacktui.tui.check_state import CheckState


@dataclass(frozen=True, slots=True)
class LiveStep:
    """One step so far; `step` is there once it has ended."""

    name: StepName
    running: bool = False
    phases: tuple[Phase, ...] = ()
    under_way: PhaseStarted | None = None
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """One check so far. `diagnosis` follows `report`; `error` tells of an internal error.

    `prompt` is there while the check waits for somebody to sign in.
    """

    target: Target
    state: CheckState = CheckState.RUNNING
    started: datetime | None = None
    steps: tuple[LiveStep, ...] = tuple(LiveStep(name) for name in StepName)
    prompt: SignInPrompt | None = None
    report: Report | None = None
    diagnosis: Diagnosis | None = None
    error: str = ""

    def after(self, event: CheckEvent) -> LiveCheck:
        """The check once `event` has happened; a check that has ended hears nothing more."""
        if self.state is not CheckState.RUNNING:
            return self
        match event:
            case CheckStarted(started=started):
                return replace(self, started=started)
            case StepStarted(name=name):
                return self._with(replace(self._step(name), running=True))
            case PhaseStarted() | PhaseFinished() if self.prompt is not None:
                return self  # asked over and over whether somebody signed in: nothing to see
            case PhaseStarted(step=name):
                return self._with(replace(self._step(name), under_way=event))
            case PhaseFinished(step=name, phase=phase):
                step = self._step(name)
                return self._with(replace(step, under_way=None, phases=(*step.phases, phase)))
            case SignInPrompt():
                return replace(self, prompt=event)
            case StepFinished(step=step):
                ended = LiveStep(step.name, phases=step.phases, step=step)
                return replace(self, prompt=None)._with(ended)
            case CheckFinished(report=report):
                return replace(self, report=report, state=CheckState.FINISHED)

    def cancelled(self) -> LiveCheck:
        if self.state is not CheckState.RUNNING:
            return self
        steps = tuple(replace(step, running=False, under_way=None) for step in self.steps)
        return replace(self, state=CheckState.CANCELLED, steps=steps)

    def broken(self, error: Exception) -> LiveCheck:
        """The check ended by an internal error."""
        return replace(self.cancelled(), state=CheckState.BROKEN, error=describe_error(error))

    def judged(self, diagnosis: Diagnosis) -> LiveCheck:
        return replace(self, diagnosis=diagnosis)

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING

    @property
    def healthy(self) -> bool:
        return self.report is not None and self.report.ok

    @property
    def verdict(self) -> Finding | None:
        return self.diagnosis.verdict if self.diagnosis else None

    @property
    def connections(self) -> tuple[ConnectionFacts, ...]:
        """The first connection to each host that got as far as TLS, in order; those that were
        only looked at come last."""
        exchanges = [each for live in self.steps for each in self.ended(live.name).exchanges]
        if self.report is not None:
            exchanges += [probe.exchange for probe in self.report.probes]
        found: dict[tuple[str, int], ConnectionFacts] = {}
        for exchange in exchanges:
            seen = exchange.connection
            if seen is not None and seen.tls is not None:
                found.setdefault((seen.host, seen.port), seen)
        return tuple(found.values())

    @property
    def metadata(self) -> Metadata | None:
        result = self.ended(StepName.METADATA).result
        return result if isinstance(result, Metadata) else None

    @property
    def token(self) -> TokenFacts | None:
        result = self.ended(StepName.TOKEN).result
        return result if isinstance(result, TokenFacts) else None

    @property
    def groups(self) -> ResourceGroupList | None:
        result = self.ended(StepName.RESOURCE_GROUPS).result
        return result if isinstance(result, ResourceGroupList) else None

    @property
    def trust(self) -> TrustUsed | None:
        """The certificates that the check trusts."""
        return self.ended(StepName.METADATA).trust

    @property
    def token_refused(self) -> bool:
        return self.ended(StepName.TOKEN).fault is not None

    @property
    def why_no_token(self) -> str:
        """In words; empty while that is open."""
        return self._why_none(StepName.TOKEN)

    @property
    def why_no_groups(self) -> str:
        """In words; empty while that is open."""
        return self._why_none(StepName.RESOURCE_GROUPS)

    def ended(self, name: StepName) -> Evidence:
        """What a step found; empty evidence while it has not ended."""
        step = self._step(name).step
        return step.evidence if step else Evidence()

    def _why_none(self, name: StepName) -> str:
        evidence = self.ended(name)
        if evidence.fault is not None:
            return "refused: see the check"
        return f"skipped: {evidence.skipped}" if evidence.skipped else ""

    def _step(self, name: StepName) -> LiveStep:
        return next(step for step in self.steps if step.name is name)

    def _with(self, changed: LiveStep) -> LiveCheck:
        steps = tuple(changed if step.name is changed.name else step for step in self.steps)
        return replace(self, steps=steps)
