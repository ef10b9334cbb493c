"""`f` on the real dashboard: what a fix changes, that it is done, and that the check is well."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from stacktui.config.locations import own_bundle, stamps_file
from stacktui.tui.app import StacktuiApp
from tests.support.authority import authority, server_context
from tests.support.listeners import listening, silent
from tests.support.stores import add_beside

from .conftest import DOMAIN, Start
from .screen import flat, read, settle, until, write

WIDE, SMALL = (120, 40), (80, 23)


async def test_f_sets_the_profile_that_fits_and_checks_again(start: Start, config: Path) -> None:
    start(fault="api-version-unsupported")
    before = read(config)
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        shown = await until(pilot, "f sets it")
        assert "f fix" in shown
        await pilot.press("f")
        shown = flat(await until(pilot, "Change it?"))
        assert "changes profile of Test" in shown
        assert "before 2020-09-01-hybrid" in shown
        assert re.search(r"after 20\d\d-", shown)
        assert str(config) in shown
        await pilot.press("escape")
        await until(pilot, "f fix")
        assert read(config) == before
        await pilot.press("f")
        await until(pilot, "Change it?")
        await pilot.press("y")
        shown = await until(pilot, "Nothing is wrong.")
        assert "profile of Test was 2020-09-01-hybrid and is now" in shown
        assert "f fix" not in shown
        await pilot.press("j")
        shown = await until(pilot, "? keys")
        assert "f fix" not in shown
        await pilot.press("f")
        await until(pilot, "Nothing is wrong.")
    after = read(config)
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(added) == 1
    assert added[0].startswith("profile = ")
    assert [line for line in after.splitlines() if line not in added] == before.splitlines()


async def test_f_trusts_a_root_that_a_store_holds_and_checks_again(
    start: Start, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = start(ca="")
    add_beside(monkeypatch, stamp.ca_file)
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "f trusts it")
        assert "✗ tls-untrusted-root" in shown
        await pilot.press("f")
        shown = await until(pilot, "Into which bundle")
        assert f"Trust the root of management.{DOMAIN}" in shown
        await pilot.press("enter")
        shown = await until(pilot, "Nothing is wrong.")
        assert "trusted in own bundle: U in pane 2 takes it back" in shown
    assert own_bundle().exists()


async def test_f_asks_for_the_digits_of_a_root_that_only_the_host_presents(config: Path) -> None:
    roots, host = authority("Contoso Enterprise"), "management.west.contoso.example"
    digits = sha256(roots.root.der).hexdigest()[-8:]
    context = server_context(roots.leaf(host), roots.intermediate.pem + roots.root.pem)
    async with listening(silent, context=context) as listener:
        pins = f'resolve = {{ "{host}:443" = "127.0.0.1:{listener.port}" }}'
        write(config, f'[environments.Here]\narm = "https://{host}"\nproxy = "none"\n{pins}\n')
        async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
            await until(pilot, "f trusts it")
            await pilot.press("f")
            await until(pilot, "the host alone: it presented it")
            await pilot.press(*digits, "enter")
            await until(pilot, "trusted in own bundle")
            await until(pilot, "waiting for first byte")  # so the new check trusts it


async def test_the_hosts_are_scanned_again_after_a_fix(
    start: Start, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = start(ca="")
    add_beside(monkeypatch, stamp.ca_file)
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        await until(pilot, "f trusts it")
        await pilot.press("2", "l")
        await until(pilot, "4 problems · 364 days")
        await pilot.press("f")
        await until(pilot, "Into which bundle")
        await pilot.press("enter")
        await until(pilot, "Nothing is wrong.")
        await until(pilot, "4 hosts · 364 days")


async def test_f_accepts_a_stamp_that_moved_its_sign_in_and_checks_again(
    start: Start, config: Path
) -> None:
    start()
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        await until(pilot, "Nothing is wrong.")
        known = read(stamps_file())
        moved = known.replace(f"https://adfs.{DOMAIN}/adfs", f"https://old.{DOMAIN}/adfs")
        assert moved != known
        write(stamps_file(), moved)
        await pilot.press("c")
        shown = await until(pilot, "f accepts it")
        assert "✗ metadata-drift" in shown
        await pilot.press("f")
        shown = flat(await until(pilot, "Change it?"))
        assert f"before https://old.{DOMAIN}/adfs" in shown
        assert f"after https://adfs.{DOMAIN}/adfs" in shown
        assert "stamps.json" in shown
        assert "sends its secret where the stamp says now" in shown
        await pilot.press("escape", "c")
        await until(pilot, "✗ metadata-drift")
        assert read(stamps_file()) == moved
        await until(pilot, "f accepts it")
        await pilot.press("f")
        await until(pilot, "Change it?")
        await pilot.press("y")
        shown = await until(pilot, "Nothing is wrong.")
        assert "Test is accepted as it is now" in shown


async def test_a_stamp_that_does_not_answer_cannot_be_accepted(start: Start, config: Path) -> None:
    start()
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        await until(pilot, "Nothing is wrong.")
        moved = read(stamps_file()).replace("https://adfs.", "https://old.")
        write(stamps_file(), moved)
        await pilot.press("c")
        await until(pilot, "f accepts it")
        unpinned = re.sub(r"resolve = .*", "", read(config))
        write(config, unpinned.replace(f"management.{DOMAIN}", "management.gone.invalid"))
        await pilot.press("f")
        shown = await until(pilot, "That cannot be done.")
        assert "management.gone.invalid" in shown
        await pilot.press("y", "escape")
        await until(pilot, "f accepts it")
        assert read(stamps_file()) == moved


async def test_where_the_config_cannot_be_changed_it_says_so(start: Start, config: Path) -> None:
    start(fault="api-version-unsupported")
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        await until(pilot, "f sets it")
        write(config, "active = [\n")
        await pilot.press("f")
        shown = await until(pilot, "That cannot be done.")
        assert "y yes" not in shown
        await pilot.press("y", "escape")
        await until(pilot, "f sets it")
    assert read(config) == "active = [\n"


async def test_a_config_that_broke_meanwhile_is_left_alone(start: Start, config: Path) -> None:
    start(fault="api-version-unsupported")
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        await until(pilot, "f sets it")
        await pilot.press("f")
        await until(pilot, "Change it?")
        write(config, "active = [\n")
        await pilot.press("y")
        await until(pilot, "Invalid value; the file was left as it is")
        await pilot.press("escape")
        await until(pilot, "✗ api-version-unsupported")
    assert read(config) == "active = [\n"


async def test_without_an_action_there_is_no_f(start: Start, config: Path) -> None:
    start(fault="arm-forbidden")
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        shown = await until(pilot, "✗ arm-forbidden")
        assert "f fix" not in shown
        await pilot.press("f", "?")
        shown = await until(pilot, "Everywhere")
        assert "fix, not now" in shown


@pytest.mark.parametrize("fault", [None, "arm-forbidden", "tls-expired"])
async def test_capital_y_copies_the_report(start: Start, config: Path, fault: str | None) -> None:
    stamp = start(fault=fault)
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("Y")
        await settle(pilot)
        assert app.clipboard == ""
        await pilot.press("c")
        await until(pilot, "Nothing is wrong." if fault is None else f"✗ {fault}")
        await pilot.press("Y")
        shown = await until(pilot, "sent to the terminal (OSC 52); w writes a file: Test, ")
        assert (fault or "healthy") in shown.splitlines()[-1]
    tokens = MarkdownIt("gfm-like").parse(app.clipboard)
    assert tokens[0].type == "heading_open"
    assert tokens[1].content.startswith(f"stacktui: Test: {fault or 'healthy'}")
    assert not [each for each in tokens if each.type.startswith("html")]
    assert read(Path(stamp.secret_file)).strip() not in app.clipboard
    assert "eyJ" not in app.clipboard


async def test_the_details_of_a_fault(start: Start, config: Path) -> None:
    start(fault="arm-forbidden")
    async with StacktuiApp(config, auto_check=True).run_test(size=(80, 200)) as pilot:
        await until(pilot, "✗ arm-forbidden")
        await pilot.press("0", "enter")
        shown = await until(pilot, "SHA-256")
        for said in (
            "side: ", "why ", "fix ", "az ", "Timeline",
            "✓ metadata", "✓ token", "✗ resource groups", "GET https://", "POST https://",
            "send ", "reached ", "pinned by resolve", "TLSv1.3", "answered  403",
            "x-ms-request-id: ", "x-ms-correlation-request-id: ", "body ",
            f"Presented by management.{DOMAIN}:443", "1 of 2  leaf", "2 of 2  intermediate",
            "subject ", "issuer ", "valid ", "364 days left",
            f"Presented by adfs.{DOMAIN}:443", f"the same chain as management.{DOMAIN}",
            "Trusted here", "Y copies all of this as Markdown",
        ):  # fmt: skip
            assert said in shown, said
        await pilot.press("escape")
        await until(pilot, "1 Environments")


async def test_what_was_probed_after_a_failure_is_reported_and_shown(
    start: Start, config: Path
) -> None:
    start(fault="tls-untrusted-root")
    async with StacktuiApp(config, auto_check=True).run_test(size=(80, 120)) as pilot:
        await until(pilot, "✗ tls-untrusted-root")
        await pilot.press("0", "enter")
        shown = await until(pilot, "Probed after the failure")
        assert f"✗ login  adfs.{DOMAIN}" in shown
        await pilot.press("escape", "2")
        shown = await until(pilot, "2 Certificates ✗ 2")
        assert re.search(r"adfs\.\S+ +✗ issuer unkn", shown)
