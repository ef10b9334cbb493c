"""`--read-only` and `read_only = true`: what writes is refused at once, and checks still run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.config.locations import history_file, stamps_file
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import config_text, stacktui

MANAGED = ("--group", "g", "--name", "id-x")
COMMANDS = (
    ("environments", "set", "Test", "proxy=none"),
    ("environments", "accept", "Test", "--yes"),
    ("environments", "forget", "Test", "--yes"),
    ("subscriptions", "use", "Production"),
    ("subscriptions", "use", "--none"),
    ("certificates", "trust", "--presented", "Test", "--yes"),
    ("certificates", "trust", "root.pem", "--yes"),
    ("certificates", "untrust", "root.pem", "--yes"),
    ("certificates", "export", "--yes"),
    ("certificates", "convert", "in.pem", "out.pfx", "--yes"),
    ("identities", "add", "ops", "--kind", "managed-identity"),
    ("identities", "set", "tester", "tenant=contoso.example"),
    ("identities", "remove", "tester", "--yes"),
    ("identities", "import", "--yes"),
    ("identities", "grant", "tester", "--role", "Reader", "--yes"),
    ("identities", "revoke", "tester", "--role", "Reader", "--yes"),
    ("identities", "managed", "create", *MANAGED, "--yes"),
    ("identities", "managed", "assign", *MANAGED, "--vm", "v", "--yes"),
    ("identities", "managed", "grant", *MANAGED, "--yes"),
    ("providers", "register", "Microsoft.Web", "--yes"),
    ("rest", "PUT", "/subscriptions/s/resourceGroups/g", "--body", "{}", "--yes"),
    ("rest", "DELETE", "/subscriptions/s/resourceGroups/g", "--wait", "--yes"),
    ("identities", "managed", "walk", *MANAGED, "--vm", "v", "--yes"),
    ("groups", "create", "g", "--location", "local", "--yes"),
    ("groups", "tag", "g", "--tag", "a=1", "--yes"),
    ("groups", "delete", "g", "--yes"),
)


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions()) as stamp:
        yield stamp


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.toml"
    path.write_text(config_text(stamp.describe()), encoding="utf-8")
    path.chmod(0o600)
    return path


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_that_writes_is_refused_in_one_line(config: Path, words: tuple[str, ...]) -> None:
    before = files(config.parent) | files(Path.home())
    ran = stacktui("--read-only", *words, "--config", config)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "stacktui: read-only (--read-only): nothing was changed\n"
    config.write_text("read_only = true\n" + config.read_text())
    before[config] = config.read_bytes()
    ran = stacktui(*words, "--config", config)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "stacktui: read-only (read_only in the config): nothing was changed\n"
    assert files(config.parent) | files(Path.home()) == before


def test_a_check_runs_and_is_in_the_history_but_records_nothing(config: Path) -> None:
    assert stacktui("--read-only", "check", "--config", config).code == 0
    assert history_file().exists()
    assert not stamps_file().exists()
    assert stacktui("check", "--config", config).code == 0
    assert stamps_file().exists()


def test_the_next_command_of_the_process_may_write_again(config: Path) -> None:
    assert stacktui("--read-only", "environments", "set", "Test", "proxy=none").code == 2
    assert stacktui("environments", "set", "Test", "proxy=none", "--config", config).code == 0
