"""A real az registers, signs in and manages resource groups, on Entra and on AD FS."""

from __future__ import annotations

import configparser
import json
import shlex
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp
from tests.product import stacktui, write_config

from .az import Az
from .conftest import CLOUD, GROUPS, PROFILE, on_stamp
from .device_code import approve

NAMES = ("--query", "[].name", "-o", "tsv")


def sign_in_with_secret(az: Az, stamp: RunningStamp) -> list[dict[str, object]]:
    """`az login` of the service principal by its secret; the subscriptions it prints."""
    return json.loads(
        az.ok(
            "login", "--service-principal",
            "-u", stamp.client_id, "-p", stamp.secret, "--tenant", stamp.tenant,
        )
    )  # fmt: skip


def token_requests(stamp: RunningStamp) -> int:
    """Return the number of tokens issued so far."""
    return sum(
        record.status == 200 and record.path.rstrip("/").endswith("/token")
        for record in stamp.requests
    )


def test_register_reads_the_metadata(connected: Az, stamp: RunningStamp) -> None:
    clouds = configparser.ConfigParser()
    clouds.read(connected.config / "clouds.config")
    section = clouds[CLOUD]
    assert section["endpoint_resource_manager"] == stamp.arm_url
    assert section["endpoint_active_directory"] == stamp.login_url
    audience = section["endpoint_active_directory_resource_id"]
    assert audience == stamp.identity_provider_audience
    assert section["profile"] == PROFILE


def test_service_principal_by_secret_manages_groups(az: Az, stamp: RunningStamp) -> None:
    (subscription,) = sign_in_with_secret(az, stamp)
    assert subscription["id"] == stamp.subscription_id
    assert subscription["tenantId"] == stamp.tenant

    before = len(stamp.requests)
    names = az.ok("group", "list", *NAMES).split()
    pages = [record for record in stamp.requests[before:] if record.status == 200]
    assert len(names) == GROUPS
    assert len(pages) == 3
    assert len({record.connection for record in pages}) == 1

    made = json.loads(az.ok("group", "create", "-n", "rg-made", "-l", stamp.location))
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert "rg-made" in az.ok("group", "list", *NAMES).split()

    az.ok("group", "delete", "-n", "rg-made", "--yes")
    polls = [record.status for record in stamp.requests if "operationresults" in record.path]
    assert polls[-1] == 200
    assert 202 in polls
    assert az.ok("group", "exists", "-n", "rg-made").strip() == "false"


def test_service_principal_by_certificate(az: Az, stamp: RunningStamp) -> None:
    before = token_requests(stamp)
    az.ok(
        "login", "--service-principal",
        "-u", stamp.client_id, "--certificate", stamp.certificate_file, "--tenant", stamp.tenant,
    )  # fmt: skip
    assert token_requests(stamp) == before + 1
    assert len(az.ok("group", "list", *NAMES).split()) == GROUPS


def test_user_by_device_code(az: Az, stamp: RunningStamp) -> None:
    process = az.start("login", "--use-device-code")
    try:
        approve(process, stamp)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    (subscription,) = json.loads(out)
    assert subscription["user"] == {"name": stamp.user, "type": "user"}
    assert len(az.ok("group", "list", *NAMES).split()) == GROUPS


@pytest.mark.parametrize("stamp", [IdentityProvider.ADFS], indirect=True)
def test_adfs_user_by_password(az: Az, stamp: RunningStamp) -> None:
    _sign_in_user(az, stamp)


def test_entra_user_by_password(
    az_path: Path, named_stamp: tuple[RunningStamp, dict[str, str]], tmp_path: Path
) -> None:
    stamp, variables = named_stamp
    az = on_stamp(Az(az_path, tmp_path, variables), stamp)
    _sign_in_user(az, stamp)
    assert any("/common/userrealm/" in record.path for record in stamp.requests)


def _sign_in_user(az: Az, stamp: RunningStamp) -> None:
    """With and without a tenant, then use the token."""
    for tenant in ([], ["--tenant", stamp.tenant]):
        out = az.ok("login", "-u", stamp.user, "-p", stamp.password, *tenant)
        (subscription,) = json.loads(out)
        assert subscription["user"] == {"name": stamp.user, "type": "user"}
    assert len(az.ok("group", "list", *NAMES).split()) == GROUPS


def test_the_az_rest_line_of_the_request_log_works(
    az: Az, stamp: RunningStamp, tmp_path: Path
) -> None:
    """Run as logged, but for the program's path: az gets the token, and sends the same request."""
    log = tmp_path / "log"
    config = write_config(tmp_path, stamp.describe())
    assert stacktui("check", "--config", config, "--log-requests", log).code == 0
    ours = next(each for each in reversed(stamp.requests) if "resourcegroups" in each.path)
    sign_in_with_secret(az, stamp)
    lines = [each for each in log.read_text().splitlines() if each.startswith("az rest ")]
    assert lines
    answer = json.loads(az.ok(*shlex.split(lines[-1])[1:]))
    theirs = stamp.requests[-1]
    assert (theirs.method, theirs.path, theirs.status) == (ours.method, ours.path, 200)
    assert answer["value"]
