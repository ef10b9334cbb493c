"""What a step is summed up as."""

from __future__ import annotations

import pytest

from stacktui.check.report import Evidence, StepOutcome, StepResult
from stacktui.check.summary_text import result_summary, time_summary
from stacktui.identities.token import TokenFacts
from stacktui.transport.records import Exchange, Phase, PhaseName


@pytest.mark.parametrize(
    ("scope", "told"), [("https://arm/1/openid", True), ("https://arm/1/.default", False)]
)
def test_an_adfs_that_takes_openid_only_is_told_with_its_build(scope: str, told: bool) -> None:
    said = result_summary(TokenFacts("https://adfs.example/adfs", scope, subject="ops"))
    assert ("/openid" in said, "1.2108.2.130" in said) == (told, told)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.5, "wait 30 · outside the network 470"), (0.06, "wait 30"), (0.0301, "wait 30")],
)
def test_time_that_is_no_phase_is_named(seconds: float, said: str) -> None:
    phase = Phase(PhaseName.FIRST_BYTE, "adfs.example", 0.03)
    exchange = Exchange("POST", "https://adfs.example", None, None, (phase,))
    step = StepResult("token", StepOutcome.OK, seconds, Evidence((exchange,)))
    assert time_summary(step) == said
