"""The keys of the real dashboard, over canned checks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from stacktui.check.events import CheckEvent
from stacktui.check.report import Report
from stacktui.check.target import CheckTarget
from stacktui.diagnosis.finding import Diagnosis
from stacktui.tui.app import StacktuiApp
from stacktui.tui.check_runner import Engine
from stacktui.tui.frame import Border
from stacktui.tui.panes import identity_state

from . import canned, screen
from .canned import CONFIG, canned_app
from .canned_certificates import STARTED
from .screen import read, resize, settle, text_of, type_in, until, write

HEALTHY = canned.events_of(canned.HEALTHY)
FAULT = canned.events_of(canned.UNTRUSTED)
WAITING = canned.waiting_for_first_byte()
WIDE, SMALL = (120, 40), (80, 23)


async def test_the_first_start_says_what_to_do(config: Path) -> None:
    app = canned_app(config, start_demo=lambda: config)
    async with app.run_test() as pilot:
        shown = await until(pilot, "No environments yet.")
        assert "a  add one" in shown
        assert "d  demo" in shown
        assert "d demo" in shown.splitlines()[-1]
        await pilot.press("c")
        assert "Nothing to check yet." in text_of(app)


async def test_without_a_demo_to_start_none_is_offered(config: Path) -> None:
    app = canned_app(config)
    async with app.run_test() as pilot:
        shown = await until(pilot, "No environments yet.")
        assert "demo" not in shown


async def test_a_check_shows_its_steps_and_an_explicit_ok(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_state, "now", lambda: STARTED)
    async with canned_app(config, HEALTHY, text=CONFIG).run_test(size=WIDE) as pilot:
        await until(pilot, "Press c to check AzureStackUser.")
        await pilot.press("c")
        shown = await until(pilot, "Signed in and read 18 resource groups.")
        assert re.search(r"✓ metadata +87 ms +dns 2 · tcp 4 · tls 31 · wait 48 · body 2 ", shown)
        assert "✓ OK" in shown
        assert "192 ms in all" in shown
        assert "03:12:09 · 192 ms · OK" in shown
        top = shown.splitlines()[0]
        assert "AD FS" in top
        assert "2020-09-01-hybrid" in top
        assert top.endswith("certifi + ca")
        assert "✓ 60 min" in shown
        assert "web-frontend" in shown
        await until(pilot, "! 25 days")


async def test_the_phase_under_way_is_named_and_esc_cancels(config: Path) -> None:
    async with canned_app(config, WAITING, text=CONFIG).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        shown = await until(pilot, "waiting for first")
        assert "› token" in shown
        assert "tls 22" in shown
        assert shown.splitlines()[-1].startswith(" esc cancel the check")
        await pilot.press("escape")
        shown = await until(pilot, "cancelled  press c to check again")
        assert "waiting" not in shown
        assert "– cancelled" in shown
        await pilot.press("c")
        await until(pilot, "waiting for first")


async def test_a_fault_shows_verdict_side_evidence_remedies_and_what_az_says(config: Path) -> None:
    async with canned_app(config, FAULT, text=CONFIG).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        shown = await until(pilot, "✗ tls-untrusted-root")
        for said in (
            "side: this box",
            "ends in a root that nothing here trusts",
            "why   root: Contoso Web Gateway CA",
            "fix   Trust the root for this environment",
            "y copies",
            "openssl s_client -connect",
            "or    Ask the stamp's operator",
            "az    Unable to get endpoints from the cloud.",
            "– resource groups  ",
            "skipped: no token",
            "! cert-expires-soon",
            "✗ tls 29",
            "FAULT",
        ):
            assert said in shown, said


async def test_a_small_screen_shows_the_verdict_and_the_remedy(config: Path) -> None:
    async with canned_app(config, FAULT, text=CONFIG).run_test(size=(80, 23)) as pilot:
        await pilot.press("c")
        shown = await until(pilot, "✗ tls-untrusted-root")
        assert "✓ metadata" in shown
        assert "✗ token" in shown
        assert "– resource groups" in shown
        assert "openssl s_client" in shown
        assert "more" in shown
        await pilot.press("0", "G")
        await until(pilot, "! cert-expires-soon")
        await pilot.press("g")
        await until(pilot, "✗ tls-untrusted-root")


async def test_y_copies_the_first_command_and_says_so(config: Path) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    async with app.run_test() as pilot:
        await pilot.press("y")
        await settle(pilot)
        assert app.clipboard == ""
        await pilot.press("c")
        await until(pilot, "y copy command")
        await pilot.press("y")
        await until(pilot, "sent to the terminal (OSC 52); w writes a file: openssl")
        assert app.clipboard == canned.VERDICT.remedies[0].bash
        await pilot.press("j")
        await until(pilot, "? keys")


async def test_panes_are_reached_by_number_and_tab(config: Path) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    async with app.run_test(size=(80, 23)) as pilot:
        await pilot.press("c")
        await until(pilot, "Signed in")
        await pilot.press("4")
        shown = await until(pilot, "4 Groups")
        assert "1 Environments" in shown
        assert "backup-vault-prod" in shown
        assert "subscription  3f6d8b52" in shown
        await pilot.press("G")
        await until(pilot, "18 of 18")
        await pilot.press("tab", "tab", "tab")
        await until(pilot, "▸ ● AzureStackUser")
        await pilot.press("shift+tab", "shift+tab", "shift+tab", "shift+tab", "shift+tab")
        await until(pilot, "▸ management.local")


async def test_all_panes_show_the_highlighted_environment(config: Path) -> None:
    async with canned_app(config, HEALTHY, text=CONFIG).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "Signed in")
        await pilot.press("j")
        shown = await until(pilot, "Press c to check AzureStackAdmin.")
        assert shown.startswith(" AzureStackAdmin")
        assert "backup-vault-prod" not in shown
        await pilot.press("k")
        await until(pilot, "backup-vault-prod")


async def test_filter_zoom_and_the_way_back(config: Path) -> None:
    async with canned_app(config, HEALTHY, text=CONFIG).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "Signed in")
        await pilot.press("4", "slash")
        await type_in(pilot, "team-1c")
        shown = await until(pilot, "nothing matches")
        assert "/team-1c" in shown
        await pilot.press("backspace")
        shown = await until(pilot, "1 of 5")
        assert "network-hub" not in shown
        await pilot.press("enter", "enter")
        shown = await until(pilot, "team-14")
        assert "0 Check" not in shown
        await pilot.press("escape")
        shown = await until(pilot, "0 Check")
        assert "network-hub" not in shown
        await pilot.press("escape")
        await until(pilot, "network-hub")


async def test_esc_cancels_the_check_before_it_goes_back(config: Path) -> None:
    async with canned_app(config, WAITING, text=CONFIG).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "waiting for first")
        await pilot.press("0", "enter")
        shown = await until(pilot, "waiting for first byte")
        assert "Environments" not in shown
        await pilot.press("escape")
        shown = await until(pilot, "cancelled")
        assert "Environments" not in shown
        await pilot.press("escape")
        await until(pilot, "Environments")


async def test_the_zoomed_check_shows_every_request(config: Path) -> None:
    async with canned_app(config, HEALTHY, text=CONFIG).run_test(size=WIDE) as pilot:
        await pilot.press("c", "0", "enter")
        shown = await until(pilot, "GET https://management.local.azurestack.external/metadata")
        assert "x-ms-request-id: 6f1c0d1e-77aa-4a0b-8f0d-0e9e7c1b2a55" in shown


async def test_the_chain_of_a_host(config: Path) -> None:
    async with canned_app(config, FAULT, text=CONFIG).run_test(size=(120, 60)) as pilot:
        await pilot.press("c")
        await until(pilot, "1 problem")
        await pilot.press("2", "j", "enter")
        shown = await until(pilot, "AzureStackSelfSignedRootCert")
        for said in ("✗ issuer unknown", "leaf, 1 of 3", "intermediate, 2 of 3", "root, 3 of 3",
                     "2026-01-09 to 2027-06-23  214 days left", "SHA-256"):  # fmt: skip
            assert said in shown, said


async def test_help_lists_the_keys_of_the_place(config: Path) -> None:
    async with canned_app(config, text=CONFIG).run_test() as pilot:
        await pilot.press("question_mark")
        assert "make active" in await until(pilot, "Everywhere")
        await pilot.press("pagedown")
        await until(pilot, "1 2 3 4 0")
        await pilot.press("escape", "0", "question_mark")
        shown = await until(pilot, "Everywhere")
        assert "make active" not in shown


async def test_the_palette_runs_what_is_typed(config: Path) -> None:
    async with canned_app(config, HEALTHY, text=CONFIG).run_test() as pilot:
        await pilot.press("colon")
        await until(pilot, "Commands")
        await type_in(pilot, "check")
        await pilot.press("enter")
        await until(pilot, "Signed in")
        await pilot.press("ctrl+p")
        await until(pilot, "Commands")
        await pilot.press("escape")
        await until(pilot, "Signed in")


async def test_a_theme_is_tried_on_and_remembered_with_the_comments_kept(config: Path) -> None:
    app = canned_app(config, text="# mine\n" + CONFIG)
    async with app.run_test() as pilot:
        await pilot.press("t")
        await until(pilot, "Themes")
        await type_in(pilot, "light")
        assert app.theme_name == "light"
        await pilot.press("escape")
        await until(pilot, "0 Check")
        assert app.theme_name == "dark"
        await pilot.press("t")
        await type_in(pilot, "contr")
        await pilot.press("enter")
        await until(pilot, "theme contrast: saved in config.toml")
        assert app.theme_name == "contrast"
    text = read(config)
    assert 'theme = "contrast"' in text
    assert "# mine" in text
    assert canned_app(config).theme_name == "contrast"


async def test_space_makes_an_environment_the_active_one(config: Path) -> None:
    async with canned_app(config, text=CONFIG).run_test() as pilot:
        await pilot.press("j", "space")
        await until(pilot, "AzureStackAdmin is the active environment: saved in config.toml")
        await until(pilot, "● # AzureStackAdmin")
    assert 'active = "AzureStackAdmin"' in read(config)


async def test_a_broken_config_is_reported_and_never_written(config: Path) -> None:
    broken = "active = [\nsecret"
    app = canned_app(config, text=broken)
    async with app.run_test(size=WIDE) as pilot:
        shown = await until(pilot, "The config cannot be used.")
        assert "line 2" in shown
        await pilot.press("a")
        await settle(pilot)
        assert "ARM URL" not in text_of(app)
        await pilot.press("t")
        await type_in(pilot, "light")
        await pilot.press("enter")
        await until(pilot, "not remembered: the config is broken")
        assert read(config) == broken
        write(config, CONFIG)
        await pilot.press("r")
        await until(pilot, "AzureStackUser")


async def test_warnings_and_broken_themes_are_one_notice(config: Path) -> None:
    folder = Path.home() / ".config" / "stacktui" / "themes"
    folder.mkdir(parents=True)
    (folder / "odd.toml").write_text("name = [")
    async with canned_app(config, text='theme = "gone"\n' + CONFIG).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "theme odd.toml: is not valid TOML")
        assert "0 Check" in shown


async def test_an_internal_error_is_reported_without_its_message(config: Path) -> None:
    async def run(target: CheckTarget) -> AsyncGenerator[CheckEvent, None]:
        yield canned.events_of(canned.HEALTHY)[0]
        raise LookupError("hunter2")

    class Failing(StacktuiApp):
        load_engine = staticmethod(lambda: Engine(run, canned.diagnose, canned.describe))

    write(config, CONFIG)
    async with Failing(config).run_test() as pilot:
        await pilot.press("c")
        shown = await until(pilot, "internal error: LookupError")
        assert "hunter2" not in shown
        await pilot.press("j")
        await until(pilot, "Press c to check AzureStackAdmin.")


async def test_the_end_by_an_internal_error_shows_no_variable(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(StacktuiApp):
        def on_key(self) -> None:
            secret_of_this_frame = "hunter2"
            raise LookupError(secret_of_this_frame)

    write(config, CONFIG)
    app = Failing(config)
    with pytest.raises(LookupError):
        async with app.run_test() as pilot:
            await pilot.press("x")
    shown = capsys.readouterr().err
    assert "stacktui: internal error: LookupError at test_dashboard.py:" in shown
    assert "hunter2" not in shown
    assert app.return_code == 1


async def test_an_engine_that_cannot_be_imported_is_an_internal_error(config: Path) -> None:
    def load() -> Engine:
        raise ImportError("no module named httpx")

    class Failing(StacktuiApp):
        load_engine = staticmethod(load)

    write(config, CONFIG)
    async with Failing(config).run_test() as pilot:
        await pilot.press("c")
        await until(pilot, "internal error: ImportError")


async def test_events_of_a_cancelled_check_are_ignored(config: Path) -> None:
    release = asyncio.Event()

    async def run(target: CheckTarget) -> AsyncGenerator[CheckEvent, None]:
        yield HEALTHY[0]
        try:
            await release.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
        for event in HEALTHY[1:]:
            yield event

    class Stubborn(StacktuiApp):
        load_engine = staticmethod(lambda: Engine(run, canned.diagnose, canned.describe))

    write(config, CONFIG)
    async with Stubborn(config).run_test() as pilot:
        await pilot.press("c")
        await until(pilot, "running")
        await pilot.press("escape")
        await until(pilot, "cancelled")
        await asyncio.sleep(0.2)
        await pilot.pause()
        assert "Signed in" not in text_of(pilot.app)


async def test_the_demo_is_started_in_the_background_and_opened(
    config: Path, tmp_path: Path
) -> None:
    def start() -> Path:
        demo = tmp_path / "demo.toml"
        demo.write_text(CONFIG)
        return demo

    async with canned_app(config, HEALTHY, start_demo=start).run_test() as pilot:
        await until(pilot, "No environments yet.")
        await pilot.press("d")
        await until(pilot, "Signed in")
    assert read(config) == ""


async def test_a_demo_that_fails_is_reported(config: Path) -> None:
    def start() -> Path:
        raise OSError("secret path")

    async with canned_app(config, start_demo=start).run_test() as pilot:
        await pilot.press("d")
        shown = await until(pilot, "the demo did not start: OSError")
        assert "secret path" not in shown


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((90, 9), "needs 40x10, this is 90x9: enlarge it, or q leaves"),
        ((30, 5), "enlarge to 40x10; q leaves"),
        ((6, 1), "enl"),
    ],
)
async def test_a_terminal_that_is_too_small_is_reported(
    config: Path, size: tuple[int, int], said: str
) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert said in text_of(app)
        await pilot.press("c", "4", "tab", "enter", "escape")
        await resize(pilot, 80, 23)
        await until(pilot, "0 Check")


async def test_a_size_that_comes_back_shows_what_it_showed(config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    async with app.run_test(size=SMALL) as pilot:
        for key in ("1", "3"):
            await pilot.press(key)
            before = {}
            for size in (SMALL, (40, 10), WIDE, SMALL, (40, 10), WIDE):
                await resize(pilot, *size)
                await pilot.pause()
                assert before.setdefault(size, text_of(app)) == text_of(app)
            assert "╭" not in before[SMALL]


async def test_ctrl_c_cancels_and_then_quits(config: Path) -> None:
    app = canned_app(config, WAITING, text=CONFIG)
    async with app.run_test() as pilot:
        await pilot.press("c")
        await until(pilot, "waiting for first")
        await pilot.press("ctrl+c")
        await until(pilot, "cancelled")
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert not app.is_running or app._exit


async def test_hostile_names_neither_crash_nor_style(config: Path) -> None:
    app = canned_app(config, HEALTHY, text=canned.HOSTILE_CONFIG)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c")
        shown = await until(pilot, "Signed in")
        assert r"[bold red]evil[/] \x1b[31mred\x1b[0m\nnext line" in shown
        assert "\x1b" not in shown
        for keys in ("j", "j", "3", "1", "question_mark", "escape", "colon", "escape", "enter"):
            await pilot.press(keys)
            assert all(len(line) <= WIDE[0] for line in text_of(app).splitlines())


def no_verdict(report: Report) -> Diagnosis:
    return Diagnosis(None)


async def test_a_fault_without_a_verdict_is_still_a_fault(config: Path) -> None:
    class WithoutVerdict(StacktuiApp):
        load_engine = staticmethod(
            lambda: Engine(lambda _: canned.replay(FAULT), no_verdict, canned.describe)
        )

    write(config, CONFIG)
    async with WithoutVerdict(config).run_test() as pilot:
        await pilot.press("c")
        await until(pilot, "✗ fault found")


async def test_a_pane_with_another_border_is_painted_where_its_size_is_the_same(
    config: Path,
) -> None:
    app = canned_app(config, text=CONFIG)
    async with app.run_test(size=(80, 23)) as pilot:
        await pilot.press("3", "enter")
        await until(pilot, "─ 3 Identities ─")
        await screen.shown(pilot)  # what changes later gives it the border that belongs there
        app.dashboard.grid.identities.set_border(Border.NONE)
        await pilot.pause()
        assert "─ 3 Identities ─" not in text_of(app)
