"""No file that a user has written goes through a symbolic link that leads to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from stacktui.config.locations import (
    additions_file,
    config_directory,
    exported_bundle,
    own_bundle,
    stamps_file,
)
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import stacktui, write_config
from tests.support.authority import authority, issue, rsa_key
from tests.tui.screen import until


@pytest.fixture(name="gone")
def _gone(tmp_path: Path) -> Iterator[Path]:
    """What a link leads to; nothing may be written there."""
    gone = tmp_path / "gone" / "elsewhere"
    yield gone
    assert not gone.parent.exists()


def dangling(link: Path, gone: Path) -> Path:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(gone)
    return link


def refused(gone: Path, *arguments: str | Path, code: int = 2) -> str:
    """The line of a refusal, which names what the link leads to."""
    ran = stacktui(*arguments)
    said = ran.err.splitlines()[-1]
    assert (ran.code, ran.out) == (code, ""), ran
    assert said.startswith("stacktui: ")
    assert f"is a link to {gone}, which leads to no file" in said
    return said


def test_a_config(gone: Path, tmp_path: Path) -> None:
    link = dangling(tmp_path / "config.toml", gone)
    change = ("environments", "set", "--config", link, "Test", "proxy=none")
    assert str(link) in refused(gone, *change)


@pytest.mark.parametrize("named", [True, False])
def test_an_exported_bundle(named: bool, gone: Path, tmp_path: Path) -> None:
    link = dangling(tmp_path / "bundle.pem" if named else exported_bundle(), gone)
    options = ("--yes", *([link] if named else []))
    assert str(link) in refused(gone, "certificates", "export", *options)


def test_the_own_bundle(gone: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(authority().root.pem)
    link = dangling(own_bundle(), gone)
    said = refused(gone, "certificates", "trust", "--yes", tmp_path / "root.pem")
    assert str(link) in said


def test_the_folder_of_all_files(gone: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(authority().root.pem)
    link = dangling(config_directory(), gone)
    said = refused(gone, "certificates", "trust", "--yes", tmp_path / "root.pem")
    assert f"its folder {link} is a link" in said


def test_the_list_of_additions_to_other_bundles(gone: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(authority().root.pem)
    store = tmp_path / "cacert.pem"
    store.write_bytes(Path(certifi.where()).read_bytes())
    link = dangling(additions_file(), gone)
    ran = stacktui("certificates", "trust", "--yes", tmp_path / "root.pem", "--store", store)
    assert ran.code == 0
    assert f"{link} cannot be written (it is a link to {gone}, which leads to no file)" in ran.err


def test_a_converted_key(gone: Path, tmp_path: Path) -> None:
    leaf = issue("ops", ("ops",), authority().intermediate, key=rsa_key())
    (tmp_path / "in.pem").write_bytes(leaf.pem + leaf.key_pem)
    link = dangling(tmp_path / "out.pfx", gone)
    said = refused(gone, "certificates", "convert", "--yes", tmp_path / "in.pem", link)
    assert str(link) in said


def test_the_record_of_stamps(gone: Path, tmp_path: Path, entra_stamp: RunningStamp) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    link = dangling(stamps_file(), gone)
    accept = ("environments", "accept", "--yes", "--config", config)
    assert str(link) in refused(gone, *accept, code=1)
    ran = stacktui("check", "--config", config)
    assert ran.code == 1
    assert "✗ record-unreadable" in ran.out


async def test_a_theme_that_is_chosen_on_the_screen(gone: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    async with StacktuiApp(config).run_test(size=(120, 30)) as pilot:
        await until(pilot, "No environments")
        dangling(config, gone)
        await pilot.press("t", "down", "enter")
        await until(pilot, "is a link to")
