"""Each request of a change fails in each way: the end is right, or what is unknown is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stacktui.errors import FaultError
from stacktui.resources import group_deletion
from stacktui.resources.group_changes import GroupChangeError
from stacktui.resources.operations import OperationState
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.resources.group_states import (
    Outcome,
    created,
    deleted,
    operations,
    row_of,
    tagged,
)
from tests.resources.test_identity_walk_faults import AFTER, NAMED, OTHER
from tests.resources.walks import QUICK, USUAL, writes

# A clean change has fewer requests, those of its sign-in too.
MANY = 14
GROUP = "*/resourcegroups/rg-*"
# Requests that matter most, as the stamp's faults name them; a look before and one after a write.
WRITES = {"create": "PUT", "tag": "PATCH", "delete": "DELETE"}
TAGS, CHANGE, AFTERWARDS = {"a": "1", "b": "2"}, {"A": "3", "b": None}, {"a": "3"}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=1, retry_after=0, delete_seconds=0.2)) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setattr(group_deletion, "_PAUSE", 0.05)
    monkeypatch.setattr(group_deletion, "MISSES", 2)
    yield running
    running.fault_at()


async def faulty(stamp: RunningStamp, change: str, name: str, *faults: str) -> Outcome:
    """Change a group with faults, compare what it says with what is there, and change it again."""
    limits = QUICK if any("hang" in each for each in faults) else USUAL
    if change != "create":
        assert (await created(stamp, name, **TAGS)).row
    sent = len(sent_for(stamp, name))
    stamp.fault_at(*faults)
    match change:
        case "create":
            done = await created(stamp, name, limits=limits, **TAGS)
        case "tag":
            done = await tagged(stamp, name, CHANGE, limits)
        case _:
            done = await deleted(stamp, name, limits)
    stamp.fault_at()
    row = await row_of(stamp, name)
    left = [each.group for each in await operations(stamp)]
    there = {
        "create": row is not None,
        "tag": row is not None and row["tags"] == AFTERWARDS,
        "delete": row is None,
    }[change]
    if done.error is None:
        assert there
        assert name not in left
    elif there or (row and row["properties"]["provisioningState"] == "Deleting"):
        # It may have been carried out, which is said, with what to do.
        assert isinstance(done.error, GroupChangeError)
        assert done.error.unknown
        assert done.error.help
    if change == "tag":
        assert row
        assert row["tags"] in (TAGS, AFTERWARDS)
    if change == "delete" and done.error and len(sent_for(stamp, name)) > sent and row is not None:
        refused = isinstance(done.error, FaultError)
        assert (name in left) is not refused, done.error
    await once(stamp, change, name, there=there)
    return done


def sent_for(stamp: RunningStamp, name: str) -> list[str]:
    """The writes of a group: the stamp keeps its last requests alone."""
    return [each for each in writes(stamp) if each.endswith(f"/{name}")]


async def once(stamp: RunningStamp, change: str, name: str, *, there: bool) -> None:
    """Change it again without faults: the end is right, and nothing is done twice."""
    sent = sent_for(stamp, name)
    if change == "create":
        again = await created(stamp, name, **TAGS)
        assert (again.error is not None) is there
        assert not there or "is there already, as asked for" in str(again.error)
        row = await row_of(stamp, name)
        assert row
        assert row["tags"] == TAGS
    elif change == "tag":
        again = await tagged(stamp, name, CHANGE)
        assert again.row
        assert again.row["tags"] == AFTERWARDS
    else:
        again = await deleted(stamp, name)
        assert again.error is None
        assert again.state is (None if there else OperationState.SUCCEEDED)
        assert await row_of(stamp, name) is None
        # One that ended unseen is told of by the next list.
        assert there or name not in [each.group for each in await operations(stamp)]
    if there:
        assert sent_for(stamp, name) == sent


@pytest.mark.parametrize("what", ["drop", "reset-after", "throttle:0", "500", "504-after"])
@pytest.mark.parametrize("change", WRITES)
async def test_a_write_that_fails_once(stamp: RunningStamp, change: str, what: str) -> None:
    name = f"rg-{change}-{what.replace(':', '-')}"
    done = await faulty(stamp, change, name, f"{WRITES[change]} {GROUP}@1={what}")
    assert done.error is None


@pytest.mark.parametrize("what", ["500", "500-after"])
@pytest.mark.parametrize("change", WRITES)
async def test_a_write_that_always_fails(stamp: RunningStamp, change: str, what: str) -> None:
    name = f"rg-{change}-always-{what}"
    done = await faulty(stamp, change, name, f"{WRITES[change]} {GROUP}={what}")
    assert (done.error is None) is (what == "500-after")


@pytest.mark.parametrize("change", WRITES)
async def test_what_cannot_be_looked_for_is_unknown(stamp: RunningStamp, change: str) -> None:
    looks = f"GET {GROUP}@{5 if change == 'delete' else 3}+"
    faults = (f"{WRITES[change]} {GROUP}=500-after", f"{looks}=500")
    done = await faulty(stamp, change, f"rg-{change}-unknown", *faults)
    assert " is unknown: " in str(done.error)


@pytest.mark.parametrize("what", ["500", "401", "504"])
async def test_polls_that_fail_do_not_hide_the_end(stamp: RunningStamp, what: str) -> None:
    done = await faulty(stamp, "delete", f"rg-poll-{what}", f"GET */operationresults/*={what}")
    assert done.error is None


async def test_a_network_that_is_gone_for_good_is_said(stamp: RunningStamp) -> None:
    faults = ("GET */operationresults/*=500", f"GET {GROUP}@5+=500")
    done = await faulty(stamp, "delete", "rg-gone", *faults)
    assert "whether the group is gone is unknown" in str(done.error)


@pytest.mark.every_failure
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", [*NAMED, *AFTER, *OTHER, "delay:0.3"])
@pytest.mark.parametrize("change", WRITES)
async def test_each_request_fails_in_each_way(stamp: RunningStamp, change: str, what: str) -> None:
    clean = 0
    for number in range(1, MANY + 1):
        name = f"rg-{change}-{what.replace(':', '-')}-{number}"
        clean += (await faulty(stamp, change, name, f"{number}={what}")).error is None
    assert clean > 1, "the last of them are beyond the change"


@pytest.mark.every_failure
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", ["drop", "reset-after", "500", "500-after"])
@pytest.mark.parametrize("change", WRITES)
async def test_from_each_request_on_all_fail(stamp: RunningStamp, change: str, what: str) -> None:
    for number in range(1, MANY + 1):
        await faulty(stamp, change, f"rg-{change}-from-{what}-{number}", f"{number}+={what}")
