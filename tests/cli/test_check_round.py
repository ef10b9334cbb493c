"""`stacktui check` of several environments, from outside."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.schema import validate
from tests.product import stacktui


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as running:
        yield running


def config_of(stamp: RunningStamp, folder: Path, *kinds: str) -> Path:
    """Write a config with an environment of each kind: `good`, `untrusted`, `secret`, `device`,
    `none` (without an identity), `bad` (which cannot be read)."""
    lines = []
    for number, kind in enumerate(kinds):
        name = f"{kind}-{number}"
        lines += [f"[environments.{name}]", f'arm = "{stamp.arm_url}"', 'proxy = "none"']
        if kind != "untrusted":
            lines.append(f'ca = "{stamp.ca_file}"')
        if kind == "bad":
            lines.append('profile = "no-such"')
        identity = {"secret": "wrong", "device": "person"}.get(kind, "ops")
        if kind != "none":
            lines.append(f'identity = "{identity}"')
        lines.append(f"[environments.{name}.resolve]")
        lines += [f'"{key}" = "{value}"' for key, value in stamp.resolve.items()]
    (folder / "wrong").write_text("not-the-secret")
    (folder / "wrong").chmod(0o600)
    for name, file in (("ops", stamp.secret_file), ("wrong", folder / "wrong")):
        lines += [
            f"[identities.{name}]",
            'kind = "service-principal"',
            f'tenant = "{stamp.tenant}"',
            f'client_id = "{stamp.client_id}"',
            f'secret = {{ file = "{file}" }}',
        ]
    lines += ["[identities.person]", 'kind = "device-code"']
    config = folder / "config.toml"
    config.write_text("\n".join(lines))
    config.chmod(0o600)
    return config


MIXED = ("good", "untrusted", "secret", "device", "none", "bad", "untrusted", "good")
NAMES = [f"{kind}-{number}" for number, kind in enumerate(MIXED)]
OK = [True, False, False, None, True, False, False, True]


def documents_of(ran: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def test_all_as_json(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, *MIXED)
    ran = stacktui("check", "--all", "--format", "json", "--config", config)
    document = ran.document
    validate(document)
    assert ran.code == 2  # an environment that cannot be used counts as wrong usage
    assert list(document) == ["schema", "ok", "seconds", "checks"]
    assert document["ok"] is False
    checks = document["checks"]
    assert [each["environment"] for each in checks] == NAMES
    assert [each["ok"] for each in checks] == OK
    verdicts = [each["verdict"] and each["verdict"]["id"] for each in checks]
    assert verdicts[1] == verdicts[6] == "tls-untrusted-root"
    assert verdicts[2] == "sp-secret-wrong"
    undecided, bad = checks[3], checks[5]
    assert [each["outcome"] for each in undecided["steps"]] == ["ok", "skipped", "skipped"]
    assert "needs a person" in undecided["steps"][1]["evidence"]["skipped"]
    assert list(bad) == ["schema", "environment", "ok", "verdict", "steps", "error"]
    assert "not a known profile" in bad["error"]["message"]


def test_some_by_name_and_their_exit_codes(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, *MIXED)
    for names, code, ok in (
        (("good-0", "device-3", "none-4"), 0, True),
        (("good-0", "secret-2"), 1, False),
        (("bad-5", "good-0"), 2, False),
    ):
        ran = stacktui("check", *names, "--format", "json", "--config", config)
        assert (ran.code, ran.document["ok"]) == (code, ok), names
        assert [each["environment"] for each in ran.document["checks"]] == list(names)


def test_a_line_as_each_ends(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, *MIXED)
    ran = stacktui("check", "--all", "--format", "jsonl", "--config", config)
    found = documents_of(ran)
    for each in found:
        validate(each)
    assert sorted(each["environment"] for each in found) == sorted(NAMES)
    alone = stacktui("check", "good-0", "--format", "jsonl", "--config", config)
    assert (alone.code, [each["ok"] for each in documents_of(alone)]) == (0, [True])


def test_a_fault_of_several_is_told_once(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, *MIXED)
    ran = stacktui("check", "--all", "--config", config)
    lines = ran.out.splitlines()
    assert ran.code == 2
    for name, ok in zip(NAMES, OK, strict=True):
        symbol = {True: "✓", False: "✗", None: "–"}[ok]
        assert len([line for line in lines if line.startswith(f"{symbol} {name} ")]) == 1, name
    assert any(line.startswith("✓ none-4") and "sign-in not tried" in line for line in lines)
    rows = config.read_text(encoding="utf-8").splitlines()
    at = rows.index('profile = "no-such"') + 1
    place = f"✗ bad-5: {config}: line {at}: environments.bad-5."
    assert [line for line in lines if line.startswith(place)]
    summed = "8 checked: 2 ok · 1 metadata ok · 4 faults · 1 undecided in "
    assert any(line.startswith(summed) for line in lines)
    shared = "tls-untrusted-root on 2 of 8: it is this machine, not the stamps: untrusted-1, "
    assert any(line.startswith(shared) for line in lines)
    assert ran.out.count("✗ tls-untrusted-root · side: this box") == 1
    assert ran.out.count("How to fix it") == 2
    whose = lines.index("What follows is about untrusted-1")
    assert lines[whose + 2] == "✗ tls-untrusted-root · side: this box"
    again = stacktui("check", "--all", "--config", config).out.splitlines()
    whose = again.index("What follows is about untrusted-1")
    assert again[whose + 4].startswith("  so since ")


def test_markdown_is_a_table_and_the_broken_ones(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, *MIXED)
    ran = stacktui("check", "--all", "--format", "markdown", "--config", config)
    assert ran.out.startswith("# stacktui: 8 environments, 4 with a fault\n")
    assert len([line for line in ran.out.splitlines() if line.startswith("| `good-")]) == 2
    assert "| metadata ok, sign-in not tried |" in ran.out
    assert ran.out.count("\n# stacktui: ") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all", "good-0"), "name environments, or say --all"),
        (("good-0", "goood-1"), "has no environment 'goood-1'; did you mean"),
        (("--all", "--concurrency", "0"), "--concurrency"),
    ],
)
def test_wrong_usage_checks_nothing(
    arguments: tuple[str, ...], said: str, stamp: RunningStamp, tmp_path: Path
) -> None:
    before = len(stamp.requests)
    ran = stacktui("check", *arguments, "--config", config_of(stamp, tmp_path, "good", "good"))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(stamp.requests) == before


def test_a_wrong_name_beside_unusable_ones_is_told_as_such(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[environments.West]\n[environments.East]\n")
    for wrong, hint in (("Wets", "did you mean West?"), ("", "known: West, East")):
        ran = stacktui("check", wrong, "West", "--config", config)
        assert (ran.code, ran.out) == (2, "")
        assert f"has no environment {wrong!r}; {hint}" in ran.err


def test_an_empty_name_is_a_name(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, "none", "untrusted")
    text = config.read_text().replace("environments.untrusted-1", 'environments.""')
    config.write_text(f'active = "none-0"\n{text}')
    ran = stacktui("check", "--all", "--format", "json", "--config", config)
    found = [(each["environment"], each["ok"]) for each in ran.document["checks"]]
    assert (ran.code, found) == (1, [("none-0", True), ("", False)])


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
@pytest.mark.parametrize("width", [40, 80, 100])
def test_on_a_terminal_a_line_is_a_line(width: int, stamp: RunningStamp, tmp_path: Path) -> None:
    """Also the progress, which tells for whom it waits, and goes without a trace."""
    from tests.tui.terminal import Terminal

    config = config_of(stamp, tmp_path, "good", "untrusted", "bad", "bad")
    long = "production-west-europe-stamp-"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        text = config.read_text().replace("environments.bad-", f"environments.{long}")
        slow = f'\n[environments.silent]\narm = "https://127.0.0.1:{port}"\nproxy = "none"\n'
        config.write_text(text + slow)
        command = [sys.executable, "-m", "stacktui", "check", "--all", "--limit", "tls=1"]
        command += ["--config", str(config)]
        stacktui("check", "untrusted-1", "--config", config)
        with Terminal(command, dict(os.environ) | {"PYTHONIOENCODING": "utf-8"}, width) as terminal:
            terminal.until("checked: 1 ok · 4 faults in ")
    written = terminal.written.decode().partition("checked: 1 ok · 4 faults in ")[0]
    written = re.sub(r"\x1b\[[0-9]+m", "", written)  # colours take no room
    lines = [line for part in written.split("\r\n") for line in part.split("\r\x1b[K")]
    assert max(map(len, lines)) <= width
    waiting = "4 checked: 1 ok · 3 faults, 1 to come: silent"
    progress = [line for line in lines if " checked: " in line]
    assert progress[-1] == (waiting if width > 45 else f"{waiting[: width - 2]}…")
    assert max(map(len, progress)) < width
    for number in (2, 3):
        assert f"✗ {long[:27]}…  " in written, number
    if width == 100:
        broken = next(line for line in lines if line.startswith("✗ untrusted-1 "))
        assert "tls-untrusted-root · side: this box · If" in broken
    states = [line for line in lines if line[:1] in "✓✗–" and line]
    assert len(states) == 5


def test_an_undecided_one_has_its_reason(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, "device", "good")
    ran = stacktui("check", "--all", "--format", "markdown", "--config", config)
    rows = [line for line in ran.out.splitlines() if line.startswith("| `")]
    assert "undecided" in rows[0]
    assert "needs a person" in rows[0]
    assert rows[1].endswith("| – |")
