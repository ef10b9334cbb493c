"""A real az uses what we write into its files; what it writes itself is what we import."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp
from tests.product import stacktui, write_config

from .az import Az
from .conftest import DOMAIN, GROUPS, PROFILE

NAME = "Test"
SUFFIXES = {
    "--suffix-storage-endpoint": DOMAIN,
    "--suffix-keyvault-dns": f".vault.{DOMAIN}",
    "--endpoint-vm-image-alias-doc": "https://raw.test/aliases.json",
}
ENDPOINTS = (
    f'endpoints = {{ storage_suffix = "{DOMAIN}", keyvault_suffix = ".vault.{DOMAIN}" }}\n'
    'vm_image_aliases = "https://raw.test/aliases.json"'
)


@pytest.fixture
def az(az_path: Path, stamp: RunningStamp, tmp_path: Path) -> Az:
    """An az that knows no cloud of ours."""
    return Az(az_path, tmp_path / "home", {"REQUESTS_CA_BUNDLE": str(stamp.ca_file)})


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe(), environment=ENDPOINTS)


def export(az: Az, config: Path, *options: str) -> str:
    ran = stacktui(
        "environments", "export", NAME, "--format", "az", "--yes", *options, "--config", config,
        AZURE_CONFIG_DIR=str(az.config),
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, ""), ran
    return ran.err


def register(stamp: RunningStamp, *options: str) -> tuple[str, ...]:
    pairs = [word for pair in SUFFIXES.items() for word in pair]
    arm = stamp.arm_url
    return "cloud", "register", "-n", NAME, "--endpoint-resource-manager", arm, *pairs, *options


def registered(az: Az, stamp: RunningStamp) -> bytes:
    """What az itself writes, for the same stamp."""
    az.ok(*register(stamp, "--profile", PROFILE))
    return (az.config / "clouds.config").read_bytes()


def test_our_section_is_az_s_own_byte_for_byte(
    az: Az, stamp: RunningStamp, config: Path, tmp_path: Path
) -> None:
    theirs = registered(Az(az.path, tmp_path / "other", az.extra), stamp)
    export(az, config)
    assert (az.config / "clouds.config").read_bytes() == theirs


def test_nothing_is_left_to_export_after_the_documented_commands(
    az: Az, stamp: RunningStamp, config: Path
) -> None:
    """They set the profile later, so that it is the section's last value."""
    update = ("cloud", "update", "-n", NAME, "--profile", PROFILE)
    *done, clouds = az.several([register(stamp), update, ("cloud", "list")])
    assert [each.code for each in done] == [0, 0], done[0].err
    content = (az.config / "clouds.config").read_bytes()
    assert "is there, the same" in export(az, config)
    assert (az.config / "clouds.config").read_bytes() == content
    assert {each["name"] for each in json.loads(clouds.out)} == {*BUILT_IN_CLOUDS.values(), NAME}


def sign_in_and_list(az: Az, stamp: RunningStamp) -> None:
    """By secret and by certificate, on the cloud that we wrote."""
    service = ("login", "--service-principal", "-u", stamp.client_id, "--tenant", stamp.tenant)
    chosen, *done = az.several(
        [
            ("cloud", "set", "-n", NAME),
            (*service, "-p", stamp.secret),
            ("group", "list"),
            ("logout",),
            (*service, "--certificate", str(stamp.certificate_file)),
            ("group", "list"),
        ]
    )
    assert [chosen.code, *(each.code for each in done)] == [0] * 6, chosen.err
    for login, listed in ((done[0], done[1]), (done[3], done[4])):
        assert json.loads(login.out)[0]["cloudName"] == NAME
        assert len(json.loads(listed.out)) == GROUPS


def test_az_signs_in_and_lists(az: Az, stamp: RunningStamp, config: Path) -> None:
    export(az, config)
    sign_in_and_list(az, stamp)


@pytest.mark.parametrize("stamp", [IdentityProvider.AAD], indirect=True)
def test_az_needs_no_variable_of_its_own(az: Az, stamp: RunningStamp, config: Path) -> None:
    """Active and with core.instance_discovery in its file, it is ready to sign in."""
    export(az, config, "--activate", "--no-instance-discovery")
    variables = az.environment()
    del variables["AZURE_CORE_INSTANCE_DISCOVERY"]
    login = [az.path, "login", "--service-principal", "-u", stamp.client_id, "-p", stamp.secret,
             "--tenant", stamp.tenant]  # fmt: skip
    done = subprocess.run(login, env=variables, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["cloudName"] == NAME


def shown(az: Az) -> dict[str, object]:
    found: dict[str, object] = json.loads(az.ok("cloud", "show", "-n", NAME))
    return found


def test_what_az_shows_is_imported_as_it_was_exported(
    az: Az, stamp: RunningStamp, config: Path, tmp_path: Path
) -> None:
    export(az, config)
    before, content = shown(az), (az.config / "clouds.config").read_bytes()
    assert before["profile"] == PROFILE
    twin = tmp_path / "twin.toml"
    variables = {"AZURE_CONFIG_DIR": str(az.config), "REQUESTS_CA_BUNDLE": str(stamp.ca_file)}
    ran = stacktui(
        "environments", "import", "--from", "az", "--yes", "--config", twin, **variables
    )  # fmt: skip
    assert ran.code == 0, ran
    other = Az(az.path, tmp_path / "other", az.extra)
    variables["AZURE_CONFIG_DIR"] = str(other.config)
    ran = stacktui(
        "environments", "export", NAME, "--format", "az", "--yes", "--config", twin, **variables
    )
    assert ran.code == 0, ran
    assert (other.config / "clouds.config").read_bytes() == content
    assert shown(other) == before
