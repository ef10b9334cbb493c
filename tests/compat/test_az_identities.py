"""`identities test` and `token` agree with a real az: who signs in, who does not, and for what."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.product import stacktui, write_config

from .az import Az
from .conftest import CLOUD, DOMAIN, PROFILE
from .proxy import pinning_proxy
from .ways import STAMPS, UNSENT, WRONG, ways

# What a token says of who has it and of what it is for.
CLAIMS = ("aud", "iss", "tid", "appid", "oid", "upn")


@pytest.mark.parametrize(("idp", "fault"), STAMPS)
def test_who_signs_in_with_az_signs_in_here(
    idp: IdentityProvider, fault: str | None, az_path: Path, tmp_path: Path
) -> None:
    options = StampOptions(idp=idp, domain=DOMAIN, groups=1, fault=fault)
    with run_in_thread(options) as stamp, pinning_proxy(stamp.resolve) as proxy:
        variables = {
            "REQUESTS_CA_BUNDLE": stamp.ca_file, "HTTPS_PROXY": proxy, "AZURE_CLOUD_NAME": CLOUD,
        }  # fmt: skip
        table = [way for way in ways(stamp, tmp_path) if way.az]
        tables = "".join(way.table for way in table)
        config = write_config(tmp_path, stamp.describe(), identity=tables)
        az = Az(az_path, tmp_path / "az", variables)
        arm = ("--endpoint-resource-manager", stamp.arm_url)
        suffixes = (
            "--suffix-storage-endpoint",
            DOMAIN,
            "--suffix-keyvault-dns",
            f".vault.{DOMAIN}",
        )
        az.ok("cloud", "register", "-n", CLOUD, *arm, *suffixes, "--profile", PROFILE)
        commands = [
            command
            for way in table
            for command in (
                ("login", *way.az), ("account", "get-access-token"), ("account", "clear"),
            )
        ]  # fmt: skip
        done = az.several(commands)
        errors = done[0].err.split("\0")
        for number, way in enumerate(table):
            login, got, _ = done[3 * number : 3 * number + 3]
            ours = stacktui("identities", "test", way.name, "-e", "Test", "--config", config,
                            "--format", "json")  # fmt: skip
            token = stacktui("identities", "token", "--identity", way.name, "--config", config)
            signs_in = not way.verdict
            assert (login.code == 0, ours.code, token.code) == (
                signs_in, 0 if signs_in else 1, 0 if signs_in else 1,
            ), (way.name, errors[3 * number], ours)  # fmt: skip
            verdict = ours.document["verdict"]
            assert ours.document == {"ok": signs_in, "verdict": verdict}
            assert WRONG not in ours.out + ours.err + token.out + token.err
            if not signs_in:
                assert verdict["id"] == way.verdict
                assert way.code in errors[3 * number]
                assert way.verdict == UNSENT or way.code in json.dumps(verdict)
                continue
            theirs = json.loads(got.out)
            assert claims(theirs["accessToken"]) == claims(token.document["access_token"])
            assert abs(theirs["expires_on"] - token.document["expires_on"]) < 300


def claims(token: str) -> dict[str, object]:
    found = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return {name: found.get(name) for name in CLAIMS}
