"""Each request of the walk fails in each way: the end is right, or what is unknown is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from stacktui.resources import identity_proof, roles
from stacktui.resources.identity_steps import WalkOutcome
from stacktui.resources.managed_identities import ManagedIdentityError
from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.resources.walks import (
    ALREADY,
    ASSIGN,
    CREATE,
    FAILED,
    GRANT,
    OK,
    PROVE,
    QUICK,
    SKIPPED,
    USUAL,
    Done,
    State,
    state_of,
    walked,
    writes,
)

# The requests that matter most, as the stamp's faults name them.
REQUESTS = {
    "provider": "GET */microsoft.managedidentity",
    "create": "PUT */userassignedidentities/*",
    "assign": "PATCH */virtualmachines/*",
    "poll": "GET */operations/*",
    "grant": "PUT */roleassignments/*",
    "token": "GET /metadata/identity/*",
}


def in_compat(what: str) -> Any:
    return pytest.param(what, marks=pytest.mark.every_failure)


NAMED = ("drop", "reset", "throttle:0", "500")
AFTER = ("drop-after", "reset-after", "500-after", "504-after", "408-after", "cut")
OTHER = ("401", "502", "503:0", "504", "hang", "hang-after")
# A clean walk has fewer requests.
MANY = 24


@pytest.fixture(scope="module")
def public() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)) as stamp:
        yield stamp


@pytest.fixture
def azure(public: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", public.imds_url)
    for module in (roles, identity_proof):
        monkeypatch.setattr(module, "_PAUSE", 0.1)
    yield public
    public.fault_at()


async def faulty(stamp: RunningStamp, name: str, *faults: str) -> Done:
    """Walk with faults, compare what it says with what is there, and walk again without them."""
    before = (await state_of(stamp, name)).machine
    hangs = any("hang" in each for each in faults)
    stamp.fault_at(*faults)
    done = await walked(stamp, name, limits=QUICK if hangs else USUAL)
    stamp.fault_at()
    state = await state_of(stamp, name)
    compare(done, state, name)
    assert state.machine - {name} == before - {name}, "no other identity of the VM's is touched"

    again = await walked(stamp, name)
    assert again.outcomes[:3] == [
        ALREADY if there else OK
        for there in (state.principal, name in state.machine, state.assignments)
    ]
    assert again.outcomes[3] is OK
    after = await state_of(stamp, name)
    assert state.principal in (None, after.principal), "it is not made twice"
    assert len(after.assignments) == 1
    assert after.machine == before | {name}
    return done


def compare(done: Done, state: State, name: str) -> None:
    """Whatever is said to be there is; what is there is not said to be missing."""
    for step, there in (
        (CREATE, state.principal is not None),
        (ASSIGN, name in state.machine),
        (GRANT, bool(state.assignments)),
    ):
        result = done[step]
        if result.outcome in (OK, ALREADY):
            assert there, result
        if result.outcome is FAILED:
            assert result.error is not None
            assert result.words
            if there:
                assert isinstance(result.error, ManagedIdentityError), result
                assert "unknown" in result.words or "may still come" in result.error.help
    assert not [each for each in done.results if each.outcome is SKIPPED and each.error]


@pytest.mark.parametrize(
    "what", ["drop", "500-after", *map(in_compat, ("reset", "throttle:0", "500", "drop-after"))]
)
async def test_a_request_that_fails_once(azure: RunningStamp, what: str) -> None:
    for number, (place, request) in enumerate(REQUESTS.items()):
        done = await faulty(azure, f"id-{number}-{what.replace(':', '-')}", f"{request}@1={what}")
        # A write that somebody may have carried out is looked for, and sent again.
        if place in ("create", "assign", "grant", "poll"):
            assert done.outcomes == [OK] * 4, (place, what)


@pytest.mark.parametrize("place", ["create", "assign", "grant"])
@pytest.mark.parametrize("what", ["drop", "500-after", "hang", in_compat("500")])
async def test_a_write_that_always_fails(azure: RunningStamp, place: str, what: str) -> None:
    done = await faulty(azure, f"id-{place}-always-{what}", f"{REQUESTS[place]}={what}")
    carried_out = what == "500-after"
    assert done.outcomes == [OK] * 4 if carried_out else FAILED in done.outcomes


@pytest.mark.parametrize(
    ("place", "look", "step"),
    [
        ("create", "GET */userassignedidentities/*@2+", CREATE),
        ("assign", "GET */virtualmachines/*@4+", ASSIGN),
        ("grant", "GET */roleassignments@2+", GRANT),
    ],
)
@pytest.mark.parametrize("what", ["500", "500-after"])
async def test_what_cannot_be_looked_for_is_unknown(
    azure: RunningStamp, place: str, look: str, step: object, what: str
) -> None:
    faults = (f"{REQUESTS[place]}={what}", f"{look}=500")
    done = await faulty(azure, f"id-{place}-unknown-{what}", *faults)
    failed = next(each for each in done.results if each.outcome is FAILED)
    assert failed.name is step
    assert "is unknown: " in failed.words
    assert isinstance(failed.error, ManagedIdentityError)
    assert "makes nothing twice" in failed.error.help


async def test_a_poll_that_is_refused_does_not_hide_what_was_carried_out(
    azure: RunningStamp,
) -> None:
    done = await faulty(azure, "id-poll", f"{REQUESTS['poll']}=401")
    assert done.outcomes == [OK] * 4


async def test_a_throttled_walk_waits_and_says_so(azure: RunningStamp) -> None:
    done = await faulty(azure, "id-throttled", "* /subscriptions/*@2=throttle:1")
    assert done.outcomes == [OK] * 4
    assert (429, 1.0) in [(each.status, each.seconds) for each in done.waits]


async def test_the_services_of_a_vm_that_come_later(azure: RunningStamp) -> None:
    done = await faulty(azure, "id-later", f"{REQUESTS['token']}=500")
    assert done.outcomes == [OK, OK, OK, FAILED]
    assert done[PROVE].commands


@pytest.mark.every_failure
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", [*NAMED, *AFTER, *OTHER])
async def test_each_request_fails_in_each_way(azure: RunningStamp, what: str) -> None:
    ends: Counter[tuple[WalkOutcome, ...]] = Counter()
    for number in range(1, MANY + 1):
        name = f"id-each-{what.replace(':', '-')}-{number}"
        done = await faulty(azure, name, f"{number}={what}")
        ends[tuple(done.outcomes)] += 1
    assert ends[(OK,) * 4] > 1, "the last of them are beyond the walk"


@pytest.mark.every_failure
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", ["drop", "reset-after", "500", "500-after"])
async def test_from_each_request_on_all_fail(azure: RunningStamp, what: str) -> None:
    for number in range(1, MANY + 1):
        await faulty(azure, f"id-from-{what}-{number}", f"{number}+={what}")


async def test_twenty_walks_leave_one_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)) as stamp:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", stamp.imds_url)
        await walked(stamp, "id-twenty")
        before, written = await state_of(stamp, "id-twenty"), writes(stamp)
        for _ in range(20):
            assert (await walked(stamp, "id-twenty")).outcomes == [ALREADY] * 3 + [OK]
        assert (await state_of(stamp, "id-twenty"), writes(stamp)) == (before, written)
