"""The pane of resource groups on a real stamp: read, filtered, opened, copied, and in trouble."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.config import read_only
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui import check_runner
from stacktui.tui.app import StacktuiApp
from stacktui.tui.screens.resources import ResourcesScreen
from tests.product import config_text

from .screen import flat, read, resize, settle, text_of, type_in, until, write

WIDE = (120, 40)
DEVICE = {
    "kind": '"device-code"',
    "secret": "",
    "client_id": '"04b07795-8ddb-461a-bbee-02f9e1bf7b46"',
}


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    options = StampOptions(
        groups=60, page_size=20, more_subscriptions=("enabled", "disabled", "other-tenant")
    )
    with run_in_thread(options) as running:
        yield running


@pytest.fixture(autouse=True)
def _honest(stamp: RunningStamp) -> Iterator[None]:
    check_runner.load_engine.cache_clear()  # it holds them too
    check_runner.session_tokens.cache_clear()
    yield
    stamp.fault_at()


def app_of(config: Path, stamp: RunningStamp, **replaced: str) -> StacktuiApp:
    write(config, config_text(stamp.describe(), **replaced))
    return StacktuiApp(config)


def sign_ins(stamp: RunningStamp, since: int) -> int:
    return sum(each.path.endswith("/token") for each in stamp.requests[since:])


async def test_ten_lists_of_a_session_need_one_sign_in(config: Path, stamp: RunningStamp) -> None:
    before = len(stamp.requests)
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        for _ in range(9):
            read_at = stamp.requests[-1]
            await pilot.press("r")
            while stamp.requests[-1] is read_at or pilot.app.arm_reader.running:  # type: ignore[attr-defined]
                await pilot.pause(0.01)
        assert sign_ins(stamp, before) == 1
        await pilot.press("c")  # but a check makes its own
        await until(pilot, "Signed in and read 60 resource groups.")
        assert sign_ins(stamp, before) == 2


async def test_a_refresh_keeps_the_bar_and_the_filter(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        await pilot.press("slash")
        await type_in(pilot, "tag:env=prod")
        await pilot.press("enter", "j", "j")
        shown = await until(pilot, "3 of 18")
        (chosen,) = (row for row in shown.splitlines() if "│ ▸ rg-" in row)
        await pilot.press("r")
        while pilot.app.arm_reader.running:  # type: ignore[attr-defined]
            await pilot.pause(0.01)
        shown = await until(pilot, "3 of 18")
        assert chosen[:40] in shown
        for text, count in (
            ("location:local", "60"),
            ("state:Succ crm-dr", "1"),
            ("tag:env=p", "18"),
        ):
            await pilot.press("escape", "slash")
            await type_in(pilot, text)
            await until(pilot, f" of {count} ─")


async def test_groups_that_come_repaint_no_other_list(
    config: Path, stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        while app.arm_reader.running or app.dashboard.coalescer.waiting:
            await pilot.pause(0.01)
        grid, updated = app.dashboard.grid, list[object]()
        for pane in (grid.environments, grid.certificates, grid.identities, grid.check):
            monkeypatch.setattr(pane, "update", lambda *given: updated.append(given))
        app.app_state.groups.clear()
        await pilot.press("r")
        await until(pilot, "─ 60 · ")
        await until(pilot, "reads what is in it")  # the detail of the highlighted group
        assert updated == []


async def test_the_columns_sort(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        for order in ("name", "location", "state"):
            await pilot.press("s")
            await until(pilot, f"─ 60 · by {order} ─")
        await pilot.press("s")
        assert " by " not in await until(pilot, "─ 60 · ")


async def test_resources_are_counted_when_asked_for(config: Path, stamp: RunningStamp) -> None:
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        before = len(stamp.requests)
        await pilot.press("number_sign")
        while app.resource_counter.running:
            await pilot.pause(0.01)
        asked = [each for each in stamp.requests[before:] if each.path.endswith("/resources")]
        counts, shown = app.app_state.counts_shown, app.app_state.group_list
        assert counts is not None
        assert shown is not None
        # As many as the stamp invents by the length of a group's name.
        inside = {key: len(each.name) % 3 + 1 for key, each in shown.groups.items()}
        assert {key: counts.count_of(each) for key, each in shown.groups.items()} == inside
        assert len(asked) == -(-sum(inside.values()) // 20)  # pages of one list of them all
        await pilot.press(*["s"] * 4)
        await until(pilot, "by resources")
        chosen = list(app.dashboard.grid.resources._rows.keys)
        assert [inside[key] for key in chosen] == sorted(inside.values(), reverse=True)
        await pilot.press("enter")
        text = flat(await until(pilot, "inside        "))
        assert f" {sum(inside.values())} resources at " in text
        key = app.dashboard.chosen_group or ""
        assert f"resources {inside[key]} " in text
        await pilot.press("escape")
        await pilot.press("r")  # a group may be new: what was counted is dropped
        await until(pilot, "─ 60 · ")
        assert app.app_state.counts_shown is None


async def test_a_count_that_is_not_whole_is_no_number(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resources@3=500")
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        await pilot.press("number_sign")
        shown = await until(pilot, "✗ not counted")
        assert "not all resources were counted: 500 InternalServerError; # counts again" in shown
        rows = [line for line in shown.splitlines() if "rg-" in line[:30]]
        assert len(rows) > 10
        assert all("  ≥ " in line for line in rows)
        stamp.fault_at()
        await pilot.press("number_sign")
        await until(pilot, "resources     2 ")
        assert "≥" not in text_of(pilot.app)


async def test_counting_waits_for_arm_and_can_be_left(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resources@2=throttle:30")
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        await pilot.press("number_sign")
        await until(pilot, "─ 60 · waits 2")  # it counts down from 30
        await pilot.press("escape")
        await until(pilot, "✗ not counted")


async def test_what_is_in_a_group(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("c")  # where the portal is, the metadata says
        await until(pilot, "Signed in")
        await pilot.press("4", "slash")
        await type_in(pilot, "backup-prod-01")
        await pilot.press("enter", "enter")
        shown = flat(await until(pilot, "inside        3 resources"))
        for said in (
            "you may read, write, delete, assign roles",
            "locks keep-backups CanNotDelete",
            "deployments deploy-backup-prod-01-1 Succeeded",
            "inside 3 resources",
            "vm-backup-prod-01 Microsoft.Compute/virtualMachines",
        ):
            assert said in shown, said
        await pilot.press("G")
        shown = flat(await until(pilot, "portal        "))
        path = f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-backup-prod-01"
        assert f"id {path}" in shown
        assert f"/#@{stamp.tenant}/resource{path}" in shown.replace(" ", "")
        await pilot.press("escape")
        await until(pilot, "0 Check")


async def test_a_resource_is_opened_and_copied(config: Path, stamp: RunningStamp) -> None:
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        await pilot.press("slash")
        await type_in(pilot, "backup-prod-01")
        await pilot.press("enter", "enter")
        await until(pilot, "inside        3 resources")
        await pilot.press("enter")
        await until(pilot, "Resources in rg-backup-prod-01")
        await pilot.press("j", "j")
        await until(pilot, "▸ vm-backup-prod-01")
        before = len(stamp.requests)
        await pilot.press("enter")
        shown = flat(await until(pilot, "Standard_DS1_v2"))
        for said in (
            "name vm-backup-prod-01",
            "type Microsoft.Compute/virtualMachines",
            "location local",
            "state ✓ Succeeded",
            "tags env = prod",
        ):
            assert said in shown, said
        assert len(stamp.requests[before:]) == 1
        path = f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-backup-prod-01"
        path += "/providers/Microsoft.Compute/virtualMachines/vm-backup-prod-01"
        for downs, text in ((0, "vm-backup-prod-01"), (1, path), (2, f"{stamp.arm_url}{path}")):
            await pilot.press("i")
            await until(pilot, "Copy of the resource")
            await pilot.press(*["down"] * downs, "enter")
            await settle(pilot)
            assert app.copier.text == text
        await pilot.press("i", "end", "enter")
        await settle(pilot)
        assert json.loads(app.copier.text)["properties"]["vmId"]
        await pilot.press("escape")
        await until(pilot, "▸ vm-backup-prod-01")
        stamp.fault_at("GET */virtualMachines/*=500")
        await pilot.press("enter")
        await until(pilot, "✗ not read: 500 InternalServerError")
        await pilot.press("escape", "escape", "escape")
        await until(pilot, "0 Check")


async def test_one_list_that_is_refused_leaves_the_others(
    config: Path, stamp: RunningStamp
) -> None:
    stamp.fault_at("GET */locks=500", "GET */deployments=504")
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        await pilot.press("enter")
        shown = flat(await until(pilot, "inside        2 resources"))
        assert "locks ! not read: 500 InternalServerError" in shown
        assert "deployments ! not read: 504 GatewayTimeout" in shown
        assert "inside 2 resources" in shown


@pytest.mark.parametrize("fault", ["reset", "drop", "cut", "503:0", "401"])
async def test_a_page_that_fails_once_is_read_again(
    config: Path, stamp: RunningStamp, fault: str
) -> None:
    stamp.fault_at(f"GET */resourcegroups@2={fault}")
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")


async def test_a_page_that_fails_leaves_what_is_there(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resourcegroups@3=500")
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        shown = await until(pilot, "─ 40 · ✗ not whole ─")
        assert "not all groups were read: 500 InternalServerError; r goes on with page 3" in shown
        stamp.fault_at("GET */resourcegroups@1=delay:1")
        before = len(stamp.requests)
        await pilot.press("r")
        await until(pilot, "page 3 again, the 40 read stay")
        await until(pilot, "─ 40 · reading ─")
        shown = await until(pilot, "─ 60 · ")
        assert "not whole" not in shown
        assert len(stamp.requests[before:]) == 1


async def test_a_link_that_is_refused_starts_over(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resourcegroups@3=500")
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "r goes on with page 3")
        broken, found = app.arm_reader._broken or (None, {})
        assert broken is not None
        # As a stamp that was updated meanwhile: it does not know its own token any more.
        old = replace(broken, next_link=broken.next_link + "not-its-own")
        app.app_state.groups[app.app_state.current or ""] = old
        app.arm_reader._broken = old, found
        stamp.fault_at("GET */resourcegroups@2=delay:1")
        await pilot.press("r")
        said = "the link to page 3 is refused, 400 InvalidSkipToken: from page 1 again"
        await until(pilot, said)
        await until(pilot, "─ 60 · ")


async def test_a_chosen_subscription_is_read_from_page_one(
    config: Path, stamp: RunningStamp
) -> None:
    stamp.fault_at("GET */resourcegroups@3=500")
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "r goes on with page 3")
        stamp.fault_at()
        before = len(stamp.requests)
        app.dashboard.read_groups(stamp.subscription_id)
        await until(pilot, "─ 60 · ")
        pages = [each for each in stamp.requests[before:] if "resourcegroups" in each.path]
        assert len(pages) == 3


async def test_a_first_page_that_fails_says_which_keys_help(
    config: Path, stamp: RunningStamp
) -> None:
    stamp.fault_at("GET */resourcegroups=500")
    async with app_of(config, stamp).run_test(size=(80, 23)) as pilot:
        await pilot.press("4")
        shown = await until(pilot, "Not read: 500 InternalServerError")
        assert "r  reads them again" in shown
        assert "c  finds what is wrong, and whose side it is" in shown


async def test_a_wait_for_arm_counts_down_and_can_be_left(
    config: Path, stamp: RunningStamp
) -> None:
    stamp.fault_at("GET */resourcegroups@2=throttle:30")
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 20 · waits ")
        await until(pilot, "─ 20 · waits 2")
        await pilot.press("escape")
        await until(pilot, "─ 20 · ✗ not whole ─")


async def test_a_reading_does_not_outlive_the_settings_that_it_is_of(
    config: Path, stamp: RunningStamp
) -> None:
    stamp.fault_at("GET */resourcegroups@2=throttle:1")
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 20 · waits ")
        await pilot.press("enter")
        await until(pilot, "inside        2 resources")
        write(
            config,
            read(config).replace("[identities", "profile = '2019-03-01-hybrid'\n[identities"),
        )
        await pilot.press("1", "r")
        await until(pilot, "2019-03-01-hybrid")
        assert (app.app_state.groups, app.app_state.opened_group) == ({}, None)
        await pilot.pause(1.3)  # when the second page would have come
        assert app.app_state.groups == {}


async def test_a_subscription_is_chosen_and_remembered(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4", "S")
        shown = await until(pilot, "all enabled ones")
        assert "Disabled · " in shown
        assert "another tenant, " in shown
        await pilot.press("down", "enter")
        await until(pilot, "Test uses Contoso Project")
        await until(pilot, "─ 5 · ")
        assert f'subscription = "{stamp.subscription_id}"' not in read(config)
        await pilot.press("S")
        await until(pilot, "all enabled ones")
        saved = read(config)
        await pilot.press("end", "enter")
        await until(pilot, "all subscriptions")
        await until(pilot, "─ 65 · ")
        assert read(config) == saved


async def test_a_read_only_session_remembers_no_subscription(
    config: Path, stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "is_read_only", lambda: True)
    monkeypatch.setattr("stacktui.tui.screens.group_actions.is_read_only", lambda: True)
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        before = read(config)
        await pilot.press("4", "S")
        await until(pilot, "all enabled ones")
        await pilot.press("down", "enter")
        await until(pilot, "shown for now, and not remembered")
        await until(pilot, "─ 5 · ")
        assert read(config) == before


async def test_who_has_no_subscription_is_told_what_to_do(config: Path) -> None:
    for offers, said in (
        (2, "offers that you may take in the portal"),
        (0, "ask the operator for"),
    ):
        options = StampOptions(fault="no-subscriptions", offers=offers)
        with run_in_thread(options) as stamp:
            async with app_of(config, stamp, subscription="").run_test(size=WIDE) as pilot:
                await pilot.press("4")
                shown = flat(await until(pilot, "sees no subscription"))
                assert said in shown


async def test_what_is_copied_of_a_group(config: Path, stamp: RunningStamp) -> None:
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "─ 60 · ")
        path = f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-backup-dev-01"
        for downs, text in ((0, "rg-backup-dev-01"), (1, path), (2, f"{stamp.arm_url}{path}")):
            await pilot.press("i")
            await until(pilot, "Copy of the group")
            await pilot.press(*["down"] * downs, "enter")
            await settle(pilot)
            assert app.copier.text == text
        await pilot.press("i", "end", "enter")
        await settle(pilot)
        assert '"tags": {' in app.copier.text


async def test_the_providers_that_samples_need_come_first(
    config: Path, stamp: RunningStamp
) -> None:
    async with app_of(config, stamp).run_test(size=(80, 23)) as pilot:
        await pilot.press("4", "P")
        shown = await until(pilot, "Resource providers")
        assert "▸ Microsoft.Compute" in shown
        assert "for the samples  ✓ Registered" in shown
        assert "virtualMachines            2020-06-01" in shown
        assert "locations     local" in shown
        await pilot.press("end")
        await until(pilot, "▸ Microsoft.Web")


async def test_names_and_tags_of_a_hostile_stamp_do_no_harm(config: Path) -> None:
    with run_in_thread(StampOptions(groups=5, hostile=True)) as stamp:
        app = app_of(config, stamp)
        async with app.run_test(size=WIDE) as pilot:
            await pilot.press("4")
            await until(pilot, "4 Resource groups")
            await pilot.pause(0.5)
            for _ in range(8):
                await pilot.press("j", "enter")
                await until(pilot, "you may       ")
                for size in (WIDE, (80, 23), (40, 10)):
                    await resize(pilot, *size)
                    shown = text_of(app)
                    assert all(char.isprintable() or char in "\n\u00a0" for char in shown)
                    assert "internal error" not in shown
                await resize(pilot, *WIDE)
                await pilot.press("enter")
                if isinstance(app.screen, ResourcesScreen):
                    await pilot.press("enter")
                    await until(pilot, "type        ")
                    shown = text_of(app)
                    assert all(char.isprintable() or char in "\n\u00a0" for char in shown)
                    assert "internal error" not in shown
                    await pilot.press("escape", "escape")
                await pilot.press("escape", "i")
                await until(pilot, "Copy of the group")
                await pilot.press("escape")


async def test_a_device_code_waits_for_a_check(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp, **DEVICE).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        shown = flat(await until(pilot, "Not read: "))
        assert "a device code needs a person" in shown
