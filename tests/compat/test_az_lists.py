"""A real az, the SDK that it brings, and our lists see the same on the same stamp."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import stacktui, write_config
from tests.stamp.probe import Client

from .az import Az
from .conftest import CLOUD, PAGE_SIZE
from .test_az_resources import REGISTER, SIGN_IN, Session

GROUP = "rg-backup-prod-01"
SDK = """
import json, sys
from azure.core.credentials import AccessToken
from azure.mgmt.resource import ResourceManagementClient

known = json.load(sys.stdin)
class Credential:
    def get_token(self, *scopes, **_):
        return AccessToken(known["token"], 2**31)
client = ResourceManagementClient(
    Credential(), known["subscription_id"], api_version="2019-10-01",
    base_url=known["arm_url"], credential_scopes=["ignored/.default"],
)
print(json.dumps([[group.name, group.tags] for group in client.resource_groups.list()]))
"""


@pytest.fixture(scope="module")
def stamp(az_path: Path) -> Iterator[RunningStamp]:
    options = StampOptions(
        groups=20, page_size=PAGE_SIZE, hostile=True, more_subscriptions=("disabled", "enabled")
    )
    with run_in_thread(options) as running:
        yield running


def test_az_the_sdk_and_we_list_the_same(
    az_path: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    az = Az(az_path, tmp_path, {"REQUESTS_CA_BUNDLE": stamp.ca_file})
    config = write_config(tmp_path, stamp.describe())

    def ours(*words: str) -> Any:
        return stacktui(*words, "--config", config, "--format", "json").document

    locks, inside = f"lock list -g {GROUP}", f"resource list -g {GROUP}"
    rows = ours("subscriptions", "list")["subscriptions"]
    enabled = [each["subscriptionId"] for each in rows if each["state"] == "Enabled"]
    each_list = [f"group list --subscription {each}" for each in enabled]
    session = Session(
        az, stamp, REGISTER, f"cloud set -n {CLOUD}", SIGN_IN,
        "group list", "provider list", locks, inside, *each_list,
    )  # fmt: skip
    groups = [[each["name"], each["tags"]] for each in ours("groups", "list")["groups"]]
    assert len(groups) > 20
    assert [[each["name"], each["tags"]] for each in session.json("group list")] == groups

    every = [each["id"] for each in ours("groups", "list", "--all-subscriptions")["groups"]]
    assert len(enabled) == 2
    assert [id_ for each in each_list for id_ in session.names(each, "id")] == every

    providers = ours("providers", "list")["providers"]
    assert [(each["namespace"], each["registrationState"]) for each in providers] == [
        (each["namespace"], each["registrationState"]) for each in session.json("provider list")
    ]
    group = ours("groups", "show", GROUP)
    assert [each["id"] for each in group["locks"]] == session.names(locks, "id")
    assert [each["id"] for each in group["resources"]] == session.names(inside, "id")

    done = subprocess.run(
        [az.python, "-c", SDK],
        input=json.dumps(stamp.describe() | {"token": Client(stamp).token()}),
        env=az.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == groups
