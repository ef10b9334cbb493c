"""One sign-in for all who ask for the same token, counted at the stamp."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from stacktui.environments.model import Environment
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import IdentityKind
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.identities.sign_ins import identity_of
from tests.support.sessions import opened_on


@pytest.fixture
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions()) as running:
        yield running


def wanted(stamp: RunningStamp, **replaced: object) -> SignIn:
    return SignIn(Environment("A", stamp.arm_url), identity_of(stamp, **replaced))


def sign_ins(stamp: RunningStamp) -> int:
    return sum(each.path.endswith("/token") for each in stamp.requests)


async def test_ten_who_ask_at_once_share_one_sign_in(stamp: RunningStamp) -> None:
    tokens, what = TokenSource(), wanted(stamp)

    async def ask() -> str:
        async with opened_on(stamp) as session:
            value = (await tokens.token(session, what)).value
            assert value not in session.redactor.sanitize(value)
            return value

    values = await asyncio.gather(*(ask() for _ in range(10)))
    again = await asyncio.to_thread(lambda: asyncio.run(ask()))
    assert len({*values, again}) == 1
    assert sign_ins(stamp) == 1
    assert values[0] not in repr(vars(tokens))


async def test_a_token_ends_before_its_end_and_is_renewed_when_refused(stamp: RunningStamp) -> None:
    now = 0.0
    tokens, what = TokenSource(lambda: now), wanted(stamp)
    async with opened_on(stamp) as session:
        first = await tokens.token(session, what)
        assert first.lifetime
        now = first.lifetime - 301
        assert await tokens.token(session, what) == first
        now = first.lifetime - 299
        second = await tokens.token(session, what)
        third = await tokens.token(session, what, refused=second)
        assert await tokens.token(session, what, refused=second) == third
        assert tokens.kept(what) == third
        (outcome,) = tokens.outcomes("ops")
        assert (outcome.wanted, outcome.facts, outcome.fault) == (what, third.facts, None)
        assert (outcome.at, outcome.ends) == (now, now + first.lifetime)
        now += first.lifetime
        assert tokens.kept(what) is None
    assert len({first.value, second.value, third.value}) == 3
    assert sign_ins(stamp) == 3


async def test_the_last_outcome_of_each_environment_is_known_newest_first(
    stamp: RunningStamp,
) -> None:
    tokens, one = TokenSource(), wanted(stamp)
    other = replace(one, environment=replace(one.environment, name="B"))
    async with opened_on(stamp) as session:
        await tokens.token(session, one)
        await tokens.token(session, other)
        wrong = replace(one, identity=replace(one.identity, client_id="wrong"))
        with pytest.raises(IdentityError) as caught:
            await tokens.token(session, wrong)
    failed, well = tokens.outcomes(one.identity.name)
    assert (failed.wanted, failed.facts, failed.ends) == (wrong, None, None)
    assert failed.fault is caught.value.fault
    assert (well.wanted, well.fault) == (other, None)
    assert tokens.outcomes("another") == []


async def test_who_is_cancelled_takes_nobody_with_them(stamp: RunningStamp) -> None:
    tokens, what = TokenSource(), wanted(stamp)
    async with opened_on(stamp) as one, opened_on(stamp) as other:
        first = asyncio.create_task(tokens.token(one, what))
        await asyncio.sleep(0)
        second = asyncio.create_task(tokens.token(other, what))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).value
    assert sign_ins(stamp) == 1


async def test_all_who_wait_get_the_error(stamp: RunningStamp) -> None:
    tokens, what = TokenSource(), wanted(stamp, client_id="00000000-0000-0000-0000-000000000000")
    async with opened_on(stamp) as session:
        asked = [tokens.token(session, what) for _ in range(3)]
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(each, IdentityError) for each in found)
    assert sign_ins(stamp) == 1


async def test_a_device_code_needs_a_person(stamp: RunningStamp) -> None:
    what = wanted(
        stamp, kind=IdentityKind.DEVICE_CODE, client_id=stamp.public_client_id, credential=None
    )
    async with opened_on(stamp) as session:
        with pytest.raises(IdentityError) as caught:
            await TokenSource().token(session, what)
    assert getattr(caught.value.fault, "error", "") == "interaction_required"
