"""`stacktui environments list` from outside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stacktui.check.history import record
from stacktui.check.settings import load_settings
from stacktui.check.summary import CheckSummary
from stacktui.config.locations import history_file, stamps_file
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import config_text, stacktui
from tests.support.pasted import on_terminal

MORE = """
[environments.Broken]
arm = "http://management.broken.example"
[environments."Odd\\u001b[31m"]
arm = "https://adminmanagement.a-stamp-with-a-long-name.contoso.example"
profile = "2019-03-01-hybrid"
"""


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS)) as running:
        yield running


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(config_text(stamp.describe(), identity=MORE))
    return path


def add(config: Path, name: str, verdict: str, age: timedelta) -> None:
    side = "network" if verdict else ""
    found = CheckSummary(name, datetime.now(UTC) - age, 0.25, not verdict, verdict, side)
    assert record([(load_settings(config).target(name), found)]) == ""


def test_the_document_has_every_environment(config: Path) -> None:
    assert stacktui("check", "--config", config).code == 0  # records the stamp
    add(config, "Odd\x1b[31m", "dns-not-found", timedelta(hours=8))
    ran = stacktui("environments", "list", "--config", config, "--format", "json")
    assert (ran.code, ran.err, ran.document["schema"]) == (0, "", 1)
    good, broken, odd = ran.document["environments"]
    assert (good["name"], good["active"], good["identity"]) == ("Test", True, "tester")
    assert good["arm"] == load_settings(config).environments["Test"].arm
    assert (good["identity_provider"], good["error"]) == ("ADFS", None)
    assert good["last_check"]["ok"] is True
    assert good["last_check"].keys() == {
        "started", "seconds", "ok", "verdict", "side", "since"
    }  # fmt: skip
    assert (broken["name"], broken["active"], broken["arm"]) == ("Broken", False, None)
    assert "must be https" in broken["error"]
    assert broken["last_check"] is None
    assert odd["profile"] == "2019-03-01-hybrid"
    assert (odd["identity"], odd["identity_provider"]) == (None, None)
    assert odd["last_check"]["verdict"] == "dns-not-found"
    assert odd["last_check"]["side"] == "network"
    assert odd["last_check"]["since"] == odd["last_check"]["started"]
    assert (odd["region"], odd["operator"]) == ("a-stamp-with-a-long-name", True)
    assert (good["region"], good["operator"], broken["operator"]) == (None, False, None)
    assert odd.keys() == good.keys() == broken.keys()


def test_the_table_says_it_in_words(config: Path) -> None:
    add(config, "Odd\x1b[31m", "dns-not-found", timedelta(hours=8))
    ran = stacktui("environments", "list", "--config", config)
    assert (ran.code, ran.err) == (0, "")
    head, good, broken, odd = ran.out.splitlines()  # a line each where it is no terminal
    assert head.split() == ["name", "last", "check", "region", "sign-in", "profile", "identity"]
    assert good.startswith("* Test")
    assert "– not checked" in good
    assert good.endswith("tester")
    assert "✗ unusable" in broken
    assert "try https://management.broken.example" in broken
    assert "✗ dns-not-found, 8 h ago, 0.25 s  a-stamp-with-a-long-name, operator  " in odd
    assert "\x1b" not in ran.out


def test_since_when_it_is_so_is_said(config: Path) -> None:
    for hours in (30, 29, 8):
        add(config, "Test", "dns-not-found" if hours < 30 else "", timedelta(hours=hours))
    ran = stacktui("environments", "list", "--config", config)
    began = datetime.now(UTC) - timedelta(hours=29)
    assert f"✗ dns-not-found, 8 h ago, 0.25 s, since {began:%Y-%m-%d %H:%M} UTC" in ran.out


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_it_fits_the_terminal(config: Path, columns: int) -> None:
    command = [sys.executable, "-m", "stacktui", "environments", "list", "--config", str(config)]
    code, screen = on_terminal(command, [], os.environ | {"COLUMNS": str(columns), "TERM": "dumb"})
    assert code == 0
    # A long word stays whole, so that it can be copied.
    assert max(map(len, screen.splitlines())) <= columns
    assert ("last check" in screen) == (columns == 160)
    assert "a-stamp-with-a-long-name, operator" in screen


def test_without_environments_the_list_is_empty(tmp_path: Path) -> None:
    arguments = ("environments", "list", "--config", tmp_path / "config.toml")
    ran = stacktui(*arguments, "--format", "json")
    assert (ran.code, ran.document) == (0, {"schema": 1, "environments": []})
    ran = stacktui(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "add an environment" in ran.err


def test_a_damaged_record_or_history_is_no_obstacle(config: Path) -> None:
    stamps_file().parent.mkdir(parents=True, exist_ok=True)
    stamps_file().write_text("{")
    history_file().parent.mkdir(parents=True, exist_ok=True)
    history_file().write_bytes(b"no database" * 100)
    ran = stacktui("environments", "list", "--config", config, "--format", "json")
    assert ran.code == 0
    assert ran.err.count(str(stamps_file())) == 1
    assert [each["last_check"] for each in ran.document["environments"]] == [None] * 3
