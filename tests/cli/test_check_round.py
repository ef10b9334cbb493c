"""`stacktui check` of several environments, from outside."""

from __future__ import annotations

import json
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
    rows = config.read_text(encoding="utf-8").splitlines()
    at = rows.index('profile = "no-such"') + 1
    place = f"✗ bad-5: {config}: line {at}: environments.bad-5."
    assert [line for line in lines if line.startswith(place)]
    assert any(line.startswith("8 checked: 3 ok · 4 faults · 1 undecided in ") for line in lines)
    shared = "tls-untrusted-root on 2 of 8: it is this machine, not the stamps: untrusted-1, "
    assert any(line.startswith(shared) for line in lines)
    assert ran.out.count("✗ tls-untrusted-root · side: this box") == 1
    assert ran.out.count("How to fix it") == 2


def test_markdown_is_a_table_and_the_broken_ones(stamp: RunningStamp, tmp_path: Path) -> None:
    config = config_of(stamp, tmp_path, *MIXED)
    ran = stacktui("check", "--all", "--format", "markdown", "--config", config)
    assert ran.out.startswith("# stacktui: 8 environments, 4 with a fault\n")
    assert len([line for line in ran.out.splitlines() if line.startswith("| `good-")]) == 2
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
