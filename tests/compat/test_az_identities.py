"""`identities test` and `token` agree with a real az: who signs in, who does not, and for what."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import stacktui, write_config

from .az import Az
from .conftest import DOMAIN, on_stamp
from .proxy import pinning_proxy

WRONG = "wr0ng~secret/with+signs="
# What a token says of who has it and of what it is for.
CLAIMS = ("aud", "iss", "tid", "appid", "oid", "upn")


@pytest.fixture(params=list(IdentityProvider))
def stamp(
    request: pytest.FixtureRequest, az_path: Path
) -> Iterator[tuple[RunningStamp, dict[str, str]]]:
    """A stamp, and az's way there."""
    options = StampOptions(idp=request.param, domain=DOMAIN, groups=1)
    with run_in_thread(options) as running, pinning_proxy(running.resolve) as proxy:
        yield running, {"REQUESTS_CA_BUNDLE": running.ca_file, "HTTPS_PROXY": proxy}


def test_who_signs_in_with_az_signs_in_here(
    az_path: Path, stamp: tuple[RunningStamp, dict[str, str]], tmp_path: Path
) -> None:
    known, variables = stamp
    (tmp_path / "wrong").write_text(WRONG)
    application = f'kind = "service-principal"\nclient_id = "{known.client_id}"'
    user = f'kind = "user"\nusername = "{known.user}"'
    principal = ("--service-principal", "-u", known.client_id)
    # The identity in the config, az's arguments, and whether it signs in.
    ways = {
        "secret": (
            f'{application}\nsecret = {{ file = "{known.secret_file}" }}',
            (*principal, "-p", known.secret), True,
        ),
        "wrong-secret": (
            f'{application}\nsecret = {{ file = "wrong" }}', (*principal, "-p", WRONG), False,
        ),
        "certificate": (
            f'{application}\ncertificate = "{known.certificate_file}"',
            (*principal, "--certificate", known.certificate_file), True,
        ),
        "no-certificate": (
            f'{application}\ncertificate = "{known.secret_file}"',
            (*principal, "--certificate", known.secret_file), False,
        ),
        "user": (
            f'{user}\npassword = {{ file = "{known.password_file}" }}',
            ("-u", known.user, "-p", known.password), True,
        ),
        "wrong-password": (
            f'{user}\npassword = {{ file = "wrong" }}', ("-u", known.user, "-p", WRONG), False,
        ),
    }  # fmt: skip
    tables = "".join(
        f'[identities.{name}]\n{keys}\ntenant = "{known.tenant}"\n'
        for name, (keys, _, _) in ways.items()
    )
    config = write_config(tmp_path, known.describe(), identity=tables)
    registered = on_stamp(Az(az_path, tmp_path / "az", variables), known)
    for name, (_, who, signs_in) in ways.items():
        az = registered.copy(tmp_path / name)  # or az would send the token of the way before
        login = az("login", *who, "--tenant", known.tenant)
        ran = stacktui("identities", "test", name, "--config", config, "--format", "json")
        assert (login.code == 0, ran.code == 0) == (signs_in, signs_in), (name, login, ran)
        assert ran.document["ok"] is signs_in
        ours = stacktui("identities", "token", "--identity", name, "--config", config)
        assert (ours.code == 0) is signs_in
        assert WRONG not in ran.out + ran.err + ours.out + ours.err
        if signs_in:
            theirs = json.loads(az.ok("account", "get-access-token"))
            assert claims(theirs["accessToken"]) == claims(ours.document["access_token"])
            assert abs(theirs["expires_on"] - ours.document["expires_on"]) < 300


def claims(token: str) -> dict[str, object]:
    found = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return {name: found.get(name) for name in CLAIMS}
