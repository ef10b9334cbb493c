"""The history from outside: what checks add to it and say of it, and `stacktui history`."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stacktui.check.history import read_history, recall, record
from stacktui.check.settings import load_settings
from stacktui.check.summary import CheckSummary
from stacktui.config.locations import config_root, history_file, mark_demo
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.cli.test_check_round import config_of
from tests.diagnosis.schema import validate
from tests.product import check_json, config_text, stacktui, write_config

NOW = datetime.fromisoformat("2026-05-04T02:10:00Z")


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as running:
        yield running


def broken(stamp: RunningStamp, folder: Path) -> Path:
    return write_config(folder, stamp.describe(), secret='{ env = "NOT_SET_ANYWHERE" }')


def add(config: Path, *verdicts: str, name: str = "Test") -> None:
    """Add a check an hour, of which each but the last took 0.1 s."""
    target = load_settings(config).target(name)
    for number, verdict in enumerate(verdicts):
        found = CheckSummary(
            name,
            NOW + timedelta(hours=number),
            0.1 if number + 1 < len(verdicts) else 0.5,
            not verdict,
            verdict,
            "network" if verdict else "",
        )
        assert record([(target, found)]) == ""


def test_each_check_says_since_when_it_is_so(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    first, second = (stacktui("check", "--config", config) for _ in range(2))
    assert first.out.splitlines()[-1].startswith("OK in ")
    assert second.out.splitlines()[-1].startswith("so since ")
    assert second.out.endswith(" UTC (2 checks)\n")
    broken(stamp, tmp_path)
    found = check_json(config).document
    validate(found)
    assert found["since"] == {"since": found["started"], "before": "ok", "checks": 1}
    lines = stacktui("check", "--config", config).out.splitlines()
    verdict = lines.index("✗ secret-missing · side: this box")
    assert lines[verdict + 2].startswith("  so since ")
    assert lines[verdict + 2].partition(" UTC ")[2].startswith("(2 checks); before: ok")
    again = check_json(config).document["since"]
    assert again == {"since": found["started"], "before": "ok", "checks": 3}
    markdown = stacktui("check", "--config", config, "--format", "markdown").out
    assert "\n| so | since " in markdown
    assert "(4 checks); before: ok" in markdown


def test_a_first_check_has_nothing_before_it(stamp: RunningStamp, tmp_path: Path) -> None:
    document = check_json(write_config(tmp_path, stamp.describe())).document
    assert document["since"] == {"since": document["started"], "before": None, "checks": 1}


def test_a_round_adds_what_ended(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, "good", "secret", "device", "bad")
    for checks in (1, 2):
        ran = stacktui("check", "--all", "--format", "json", "--config", config)
        documents = ran.document["checks"]
        assert [each["since"]["checks"] for each in documents[:3]] == [checks] * 3
        assert "since" not in documents[3]
    settings = load_settings(config)
    found = [read_history(settings.target(each))[0] for each in ("good-0", "secret-1", "device-2")]
    assert [[(each.outcome, each.checks) for each in streaks] for streaks in found] == [
        [("ok", 2)], [("sp-secret-wrong", 2)], [("undecided", 2)],
    ]  # fmt: skip
    text = stacktui("check", "--all", "--config", config).out
    line = next(each for each in text.splitlines() if each.startswith("✗ secret-1 "))
    assert " · since " in line.partition(" · side: sign-in · ")[2]
    assert "\n  so since " in text
    markdown = stacktui("check", "--all", "--format", "markdown", "--config", config).out
    assert "\n| so | since " in markdown


def test_a_killed_round_keeps_what_ended(stamp: RunningStamp, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault="arm-timeout")) as silent:
        slow = config_text(silent.describe()).replace("Test", "Slow").partition("\n")[2]
        quick = config_text(stamp.describe()).replace("tester", "other")
        config = tmp_path / "config.toml"
        config.write_text(quick + slow, encoding="utf-8")
        command = [sys.executable, "-m", "stacktui", "check", "--all", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("✓ Test")
            target = load_settings(config).target("Test")
            deadline = time.monotonic() + 20
            while not any(each.last for each in recall([target]).values()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
    assert len(read_history(target)[1]) == 1
    assert read_history(load_settings(config).target("Slow")) == ((), ())


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_locked_history_ends_no_check(form: str, stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    stacktui("check", "--config", config)
    with closing(sqlite3.connect(history_file(), isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        ran = stacktui("check", "--config", config, "--format", form)
    told = f"stacktui: not in the history: another program holds {history_file()} locked\n"
    assert (ran.code, ran.err) == (0, told)
    assert form == "text" or ran.document["since"] is None


def test_a_reader_that_goes_away_keeps_no_check_out(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    command = [sys.executable, "-m", "stacktui", "check", "--config", str(config)]
    with Path("/dev/full").open("wb") as full:
        subprocess.run([*command, "--format", "json"], stdout=full, stderr=full, check=False)
    assert len(read_history(load_settings(config).target())[1]) == 1


def test_nothing_secret_and_no_persons_name_is_in_it(tmp_path: Path) -> None:
    """Not the path of a home, user names, identities, subscriptions, secrets, or bodies."""
    folder = tmp_path / "home-of-jane.doe"
    folder.mkdir()
    name = "We\x1bst\u202e\nEnd"
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        described = stamp.describe()
        table = json.dumps(name)
        for kind in (
            {},
            {"secret": '{ env = "NOT_SET" }'},
            {
                "kind": '"user"', "username": f'"{described["user"]}"', "client_id": "",
                "secret": "", "password": f'{{ file = "{described["password_file"]}" }}',
            },
        ):  # fmt: skip
            text = config_text(described, **kind)  # type: ignore[arg-type]
            text = text.replace("[environments.Test]", f"[environments.{table}]")
            text = text.replace('active = "Test"', f"active = {table}")
            config = folder / "config.toml"
            config.write_text(text.replace("tester", "identity-of-jane"), encoding="utf-8")
            ran = stacktui("check", "--format", "json", "--config", config)
            assert ran.document["environment"] == name
    content = b"".join(each.read_bytes() for each in history_file().parent.iterdir())
    assert name.encode() in content
    hidden = (
        "jane", str(folder), stamp.secret, stamp.password, described["user"], stamp.client_id,
        stamp.tenant, described["subscription_id"], "NOT_SET",
    )  # fmt: skip
    for text in hidden:
        for encoding in ("utf-8", "utf-16-le"):
            assert text.encode(encoding) not in content, text
    shown = stacktui("history", "--config", config).out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.startswith(r"We\x1bst\u202e\nEnd")


def test_a_line_for_each_change(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    add(config, *[""] * 9, "tls-intercepted", "", *["tls-expired"] * 30)
    ran = stacktui("history", "--config", config)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    whose = " · side: the network"
    assert lines == [
        "Test",
        f"  2026-05-04 13:10 - 2026-05-05 18:10 UTC    29 h   30 checks  ✗ tls-expired{whose}",
        "  2026-05-04 12:10 UTC                                1 check  ✓ ok",
        f"  2026-05-04 11:10 UTC                                1 check  ✗ tls-intercepted{whose}",
        "  2026-05-04 02:10 - 10:10 UTC                8 h    9 checks  ✓ ok",
        f"  41 checks: min 0.10 s · median 0.10 s · p95 0.10 s · max 0.50 s  {'▁' * 39}█",
    ]
    ascii_ = stacktui("history", "Test", "--config", config, encoding="ascii").out
    assert ascii_.isascii()
    assert "+ ok" in ascii_
    assert ascii_.rstrip().endswith("_" * 39 + "#")


def test_as_json(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    add(config, "", "", "tls-intercepted")
    document = stacktui("history", "--format", "json", "--config", config).document
    assert document == {
        "schema": 1,
        "environments": [
            {
                "environment": "Test",
                "changes": [
                    {
                        "from": "2026-05-04T04:10:00Z",
                        "to": "2026-05-04T04:10:00Z",
                        "ok": False,
                        "verdict": "tls-intercepted",
                        "side": "network",
                        "checks": 1,
                    },
                    {
                        "from": "2026-05-04T02:10:00Z",
                        "to": "2026-05-04T03:10:00Z",
                        "ok": True,
                        "verdict": None,
                        "side": None,
                        "checks": 2,
                    },
                ],
                "seconds": {"min": 0.1, "median": 0.1, "p95": 0.5, "max": 0.5},
            }
        ],
    }


def test_all_or_one_and_none(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, "good", "none", "bad")
    add(config, "", name="good-0")
    ran = stacktui("history", "--config", config)
    assert ran.out.startswith("good-0\n  2026-05-04 02:10 UTC ")
    assert ran.out.endswith("\n\nnone-1: no check yet\n")
    assert "(left out)" in ran.err
    ran = stacktui("history", "none-1", "--format", "json", "--config", config)
    assert ran.document["environments"] == [
        {"environment": "none-1", "changes": [], "seconds": None}
    ]
    for name, told in (("none-2", "did you mean none-1?"), ("bad-2", "not a known profile")):
        ran = stacktui("history", name, "--config", config)
        assert (ran.code, ran.out) == (2, "")
        assert told in ran.err
    ran = stacktui("history", "--config", tmp_path / "none.toml")
    assert (ran.code, "is not there" in ran.err) == (2, True)


def test_a_damaged_one_is_told(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    history_file().parent.mkdir(parents=True)
    history_file().write_text("no database" * 1000)
    ran = stacktui("history", "--config", config)
    told = f"stacktui: {history_file()} is damaged\n"
    assert (ran.code, ran.out, ran.err) == (2, "", told)
    ran = stacktui("check", "--config", config)
    assert (ran.code, "the history was damaged: it is now " in ran.err) == (0, True)
    ran = stacktui("history", "--config", config)
    assert (ran.code, "1 check  ✓ ok" in ran.out) == (0, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such error")
def test_a_state_directory_that_cannot_be_read_is_told(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    history_file().parent.parent.mkdir(parents=True, exist_ok=True)
    history_file().parent.touch()
    ran = stacktui("history", "--config", config)
    told = f"stacktui: {history_file()} cannot be read (Not a directory)\n"
    assert (ran.code, ran.out, ran.err) == (2, "", told)


def test_a_demo_keeps_its_own(stamp: RunningStamp, tmp_path: Path) -> None:
    mark_demo(tmp_path)
    config = write_config(tmp_path, stamp.describe())
    assert stacktui("check", "--config", config).code == 0
    assert not history_file().exists()
    with config_root(tmp_path):
        assert history_file().parent == tmp_path
        assert history_file().exists()
