"""Scanning endpoints on the real dashboard, over canned scans."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from stacktui.certificates.scan import ScanEvent
from stacktui.check.target import CheckTarget
from stacktui.identities.certificate_file import IdentityFile
from stacktui.identities.model import CertificateRef
from stacktui.tui.scan_runner import ScanEngine

from . import canned, canned_scan
from .canned import CONFIG, canned_app
from .canned_scan import scans
from .screen import flat, settle, text_of, type_in, until

WIDE, SMALL = (120, 40), (80, 23)
HEALTHY = canned.events_of(canned.HEALTHY)
WAITING = canned.waiting_for_first_byte()


async def test_before_any_scan_the_pane_says_which_key_to_press(config: Path) -> None:
    async with canned_app(config, text=CONFIG, scan=scans()).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "In this pane, l scans what each host")
        assert "identity operator" not in shown
        await pilot.press("2")
        shown = await until(pilot, "214 days")
        assert "l scan hosts" in shown
        assert "identity operator" in shown


async def test_a_scan_shows_state_days_and_issuer_of_each_host(config: Path) -> None:
    async with canned_app(config, text=CONFIG, scan=scans()).run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        shown = await until(pilot, "✗ TLS silent")
        for said in ("ARM", "! 25 days", "! not ready", "✗ issuer unknown", "3 problems · 25 days"):
            assert said in shown, said
        # The bar is on the first host, not on the certificate that was there before.
        assert "host          management.local.azurestack.external  ARM" in shown
        await pilot.press("enter")
        shown = await until(pilot, "days left")
        assert "✓ trusted" in shown
        assert "identity operator" in shown


async def test_the_whole_list_distinguishes_absent_from_failed(config: Path) -> None:
    async with canned_app(config, text=CONFIG, scan=scans()).run_test(size=WIDE) as pilot:
        await pilot.press("2", "L")
        shown = await until(pilot, "– absent")
        assert "*.blob" in shown
        # Those that are absent count neither as hosts nor as problems.
        assert "3 problems · 25 days" in shown
        await pilot.press("G", "k", "k")
        await until(pilot, "state         – absent  this stamp has no such host")


async def test_progress_stands_in_the_title_and_esc_cancels(config: Path) -> None:
    app = canned_app(config, text=CONFIG, scan=scans(hangs=True))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        shown = await until(pilot, "scanning 3 of 4")
        assert "esc cancel the scan" in shown
        await pilot.press("escape")
        shown = await until(pilot, "the scan was cancelled")
        assert "3 of 4" not in shown
        assert not app.scan_runner.running
        await pilot.press("L")
        await until(pilot, "scanning 12 of 13")
        await pilot.press("ctrl+c")
        await until(pilot, "the scan was cancelled")
        assert app.is_running


async def test_a_cancelled_scan_leaves_what_an_earlier_one_saw(config: Path) -> None:
    engines = [scans(), scans(hangs=True)]
    app = canned_app(config, text=CONFIG, scan=lambda: engines.pop(0)())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "3 problems")
        await pilot.press("l")
        await until(pilot, "scanning 3 of 4")
        await pilot.press("escape")
        shown = await until(pilot, "the scan was cancelled")
        assert "3 problems" in shown


async def test_esc_cancels_the_work_of_the_pane_in_use(config: Path) -> None:
    app = canned_app(config, WAITING, text=CONFIG, scan=scans(hangs=True))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c", "2", "l")
        await until(pilot, "scanning 3 of 4")
        await pilot.press("escape")
        await until(pilot, "the scan was cancelled")
        assert app.check_runner.running
        await pilot.press("l")
        await until(pilot, "scanning 3 of 4")
        await pilot.press("1", "escape")
        await until(pilot, "cancelled  press c")
        assert app.scan_runner.running
        await pilot.press("escape")
        await until(pilot, "the scan was cancelled")


async def test_a_scan_belongs_to_its_environment(config: Path) -> None:
    app = canned_app(config, text=CONFIG, scan=scans())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "3 problems")
        await pilot.press("1", "j")
        shown = await until(pilot, "Press c to check AzureStackAdmin.")
        assert "3 problems" not in shown
        await pilot.press("k")
        await until(pilot, "3 problems")


async def test_rows_are_filtered_by_role_host_and_state(config: Path) -> None:
    async with canned_app(config, text=CONFIG, scan=scans()).run_test(size=WIDE) as pilot:
        await pilot.press("2", "L")
        await until(pilot, "3 problems")
        await pilot.press("slash")
        await type_in(pilot, "issuer unknown")
        await until(pilot, "1 of 1")
        await pilot.press("escape", "slash")
        await type_in(pilot, "vault")
        await until(pilot, "1 of 2")


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_the_matrix_numbers_its_stores_and_names_them_below(
    config: Path, size: tuple[int, int]
) -> None:
    async with canned_app(config, text=CONFIG, scan=scans()).run_test(size=size) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "3 problems" if size == WIDE else "✗ 3")
        await pilot.press("enter")
        shown = await until(pilot, "●1  2  3  4  5  6  7")
        row = next(line for line in shown.splitlines() if "▸ ARM" in line)
        assert "✓   ✓  ✗  ✗  –  ✗  ✓" in row
        graph = next(line for line in shown.splitlines() if "  graph" in line)
        assert "✗   ✗  ✗  ✗  –  ✗  ✗" in graph
        for said in ("●1 ✓ trusted", "2 ✓ trusted         own bundle", "!5 – unusable",
                     "7 ✓ trusted         waagent"):  # fmt: skip
            assert said in shown, said
        if size == SMALL:
            await pilot.press("tab", *"jjj")
        shown = flat(await until(pilot, "was added here and is lost"))
        assert "T adds it again; x exports a bundle that survives upgrades." in shown
        await pilot.press("escape")
        await until(pilot, "0 Check")


async def test_few_stores_stand_under_their_names(config: Path) -> None:
    few = (canned_scan.STATES[0], canned_scan.STATES[2], canned_scan.STATES[5])

    def scan() -> ScanEngine:
        engine = scans()()
        stores = canned_scan.canned_stores()
        columns = tuple(each for each in stores.columns if each.store in {s.store for s in few})
        return replace(
            engine, open_stores=lambda target: replace(stores, columns=columns, states=few)
        )

    async with canned_app(config, text=CONFIG, scan=scan).run_test(size=SMALL) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "✗ 3")
        await pilot.press("enter")
        await until(pilot, "● in use  certifi  system")


async def test_the_detail_shows_every_field_then_trust_then_readiness(config: Path) -> None:
    app = canned_app(config, text=CONFIG, scan=scans())
    async with app.run_test(size=(120, 100)) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "3 problems")
        await pilot.press("j")
        shown = await until(pilot, "extended-key-usage")
        shown = "\n".join(line[45:] for line in shown.splitlines()[8:])
        order = ["trusted by", "chain", "leaf, 1 of 3", "subject", "issuer", "names", "valid",
                 "serial", "key ", "signature", "key usage", "purposes", "SHA-256", "SHA-1", "MD5",
                 "└ Contoso Issuing CA 2", "└ AzureStackSelfSignedRootCert", "who trusts it",
                 "●1 ✓ trusted", "readiness, by the vendor's rules", "✗ fail  extended-key-usage",
                 "fix  have it issued"]  # fmt: skip
        position = 0
        for said in order:
            position = shown.find(said, position)
            assert position >= 0, said


async def test_no_metadata_is_shown_where_it_matters(config: Path) -> None:
    scan = scans(canned_scan.BASIC, no_metadata="management.x: connection refused")
    async with canned_app(config, text=CONFIG, scan=scan).run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "no metadata, so hosts may be missing")


async def test_an_internal_error_is_shown_without_its_message(config: Path) -> None:
    async def scan(target: CheckTarget, whole: bool) -> AsyncGenerator[ScanEvent, None]:
        raise LookupError("hunter2")
        yield

    engine = replace(scans()(), scan=scan)
    async with canned_app(config, text=CONFIG, scan=lambda: engine).run_test() as pilot:
        await pilot.press("2", "l")
        shown = await until(pilot, "internal error: LookupError")
        assert "hunter2" not in shown


async def test_the_file_of_an_internal_error_is_named_in_full(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At 80 columns the bar has no room for it; the detail of each host does."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("STACKTUI_DEBUG", "1")

    async def scan(target: CheckTarget, whole: bool) -> AsyncGenerator[ScanEvent, None]:
        raise LookupError("hunter2")
        yield

    engine = replace(scans()(), scan=scan)
    app = canned_app(config, canned.events_of(canned.HEALTHY), text=CONFIG, scan=lambda: engine)
    async with app.run_test(size=(80, 23)) as pilot:
        await pilot.press("c")
        await until(pilot, "✓ resource groups")
        await pilot.press("2", "l")
        shown = await until(pilot, "last scan")
    (written,) = list(tmp_path.glob("stacktui-error-*"))  # noqa: ASYNC240
    assert written.name in re.sub(r"[\s│]", "", shown)


async def test_a_file_that_nobody_can_sign_in_with_is_a_problem(config: Path) -> None:
    def files(wanted: dict[str, CertificateRef], now: datetime) -> dict[str, IdentityFile]:
        path = Path("/etc/stacktui/operator.pem")
        return {
            name: IdentityFile(name, path, now, word="missing", problem="no such file")
            for name in wanted
        }

    app = canned_app(config, text=CONFIG)
    type(app).read_files = staticmethod(files)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        shown = await until(pilot, "✗ missing")
        assert "1 problem" in shown
        assert "no such file" in shown


async def test_keys_that_need_a_host_are_not_offered_without_one(config: Path) -> None:
    async with canned_app(config, text=CONFIG, scan=scans()).run_test(size=WIDE) as pilot:
        await pilot.press("2")
        shown = await until(pilot, "identity operator")
        assert "T trust its root" not in shown
        await pilot.press("T")
        await settle(pilot)
        assert "Trust the root of" not in text_of(pilot.app)
        await pilot.press("l")
        await until(pilot, "T trust its root")
        await pilot.press("G")
        await until(pilot, "thumbprint")
        assert "T trust its root" not in text_of(pilot.app)
