"""Advisories about a real `az`, and their proof."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp
from tests.product import check_json, write_config

from .az import Az, Done
from .conftest import CLOUD, PROFILE

BAD_FORMAT = "is in bad format and has been removed"


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe())


def seen(config: Path, az: Az, **more: str) -> dict[str, Any]:
    """Return what is also seen in a healthy check with this `az` on PATH."""
    path = os.pathsep.join([str(az.path.parent), os.environ["PATH"]])
    ran = check_json(config, AZURE_CONFIG_DIR=str(az.config), PATH=path, **more)
    assert (ran.code, ran.err) == (0, "")
    assert ran.document["az"][0]["launcher"] == str(az.path)
    return {each["id"]: each for each in ran.document["also_seen"]}


def login(az: Az, stamp: RunningStamp, user: str, secret: str) -> Done:
    return az("login", "--service-principal", "-u", user, "-p", secret, "--tenant", stamp.tenant)


def test_a_real_one_that_works_is_not_spoken_of(az: Az, config: Path) -> None:
    az.ok("cloud", "show", "-n", CLOUD)
    assert seen(config, az) == {}


def test_it_repeats_an_old_error(az: Az, stamp: RunningStamp, config: Path) -> None:
    """An error with 400: AD FS for a wrong secret, Entra for an unknown application."""
    entra = stamp.idp is IdentityProvider.AAD
    user = stamp.object_id if entra else stamp.client_id
    secret = stamp.secret if entra else stamp.secret[::-1]
    number = "AADSTS700016" if entra else "MSIS9622"
    before = len(stamp.requests)
    assert number in login(az, stamp, user, secret).err
    asked = len(stamp.requests)
    assert asked > before

    found = seen(config, az)["az-stale-error-cache"]
    assert number in found["title"]
    assert any("/token" in line and number in line for line in found["evidence"])
    since = len(stamp.requests)
    assert number in login(az, stamp, user, secret).err
    assert len(stamp.requests) == since  # no request was sent

    _, forget = found["remedies"]
    assert os.system(forget["bash"]) == 0
    assert seen(config, az) == {}
    since = len(stamp.requests)
    assert number in login(az, stamp, user, secret).err
    assert len(stamp.requests) > since  # a request was sent


@pytest.mark.parametrize("stamp", [IdentityProvider.ADFS], indirect=True)
def test_waiting_as_long_as_it_says_is_enough(az: Az, stamp: RunningStamp, config: Path) -> None:
    login(az, stamp, stamp.client_id, stamp.secret[::-1])
    wait, _ = seen(config, az)["az-stale-error-cache"]["remedies"]
    seconds = int(wait["bash"].removeprefix("sleep "))
    assert 40 < seconds <= 60
    time.sleep(seconds)
    assert seen(config, az) == {}
    since = len(stamp.requests)
    login(az, stamp, stamp.client_id, stamp.secret[::-1])
    assert len(stamp.requests) > since


@pytest.mark.parametrize("stamp", [IdentityProvider.AAD], indirect=True)
@pytest.mark.parametrize(
    ("before", "after", "removed"),
    [
        # One of each kind; each takes az a quarter of a minute.
        ("\ufeff", "", True),
        ("", "[Other]\nprofile = 2021-09-01-hybrid\n", False),
    ],
)
def test_a_broken_clouds_config(
    az: Az, config: Path, tmp_path: Path, before: str, after: str, removed: bool
) -> None:
    path = az.config / "clouds.config"
    path.write_text(before + path.read_text(encoding="utf-8") + after, encoding="utf-8")
    twin = az.copy(tmp_path / "twin")
    found = seen(config, az)["az-config-broken"]
    assert ("will remove" in found["title"]) is removed
    done = twin("cloud", "show", "-n", CLOUD)
    assert (BAD_FORMAT in done.err) is removed
    assert (twin.config / "clouds.config").exists() is not removed
    assert ("Traceback" in done.err) is not removed
    assert done.code != 0

    _mend(found, az)
    assert seen(config, az) == {}
    az.ok("cloud", "show")


def _mend(found: dict[str, Any], az: Az) -> None:
    """Run the first remedy's command with this `az` on PATH."""
    folder = az.folder / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "mend.sh"
    names = " ".join(f"export {name}={value!r};" for name, value in az.environment().items())
    script.write_text(f"{names} PATH={str(az.path.parent)!r}:$PATH; {found['remedies'][0]['bash']}")
    bash = shutil.which("bash")
    assert bash is not None
    assert os.spawnl(os.P_WAIT, bash, "bash", "-e", str(script)) == 0


@pytest.mark.parametrize("stamp", [IdentityProvider.ADFS], indirect=True)
def test_a_cloud_of_a_stamp_that_is_no_more(az: Az, stamp: RunningStamp, config: Path) -> None:
    """Deployed anew, a stamp has another audience; and `register` sets no profile by itself."""
    old = "https://management.old.test/00000000"
    az.ok(
        "cloud", "update", "-n", CLOUD, "--endpoint-active-directory-resource-id", old,
        "--endpoint-active-directory", "https://login.old.test", "--profile", "latest",
    )  # fmt: skip
    found = seen(config, az)["az-config-broken"]
    assert len(found["evidence"]) == 3
    assert login(az, stamp, stamp.client_id, stamp.secret).code != 0
    _mend(found, az)
    assert seen(config, az) == {}
    assert PROFILE in az.ok("cloud", "show", "--query", "profile")
    done = login(az, stamp, stamp.client_id, stamp.secret)
    assert done.code == 0, done.err
    az.ok("group", "list")


@pytest.mark.parametrize("stamp", [IdentityProvider.AAD], indirect=True)
def test_the_variable_that_switches_verification_off_mends_nothing(
    az: Az, stamp: RunningStamp, config: Path, tmp_path: Path
) -> None:
    """`az login` verifies all the same; with a token, every command then sends it to anybody."""
    name = "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION"
    assert name in seen(config, az, **{name: "0"})["verification-off"]["title"]
    blind = Az(az.path, az.folder, {name: "0"})
    refused = login(blind, stamp, stamp.client_id, stamp.secret)
    assert "CERTIFICATE_VERIFY_FAILED" in refused.err
    done = login(az, stamp, stamp.client_id, stamp.secret)
    assert done.code == 0, done.err
    listed = blind("group", "list", "--query", "[].name", "-o", "tsv")
    assert listed.code == 0, listed.err
    assert "Connection verification disabled by environment variable" in listed.err
