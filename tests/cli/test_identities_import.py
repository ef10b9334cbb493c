"""`stacktui identities import`: the service principals of az, with references to their secrets."""

from __future__ import annotations

import json
import shutil
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp.running import RunningStamp
from tests.cli.test_certificates_lint import AtTerminal
from tests.product import Ran, stacktui

SECRET = "s3cret~of.ours-123"
CLIENT, TENANT = "c0ffee00-1234-4567-89ab-000000000000", "contoso.example"
ENTRY = {"client_id": CLIENT, "tenant": TENANT, "client_secret": SECRET}
CONFIG = """# mine
[identities.there]
kind = "service-principal"
tenant = "CONTOSO.example"
client_id = "b0b"
secret = { env = "THERE" }  # kept
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    (tmp_path / "azure").mkdir()
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def put(config: Path, *entries: object) -> Path:
    path = config.parent / "azure" / "service_principal_entries.json"
    path.write_text(json.dumps(entries))
    path.chmod(0o600)
    return path


def azure_files(config: Path) -> list[object]:
    files = (config.parent / "azure").iterdir()
    return [
        (each, each.read_bytes(), each.stat().st_mtime_ns, each.stat().st_mode) for each in files
    ]


def import_(config: Path, *words: str | Path) -> Ran:
    """Import, and require that no secret is shown or in the config, and az's file as it was."""
    before = azure_files(config)
    ran = stacktui("identities", "import", *words, "--config", config)
    assert SECRET not in ran.out + ran.err + (config.read_text() if config.exists() else "")
    assert azure_files(config) == before
    return ran


def identities(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(config.read_text())["identities"]
    return found


def test_a_secret_becomes_a_prompt(config: Path) -> None:
    file = put(config, ENTRY)
    ran = import_(config, "--yes")
    assert (ran.code, ran.out) == (0, ""), ran.err
    assert config.read_text().startswith(CONFIG)
    assert identities(config)["sp-c0ffee00"] == {
        "kind": "service-principal",
        "tenant": TENANT,
        "client_id": CLIENT,
        "secret": {"prompt": True},
        "imported_from": str(file),
    }
    assert "stacktui identities test sp-c0ffee00" in ran.err
    shown = stacktui("identities", "show", "sp-c0ffee00", "--config", config)
    assert f"came from    {config}, line 8; imported from {file}\n" in shown.out
    config_now = config.read_bytes()
    again = import_(config, "--yes", "--name", "ops")
    assert (again.code, "sp-c0ffee00: is there already" in again.err) == (0, True)
    assert config.read_bytes() == config_now


@pytest.mark.parametrize(
    ("options", "secret"),
    [
        (("--secret", "env"), {"env": "SP_OPS_2_SECRET"}),
        (("--keep-secret",), {"file": "secrets/ops-2"}),
    ],
)
def test_or_what_the_user_chooses(
    config: Path, options: tuple[str, ...], secret: dict[str, str]
) -> None:
    put(config, ENTRY)
    ran = import_(config, "--yes", "--name", "ops 2", *options)
    assert ran.code == 0, ran.err
    found = identities(config)["ops 2"]["secret"]
    if "file" in secret:
        file = config.parent / secret["file"]
        assert found == {"file": str(file)}
        assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (SECRET, 0o600)
    else:
        assert found == secret
        assert not (config.parent / "secrets").exists()


def test_a_keyring_that_is_not_there_leaves_the_config(config: Path) -> None:
    put(config, ENTRY)
    ran = import_(config, "--yes", "--secret", "keyring")
    assert (ran.code, "keyring is not installed" in ran.err) == (2, True)
    assert config.read_text() == CONFIG


def test_a_certificate_is_its_path_and_what_is_wrong_with_it_is_said(
    config: Path, entra_stamp: RunningStamp
) -> None:
    pem = Path(shutil.copy(entra_stamp.certificate_file, config.parent / "sp.pem"))
    no_key = config.parent / "root.pem"
    shutil.copy(entra_stamp.ca_file, no_key)
    files = ("sp.pem", str(no_key), "/nowhere/x.pem")
    put(config, *({"client_id": f"{at}", "tenant": "adfs", "certificate": each}
                  for at, each in enumerate(files)))  # fmt: skip
    ran = import_(config, "--yes", "--format", "json")
    assert ran.code == 0, ran.err
    fine, keyless, gone = ran.document["identities"]
    assert identities(config)["sp-0"]["certificate"] == str(pem)
    assert (fine["problem"], fine["credential"]) == (None, f"certificate {pem}")
    assert "key" in keyless["problem"]
    assert gone["problem"] == "no such file"
    assert "! no such file" in ran.err
    assert not (config.parent / "secrets").exists()


def test_what_is_there_and_what_cannot_be_used_is_said(config: Path) -> None:
    there = {"client_id": "B0B", "tenant": TENANT, "client_secret": SECRET}
    bad = {"client_id": "\x1b[2J", "tenant": "t", "client_secret": SECRET}
    file = put(config, there, bad, ENTRY, 7)
    ran = import_(config, "--yes", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.document == {
        "schema": 1,
        "file": str(file),
        "identities": [
            {"name": "there", "state": "same", "tenant": TENANT, "client_id": "B0B",
             "credential": None, "problem": None},
            {"name": None, "state": "unusable", "tenant": "t", "client_id": "\x1b[2J",
             "credential": None, "problem": "it holds control characters"},
            {"name": "sp-c0ffee00", "state": "added", "tenant": TENANT, "client_id": CLIENT,
             "credential": "a prompt", "problem": None},
            {"name": None, "state": "unusable", "tenant": None, "client_id": None,
             "credential": None, "problem": "it has no client id"},
        ],
    }  # fmt: skip
    assert "\x1b" not in ran.err
    assert list(identities(config)) == ["there", "sp-c0ffee00"]


def test_of_several_that_are_the_same_the_first_is_named(config: Path) -> None:
    twin = CONFIG.removeprefix("# mine\n").replace("there]", "twin]")
    config.write_text(CONFIG + twin)
    put(config, {"client_id": "b0b", "tenant": "contoso.example", "client_secret": SECRET})
    ran = import_(config, "--yes")
    assert (ran.code, "there: is there already" in ran.err, "twin" in ran.err) == (0, True, False)


def test_adfs_needs_no_tenant(config: Path) -> None:
    config.write_text(CONFIG.replace('tenant = "CONTOSO.example"\n', ""))
    put(config, {"client_id": "b0b", "tenant": "adfs", "client_secret": SECRET})
    ran = import_(config, "--yes")
    assert (ran.code, "there: is there already" in ran.err) == (0, True)
    put(config, {"client_id": "b0b", "tenant": TENANT, "client_secret": SECRET})
    assert import_(config, "--yes").code == 0
    assert list(identities(config)) == ["there", "sp-b0b"]


def test_nothing_is_written_without_an_answer(config: Path) -> None:
    put(config, ENTRY)
    ran = import_(config, "--keep-secret")
    assert (ran.code, "--yes" in ran.err) == (2, True)
    assert config.read_text() == CONFIG
    assert not (config.parent / "secrets").exists()
    assert import_(config, "--keep-secret", "--secret", "env").code == 2


def test_a_person_names_them_and_leaves_some_out(config: Path) -> None:
    put(config, ENTRY, ENTRY | {"tenant": "adfs"}, ENTRY | {"tenant": "other"})
    answers = ("ops", "-", "", "y")
    at = AtTerminal("import", "--config", config, answers=answers, command="identities")
    assert at.code == 0, at.shown
    assert SECRET not in at.shown
    found = identities(config)
    assert list(found) == ["there", "ops", "sp-c0ffee00-3"]
    assert [found[name]["tenant"] for name in ("ops", "sp-c0ffee00-3")] == [TENANT, "other"]
    before = config.read_text()
    at = AtTerminal("import", "--config", config, answers=("x", "n"), command="identities")
    assert (at.code, config.read_text()) == (2, before)
    at = AtTerminal("import", "--config", config, answers=("there",), command="identities")
    assert (at.code, "there is an identity there already" in at.shown) == (2, True)


def test_the_name_is_for_one(config: Path) -> None:
    file = put(config, ENTRY, ENTRY | {"tenant": "adfs"})
    ran = import_(config, file, "--from", "az", "--yes", "--name", "ops")
    assert (ran.code, "here are 2" in ran.err) == (2, True)
    assert import_(config, config.parent / "none.json", "--yes").code == 2
    file.write_text("[]")
    ran = import_(config, "--yes")
    assert (ran.code, "0 service principals" in ran.err) == (0, True)
    assert config.read_text() == CONFIG


def test_a_secret_that_cannot_be_kept_leaves_the_config(config: Path) -> None:
    put(config, ENTRY)
    (config.parent / "secrets").write_text("no folder")
    ran = import_(config, "--yes", "--keep-secret")
    assert (ran.code, "nothing was added" in ran.err) == (2, True)
    assert config.read_text() == CONFIG
