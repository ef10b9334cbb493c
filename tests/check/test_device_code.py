"""One device code for many checks, and for the readings between them, until it is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.check.events import CheckFinished, SignInPrompt
from stacktui.check.report import Report, StepOutcome
from stacktui.check.round import Round
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.identities.faults import IdentityError
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.connection import open_arm
from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import signing_in, write_config

# The first token request from now on, and all of them.
ONCE, ALWAYS = "POST */token*@1=revoked", "POST */token*=revoked"


@pytest.fixture(params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    options = StampOptions(idp=request.param, device_interval=1, device_approve_after=1)
    with run_in_thread(options) as running:
        yield running


@pytest.fixture
def target(stamp: RunningStamp, tmp_path: Path) -> CheckTarget:
    described = stamp.describe()
    config = write_config(tmp_path, described, **signing_in(SignInKind.DEVICE_CODE, described))
    return load_settings(config).target()


async def check(target: CheckTarget, tokens: TokenSource) -> tuple[Report, int]:
    """Return the report of a check, and how often it asked for a code."""
    events = [each async for each in run(target, tokens=tokens)]
    assert isinstance(events[-1], CheckFinished)
    return events[-1].report, sum(isinstance(each, SignInPrompt) for each in events)


async def in_round(target: CheckTarget, tokens: TokenSource) -> Report:
    events = [each async for each in Round([target], tokens=tokens)]
    assert not any(isinstance(each, SignInPrompt) for each in events)
    assert isinstance(events[-1], CheckFinished)
    return events[-1].report


def token_requests(stamp: RunningStamp) -> int:
    return sum("/token" in each.path for each in stamp.requests)


async def test_two_checks_ask_once_and_again_once_revoked(
    stamp: RunningStamp, target: CheckTarget
) -> None:
    tokens = TokenSource()
    first, asked = await check(target, tokens)
    assert (first.ok, asked) == (True, 1)
    before = token_requests(stamp)
    second, asked = await check(target, tokens)
    assert (second.ok, asked) == (True, 0)
    # A check signs in itself, though there is a token.
    assert token_requests(stamp) == before + 1
    assert (await in_round(target, tokens)).ok
    stamp.fault_at(ONCE)
    third, asked = await check(target, tokens)
    assert (third.ok, asked) == (True, 1)
    fourth, asked = await check(target, tokens)
    assert (fourth.ok, asked) == (True, 0)


async def test_a_round_is_skipped_where_nobody_has_signed_in_or_that_was_revoked(
    stamp: RunningStamp, target: CheckTarget
) -> None:
    tokens = TokenSource()
    for revoked in (False, True):
        if revoked:
            await check(target, tokens)
            stamp.fault_at(ALWAYS)
        report = await in_round(target, tokens)
        assert not report.failed
        assert not report.conclusive
        evidence = report.step(StepName.TOKEN).evidence
        assert report.step(StepName.TOKEN).outcome is StepOutcome.SKIPPED
        assert "needs a person" in evidence.skipped
        assert evidence.fault is None


async def test_a_reading_is_renewed_silently_and_asks_nobody(
    stamp: RunningStamp, target: CheckTarget
) -> None:
    now = 0.0
    tokens = TokenSource(lambda: now)
    await check(target, tokens)
    assert target.identity is not None
    wanted, before = (
        SignIn(target.environment, target.identity, target.config),
        token_requests(stamp),
    )

    async def read() -> None:
        async with open_arm(wanted, tokens) as client:
            await client.token_facts()

    await read()
    assert token_requests(stamp) == before
    now = 1e12
    await read()
    assert token_requests(stamp) == before + 1
    stamp.fault_at(ALWAYS)
    now = 1e13
    with pytest.raises(IdentityError) as caught:
        await read()
    assert getattr(caught.value.fault, "error", "") == "interaction_required"
