"""Resource groups that are made, tagged and deleted, and deletions that are found again."""

from __future__ import annotations

import json
import multiprocessing
import stat
import string
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.config.locations import operations_file
from stacktui.environments.model import Environment
from stacktui.resources import group_deletion, operations
from stacktui.resources.group_changes import (
    GroupChangeError,
    carry_out,
    is_group_name,
    is_tag,
    plan_creation,
    plan_tags,
)
from stacktui.resources.group_deletion import (
    DeletionAccepted,
    delete,
    plan_deletion,
    state_of,
)
from stacktui.resources.groups import resource_groups
from stacktui.resources.operations import (
    Operation,
    OperationsFileError,
    OperationState,
    forget,
    remember,
    remembered,
)
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.resources.conftest import TOKEN, Client
from tests.resources.group_states import created, deleted, row_of, tagged
from tests.resources.group_states import operations as known
from tests.resources.walks import arm_of, writes
from tests.support.web import Asked, Raw, answer, serving

LONGEST = "Rg-(1)_x.Ünï-漢e\u0301٣‿" + "y" * 72


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=9, retry_after=0, delete_seconds=1)) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setattr(group_deletion, "_PAUSE", 0.05)
    monkeypatch.setattr(group_deletion, "MISSES", 3)
    yield running
    running.fault_at()


# Names and tags.


@pytest.mark.parametrize("name", [LONGEST, "a", "-", "(", "_._", "1" * 90, "e\u0301", "٣"])
def test_a_name_that_arm_takes(name: str) -> None:
    assert is_group_name(name)


@pytest.mark.parametrize("name", ["", "a.", ".", "a b", "a/b", "..", "a\n", "²", "x" * 91, "a:b"])
def test_a_name_that_arm_refuses(name: str) -> None:
    assert not is_group_name(name)


@given(st.text(string.ascii_letters + string.digits + "-_.()", min_size=1, max_size=90))
def test_all_of_ascii_that_arm_takes(name: str) -> None:
    assert is_group_name(name) is not name.endswith(".")


def test_tags_that_arm_takes() -> None:
    assert is_tag("a b:c", "x/y=é")
    assert is_tag("n" * 512, "v" * 256)
    assert is_tag("a", "")
    wrong = [("", "v"), (" ", "v"), ("a/b", ""), ("n" * 513, ""), ("a", "v" * 257), ("a\n", "")]
    assert not any(is_tag(*each) for each in wrong)


# Creating.


async def test_it_makes_what_the_list_shows(stamp: RunningStamp) -> None:
    done = await created(stamp, LONGEST, "LO CAL", env="test", Empty="")
    assert done.row == await row_of(stamp, LONGEST.lower())
    assert done.row
    assert (done.row["name"], done.row["tags"]) == (LONGEST, {"env": "test", "Empty": ""})
    async with arm_of(stamp) as (client, _):
        found = await resource_groups(client, stamp.subscription_id)
    assert LONGEST in [each.name for each in found.groups]
    assert (await deleted(stamp, LONGEST.upper())).state is OperationState.SUCCEEDED
    assert await row_of(stamp, LONGEST) is None


@pytest.mark.parametrize("name", ["rg-web-prod-01", "RG-WEB-PROD-01"])
async def test_one_that_is_there_keeps_its_tags(stamp: RunningStamp, name: str) -> None:
    before = writes(stamp)
    done = await created(stamp, name, a="1")
    assert isinstance(done.error, GroupChangeError)
    assert "is there already, at local, with the tags env=prod" in str(done.error)
    assert writes(stamp) == before


async def test_a_location_that_the_stamp_has_not(stamp: RunningStamp) -> None:
    before = writes(stamp)
    done = await created(stamp, "rg-mars", "mars")
    assert str(done.error) == "there is no location mars; there are: local"
    assert writes(stamp) == before


async def test_one_that_is_made_while_the_question_is_read(stamp: RunningStamp) -> None:
    async with arm_of(stamp) as (client, _):
        plan = await plan_creation(client, stamp.subscription_id, "rg-raced", "local", {"a": "1"})
        await created(stamp, "rg-raced", b="2")
        with pytest.raises(GroupChangeError, match="is there already"):
            await carry_out(client, plan)
    row = await row_of(stamp, "rg-raced")
    assert row
    assert row["tags"] == {"b": "2"}


# Tagging.


async def test_other_tags_stay_and_names_have_no_case(stamp: RunningStamp) -> None:
    hostile = "\x1b[31m[bold]\u202e" + "x" * 200
    await created(stamp, "rg-tags", Env="a", keep=hostile, gone="1")
    done = await tagged(stamp, "RG-Tags", {"env": "b", "GONE": None, "new": "", "none": None})
    assert done.row
    assert done.row["tags"] == {"Env": "b", "keep": hostile, "new": ""}
    before = writes(stamp)
    again = await tagged(stamp, "rg-tags", {"ENV": "b", "gone": None})
    assert (again.row, writes(stamp)) == (done.row, before)
    emptied = await tagged(stamp, "rg-tags", dict.fromkeys(("env", "keep", "new")))
    assert emptied.row
    assert "tags" not in emptied.row


async def test_tags_that_others_set_while_the_question_is_read(stamp: RunningStamp) -> None:
    await created(stamp, "rg-shared", a="1")
    async with arm_of(stamp) as (client, _):
        plan = await plan_tags(client, stamp.subscription_id, "rg-shared", {"a": "2"})
        await tagged(stamp, "rg-shared", {"b": "3"})
        _, row = await carry_out(client, plan)
    assert row["tags"] == {"a": "2", "b": "3"}


async def test_tags_of_no_group(stamp: RunningStamp) -> None:
    done = await tagged(stamp, "rg-none", {"a": "1"})
    assert str(done.error) == "there is no resource group rg-none"


# Deleting.


async def test_what_is_in_it_and_what_protects_it(stamp: RunningStamp) -> None:
    async with arm_of(stamp) as (client, _):
        plan = await plan_deletion(client, stamp.subscription_id, "RG-web-prod-01")
        locked = await plan_deletion(client, stamp.subscription_id, "rg-backup-prod-01")
    assert plan
    assert plan.path.endswith("/resourceGroups/rg-web-prod-01")
    assert "vm-web-prod-01" in [each.name for each in plan.resources.rows]
    assert plan.locks.rows == ()
    assert locked
    assert [each.level for each in locked.locks.rows] == ["CanNotDelete"]
    refused = await deleted(stamp, "rg-backup-prod-01")
    assert "ScopeLocked" in str(refused.error)
    assert await known(stamp) == ()


@pytest.mark.parametrize("end", [200, 204, 404, 409])
async def test_every_end_of_a_deletion(end: int, monkeypatch: pytest.MonkeyPatch) -> None:
    options = StampOptions(groups=1, retry_after=0, delete_seconds=0.2, operation_end=end)
    with run_in_thread(options) as stamp:
        await created(stamp, "rg-end")
        done = await deleted(stamp, "rg-end")
        there = await row_of(stamp, "rg-end")
        assert await known(stamp) == ()
    accepted, result = done.events
    assert isinstance(accepted, DeletionAccepted)
    assert "/operationresults/" in accepted.operation.url
    assert accepted.not_remembered == ""
    if end == 409:
        assert (done.state, there is None) == (OperationState.FAILED, False)
        assert "ResourceGroupDeletionBlocked" in result.words  # type: ignore[union-attr]
    else:
        assert (done.state, there) == (OperationState.SUCCEEDED, None)


async def test_one_that_is_being_deleted_is_not_asked_for_again(stamp: RunningStamp) -> None:
    await created(stamp, "rg-twice")
    first = await deleted(stamp, "rg-twice", wait=False)
    (operation,) = await known(stamp)
    assert first.events == [DeletionAccepted(operation)]
    for change in (created(stamp, "rg-twice"), tagged(stamp, "rg-twice", {"a": "1"})):
        assert "is being deleted" in str((await change).error)
    before = writes(stamp)
    second = await deleted(stamp, "RG-twice")
    assert second.events[0] == DeletionAccepted(operation)
    assert second.state is OperationState.SUCCEEDED
    assert (writes(stamp), await known(stamp)) == (before, ())


async def test_what_somebody_else_deletes_is_followed_by_looking(stamp: RunningStamp) -> None:
    await created(stamp, "rg-theirs")
    await deleted(stamp, "rg-theirs", wait=False)
    (operation,) = await known(stamp)
    forget(operation)
    done = await deleted(stamp, "rg-theirs")
    accepted, _ = done.events
    assert isinstance(accepted, DeletionAccepted)
    assert accepted.operation.url == ""
    assert done.state is OperationState.SUCCEEDED


async def test_the_state_of_a_remembered_operation(stamp: RunningStamp) -> None:
    await created(stamp, "rg-asked")
    await deleted(stamp, "rg-asked", wait=False)
    (operation,) = await known(stamp)
    async with arm_of(stamp) as (client, _):
        for each in (operation, replace(operation, url="")):
            assert (await state_of(client, each)).state is OperationState.RUNNING
        stamp.fault_at("GET */resourcegroups/rg-asked=500")
        assert (await state_of(client, operation)).state is OperationState.UNKNOWN
        stamp.fault_at()
        await deleted(stamp, "rg-asked")
        assert (await state_of(client, operation)).state is OperationState.SUCCEEDED
        await created(stamp, "rg-asked")
        result = await state_of(client, operation)
        assert (result.state, "there again" in result.words) == (OperationState.SUCCEEDED, True)
        result = await state_of(client, replace(operation, url=""))
        assert (result.state, "made anew" in result.words) == (OperationState.FAILED, True)
        foreign = replace(operation, url="https://elsewhere.invalid/operationresults/x")
        assert "foreign-host" in str((await state_of(client, foreign)).error)


async def test_it_is_deleted_though_it_cannot_be_remembered(stamp: RunningStamp) -> None:
    await created(stamp, "rg-damaged")
    operations_file().parent.mkdir(parents=True, exist_ok=True)
    operations_file().write_text("{")
    done = await deleted(stamp, "rg-damaged")
    accepted, _ = done.events
    assert isinstance(accepted, DeletionAccepted)
    assert "is damaged" in accepted.not_remembered
    assert done.state is OperationState.SUCCEEDED
    assert operations_file().read_text() == "{"


async def test_it_may_be_left_before_the_request(stamp: RunningStamp) -> None:
    await created(stamp, "rg-left")
    async with arm_of(stamp) as (client, _):
        plan = await plan_deletion(client, stamp.subscription_id, "rg-left")
        assert plan
        await deleted(stamp, "rg-left")  # by another process
        before = writes(stamp)
        (only,) = [each async for each in delete(client, plan, None)]
    assert (only.state, writes(stamp)) == (OperationState.SUCCEEDED, before)  # type: ignore[union-attr]


async def test_the_word_of_arm_is_enough_where_the_group_cannot_be_read(
    stamp: RunningStamp,
) -> None:
    await created(stamp, "rg-unread")
    stamp.fault_at("GET */resourcegroups/rg-unread@3+=500")
    done = await deleted(stamp, "rg-unread")
    assert (done.state, done.error) == (OperationState.SUCCEEDED, None)


@pytest.mark.parametrize("path", ["/operationresults/{token}", "//elsewhere.invalid/x"])
async def test_a_location_with_a_secret_or_elsewhere_is_not_remembered(
    client: Client, path: str
) -> None:
    row = {"name": "rg", "location": "l", "properties": {"provisioningState": "Succeeded"}}

    def said(asked: Asked) -> Raw:
        if asked.method == "DELETE":
            where = path.format(token=TOKEN)
            location = f"https:{where}" if where.startswith("//") else f"{web.url}{where}"
            return answer(status="202 Accepted", Retry_After="0", Location=location)
        return answer(json.dumps(row | {"value": []}).encode())

    async with serving(said) as web, client(web) as (arm, _):
        plan = await plan_deletion(arm, "s1", "rg")
        assert plan
        async with aclosing(delete(arm, plan, None)) as events:
            accepted = await anext(events)
        assert isinstance(accepted, DeletionAccepted)
        assert (accepted.operation.url, accepted.not_remembered) == ("", "")
        assert remembered(None, arm.environment) == (accepted.operation,)
    assert TOKEN not in operations_file().read_text(encoding="utf-8")


# What is remembered.


def operation(name: str, began: str = "2026-01-02T03:04:05Z", environment: str = "A") -> Operation:
    path = f"/subscriptions/s/resourceGroups/{name}"
    return Operation("", environment, "https://a.invalid", "s", name, path, began)


A = Environment("A", "https://a.invalid", "2020-09-01-hybrid")


def test_it_is_private_and_kept_by_path() -> None:
    remember(operation("one"))
    remember(operation("two"))
    again = replace(operation("ONE"), url="https://a.invalid/operationresults/x")
    remember(again)
    remember(operation("three", environment="B"))
    assert stat.S_IMODE(operations_file().stat().st_mode) == 0o600
    assert remembered(None, A) == (operation("two"), again)
    assert operations.others(None, A) == ("B",)
    forget(operation("one", "2026-01-02T03:04:04Z"))
    assert len(remembered(None, A)) == 2, "it began later than the one that has ended"
    forget(operation("One"))
    assert remembered(None, A) == (operation("two"),)
    assert remembered(Path("config.toml"), A) == ()


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST", 3)
    for number in range(5):
        remember(operation(f"g{number}"))
    assert [each.group for each in remembered(None, A)] == ["g2", "g3", "g4"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"version": 2, "operations": []}', '{"version": 1, "operations": [{}]}',
     '{"version": 1, "operations": [null]}', '{"version": 1, "operations": null}',
     "\x00", "[" * 100_000],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_said_and_kept(content: str) -> None:
    operations_file().parent.mkdir(parents=True, exist_ok=True)
    operations_file().write_text(content)
    with pytest.raises(OperationsFileError, match=r"operations\.json"):
        remembered(None, A)
    with pytest.raises(OperationsFileError):
        remember(operation("one"))
    assert operations_file().read_text() == content


def _remember_many(start: int) -> None:
    for number in range(start, start + 10):
        remember(operation(f"g{number}"))


def test_several_processes_lose_nothing() -> None:
    processes = [
        multiprocessing.get_context("fork").Process(target=_remember_many, args=(start,))
        for start in range(0, 40, 10)
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
        assert each.exitcode == 0
    assert {each.group for each in remembered(None, A)} == {f"g{n}" for n in range(40)}
    assert len(json.loads(operations_file().read_text())["operations"]) == 40
