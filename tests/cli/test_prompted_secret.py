"""Secrets that a person types (`{ prompt = true }`): asked for hidden, and never waited for."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.cli.test_certificates_lint import AtTerminal
from tests.diagnosis.drills import DOMAIN, verdict_of
from tests.product import check_json, stacktui, write_config

PROMPT = "{ prompt = true }"


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(domain=DOMAIN)) as running:
        yield running


def test_a_check_on_a_terminal_asks(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret=PROMPT)
    options = ("--config", config, "--format", "json")
    at = AtTerminal(*options, answers=(stamp.secret,), command="check")
    assert at.code == 0, at.shown
    assert json.loads(at.out)["ok"]
    assert "Secret of tester" in at.shown
    assert stamp.secret not in at.shown + at.out
    wrong = AtTerminal(*options, answers=("wr0ng-secret",), command="check")
    verdict = json.loads(wrong.out)["verdict"]
    assert verdict["id"] == "sp-secret-wrong"
    assert "a command on a terminal asks for it" in str(verdict["remedies"])
    assert "wr0ng" not in wrong.shown + wrong.out


def test_several_checks_ask_once(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret=PROMPT)
    text = config.read_text()
    start, end = text.index("[environments.Test]"), text.index("[identities.tester]")
    config.write_text(text + text[start:end].replace("Test]", "Twin]").replace("Test.", "Twin."))
    at = AtTerminal("--all", "--config", config, answers=(stamp.secret,), command="check")
    assert at.code == 0, at.shown + at.out
    assert at.shown.count("Secret of tester") == 1


def test_a_list_on_a_terminal_asks(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret=PROMPT)
    at = AtTerminal("list", "--config", config, answers=(stamp.secret,), command="groups")
    assert at.code == 0, at.shown
    assert stamp.secret not in at.shown + at.out


@pytest.mark.timeout(30)
def test_without_a_terminal_nobody_is_waited_for(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret=PROMPT)
    typed = tmp_path / "typed"
    typed.write_text(f"{stamp.secret}\n")
    verdict = verdict_of(check_json(config), "token")
    assert (verdict["id"], verdict["side"]) == ("secret-missing", "box")
    assert verdict["remedies"][0]["action"]["kind"] == "ask-secret"
    ran = stacktui("check", "--config", config, stdin=str(typed))
    assert "secret-missing" in ran.out


def test_a_keyring_that_is_not_installed(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret="{ keyring = true }")
    verdict = verdict_of(check_json(config), "token")
    assert verdict["id"] == "secret-missing"
    install, put, *_ = (each["bash"] for each in verdict["remedies"])
    assert install.endswith(" -m pip install keyring")
    assert put.endswith(" -m keyring set stacktui tester")


def test_the_commands_for_identities_take_these_references(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    add = ("identities", "add", "--config", config)
    account = ("--kind", "service-principal", "client_id=app", "certificate=sp.pfx")
    assert stacktui(*add, "ops", *account, "certificate_password=keyring:a/b").code == 0
    assert stacktui(*add, "az", "--kind", "azure-cli").code == 0
    ran = stacktui("identities", "set", "ops", "certificate_password=prompt", "--config", config)
    assert ran.code == 0, ran.err
    tables = tomllib.loads(config.read_text())["identities"]
    assert tables["ops"]["certificate_password"] == {"prompt": True}
    assert tables["az"] == {"kind": "azure-cli"}
    shown = stacktui("identities", "show", "ops", "--config", config).out
    assert re.search(r"password +a prompt", shown)
    listed = stacktui("identities", "list", "--config", config).out
    assert "account of az" in listed


def test_an_export_with_secrets_asks_on_a_terminal(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret=PROMPT)
    words = ("export", "--config", config, "--format", "env", "--with-secrets")
    at = AtTerminal(*words, answers=(stamp.secret,), command="environments")
    assert at.code == 0, at.shown
    assert stamp.secret in at.out
    assert stamp.secret not in at.shown
    ran = stacktui("environments", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "secret-missing" in ran.err
    assert "the secret of identity tester" in ran.err
    plain = AtTerminal(*words[:-1], answers=(), command="environments")
    assert plain.code == 0, plain.shown
