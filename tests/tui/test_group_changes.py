"""`a`, `e`, `D` in pane 4 and `O`: groups made, tagged and deleted, and deletions followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from stacktui.check.settings import load_settings
from stacktui.config import read_only
from stacktui.config.locations import operations_file
from stacktui.resources import group_deletion
from stacktui.resources.operations import all_remembered, deletion_of, remember
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from stacktui.tui.screens.tag_fields import TagFields
from tests.product import config_text
from tests.resources.group_states import created, deleted, row_of
from tests.resources.walks import writes

from .screen import flat, read, resize, settle, text_of, until, write

SMALL = (80, 23)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    options = StampOptions(groups=9, retry_after=0, delete_seconds=0.4)
    with run_in_thread(options) as stamp:
        yield stamp


@pytest.fixture
def stamp(
    running: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningStamp]:
    monkeypatch.setattr(group_deletion, "_PAUSE", 0.05)
    monkeypatch.setattr(group_deletion, "MISSES", 2)
    write(config, config_text(running.describe()))
    yield running
    running.fault_at()


async def at_groups(pilot: Pilot[None], group: str = "") -> None:
    """Open pane 4, and highlight a group."""
    await pilot.press("4")
    await until(pilot, "rg-backup-prod-01")
    if group:
        await pilot.press("slash", *group, "enter")
        await until(pilot, f"▸ {group}")


async def form_of(pilot: Pilot[None], name: str, *tags: str) -> None:
    await pilot.press("a")
    await until(pilot, "look, then ask")
    await pilot.press(*name, "tab")
    for tag in tags:
        await pilot.press("tab", *tag)


async def delete(pilot: Pilot[None], name: str) -> None:
    await pilot.press("D")
    await until(pilot, "Type its name")
    await pilot.press(*name, "enter")


async def test_it_is_made_with_a_name_a_place_and_tags_after_a_question(
    stamp: RunningStamp, config: Path
) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot)
        before = writes(stamp)
        await pilot.press("a")
        await until(pilot, "look, then ask")
        for wrong, said in (("a.", "1 to 90 letters"), ("RG-WEB-prod-01", "is there already")):
            await pilot.press(*wrong)
            await until(pilot, said)
            await pilot.press("ctrl+u")
        await pilot.press(*"rg-Made", "tab", "tab", *"env", "enter")
        await until(pilot, "is NAME=VALUE")
        await pilot.press("end", *"=test", "tab", *"ENV=2", "enter")
        await until(pilot, "has the name of another one")
        await pilot.press("ctrl+u", *"b=", "enter")
        shown = flat(await until(pilot, "Create the resource group rg-Made?"))
        for text in ("location local", "tags env=test, b=", "sends PUT https://",
                     '{"location": "local", "tags": {"env": "test", "b": ""}}',
                     "as tester (service principal)"):  # fmt: skip
            assert text in shown, shown
        await resize(pilot, 40, 10)
        assert "y yes" in text_of(pilot.app)
        await pilot.press("e")
        await until(pilot, "look, then ask")
        await pilot.press("escape")
        await until(pilot, "Create the resource")
        assert writes(stamp) == before
        await pilot.press("y")
        await resize(pilot, *SMALL)
        shown = await until(pilot, "created the resource group rg-Made at local")
        assert "▸ rg-Made" in shown
        assert len(writes(stamp)) == len(before) + 1
        row = await row_of(stamp, "rg-made")
        assert row is not None
        assert (row["name"], row["tags"]) == ("rg-Made", {"env": "test", "b": ""})


async def test_one_that_came_meanwhile_is_not_replaced(stamp: RunningStamp, config: Path) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot)
        await created(stamp, "rg-theirs", a="1")
        await form_of(pilot, "rg-theirs")
        await pilot.press("enter")
        shown = flat(await until(pilot, "That could not be done."))
        assert "is there already" in shown
        assert "would replace its tags" in shown or "as asked for" in shown
        await pilot.press("e")
        await pilot.press("ctrl+u", *"rg-race", "enter")
        await until(pilot, "Create the resource group rg-race?")
        await created(stamp, "rg-race", a="1")
        before = writes(stamp)
        await pilot.press("y")
        shown = flat(await until(pilot, "not done: the creation of rg-race"))
        assert "is there already" in shown
        assert "Nothing was changed." in shown
        assert writes(stamp) == before
        await pilot.press("escape")
        await until(pilot, "1 Env")


@pytest.mark.parametrize("carried_out", [False, True])
async def test_one_that_is_cancelled_is_unknown_and_not_made_twice(
    stamp: RunningStamp, config: Path, carried_out: bool
) -> None:
    name = f"rg-hang-{carried_out}".lower()
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot)
        await form_of(pilot, name)
        await pilot.press("enter")
        await until(pilot, "Create the resource group")
        stamp.fault_at(f"PUT */{name}=hang{'-after' * carried_out}")
        sent = len(writes(stamp))
        await pilot.press("y")
        await until(pilot, "ARM is asked, 0 s")
        while len(writes(stamp)) == sent:
            await pilot.pause(0.01)
        await pilot.press("escape")
        shown = flat(await until(pilot, "cancelled: whether the creation of"))
        assert "r looks first, and makes nothing twice." in shown
        assert "Nothing was changed." not in shown
        stamp.fault_at()
        await pilot.press("r")
        if carried_out:
            shown = flat(await until(pilot, "That could not be done."))
            assert "is there already, as asked for" in shown
            assert len(writes(stamp)) == sent + 1
        else:
            await until(pilot, "Create the resource group")
            await pilot.press("y")
            await until(pilot, f"created the resource group {name}")


async def test_a_change_of_tags_is_merged_and_shown(stamp: RunningStamp, config: Path) -> None:
    await created(stamp, "rg-tags", a="1", b="2", c="3")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot, "rg-tags")
        await pilot.press("e")
        await until(pilot, "look, then ask")
        await pilot.press("enter")
        await until(pilot, "Nothing is to be changed")
        await pilot.press("e")
        await until(pilot, "NAME=VALUE")
        await pilot.press("end", "backspace", "9", "tab", *["backspace"], "tab", "tab", *"d=4")
        await pilot.press("enter")
        shown = flat(await until(pilot, "Change the tags of rg-tags?"))
        assert "before a=1, b=2, c=3 after a=9, c=3, d=4" in shown
        before = len(writes(stamp))
        await pilot.press("escape")
        await until(pilot, "1 Env")
        assert len(writes(stamp)) == before
        await pilot.press("e", "end", "tab", "tab", "tab", *"d=4", "enter")
        await until(pilot, "Change the tags")
        await pilot.press("y")
        shown = await until(pilot, "now has a=1, b=2, c=3, d=4")
        assert "a=1 b=2 c=3 d=4" in shown
        row = await row_of(stamp, "rg-tags")
        assert row is not None
        assert row["tags"] == {"a": "1", "b": "2", "c": "3", "d": "4"}


def test_tags_as_fields() -> None:
    known = {"Env": "a=b", "x=y": "1", "gone": ""}
    fields = TagFields(known)
    values = {each.key: each.value for each in fields.fields()}
    assert fields.changes(values) == {}
    first, second, third, new, *rest = values
    assert fields.hidden(values) == rest
    changed = values | {first: "env=c", third: "", new: "n=1"}
    assert fields.changes(changed) == {"Env": "c", "gone": None, "n": "1"}
    assert fields.hidden(changed) == rest[1:]
    assert list(fields.problems(changed | {second: "N=2"})) == [new]


def test_a_tag_that_arm_no_longer_takes_may_stay() -> None:
    tags = TagFields({"hidden-link:/app": "1"})
    known, new, *_ = tags.fields()
    assert known.problem(known.value) == ""
    assert all("is NAME=VALUE" in each.problem("hidden-link:/app=2") for each in (known, new))


async def test_a_deletion_goes_on_in_the_background(stamp: RunningStamp, config: Path) -> None:
    await created(stamp, "rg-gone")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot, "rg-gone")
        before = writes(stamp)
        await pilot.press("D")
        shown = flat(await until(pilot, "Type its name"))
        assert "inside nothing" in shown
        assert "sends DELETE https://" in shown
        await pilot.press(*"rg-gon", "enter")
        await until(pilot, "that is not rg-gone: nothing was changed")
        assert writes(stamp) == before
        stamp.fault_at("GET */operationresults/*=throttle:2")
        await pilot.press("e", "enter")
        shown = await until(pilot, "› deleting")
        await pilot.press("O")
        shown = flat(await until(pilot, "ARM deletes the group"))
        assert "› running" in shown
        await resize(pilot, 40, 10)
        assert "› running" in text_of(pilot.app)
        await resize(pilot, *SMALL)
        await pilot.press("y")
        await until(pilot, "OSC 52")
        assert "stacktui operations list -e Test" in pilot.app.clipboard
        await pilot.press("escape")
        await until(pilot, "1 Env")
        # It holds nothing up, and the commands find it too.
        await pilot.press("c")
        await until(pilot, "Nothing is wrong")
        assert '"group": "rg-gone"' in read(operations_file())


async def test_what_is_in_it_and_what_forbids_it_is_shown_first(
    stamp: RunningStamp, config: Path
) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot)
        await pilot.press("D")
        shown = flat(await until(pilot, "Type its name"))
        assert "locked !" in shown
        assert "ARM will refuse" in shown
        assert "inside" in shown
        await pilot.press(*"rg-backup-prod-01", "enter")
        await until(pilot, "✗ not deleted")
        await pilot.press("O")
        shown = flat(await until(pilot, "ScopeLocked"))
        assert "✗ failed" in shown
        assert "A lock forbids it" in shown
    assert "rg-backup" not in read(operations_file())


async def test_one_of_a_closed_app_is_found_again(stamp: RunningStamp, config: Path) -> None:
    await created(stamp, "rg-closed")
    with slow(stamp):
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await at_groups(pilot, "rg-closed")
            await delete(pilot, "rg-closed")
            await until(pilot, "› deleting")
            while "DELETE" not in [each.method for each in stamp.requests[-3:]]:
                await pilot.pause(0.01)
            await pilot.press("ctrl+c")  # which ends no deletion
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await until(pilot, "1 deletion begun before may still go on: O lists them")
        await until(pilot, "rg-closed is deleted")
        await pilot.press("O")
        await until(pilot, "✓ deleted: the group is gone")
    assert await row_of(stamp, "rg-closed") is None
    assert "rg-closed" not in read(operations_file())


@pytest.mark.parametrize("kept", ["{", '{"version": 2}'], ids=["damaged", "newer"])
async def test_a_file_of_operations_that_cannot_be_used_is_no_empty_one(
    stamp: RunningStamp, config: Path, kept: str
) -> None:
    operations_file().parent.mkdir(parents=True, exist_ok=True)
    write(operations_file(), kept)
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("O")
        shown = flat(await until(pilot, "begun before may be missing"))
        assert "operations.json" in shown
        assert "No deletion" not in shown
        write(operations_file(), '{"version": 1, "operations": []}')
        await pilot.press("escape", "O")
        await until(pilot, "No deletion of a resource group was begun here")


async def test_a_look_that_failed_is_repeated(stamp: RunningStamp, config: Path) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot, "rg-web-prod-01")
        stamp.fault_at("GET */rg-web-prod-01=401")
        await pilot.press("D")
        await until(pilot, "That could not be done")
        stamp.fault_at()
        await pilot.press("r")
        await until(pilot, "Type its name to delete rg-web-prod-01")


@contextmanager
def slow(stamp: RunningStamp) -> Iterator[None]:
    stamp.fault_at("GET */operationresults/*=delay:5")
    yield
    stamp.fault_at()


async def test_an_unknown_end_says_how_to_find_out(stamp: RunningStamp, config: Path) -> None:
    await created(stamp, "rg-unknown")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_groups(pilot, "rg-unknown")
        await pilot.press("D")
        await until(pilot, "Type its name")
        stamp.fault_at(*(f"GET */{each}=401" for each in ("operationresults/*", "rg-unknown@2+")))
        await pilot.press(*"rg-unknown", "enter")
        await until(pilot, "! deleted?")
        await pilot.press("O")
        shown = flat(await until(pilot, "! unknown"))
        assert "find out r looks again; in a shell:" in shown
        assert "stacktui operations list -e Test" in shown
        stamp.fault_at()
        await pilot.press("r")
        await until(pilot, "ended")


async def begun(stamp: RunningStamp, config: Path, name: str) -> None:
    """Begin a deletion, and remember it as a command on this config does."""
    await created(stamp, name)
    await deleted(stamp, name, wait=False)
    of = load_settings(config).environments["Test"]
    path = f"/subscriptions/{stamp.subscription_id}/resourceGroups/{name}"
    remember(deletion_of(config, of, stamp.subscription_id, name, path))


async def test_one_waits_for_a_person_who_signs_in(stamp: RunningStamp, config: Path) -> None:
    write(config, config_text(stamp.describe(), secret="{ prompt = true }"))
    await begun(stamp, config, "rg-person")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await until(pilot, "1 deletion begun before may still go on")
        sent = len(stamp.requests)
        await pilot.press("O")
        shown = flat(await until(pilot, "! unknown"))
        assert "tester needs a person to sign in, with a check" in shown
        assert len(stamp.requests) == sent
        await pilot.press("escape", "c")
        await until(pilot, "The secret of tester")
        await pilot.press(*stamp.secret, "enter")
        await until(pilot, "rg-person is deleted")
    assert all_remembered(config) == ()


async def test_read_only_mode_hides_and_refuses(
    stamp: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(stamp, config, "rg-left")
    monkeypatch.setattr(read_only, "_asked_by", {"--read-only": True})
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        # To follow one changes nothing; that it has ended is not written down either.
        await until(pilot, "rg-left is deleted")
        assert [each.group for each in all_remembered(config)] == ["rg-left"]
        await at_groups(pilot)
        before = writes(stamp)
        for key in ("a", "e", "D", "W"):
            await pilot.press(key)
            await settle(pilot)
            assert app.screen is app.dashboard, key
        await pilot.press("question_mark")
        shown = await until(pilot, "Everywhere")
        for words in ("create group", "write probe", "delete"):
            assert words not in shown
        assert writes(stamp) == before
