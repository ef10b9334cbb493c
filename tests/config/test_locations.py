"""Where files are looked for, most explicit first."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from stacktui.config import locations

linux = pytest.mark.skipif(sys.platform != "linux", reason="the places of a Linux platform")


@linux
def test_the_platforms_place_comes_last() -> None:
    expected = Path(os.environ["HOME"], ".config", "stacktui")
    assert locations.config_file() == expected / "config.toml"
    assert locations.own_bundle() == expected / "ca-bundle.pem"
    assert locations.user_themes() == expected / "themes"
    state = Path(os.environ["HOME"], ".local", "state", "stacktui")
    assert locations.history_file() == state / "history.sqlite"


@linux
def test_xdg_config_home_moves_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert locations.config_file() == tmp_path / "stacktui" / "config.toml"


@linux
def test_xdg_state_home_moves_what_is_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert locations.state_directory() == tmp_path / "stacktui"


def test_the_variable_beats_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKTUI_CONFIG", "~/mine.toml")
    assert locations.config_file() == Path.home() / "mine.toml"


def test_an_empty_variable_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKTUI_CONFIG", "")
    assert locations.config_file().name == "config.toml"


def test_the_option_beats_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKTUI_CONFIG", "elsewhere.toml")
    assert locations.config_file(Path("~/named.toml")) == Path.home() / "named.toml"


def test_an_unknown_users_home_is_left_as_written() -> None:
    named = Path("~no-such-user-here/c.toml")
    assert locations.config_file(named) == named


def test_the_packaged_themes_are_there() -> None:
    assert locations.packaged_themes().is_dir()


def test_everything_can_be_kept_elsewhere_for_a_while(tmp_path: Path) -> None:
    usual = locations.own_bundle()
    with locations.config_root(tmp_path):
        assert locations.own_bundle().parent == tmp_path
        assert locations.additions_file().parent == tmp_path
        assert locations.exported_bundle().parent == tmp_path
        assert locations.user_themes().parent == tmp_path
        assert locations.history_file().parent == tmp_path
    assert locations.own_bundle() == usual
