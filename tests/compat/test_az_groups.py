"""What `stacktui groups` makes and deletes is what a real az and its SDK see, and the reverse."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config
from tests.stamp.probe import Client

from .az import Az
from .conftest import on_stamp

# Every kind of character that ARM allows, and as long as it allows.
LONGEST = "Rg-(1)_x.Ünï-漢e\u0301٣‿" + "y" * 72
OURS = ("rg-Ours", LONGEST)

SDK = """
import json, sys
from azure.core.credentials import AccessToken
from azure.mgmt.resource import ResourceManagementClient

known = json.load(sys.stdin)
class Credential:
    def get_token(self, *scopes, **_):
        return AccessToken(known["token"], 2**31)
client = ResourceManagementClient(
    Credential(), known["subscription_id"], api_version="2019-10-01", base_url=known["arm_url"],
    credential_scopes=["ignored/.default"])
groups = client.resource_groups
found = {each.name: each.tags for each in groups.list()}
same = groups.get(known["longest"].upper())
assert (same.name, same.location) == (known["longest"], known["location"])
groups.create_or_update("rg-Sdk", {"location": known["location"], "tags": {"Kept": "1"}})
groups.begin_delete("rg-Gone").result()
print(json.dumps(found))
"""


@pytest.mark.parametrize("stamp", [IdentityProvider.AAD], indirect=True)
def test_az_and_the_sdk_see_the_same_groups(
    az_path: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    assert len(LONGEST) == 90
    config, folder = write_config(tmp_path, stamp.describe()), tmp_path / "az"
    folder.mkdir()
    az = on_stamp(Az(az_path, folder, {"REQUESTS_CA_BUNDLE": stamp.ca_file}), stamp)
    secret = ("--service-principal", "-u", stamp.client_id, "-p", stamp.secret)
    az.ok("login", *secret, "--tenant", stamp.tenant)
    location = stamp.describe()["location"]

    def ours(*words: str, code: int = 0) -> Ran:
        ran = stacktui("groups", *words, "--yes", "--config", config)
        assert ran.code == code, ran
        return ran

    def seen(name: str) -> Any:
        return json.loads(az.ok("group", "show", "-n", name))

    def run(*commands: tuple[str, ...]) -> None:
        for done in az.several(commands):
            assert done.code == 0, done.err

    for name in OURS:
        ours("create", name, "--location", location, "--tag", "Kept=é x", "--tag", "b=")
    # az and its SDK see ours, by their own case or by another.
    for name in OURS:
        group = seen(name.lower())
        assert (group["name"], group["location"]) == (name, location)
        assert group["tags"] == {"Kept": "é x", "b": ""}
    known = stamp.describe() | {"token": Client(stamp).token(), "longest": LONGEST}
    run(
        ("group", "create", "-n", "rg-Az", "-l", location, "--tags", "Kept=1"),
        ("group", "create", "-n", "rg-Gone", "-l", location),
    )
    done = subprocess.run(
        [az.python, "-c", SDK],
        input=json.dumps(known), env=az.environment(), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert {*OURS, "rg-Az", "rg-Gone"} <= {*listed}
    assert listed["rg-Ours"] == {"Kept": "é x", "b": ""}

    # We see theirs: what they made is not made again, what they deleted is gone.
    assert "is there already" in ours("create", "RG-AZ", "--location", location, code=1).err
    assert "there is no resource group rg-Gone" in ours("delete", "rg-Gone").out
    for name in ("rg-az", "RG-SDK"):
        ours("tag", name, "--tag", "kept=2", "--tag", "New=3")
    for name in ("rg-Az", "rg-Sdk"):
        assert seen(name)["tags"] == {"Kept": "2", "New": "3"}

    # What we take away, they no longer see; and what az deletes at the same time, we wait for.
    run(("group", "delete", "-n", "rg-Az", "--yes", "--no-wait"))
    for name in ("RG-az", "rg-SDK", *(each.upper() for each in OURS)):
        ours("delete", name)
    left = {*json.loads(az.ok("group", "list", "--query", "[].name"))}
    assert not left & {*OURS, "rg-Az", "rg-Sdk", "rg-Gone"}
    assert json.loads(az.ok("group", "exists", "-n", LONGEST)) is False
