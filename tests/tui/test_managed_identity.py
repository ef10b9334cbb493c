"""`M` in pane 3: the walk to a managed identity that works, on public Azure and on stamps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from stacktui.config import read_only
from stacktui.resources import identity_proof, roles
from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text, imds_of
from tests.resources.walks import GROUP, MACHINE, State, state_of, writes
from tests.support.known_secrets import watched_stamps

from .screen import flat, read, resize, settle, text_of, type_in, until, write

SMALL = (80, 23)
LATEST = 'profile = "latest"'
QUESTIONS = ("Create the managed", "Assign ", "Grant ")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def public() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)) as stamp:
        yield stamp


@pytest.fixture
def azure(
    public: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningStamp]:
    """Public Azure in the config, and its instance metadata service as if this were its VM."""
    for name, value in imds_of(public.describe()).items():
        monkeypatch.setenv(name, value)
    write(config, config_text(public.describe(), environment=LATEST))
    yield public
    public.fault_at()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (roles, identity_proof):
        monkeypatch.setattr(module, "_PAUSE", 0.1)


async def begin(pilot: Pilot[None], name: str) -> str:
    """Open the form, fill in a name, and return the screen with the first question."""
    await pilot.press("3", "M")
    await until(pilot, "Managed identity for a VM")
    await type_in(pilot, name)
    await pilot.press("enter")
    return await until(pilot, QUESTIONS[0])


async def allow_all(pilot: Pilot[None], until_: str, questions: tuple[str, ...] = QUESTIONS) -> str:
    for each in questions:
        await until(pilot, each)
        await pilot.press("y")
    return await until(pilot, until_)


async def test_each_write_is_shown_and_asked_and_nothing_is_made_twice(
    azure: RunningStamp, config: Path
) -> None:
    before = writes(azure)
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        shown = flat(await begin(pilot, "id-app"))
        for text in (
            f"Create the managed identity id-app in resource group {GROUP}? y yes esc no",
            f"location: {azure.location}",
            f"VM {MACHINE}",
            "as tester (service principal)",
        ):
            assert text in shown
        await settle(pilot)
        assert writes(azure) == before
        await pilot.press("y")
        shown = flat(await until(pilot, f"Assign id-app to the VM {MACHINE}?"))
        assert "before: system-assigned, id-ops after: system-assigned, id-ops, id-app" in shown
        assert "✓ create ok" in shown
        assert "requests PUT 201 · GET 200" in shown
        assert len(writes(azure)) == len(before) + 1
        shown = flat(await allow_all(pilot, "The identity works.", QUESTIONS[1:]))
        for step in ("create", "assign", "grant", "prove"):
            assert f"✓ {step} ok" in shown
        written = writes(azure)
        assert len(written) == len(before) + 3
        state = await state_of(azure, "id-app")
        assert state == State(state.principal, frozenset({"system", "id-ops", "id-app"}),
                              state.assignments)  # fmt: skip
        assert len(state.assignments) == 1
        await pilot.press("r")
        shown = flat(await until(pilot, "already"))
        shown = flat(await until(pilot, "The identity works."))
        for step in ("create", "assign", "grant"):
            assert f"✓ {step} already" in shown
        assert "✓ prove ok" in shown
        assert azure.secret not in shown
        await pilot.press("escape")
        await until(pilot, "1 Environments")
    assert writes(azure) == written
    assert await state_of(azure, "id-app") == state


async def test_no_ends_it_and_again_goes_on(azure: RunningStamp, config: Path) -> None:
    before = writes(azure)
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await begin(pilot, "id-no")
        await pilot.press("escape")
        shown = flat(await until(pilot, "Cancelled: nothing was changed."))
        assert "– create cancelled" in shown
        assert writes(azure) == before
        await pilot.press("r")
        await until(pilot, QUESTIONS[0])
        await pilot.press("y")
        await until(pilot, QUESTIONS[1])
        await pilot.press("escape")
        shown = flat(await until(pilot, "Cancelled: what is done stays."))
        assert "✓ create ok" in shown
        await pilot.press("r")
        await until(pilot, QUESTIONS[1])
        assert "✓ create already" in flat(text_of(pilot.app))
        await pilot.press("ctrl+c")
        await until(pilot, "Cancelled: nothing was changed.")
    assert len(writes(azure)) == len(before) + 1
    assert (await state_of(azure, "id-no")).principal


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_write_that_is_cancelled_is_unknown(
    azure: RunningStamp, config: Path, carried_out: bool
) -> None:
    name = f"id-unknown-{carried_out}"
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await begin(pilot, name)
        kind = "hang-after" if carried_out else "hang"
        azure.fault_at(f"PUT */userassignedidentities/*={kind}")
        sent = len(azure.requests)
        await pilot.press("y")
        await until(pilot, "› create  running")
        while len(azure.requests) == sent:
            await pilot.pause(0.01)
        await pilot.press("escape")
        shown = flat(await until(pilot, "Cancelled: whether create was done is unknown."))
        assert "! create unknown" in shown
        assert "r runs it again: it looks first, and makes nothing twice." in shown
        azure.fault_at()
        await pilot.press("r")
        await until(pilot, QUESTIONS[carried_out])
        assert ("✓ create already" in flat(text_of(pilot.app))) is carried_out


async def test_a_wait_is_counted_down_and_what_is_proved_elsewhere_is_copied(
    azure: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", NOWHERE)
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await begin(pilot, "id-skip")
        await pilot.press("y")
        await until(pilot, QUESTIONS[1])
        azure.fault_at("PATCH */virtualmachines/*@1=throttle:2")
        await pilot.press("y")
        shown = flat(await until(pilot, "waits 2 s: assigning to the VM vm-ops (429)"))
        assert "› assign running" in shown
        await until(pilot, "waits 1 s")
        await until(pilot, QUESTIONS[2])
        assert "PATCH 429 · PATCH 200" in flat(text_of(app))
        await pilot.press("y")
        shown = flat(await until(pilot, "All is done but the proof"))
        assert "– prove skipped" in shown
        await pilot.press("y")
        await until(pilot, "the lines for the VM")
        token, group = app.clipboard.splitlines()
        assert token.startswith("TOKEN=$(curl ")
        assert group.startswith("curl -sS 'https://management.azure.com/subscriptions/")
        await resize(pilot, 40, 10)
        assert "All is done but the" in text_of(app)


async def test_a_vm_that_is_not_there_is_named_and_can_be_changed(
    azure: RunningStamp, config: Path
) -> None:
    before = writes(azure)
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("3", "M")
        shown = await until(pilot, "Managed identity for a VM")
        assert f"{MACHINE} in {GROUP}" in shown
        await type_in(pilot, "x")
        await pilot.press("enter")
        await until(pilot, "3 to 128 letters")
        await type_in(pilot, "y-typed")
        await pilot.press("tab", "space", "end", "enter")
        await until(pilot, "Name of VM")
        await pilot.press("tab", *GROUP, "tab", *"vm-none", "enter")
        shown = flat(await until(pilot, "✗ assign failed: the VM vm-none: 404"))
        assert "– create skipped" in shown
        assert writes(azure) == before
        await pilot.press("e")
        shown = await until(pilot, "vm-none")
        assert "xy-typed" in shown
        await pilot.press("escape")
        await until(pilot, "✗ assign failed")


async def test_who_may_not_grant_is_told_who_may(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highlighted identity does it, which need not be the environment's."""
    options = StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0, role="contributor")
    with run_in_thread(options) as stamp:
        for name, value in imds_of(stamp.describe()).items():
            monkeypatch.setenv(name, value)
        owner = (
            f'[identities.owner]\nkind = "user"\nusername = "{stamp.user}"\n'
            f'tenant = "{stamp.tenant}"\npassword = {{ file = "{stamp.password_file}" }}\n'
        )
        write(config, config_text(stamp.describe(), environment=LATEST, identity=owner))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await begin(pilot, "id-app")
            shown = flat(await allow_all(pilot, "✗ grant failed"))
            assert "✓ assign ok" in shown
            assert "403 AuthorizationFailed" in shown
            assert "An Owner or User Access Administrator may do this: M on the row" in shown
            await pilot.press("pagedown")
            await until(pilot, "– prove   skipped")
            await pilot.press("escape", "j", "M")
            await until(pilot, "Managed identity for a VM")
            await type_in(pilot, "id-app")
            await pilot.press("enter")
            shown = flat(await until(pilot, QUESTIONS[2]))
            assert "✓ assign already" in shown
            assert "as owner (user)" in shown
            await pilot.press("y")
            await until(pilot, "The identity works.")


async def test_who_needs_a_person_signs_in_first(azure: RunningStamp, config: Path) -> None:
    asked = (
        f'[identities.asked]\nkind = "user"\nusername = "{azure.user}"\n'
        f'tenant = "{azure.tenant}"\npassword = {{ prompt = true }}\n'
    )
    write(config, config_text(azure.describe(), environment=LATEST, identity=asked))
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("3", "M")
        await until(pilot, "Managed identity for a VM")
        await pilot.press("escape")
        await until(pilot, "1 Environments")
        await pilot.press("j", "M")
        await until(pilot, "T first, then M")
        await pilot.press("T")
        await until(pilot, "The password of asked")
        await type_in(pilot, azure.password)
        await pilot.press("enter")
        await until(pilot, "there is a token until")
        await pilot.press("escape", "M")
        await until(pilot, "Managed identity for a VM")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ("no resource provider Microsoft.ManagedIdentity", "--kind service-principal")),
        (
            {"managed_identity": True, "unregistered": ("Microsoft.ManagedIdentity",)},
            ("is NotRegistered", "stacktui providers register Microsoft.ManagedIdentity"),
        ),
    ],
)
async def test_without_the_provider_that_is_said_before_anything_is_asked(
    options: dict[str, Any], said: tuple[str, ...], config: Path
) -> None:
    with run_in_thread(StampOptions(groups=1, **options)) as stamp:
        write(config, config_text(stamp.describe()))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("3", "M")
            shown = "".join(flat(await until(pilot, "That could not be done.")).split())
            for text in said:
                assert text.replace(" ", "") in shown
            await pilot.press("escape")
            await until(pilot, "1 Environments")
        assert writes(stamp) == []


async def test_without_a_list_of_vms_all_is_typed(azure: RunningStamp, config: Path) -> None:
    azure.fault_at("GET */providers/microsoft.compute/virtualmachines=500")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("3", "M")
        shown = flat(await until(pilot, "Name of VM"))
        assert "the VMs are not listed: the VMs: 500" in shown
        azure.fault_at()
        await pilot.press("enter")
        assert flat(await until(pilot, "is needed")).count("is needed") == 3
        await pilot.press(*"id-typed", "tab", *GROUP, "tab", *MACHINE, "enter")
        await until(pilot, QUESTIONS[0])


async def test_read_only_mode_refuses(
    azure: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "_asked_by", {"--read-only": True})
    app, before = StacktuiApp(config), read(config)
    async with app.run_test(size=SMALL) as pilot:
        sent = len(azure.requests)
        await pilot.press("3", "M")
        await settle(pilot)
        assert app.screen is app.dashboard
        await pilot.press("question_mark")
        assert "managed identity" not in await until(pilot, "Everywhere")
        assert len(azure.requests) == sent
    assert read(config) == before


@pytest.mark.parametrize("echoes_from", [None, 0, 1, 2])
async def test_no_secret_is_shown_copied_or_kept(
    config: Path, monkeypatch: pytest.MonkeyPatch, echoes_from: int | None
) -> None:
    """Neither the token of the managed identity nor that of who makes it; ARM may send it back."""
    options = StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)
    with watched_stamps() as known, run_in_thread(options) as stamp:
        known.add_stamp(stamp)
        for name, value in imds_of(stamp.describe()).items():
            monkeypatch.setenv(name, value)
        write(config, config_text(stamp.describe(), environment=LATEST))
        app, seen = StacktuiApp(config), list[str]()
        async with app.run_test(size=SMALL) as pilot:
            await begin(pilot, "id-app")
            for number, each in enumerate(QUESTIONS):
                seen.append(await until(pilot, each))
                known.echoing = "arm" if number == echoes_from else ""
                await pilot.press("y")
                if number == echoes_from:
                    break
            end = "The identity works." if echoes_from is None else " failed: "
            seen.append(await until(pilot, end))
            for _ in range(3):
                await pilot.press("pagedown")
                seen.append(text_of(app))
            seen += [app.export_screenshot(), app.clipboard, app.copier.text]
            seen.append(repr((app.screen.__dict__, app.app_state.requests.snapshot())))
    bearers = {each.bearer for each in known.received if each.bearer}
    assert len(bearers) == (2 if echoes_from is None else 1)
    assert not known.found_in("\n".join(seen))
