"""Helpers that read the screen's text, wait for it to change, and send input."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import cast

from textual.app import App
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.pilot import Pilot

from stacktui.tui.app import StacktuiApp

PATIENCE = 20.0


def text_of(app: App[None]) -> str:
    """Return the text of the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def flat(shown: str) -> str:
    """Return the screen as one line, without frames and line breaks."""
    return " ".join(shown.replace("│", " ").split())


async def until(pilot: Pilot[None], text: str) -> str:
    """Wait until `text` is on the screen, and return the screen's text."""
    deadline, wait = monotonic() + PATIENCE, 0.002
    while monotonic() < deadline:
        await pilot.pause()
        if text in (shown := text_of(pilot.app)):
            return shown
        await asyncio.sleep(wait)
        wait = min(1.5 * wait, 0.03)
    raise AssertionError(f"{text!r} did not come up on:\n{text_of(pilot.app)}")


async def settle(pilot: Pilot[None]) -> None:
    """Wait a moment, so that a change that must not happen would be seen."""
    await pilot.pause(0.05)


async def shown(pilot: Pilot[None]) -> None:
    """Wait until the files of the identities are read, and all that has changed is painted."""
    app, deadline = cast("StacktuiApp", pilot.app), monotonic() + PATIENCE
    while app.dashboard.coalescer.waiting or any(
        each.group == "identities" and not each.is_finished for each in app.workers
    ):
        assert monotonic() < deadline
        await pilot.pause(0.01)


async def resize(pilot: Pilot[None], width: int, height: int) -> None:
    """Resize the terminal and wait for the layout: Textual debounces resizes."""
    await pilot.resize_terminal(width, height)
    deadline = monotonic() + PATIENCE
    while pilot.app.screen._compositor.size != (width, height):
        assert monotonic() < deadline
        await asyncio.sleep(0.005)


async def paste(pilot: Pilot[None], text: str) -> None:
    pilot.app.post_message(Paste(text))
    await pilot.pause()


async def type_in(pilot: Pilot[None], text: str) -> None:
    """Type, faster than the screen is painted: a pilot's own keys wait for it after each."""
    driver = pilot.app._driver
    assert driver is not None
    for character in text:
        name = character if character.isalnum() else _character_to_key(character)
        key = Key(name, character)
        key.set_sender(pilot.app)
        driver.send_message(key)
    await pilot.pause()


def read(path: Path) -> str:
    """Return the text of a file, empty if there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
