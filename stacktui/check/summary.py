"""A check in a few values: what history and the list of environments are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from stacktui.check.step_names import StepName

# The outcome of a check without a fault that signed in nowhere, in words.
METADATA_ONLY = "metadata ok, sign-in not tried"


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """One finished check. It holds no secret, no body and no name of a person.

    `ok` is None where the check is undecided (`Report.conclusive`). `verdict` is its id and `side`
    whose it is (`box`, `network`, `sign-in`, `stamp`); both are empty where there is none. Times
    are UTC, durations seconds. `phases` are the durations of the steps' phases, added up by name;
    `expiries` is when the certificate of each host (`host:port`) ends. `skew` is how far the
    stamp's clock is ahead of ours, None where no response told it.
    """

    environment: str
    started: datetime
    seconds: float
    ok: bool | None
    verdict: str = ""
    side: str = ""
    steps: tuple[tuple[str, str, float], ...] = ()
    phases: dict[str, float] = field(default_factory=dict)
    expiries: dict[str, datetime] = field(default_factory=dict)
    skew: float | None = None
    run_id: str = ""

    @property
    def metadata_only(self) -> bool:
        """Whether it is healthy as far as it went, as there is no identity to sign in with."""
        outcomes = {name: outcome for name, outcome, _ in self.steps}
        return self.ok is True and outcomes.get(StepName.TOKEN) == "skipped"
