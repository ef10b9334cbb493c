"""Every kind of identity on the real dashboard: no secret on a screen, in a copy or in a file."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest
from textual.pilot import Pilot

from stacktui.identities import device_code
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.tui.app import StacktuiApp
from tests.support.every_kind import KINDS, PFX_PASSWORD, WRONG, identity_of_kind
from tests.support.known_secrets import KnownSecrets, kept_files, watched_stamps

from .conftest import DOMAIN
from .screen import settle, shown, text_of, until
from .terminal import Terminal

OSC_52 = re.compile(r"\x1b\]52;c;([^\x07\x1b]+)")
LONG = pytest.mark.exhaustive
# The places, and in each what can be opened and copied. `escape` comes back from any.
TOUR = (
    ("1", "enter", "Y", "w"), ("1", "x", "y", "down", "y"), ("1", "e"), ("2", "l", "enter"),
    ("3", "enter", "e"), ("3", "e", "down", "down"), ("4", "r", "enter", "i"),
    ("0", "enter", "y", "1"), ("0", "enter", "G", "Y"), ("R", "enter", "y", "2"),
    ("R", "G", "enter", "y", "1"), ("colon",), ("question_mark",), ("f",),
)  # fmt: skip
CASES = [
    *((kind, None) for kind in KINDS),
    ("user", "password-wrong"),
    ("pem", "sp-cert-rejected"),
    ("variable", "arm-forbidden"),
    ("secret", "secret-missing"),
    ("pfx", "login echoes"),
    ("variable", "login echoes"),
    ("user", "arm echoes"),
]


@pytest.mark.parametrize(
    ("kind", "fault", "tour"),
    [
        ("variable", "login echoes", (TOUR[0], TOUR[10])),
        *(pytest.param(*case, TOUR, marks=LONG) for case in CASES),
    ],
)
async def test_no_secret_is_on_any_screen(
    kind: str,
    fault: str | None,
    tour: tuple[tuple[str, ...], ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_code, "_SHORTEST_INTERVAL", 0.01)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    echoes = fault is not None and fault.endswith(" echoes")
    options = StampOptions(
        idp=IdentityProvider.AAD, fault=None if echoes else fault, domain=DOMAIN, groups=3,
        device_interval=0, device_approve_after=1,
    )  # fmt: skip
    with watched_stamps() as known, run_in_thread(options) as stamp:
        known.add(PFX_PASSWORD, WRONG)
        known.add_stamp(stamp)
        known.echoing = str(fault).partition(" ")[0] if echoes else ""
        identity = await asyncio.to_thread(identity_of_kind, kind, stamp, tmp_path)
        for name, value in identity.variables.items():
            monkeypatch.setenv(name, value)
        app = StacktuiApp(identity.config, auto_check=True)
        async with app.run_test(size=(120, 50)) as pilot:
            await until(pilot, "FAULT ─" if fault or kind == "wrong" else "OK ─")
            seen = [part for keys in tour for part in await taken(pilot, app, keys)]
            held = repr((app.app_state, app.app_state.check, app.app_state.requests.snapshot()))
        assert len(known.received) > 2
        for copied in ("# stacktui: Test: ", "curl -sS "):
            assert any(part.startswith(copied) for part in seen)
        files = kept_files(tmp_path, Path.home(), but=identity.secret_files)
        for where, text in (("screens", "\n".join(seen)), ("state", held), *files):
            assert not known.found_in(text), where


async def taken(pilot: Pilot[None], app: StacktuiApp, keys: tuple[str, ...]) -> list[str]:
    """Press keys; return what is on the screen and copied after each; at the end as SVG too."""
    found = []
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
        found += [text_of(app), app.copier.text, app.clipboard, app.title, app.sub_title]
        found += [each.message for each in app._notifications]
    found.append(app.export_screenshot())
    for _ in range(4):
        await pilot.press("escape")
    await shown(pilot)
    return found


@LONG
@pytest.mark.skipif(sys.platform == "win32", reason="a pty")
@pytest.mark.parametrize("kind", ["variable", "pfx", "user"])
def test_no_secret_is_written_to_the_terminal(kind: str, tmp_path: Path) -> None:
    """All the bytes, titles among them, and what OSC 52 carries."""
    with (
        watched_stamps() as known,
        run_in_thread(StampOptions(domain=DOMAIN, groups=3)) as stamp,
    ):
        known.add(PFX_PASSWORD, WRONG)
        known.add_stamp(stamp)
        identity = identity_of_kind(kind, stamp, tmp_path)
        command = [sys.executable, "-m", "stacktui", "--config", str(identity.config)]
        with Terminal(command, dict(os.environ) | identity.variables) as terminal:
            terminal.until("Environments")
            terminal.press("c")
            terminal.until("Nothing is wrong")
            for keys in ("Y", "0\rG", "\x1b", "3\re", "\x1b", "R\ry", "2", "\x1b", "1x", "y"):
                terminal.press(keys)
                terminal.rest(0.3)
            assert not secrets_of(terminal.pid, known)
        written = terminal.written.decode(errors="replace")
        copied = [
            base64.b64decode(each) for each in re.findall(r"\x1b\]52;c;([^\x07\x1b]+)", written)
        ]
        assert len(copied) >= 2
        copies = b"\n".join(copied).decode()
        assert stamp.arm_url in copies
        for text in (written, copies):
            assert not known.found_in(text)


def secrets_of(pid: int, known: KnownSecrets) -> list[str]:
    """Return the secrets in a process's arguments, which every user of the machine can read."""
    return known.found_in(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"))
