"""Whether Python environments trust a stamp, in the check and in what is recorded; real files."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.schema import validate
from tests.product import check_json, stacktui, write_config
from tests.support.python_environments import install, python_environment, site_packages

SDK = "azure_mgmt_resource-24.0.0"
TOO_NEW = "azure_mgmt_resource-26.0.0"
PIP = "pip-24.0"


@pytest.fixture(params=IdentityProvider)
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param)) as running:
        yield running


@pytest.fixture
def roots(stamp: RunningStamp) -> bytes:
    """A bundle that holds the stamp's root beside others."""
    return Path(certifi.where()).read_bytes() + b"\n" + Path(stamp.ca_file).read_bytes()


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    """A config that names `tmp_path / "venv"` and its neighbours, relative to itself."""
    path = write_config(tmp_path, stamp.describe())
    path.write_text('clients.python = ["venv", "other"]\n' + path.read_text())
    return path


def clients(config: Path, **variables: str) -> list[dict[str, Any]]:
    """What a healthy check says of them, and that `stacktui clients` then says the same."""
    ran = check_json(config, **variables)
    assert (ran.code, ran.err) == (0, "")
    validate(ran.document)
    found: list[dict[str, Any]] = ran.document["clients"]
    listed = stacktui("clients", "--config", config, "--format", "json", **variables)
    again = listed.document["clients"]
    assert [{key: each[key] for key in found[0]} for each in again] == found
    assert listed.code == any(each["works"] is False for each in found)
    return found


def ids(client: dict[str, Any]) -> list[str]:
    return [each["id"] for each in client["findings"]]


def test_one_that_works(config: Path, roots: bytes, tmp_path: Path) -> None:
    python = python_environment(tmp_path / "venv", SDK, roots=roots)
    (found,) = clients(config)
    assert (found["name"], found["path"]) == ("python", str(python))
    assert (found["works"], found["findings"]) == (True, [])


def test_one_that_does_not_trust_the_stamp(config: Path, tmp_path: Path) -> None:
    """It does once its remedy has been run."""
    python_environment(tmp_path / "venv", SDK, roots=Path(certifi.where()).read_bytes())
    (found,) = clients(config)
    assert (found["works"], ids(found)) == (False, ["tls-untrusted-root"])
    store = site_packages(tmp_path / "venv").resolve() / "certifi" / "cacert.pem"
    (finding,) = found["findings"]
    assert str(store) in finding["evidence"][0]
    (remedy,) = finding["remedies"]
    assert remedy["bash"].startswith("stacktui certificates trust --config ")
    assert remedy["bash"].endswith(f" --presented=Test --store {store}")
    before = store.read_bytes()
    ran = stacktui(*shlex.split(remedy["bash"])[1:], "--yes")
    assert ran.code == 0, ran.err
    assert next(store.parent.glob("cacert.pem.*")).read_bytes() == before
    (found,) = clients(config)
    assert (found["works"], found["findings"]) == (True, [])
    store.write_bytes(before)  # as an upgrade of certifi does
    ran = check_json(config)
    assert "certifi-addition-lost" in [each["id"] for each in ran.document["also_seen"]]
    assert ids(ran.document["clients"][0]) == ["tls-untrusted-root"]


def test_one_with_an_sdk_that_is_too_new(config: Path, roots: bytes, tmp_path: Path) -> None:
    """It is said beside the check too, once for all environments."""
    compute = "azure_mgmt_compute-36.0.0"
    one = python_environment(tmp_path / "venv", TOO_NEW, PIP, roots=roots)
    two = python_environment(tmp_path / "other", compute, TOO_NEW, roots=roots)
    first, second = clients(config)
    assert (first["works"], ids(first)) == (False, ["sdk-too-new"])
    pin, other = first["findings"][0]["remedies"]
    assert pin["bash"] == f"{one} -m pip install azure-mgmt-resource==24.0.0"
    assert pin["powershell"] == f"& '{one}' -m pip install 'azure-mgmt-resource==24.0.0'"
    assert "azure.mgmt.resource.resources" in other["title"]
    assert 'api_version="2019-10-01"' in other["title"]
    pin, _ = second["findings"][0]["remedies"]
    both = "'azure-mgmt-compute<36' azure-mgmt-resource==24.0.0"
    assert pin["bash"] == f"uv pip install --python {two} {both}"
    (seen,) = check_json(config).document["also_seen"]
    assert (seen["id"], seen["side"]) == ("sdk-too-new", "box")
    assert [bool(each["bash"]) for each in seen["remedies"]] == [True, True, False]
    assert {str(one), str(two)} == {line.partition(": ")[0] for line in seen["evidence"]}


def test_one_that_has_no_client(config: Path, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", "azure_identity-1.27.0", roots=b"")
    (found,) = clients(config)
    assert (found["works"], found["findings"]) == (None, [])


def test_one_of_whose_packages_nothing_is_known(config: Path, roots: bytes, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", "azure_mgmt_network-30.0.0", roots=roots)
    python_environment(tmp_path / "other", "azure_mgmt_network-30.0.0", SDK, roots=roots)
    assert {each["path"]: each["works"] for each in clients(config)} == {
        str(tmp_path / "venv/bin/python"): None,
        str(tmp_path / "other/bin/python"): True,
    }


def test_what_is_named_and_not_judged_is_said(config: Path, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv")
    python_environment(tmp_path / "az", "azure_cli_core-2.66.0", "azure_mgmt_resource-23.0.0")
    file = tmp_path / "file"
    file.write_text("")
    named = [str(tmp_path / "venv"), str(tmp_path / "az"), str(file)]
    config.write_text(config.read_text().replace('["venv", "other"]', json.dumps(named)))
    ran = stacktui("clients", "--config", config)
    said = [
        line.removeprefix("stacktui: ").partition(" in [clients] ") for line in ran.err.splitlines()
    ]
    assert [name for name, _, _ in said] == named
    assert [what.split()[0] for _, _, what in said] == ["has", "has", "is"]


def test_one_without_certifi(config: Path, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", SDK)
    assert clients(config)[0]["works"] is None


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_file_that_a_variable_names_counts(
    variable: str, config: Path, roots: bytes, tmp_path: Path
) -> None:
    python_environment(tmp_path / "venv", SDK, roots=roots)
    without, with_root = tmp_path / "without.pem", tmp_path / "with.pem"
    without.write_bytes(Path(certifi.where()).read_bytes())
    with_root.write_bytes(roots)
    (found,) = clients(config, **{variable: str(without)})
    assert ids(found) == ["tls-untrusted-root"]
    assert found["findings"][0]["remedies"][0]["bash"].endswith(f"--store {without}")
    assert clients(config, **{variable: str(with_root)})[0]["works"] is True


def test_a_file_of_roots_that_cannot_be_used(
    config: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    """The usual accident: no line break at the join, for which OpenSSL refuses all."""
    joined = Path(certifi.where()).read_bytes().strip() + Path(stamp.ca_file).read_bytes()
    one = python_environment(tmp_path / "venv", SDK, PIP, roots=joined)
    python_environment(tmp_path / "other", SDK, roots=b"")
    store = site_packages(tmp_path / "other") / "certifi" / "cacert.pem"
    first, second = clients(config)
    assert (first["works"], ids(first)) == (False, ["trust-file-bad"])
    assert first["findings"][0]["remedies"][0]["bash"] == (
        f"{one} -m pip install --force-reinstall certifi"
    )
    assert ids(second) == ["trust-file-bad"]
    assert second["findings"][0]["remedies"][0]["bash"].startswith("uv pip install --python ")
    store.unlink()
    assert ids(clients(config)[1]) == ["trust-file-missing"]


def test_certifi_s_own_roots_are_not_loaded_again(
    stamp: RunningStamp, roots: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where certifi's own roots lead to the stamp, as to a public CA's, every certifi trusts it."""
    bundle = tmp_path / "cacert.pem"
    bundle.write_bytes(roots)
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    config = write_config(tmp_path, stamp.describe(), ca="")
    python_environment(tmp_path / "venv", SDK, roots=b"never read")
    ran = check_json(config, VIRTUAL_ENV=str(tmp_path / "venv"))
    assert ran.document["clients"][0]["works"] is True


def test_a_check_that_meets_no_chain_leaves_it_open(
    config: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    config.write_text(config.read_text().replace(stamp.arm_url, "https://127.0.0.1:1"))
    python_environment(tmp_path / "venv", SDK, roots=b"")
    python_environment(tmp_path / "other", TOO_NEW, roots=b"")
    ran = check_json(config)
    assert ran.code == 1
    assert [each["works"] for each in ran.document["clients"]] == [None, False]
    assert [ids(each) for each in ran.document["clients"]] == [[], ["sdk-too-new"]]
    assert "sdk-too-new" not in [each["id"] for each in ran.document["also_seen"]]


def test_the_command_in_words(config: Path, roots: bytes, tmp_path: Path) -> None:
    packages = [SDK, *(f"azure_mgmt_thing{number}-1.0.0" for number in range(9))]
    one = python_environment(tmp_path / "venv", *packages, roots=roots)
    two = python_environment(tmp_path / "other", TOO_NEW, PIP, roots=roots)
    ran = stacktui("clients", "--config", config)
    assert ran.code == 1
    assert f"– {one}" in ran.out
    assert "azure-mgmt-thing4 1.0.0 and 4 more" in ran.out
    assert "Nothing is recorded" in ran.out
    assert f"✗ {two}" in ran.out
    assert f"       {two} -m pip install azure-mgmt-resource==24.0.0\n" in ran.out
    assert check_json(config).code == 0
    ran = stacktui("clients", "Test", "--config", config)
    assert f"✓ {one}" in ran.out
    assert "Nothing is recorded" not in ran.out


def test_where_there_is_none(config: Path) -> None:
    ran = stacktui("clients", "--config", config)
    assert (ran.code, len(ran.out.splitlines())) == (0, 1)
    assert [line.partition(" in [clients]")[0] for line in ran.err.splitlines()] == [
        f"stacktui: {config.parent / name}" for name in ("venv", "other")
    ]
    assert check_json(config).document["clients"] == []


def test_a_name_that_a_terminal_acts_on(config: Path, roots: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[2Jé\u202e"
    python_environment(folder, TOO_NEW, roots=roots)
    ran = stacktui("clients", "--config", config, VIRTUAL_ENV=str(folder))
    assert all(each.isprintable() for each in ran.out.splitlines())
    assert "\\x1b[2Jé\\u202e" in ran.out


def test_hundreds_of_packages_are_summed_up(config: Path, roots: bytes, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", SDK, roots=roots)
    install(site_packages(tmp_path / "venv"), *(f"azure_x{number}-1" for number in range(500)))
    assert check_json(config).code == 0
    ran = stacktui("clients", "--config", config)
    assert "and 495 more" in ran.out
    assert os.environ.get("VIRTUAL_ENV") is None


@pytest.mark.parametrize(
    ("clients", "line", "why"),
    [
        ('[clients]\npython = "/venv"', 2, "clients.python must be a list of paths"),
        ('[clients]\n\npython = ["a\\u0000"]', 3, "clients.python holds a NUL character"),
        ("clients = 1", 1, "clients must be a table, not a number"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_its_line(
    clients: str, line: int, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'{clients}\n[environments.West]\narm = "https://management.west.invalid"\n')
    ran = stacktui("clients", "--config", path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"stacktui: {path}: line {line}: {why}")


def test_a_key_that_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('clients.pythons = []\n[environments.West]\narm = "https://m.west.invalid"\n')
    ran = stacktui("clients", "--config", path)
    assert ran.code == 0
    assert "clients.pythons is not a known key; did you mean python?" in ran.err
