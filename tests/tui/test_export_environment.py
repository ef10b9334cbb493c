"""Exporting an environment in the dashboard: every form is shown, copied, and written into az."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from stacktui.config import read_only
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from stacktui.tui.screens.export_environment import FORMS
from tests.product import stacktui

from .screen import read, settle, text_of, until, write

Start = Callable[..., RunningStamp]
AZ = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return az's folder, on a machine that has an az."""
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    launcher = tmp_path / "bin" / "az"
    launcher.parent.mkdir()
    launcher.write_text(AZ)
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(launcher.parent), prepend=":")
    (tmp_path / "azure").mkdir()
    return tmp_path / "azure"


async def exported(config: Path, form: str) -> str:
    arguments = ("environments", "export", "--format", form, "--config", config)
    return (await asyncio.to_thread(stacktui, *arguments)).out


async def test_every_form_is_shown_and_copied_as_the_command_prints_it(
    start: Start, config: Path
) -> None:
    start()
    printed = {form: await exported(config, form) for form in list(FORMS)[1:]}
    app = StacktuiApp(config)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("x")
        await until(pilot, "register it in az's own files")
        for form in printed:
            await pilot.press("down")
            await settle(pilot)
            await pilot.press("y")
            await settle(pilot)
            assert app.copier.text == printed[form], form
            assert app.copier.text.split()[0] in text_of(app)
        assert "Deadly-Secret" not in app.copier.text


async def test_an_environment_is_registered_in_az_only_if_asked(
    start: Start, config: Path, folder: Path
) -> None:
    start()
    clouds = folder / "clouds.config"
    app = StacktuiApp(config)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await until(pilot, "not registered: x registers it")
        await pilot.press("x")
        await until(pilot, "[Test] is not registered")
        await pilot.press("enter")
        await until(pilot, "Write this?")
        await pilot.press("escape")
        await settle(pilot)
        assert read(clouds) == ""
        await pilot.press("enter", "y")
        await until(pilot, "next: az cloud set -n Test")
        written = read(clouds)
        assert written.startswith("[Test]\nprofile = 2020-09-01-hybrid\n")
        await until(pilot, "✓ the same as [Test]")
        await pilot.press("x")
        await until(pilot, "[Test] is there")
        await pilot.press("enter")
        await settle(pilot)
        assert "Write this?" not in text_of(app)
        await pilot.press("escape")
        write(clouds, written.replace("2020-09-01", "2018-03-01"))
        await pilot.press("r", "x")
        await until(pilot, "- profile = 2018-03-01-hybrid")
        await pilot.press("escape")
        await until(pilot, "[Test] differs: profile")


async def test_the_command_that_follows_is_quoted(start: Start, config: Path, folder: Path) -> None:
    start()
    name = "West; touch evil"
    write(config, read(config).replace("[environments.Test]", f'[environments."{name}"]'))
    write(config, read(config).replace('active = "Test"', ""))
    app = StacktuiApp(config)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("x")
        await until(pilot, f"[{name}] is not registered")
        await pilot.press("enter", "y")
        await until(pilot, f"next: az cloud set -n '{name}'")
        await pilot.press("x")
        await until(pilot, f"Next: az cloud set -n '{name}'")
    assert f"[{name}]" in read(folder / "clouds.config")


@pytest.mark.parametrize("size", [(80, 23), (40, 10)])
async def test_read_only_shows_the_forms_and_writes_nothing(
    start: Start, config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    start()
    monkeypatch.setattr(read_only, "_asked_by", {"--read-only": True})
    app = StacktuiApp(config)
    async with app.run_test(size=size) as pilot:
        await pilot.press("1", "x")
        await until(pilot, "Export Test")
        await until(pilot, "az-commands")
        await pilot.press("enter", "y")
        await settle(pilot)
        assert read(folder / "clouds.config") == ""
        await pilot.press("down", "y")
        await settle(pilot)
        assert app.copier.text.startswith("# Test")


async def test_a_broken_file_of_az_and_a_silent_stamp_are_said(
    start: Start, config: Path, folder: Path
) -> None:
    stamp = start()
    write(folder / "clouds.config", "arm = 1\n")
    app = StacktuiApp(config)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("x")
        await until(pilot, "line 1 is before any")
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("escape")
        write(config, read(config).replace(f"127.0.0.1:{stamp.port}", "127.0.0.1:9"))
        await pilot.press("r", "x")
        await until(pilot, "That could not be done.")
        await until(pilot, "then c finds what is wrong")
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is app.dashboard
