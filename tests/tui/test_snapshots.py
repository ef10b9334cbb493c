"""Every screen as it was looked at and found good; see `--snapshot-update` of the plug-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from stacktui.tui import trusting
from stacktui.tui.app import StacktuiApp

from . import canned, canned_trust
from .canned import CONFIG, HOSTILE_CONFIG, canned_app
from .canned_survey import surveys
from .screen import until

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
HEALTHY = canned.events_of(canned.HEALTHY)
FAULT = canned.events_of(canned.UNTRUSTED)
WAITING = canned.waiting_for_first_byte()
Size = tuple[int, int]
Compare = Callable[..., bool]


def after(*steps: tuple[Sequence[str], str]) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys, and wait each time for what they should bring up."""

    async def run(pilot: Pilot[None]) -> None:
        for keys, text in steps:
            await pilot.press(*keys)
            await until(pilot, text)
        await pilot.pause()

    return run


@SIZES
def test_first_start(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, start_demo=lambda: config)
    assert snap_compare(app, terminal_size=size, run_before=after(((), "No environments yet.")))


@SIZES
def test_broken_config(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text="active = [\n")
    assert snap_compare(app, terminal_size=size, run_before=after(((), "cannot be used")))


@SIZES
def test_idle(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text=CONFIG)
    assert snap_compare(app, terminal_size=size, run_before=after(((), "Press c to check")))


@SIZES
def test_running(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, WAITING, text=CONFIG)
    assert snap_compare(app, terminal_size=size, run_before=after(("c", "waiting for first")))


@SIZES
def test_cancelled(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, WAITING, text=CONFIG)
    steps = (("c", "waiting for first"), (("escape",), "to check again"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_healthy(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    steps = (("c", "Signed in"), ("2", "! 25 days"), ("1", "╭─ 1 Env"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_metadata_only(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, canned.events_of(canned.METADATA_ONLY), text=CONFIG)
    steps = ((("j", "j", "c"), "Sign-in was not tried"), ("2", "! 25 days"), ("1", "╭─ 1 Env"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_fault(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"), ("1", "tls-untrusted-root"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_help(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text=CONFIG)
    assert snap_compare(app, terminal_size=size, run_before=after((("?",), "Everywhere")))


@SIZES
def test_palette(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text=CONFIG)
    steps = ((("?",), "Everywhere"), (("escape", ":"), "Commands"), ("e", "/e"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_add_environment(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, canned.events_of(canned.METADATA_ONLY))
    arm = "https://management.west.contoso.example"
    steps = (("a", "Paste the ARM URL"), (arm, "west"), (("enter",), "signed by"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_add_environment_with_a_fault(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, FAULT)
    steps = (("a", "Paste the ARM URL"), ("https://management.west.contoso.example", "west"))
    press = (("enter",), "save nevertheless")
    assert snap_compare(app, terminal_size=size, run_before=after(*steps, press))


@SIZES
def test_zoomed_certificates(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"), (("j", "enter"), "leaf, 1 of 3"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_zoomed_check(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"), (("0", "enter"), "cert-expires"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_mendable(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, FAULT, text=CONFIG, judge=canned.mendable)
    steps = (("c", "f sets it"), ("2", "! 25 days"), ("1", "f sets it"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
@pytest.mark.parametrize("chosen", ["set", "trust"])
def test_mend(snap_compare: Compare, config: Path, chosen: str, size: Size) -> None:
    app = canned_app(config, FAULT, text=CONFIG, judge=canned.mendable)
    steps: list[tuple[Sequence[str], str]] = [("c", "f sets it"), ("f", "Change it?")]
    if chosen == "trust":
        steps.append((("down",), "Go on?"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_end_of_the_whole_story(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), (("2", "0", "enter", "G"), "Y copies all of this"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_filtered_groups(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    steps = (("c", "Signed in"), ("2", "! 25 days"), ("4/team-1", "/team-1"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_hostile_names(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, HEALTHY, text=HOSTILE_CONFIG)
    steps = (("c", "Signed in"), ("2", "! 25 days"), ("1", "╭─ 1 Env"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_looked(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG, survey=surveys())
    steps = (("c", "Signed in"), ("2l", "✗ TLS silent"), ("jj", "T looks for its root"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_looking(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text=CONFIG, survey=surveys(hangs=True))
    assert snap_compare(app, terminal_size=size, run_before=after(("2L", "12 of 13")))


@SIZES
def test_matrix(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text=CONFIG, survey=surveys())
    steps = (("2L", "✗ TLS silent"), (("enter",), "who trusts it"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_identity_certificate(snap_compare: Compare, config: Path, size: Size) -> None:
    app = canned_app(config, text=CONFIG)
    steps = (("2", "214 days"), (("enter",), "thumbprint"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
@pytest.mark.parametrize("proposal", ["presented", "held", "none"])
def test_trust(
    snap_compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    proposal: str,
    size: Size,
) -> None:
    proposals = {
        "presented": canned_trust.PRESENTED,
        "held": canned_trust.HELD,
        "none": canned_trust.NO_ROOT,
    }
    monkeypatch.setattr(trusting, "propose", lambda *_: proposals[proposal])
    app = canned_app(config, text=CONFIG, survey=surveys())
    steps = [("2l", "✗ TLS silent"), ("T", "root")]
    if proposal == "held":
        steps.append((("down", "down"), "The bundle of az 2.66.2"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
@pytest.mark.parametrize("asked", [False, True])
def test_untrust(
    snap_compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: bool,
    size: Size,
) -> None:
    monkeypatch.setattr(trusting, "additions", lambda _: canned_trust.ADDED)
    app = canned_app(config, text=CONFIG)
    steps: list[tuple[Sequence[str], str]] = [("2U", "Contoso Root CA")]
    if asked:
        steps.append((("down", "enter"), "Forget it?"))
    assert snap_compare(app, terminal_size=size, run_before=after(*steps))


@SIZES
def test_export(
    snap_compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, size: Size
) -> None:
    monkeypatch.setattr(trusting, "export", lambda _: canned_trust.EXPORTED)
    app = canned_app(config, text=CONFIG)
    assert snap_compare(app, terminal_size=size, run_before=after(("2x", "PowerShell")))


def test_too_small(snap_compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    assert snap_compare(app, terminal_size=(60, 15), run_before=after(((), "stacktui needs")))


@pytest.mark.parametrize("theme", ["dark", "light", "sixteen", "contrast"])
def test_themes(snap_compare: Compare, config: Path, theme: str) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    app.wear(theme)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"))
    assert snap_compare(app, terminal_size=(100, 30), run_before=after(*steps))


PLAIN = pytest.mark.parametrize(
    "variables",
    [{"STACKTUI_ASCII": "1"}, {"NO_COLOR": "1"}, {"TERM": "linux", "COLORTERM": ""}],
    ids=["ascii", "no-colour", "console"],
)


def wear(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """A terminal that knows less."""
    monkeypatch.setenv("STACKTUI_ASCII", "")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@PLAIN
def test_plain_terminals(
    snap_compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    wear(monkeypatch, variables)
    app: StacktuiApp = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"))
    assert snap_compare(app, terminal_size=(80, 24), run_before=after(*steps))


@PLAIN
def test_plain_matrix(
    snap_compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    wear(monkeypatch, variables)
    app: StacktuiApp = canned_app(config, text=CONFIG, survey=surveys())
    steps = (("2L", " TLS silent"), (("enter",), "who trusts it"))
    assert snap_compare(app, terminal_size=(80, 24), run_before=after(*steps))
