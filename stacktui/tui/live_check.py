"""The state of a running or finished check, built from its events, for the panes to draw.

Imported when the first check starts: the first frame needs none of a report's types.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from stacktui.certificates.trust import TrustUsed
from stacktui.check.events import (
    CheckBroken,
    CheckCancelled,
    CheckEvent,
    CheckFinished,
    CheckStarted,
    PhaseFinished,
    PhaseStarted,
    SignInPrompt,
    StepFinished,
    StepStarted,
)
from stacktui.check.report import Evidence, Report, StepResult
from stacktui.check.step_names import STANDING, StepName
from stacktui.check.streak import Since
from stacktui.check.target import CheckTarget
from stacktui.check.write_probe import WRITE_PROBE
from stacktui.diagnosis.finding import Diagnosis, Finding
from stacktui.environments.metadata import Metadata
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ResourceGroupList
from stacktui.transport.records import ConnectionFacts, Phase
from stacktui.tui.check_state import CheckState


@dataclass(frozen=True, slots=True)
class LiveStep:
    """The state of one step; `step` is set when it has ended.

    `began` is `time.monotonic()` at its start.
    """

    name: str
    running: bool = False
    began: float = 0.0
    phases: tuple[Phase, ...] = ()
    under_way: PhaseStarted | None = None
    step: StepResult | None = None


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """The state of one check.

    `report`, then `diagnosis` and `since` (when the outcome is so, if known) are set when it has
    ended, `error` after an internal error, and `prompt` while the check waits for the user to sign
    in. One of a round is not `attended`. It waits for its turn until it has `started`; until then
    `last` is the check before it. `began` is `time.monotonic()` at its start.
    """

    target: CheckTarget
    state: CheckState = CheckState.RUNNING
    started: datetime | None = None
    steps: tuple[LiveStep, ...] = tuple(LiveStep(name) for name in STANDING)
    prompt: SignInPrompt | None = None
    report: Report | None = None
    diagnosis: Diagnosis | None = None
    since: Since | None = None
    error: str = ""
    attended: bool = True
    began: float = 0.0
    last: LiveCheck | None = None

    def apply(
        self, event: CheckEvent, diagnosis: Diagnosis | None = None, since: Since | None = None
    ) -> LiveCheck:
        """Return the state after `event`; a check that has ended ignores events.

        `diagnosis` and `since` come with the event that ends the check.
        """
        if self.state is not CheckState.RUNNING:
            return self
        match event:
            case CheckStarted(started=started, steps=names, at=at):
                steps = tuple(map(LiveStep, names))
                return replace(self, started=started, began=at, steps=steps, last=None)
            case StepStarted(name=name, at=at):
                return self._with_step(replace(self._step(name), running=True, began=at))
            case PhaseStarted() | PhaseFinished() if self.prompt is not None:
                return self  # polling for the sign-in: nothing to show
            case PhaseStarted(step=name):
                return self._with_step(replace(self._step(name), under_way=event))
            case PhaseFinished(step=name, phase=phase):
                step = self._step(name)
                return self._with_step(replace(step, under_way=None, phases=(*step.phases, phase)))
            case SignInPrompt():
                return replace(self, prompt=event)
            case StepFinished(step=step):
                ended = LiveStep(step.name, phases=step.phases, step=step)
                return replace(self, prompt=None)._with_step(ended)
            case CheckFinished(report=report):
                last = replace(self, report=report, diagnosis=diagnosis, since=since)
                return replace(last, state=CheckState.FINISHED)
            case CheckCancelled():
                return self.cancelled()
            case CheckBroken(error=error):
                return self.broken(error)

    def cancelled(self) -> LiveCheck:
        """Return the state after a cancellation; a check that has ended stays as it is."""
        if self.state is not CheckState.RUNNING:
            return self
        if self.last is not None:
            return self.last
        steps = tuple(replace(step, running=False, under_way=None) for step in self.steps)
        return replace(self, state=CheckState.CANCELLED, steps=steps)

    def broken(self, error: str) -> LiveCheck:
        """Return the state after an internal error, of which `error` holds no values."""
        return replace(replace(self, last=None).cancelled(), state=CheckState.BROKEN, error=error)

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING

    @property
    def may_leave_group(self) -> bool:
        """Whether its write probe has begun, and not ended: its group may be there."""
        probe = next((each for each in self.steps if each.name == WRITE_PROBE), None)
        return probe is not None and probe.began > 0 and probe.step is None

    @property
    def queued(self) -> bool:
        """Whether its turn in a round has not come."""
        return self.running and not self.attended and self.started is None

    @property
    def running_step(self) -> LiveStep | None:
        """The running step; None between two."""
        return next((step for step in self.steps if step.running), None)

    @property
    def step_under_way(self) -> str:
        """The name of the running step; empty between two."""
        return self.running_step.name if self.running_step else ""

    @property
    def healthy(self) -> bool:
        return self.report is not None and self.report.ok

    @property
    def metadata_only(self) -> bool:
        """Whether it is healthy, but had no identity to sign in with."""
        return self.report is not None and self.report.metadata_only

    @property
    def undecided(self) -> bool:
        """Whether no step failed, but one that decides could not run."""
        return self.report is not None and not self.report.conclusive

    @property
    def broken_or_faulty(self) -> bool:
        """Whether it ended with a fault or an internal error."""
        if self.state is CheckState.FINISHED:
            return not self.healthy
        return self.state is CheckState.BROKEN

    @property
    def verdict(self) -> Finding | None:
        return self.diagnosis.verdict if self.diagnosis else None

    @property
    def connections(self) -> tuple[ConnectionFacts, ...]:
        """The first connection to each host that reached TLS, in order; the probes' come last."""
        exchanges = [each for live in self.steps for each in self.evidence(live.name).exchanges]
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
        result = self.evidence(StepName.METADATA).result
        return result if isinstance(result, Metadata) else None

    @property
    def token(self) -> TokenFacts | None:
        result = self.evidence(StepName.TOKEN).result
        return result if isinstance(result, TokenFacts) else None

    @property
    def groups(self) -> ResourceGroupList | None:
        result = self.evidence(StepName.RESOURCE_GROUPS).result
        return result if isinstance(result, ResourceGroupList) else None

    @property
    def trust(self) -> TrustUsed | None:
        """Where the certificates that the check trusts come from."""
        return self.evidence(StepName.METADATA).trust

    @property
    def token_failed(self) -> bool:
        return self.evidence(StepName.TOKEN).fault is not None

    @property
    def why_no_token(self) -> str:
        """The reason as text; empty while the step has not ended, or if it succeeded."""
        return self._why_none(StepName.TOKEN)

    @property
    def why_no_groups(self) -> str:
        """The reason as text; empty while the step has not ended, or if it succeeded."""
        return self._why_none(StepName.RESOURCE_GROUPS)

    def evidence(self, name: str) -> Evidence:
        """Return a step's evidence, empty while it has not ended."""
        step = self._step(name).step
        return step.evidence if step else Evidence()

    def _why_none(self, name: str) -> str:
        evidence = self.evidence(name)
        if evidence.fault is not None:
            return "refused: see the check"
        return f"skipped: {evidence.skipped}" if evidence.skipped else ""

    def _step(self, name: str) -> LiveStep:
        return next(step for step in self.steps if step.name == name)

    def _with_step(self, changed: LiveStep) -> LiveCheck:
        steps = tuple(changed if step.name == changed.name else step for step in self.steps)
        return replace(self, steps=steps)
