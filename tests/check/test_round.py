"""Checks of many targets: one stream, bounded, each cancelled or broken on its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from stacktui.check.events import (
    CheckBroken,
    CheckCancelled,
    CheckEvent,
    CheckFinished,
    CheckStarted,
    SignInPrompt,
    StepFinished,
)
from stacktui.check.report import StepOutcome
from stacktui.check.round import Round
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.step_names import STANDING, StepName
from stacktui.check.target import CheckTarget
from stacktui.identities.model import Identity, IdentityKind, PromptSecret, TypedSecret
from stacktui.identities.token import Token
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import LimitName
from stacktui.transport.records import TransportFault
from tests.product import write_config
from tests.support.listeners import listening, silent
from tests.support.sessions import opened_on


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(latency=0.02)) as running:
        yield running


def targets_of(stamp: RunningStamp, folder: Path, count: int) -> list[CheckTarget]:
    one = load_settings(write_config(folder, stamp.describe())).target()
    names = [f"Stamp {number}" for number in range(count)]
    return [replace(one, environment=replace(one.environment, name=name)) for name in names]


async def collect(round_: Round) -> list[CheckEvent]:
    return [event async for event in round_]


def finished(events: list[CheckEvent]) -> dict[str, CheckFinished]:
    return {event.environment: event for event in events if isinstance(event, CheckFinished)}


async def test_every_event_says_whose_it_is_and_when(stamp: RunningStamp, tmp_path: Path) -> None:
    targets = targets_of(stamp, tmp_path, 5)
    before = monotonic()
    events = await collect(Round(targets))
    names = {target.environment.name for target in targets}
    assert set(finished(events)) == names
    for name in names:
        mine = [event for event in events if event.environment == name]
        assert isinstance(mine[0], CheckStarted)
        assert isinstance(mine[-1], CheckFinished)
        assert mine[-1].report.ok
        assert len({event.run_id for event in mine}) == 1
        times = [event.at for event in mine]
        assert times == sorted(times)
        assert before <= times[0] <= times[-1] <= monotonic()
        steps = [event.step.name for event in mine if isinstance(event, StepFinished)]
        assert steps == list(STANDING)
    assert len({event.run_id for event in events}) == len(names)


@pytest.mark.parametrize("typed", ["right", "wrong"])
async def test_what_was_typed_and_refused_is_sent_once(
    stamp: RunningStamp, tmp_path: Path, typed: str
) -> None:
    """Sent for each environment, a typo could lock the account."""
    targets, tokens = targets_of(stamp, tmp_path, 4), TokenSource()
    identity = targets[0].identity
    assert identity is not None
    value = stamp.describe()["secret"] if typed == "right" else "a-wrong-secret"
    identity = identity.with_secret(TypedSecret(value, PromptSecret()))
    targets = [replace(each, identity=identity) for each in targets]
    found = finished(await collect(Round(targets, tokens=tokens)))
    assert tokens.sign_ins == (4 if typed == "right" else 1)
    first, *others = (found[each.environment.name].report for each in targets)
    if typed == "right":
        assert all(report.ok for report in (first, *others))
        return
    assert first.failed is not None
    assert first.failed.name == StepName.TOKEN
    for report in others:
        assert not report.conclusive
        (token,) = (step for step in report.steps if step.name == StepName.TOKEN)
        assert "refused at Stamp 0" in (token.evidence.skipped or "")


async def test_no_more_run_at_once_than_may(stamp: RunningStamp, tmp_path: Path) -> None:
    running, most = 0, 0
    async for event in Round(targets_of(stamp, tmp_path, 12), concurrency=3):
        running += isinstance(event, CheckStarted)
        most = max(most, running)
        running -= isinstance(event, CheckFinished)
    assert (running, most) == (0, 3)


async def test_each_has_its_own_limits_and_waits_for_no_other(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    async with listening(silent) as listener:
        good, slow, slower = targets_of(stamp, tmp_path, 3)
        hung = [
            replace(
                target,
                environment=replace(
                    target.environment,
                    arm=f"https://127.0.0.1:{listener.port}",
                    limits=target.environment.limits.with_settings({"tls": limit}),
                ),
            )
            for target, limit in ((slow, 0.5), (slower, 1.5))
        ]
        order = [
            event.environment
            async for event in Round([*reversed(hung), good])
            if isinstance(event, CheckFinished)
            if not isinstance(event.report.steps[0].evidence.fault, TransportFault)
            or event.report.steps[0].evidence.fault.setting is LimitName.TLS
        ]
    assert order == ["Stamp 0", "Stamp 1", "Stamp 2"]


async def test_one_is_cancelled_and_the_others_go_on(stamp: RunningStamp, tmp_path: Path) -> None:
    round_ = Round(targets_of(stamp, tmp_path, 4), concurrency=2)
    events: list[CheckEvent] = []
    async for event in round_:
        if not events:
            round_.cancel("Stamp 0")  # which runs
            round_.cancel("Stamp 3")  # which waits for its turn
        events.append(event)
    ended = {event.environment: type(event) for event in events}
    assert ended == {
        "Stamp 0": CheckCancelled,
        "Stamp 1": CheckFinished,
        "Stamp 2": CheckFinished,
        "Stamp 3": CheckCancelled,
    }


async def test_all_are_cancelled_at_once_and_leave_nothing(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    round_ = Round(targets_of(stamp, tmp_path, 20))
    began = monotonic()
    kinds: Counter[type[CheckEvent]] = Counter()
    async for event in round_:
        kinds[type(event)] += 1
        if isinstance(event, StepFinished):
            round_.cancel()
    assert kinds[CheckFinished] + kinds[CheckCancelled] == 20
    assert kinds[CheckCancelled] > 4
    assert monotonic() - began < 5
    assert len(asyncio.all_tasks()) == 1


async def test_who_leaves_early_cancels_the_rest(stamp: RunningStamp, tmp_path: Path) -> None:
    events = aiter(Round(targets_of(stamp, tmp_path, 20)))
    await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert len(asyncio.all_tasks()) == 1


async def test_a_defect_of_ours_ends_one_check_alone(stamp: RunningStamp, tmp_path: Path) -> None:
    good, broken = targets_of(stamp, tmp_path, 2)
    wrong = replace(broken.environment, profile="no-such-profile")  # the config refuses it
    events = await collect(Round([good, replace(broken, environment=wrong)]))
    (defect,) = [event for event in events if isinstance(event, CheckBroken)]
    assert defect.environment == "Stamp 1"
    assert "KeyError" in defect.error
    assert stamp.secret not in defect.error
    assert finished(events)["Stamp 0"].report.ok


async def test_nobody_waits_for_a_person_who_is_not_there(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    (target,) = targets_of(stamp, tmp_path, 1)
    person = Identity("person", IdentityKind.DEVICE_CODE, stamp.public_client_id)
    (ended,) = finished(await collect(Round([replace(target, identity=person)]))).values()
    report = ended.report
    assert (report.ok, report.conclusive) == (True, False)
    outcomes = {step.name: step.outcome for step in report.steps}
    assert outcomes[StepName.METADATA] is StepOutcome.OK
    assert outcomes[StepName.TOKEN] is outcomes[StepName.RESOURCE_GROUPS] is StepOutcome.SKIPPED


async def test_who_signed_in_once_is_checked_without_being_there(tmp_path: Path) -> None:
    options = StampOptions(device_interval=1, device_approve_after=1)
    with run_in_thread(options) as stamp:
        (target,) = targets_of(stamp, tmp_path, 1)
        person = Identity("person", IdentityKind.DEVICE_CODE, stamp.public_client_id)
        target, tokens = replace(target, identity=person), TokenSource()
        prompts = 0
        async for event in run(target, tokens=tokens):
            prompts += isinstance(event, SignInPrompt)
        assert prompts == 1
        events = [event async for event in run(target, tokens=tokens)]
        events += await collect(Round([target], tokens=tokens))
        assert not any(isinstance(event, SignInPrompt) for event in events)
        ends = [event.report for event in events if isinstance(event, CheckFinished)]
        assert [(each.ok, each.conclusive) for each in ends] == [(True, True)] * 2
        # Each of the three checks signed in: the first by polling, the others by refresh token.
        asked = [each for each in stamp.requests if each.path.endswith("/token")]
        assert len(asked) == 3


async def test_a_refused_refresh_token_needs_a_person_where_nobody_is_there(tmp_path: Path) -> None:
    options = StampOptions(device_interval=1, device_approve_after=1)
    with run_in_thread(options) as stamp:
        (target,) = targets_of(stamp, tmp_path, 1)
        person = Identity("person", IdentityKind.DEVICE_CODE, stamp.public_client_id)
        target, tokens = replace(target, identity=person), TokenSource()
        wanted = SignIn(target.environment, person, target.config)
        events = [event async for event in run(target, tokens=tokens)]
        token = next(each for each in events if isinstance(each, CheckFinished))
        assert token.report.ok
        tokens.keep(wanted, replace(await kept(tokens, wanted, stamp), refresh_token="stale"))
        (ended,) = finished(await collect(Round([target], tokens=tokens))).values()
        report = ended.report
        steps = {step.name: step for step in report.steps}
        assert steps[StepName.METADATA].outcome is StepOutcome.OK
        assert steps[StepName.TOKEN].outcome is StepOutcome.SKIPPED
        assert "has ended" in steps[StepName.TOKEN].evidence.skipped
        assert not report.conclusive
        # Who is there is asked for a code instead.
        events = [event async for event in run(target, tokens=tokens)]
        assert any(isinstance(event, SignInPrompt) for event in events)
        ends = [event.report.ok for event in events if isinstance(event, CheckFinished)]
        assert ends == [True]


async def kept(tokens: TokenSource, wanted: SignIn, stamp: RunningStamp) -> Token:
    async with opened_on(stamp) as session:
        before = len(stamp.requests)
        token = await tokens.token(session, wanted)
        assert len(stamp.requests) == before  # the check's own token
        return token
