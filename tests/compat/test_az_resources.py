"""A real az, and the SDK that it brings, read and change what the Resource Manager holds."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import Cloud, IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.stamp.probe import Client

from .az import Az
from .conftest import CLOUD, DOMAIN, GROUPS, PROFILE
from .proxy import pinning_proxy

SIGN_IN = "login --service-principal -u {client_id} -p {secret} --tenant {tenant}"
REGISTER = (
    f"cloud register -n {CLOUD} --endpoint-resource-manager {{arm_url}} --profile {PROFILE} "
    f"--suffix-storage-endpoint {DOMAIN} --suffix-keyvault-dns .vault.{DOMAIN}"
)
ASSIGNMENTS = (
    "rest --resource {identity_provider_audience} --url {arm_url}/subscriptions/{subscription_id}"
    "/providers/Microsoft.Authorization/roleAssignments?api-version=2015-07-01"
)
VNET = "-g rg-web-prod-01 -n vnet-web-prod-01 --resource-type Microsoft.Network/virtualNetworks"
URN = "Canonical:UbuntuServer:18.04-LTS:latest"


class Session:
    """Runs commands of az in one process, and keeps each result by its command."""

    def __init__(self, az: Az, stamp: RunningStamp, *commands: str) -> None:
        values = stamp.describe()
        run = [shlex.split(command.format(**values)) for command in commands]
        self._results = dict(zip(commands, az.several(run), strict=True))

    def failed(self, command: str) -> str:
        """Return the standard error of all commands; this one must have failed."""
        assert self._results[command].code != 0
        return self._results[command].err

    def json(self, command: str) -> Any:
        """Return what a command that must succeed prints; None for nothing."""
        done = self._results[command]
        assert done.code == 0, f"az {command} ended with {done.code}:\n{done.err}"
        return json.loads(done.out) if done.out.strip() else None

    def names(self, command: str, key: str = "name") -> list[str]:
        """Return a property of each row that a command prints."""
        return [row[key] for row in self.json(command)]


def manages_groups(session: Session) -> None:
    """The commands that a stamp and public Azure have in common."""
    assert len(session.json("account list")) == 1
    assert "rg-az" in session.names("group list")
    assert session.json("group show -n rg-az")["tags"] == {"a": "1", "b": "2"}
    assert session.json("group update -n rg-az --tags c=3")["tags"] == {"c": "3"}
    assert "env" in session.names("tag list", "tagName")

    assert session.names("lock list") == ["keep-backups"]
    assert session.json(LOCK)["level"] == "CanNotDelete"
    assert "ScopeLocked" in session.failed(LOCKED)
    session.json("lock delete -n mine -g rg-az")
    session.json("group delete -n rg-az --yes")
    assert session.json("group exists -n rg-az") is False

    states = {
        each["namespace"]: each["registrationState"] for each in session.json("provider list")
    }
    assert states["Microsoft.Web"] == "NotRegistered"
    session.json("provider register -n Microsoft.Web")
    shown = session.json("provider show -n Microsoft.Web")
    assert shown["registrationState"] == "Registered"

    (deployment, *_) = session.json("deployment group list -g rg-web-prod-01")
    assert deployment["properties"]["provisioningState"] == "Succeeded"
    assert "Microsoft.Network/virtualNetworks" in session.names("resource list", "type")
    assert session.json(f"resource show {VNET}")["name"] == "vnet-web-prod-01"
    session.json(f"resource delete {VNET}")
    assert "vm-web-prod-01" in session.names("vm list -d")
    assert session.json(f"vm image show --urn {URN} -l {{location}}")["name"] == "18.04.202204190"
    assert "Reader" in session.names("role definition list", "roleName")


LOCK = "lock create -n mine -g rg-az --lock-type CanNotDelete"
LOCKED = "group delete -n rg-az --yes --no-wait"
COMMON = (
    SIGN_IN,
    "account list",
    "group create -n rg-az -l {location} --tags a=1 b=2",
    "group list",
    "group show -n rg-az",
    "group update -n rg-az --tags c=3",
    "tag list",
    "lock list",
    LOCK,
    LOCKED,
    "lock delete -n mine -g rg-az",
    "group delete -n rg-az --yes",
    "group exists -n rg-az",
    "provider list",
    "provider register -n Microsoft.Web",
    "provider show -n Microsoft.Web",
    "deployment group list -g rg-web-prod-01",
    "resource list",
    f"resource show {VNET}",
    f"resource delete {VNET}",
    "vm list -d",
    f"vm image show --urn {URN} -l {{location}}",
    "role definition list",
)


@pytest.mark.parametrize("stamp", list(IdentityProvider), indirect=True)
def test_az_on_a_stamp(az_path: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    az = Az(az_path, tmp_path, {"REQUESTS_CA_BUNDLE": stamp.ca_file})
    session = Session(
        az, stamp, REGISTER, f"cloud set -n {CLOUD}", *COMMON, ASSIGNMENTS, "role assignment list"
    )
    manages_groups(session)
    assigned = session.json(ASSIGNMENTS)["value"]
    assert stamp.object_id in [each["properties"]["principalId"] for each in assigned]
    # Why roles are read by `az rest`: `az role assignment` asks Microsoft Graph for names.
    assert "microsoft_graph_resource_id" in session.failed("role assignment list")


@pytest.fixture
def public(az_path: Path) -> Iterator[tuple[RunningStamp, dict[str, str]]]:
    """Public Azure under its own names, and the variables by which `az` reaches it."""
    with (
        run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=GROUPS, page_size=3)) as stamp,
        pinning_proxy(stamp.resolve) as proxy,
    ):
        yield stamp, {"REQUESTS_CA_BUNDLE": stamp.ca_file, "HTTPS_PROXY": proxy}


def test_az_on_public_azure(
    az_path: Path, public: tuple[RunningStamp, dict[str, str]], tmp_path: Path
) -> None:
    stamp, variables = public
    assign = "vm identity assign -g rg-identity -n vm-ops --identities id-az"
    tag = "tag update --operation merge --tags d=4 --resource-id /subscriptions/{subscription_id}"
    tag += "/resourceGroups/rg-sql-prod-01"
    session = Session(
        Az(az_path, tmp_path, variables),
        stamp,
        *COMMON,
        tag,
        "identity create -g rg-identity -n id-az",
        assign,
        "identity list",
    )
    manages_groups(session)
    assert session.json(tag)["properties"]["tags"] == {"env": "prod", "d": "4"}
    identity = session.json(assign)
    assert len(identity["userAssignedIdentities"]) == 2, "az adds to what the VM has"
    assert identity["systemAssignedIdentity"]
    assert session.names("identity list") == ["id-ops", "id-az"]


SDK = """
import json, sys
from azure.core.credentials import AccessToken
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.resource import ResourceManagementClient, SubscriptionClient

known = json.load(sys.stdin)
class Credential:
    def get_token(self, *scopes, **_):
        return AccessToken(known["token"], 2**31)
more = dict(base_url=known["arm_url"], credential_scopes=["ignored/.default"])
sub = known["subscription_id"]
client = ResourceManagementClient(Credential(), sub, api_version="2019-10-01", **more)
subscriptions = SubscriptionClient(Credential(), api_version="2016-06-01", **more)
roles = AuthorizationManagementClient(Credential(), sub, api_version="2015-07-01", **more)
groups = client.resource_groups
groups.create_or_update("rg-sdk", {"location": known["location"], "tags": {"a": "1"}})
groups.update("rg-sdk", {"tags": {"b": "2"}})
found = {
    "groups": [(group.name, group.tags) for group in groups.list()],
    "tagged": [group.name for group in groups.list("tagName eq 'b' and tagValue eq '2'")],
    "subscriptions": [each.state for each in subscriptions.subscriptions.list()],
    "resources": sum(1 for _ in client.resources.list()),
    "inside": sum(1 for _ in client.resources.list_by_resource_group("rg-web-prod-01")),
    "compute": [kind.api_versions[0] for kind in client.providers.get("Microsoft.Compute")
                .resource_types if kind.resource_type == "virtualMachines"],
    "may": [each.actions for each in roles.permissions.list_for_resource_group("rg-sdk")],
    "roles": len(list(roles.role_assignments.list_for_scope("/subscriptions/" + sub))),
}
groups.begin_delete("rg-sdk").result()
found["left"] = groups.check_existence("rg-sdk")
print(json.dumps(found))
"""


@pytest.mark.parametrize("stamp", [IdentityProvider.AAD], indirect=True)
def test_the_sdk_reads_the_same(az_path: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    az, token = Az(az_path, tmp_path, {"REQUESTS_CA_BUNDLE": stamp.ca_file}), Client(stamp).token()
    done = subprocess.run(
        [az.python, "-c", SDK],
        input=json.dumps(stamp.describe() | {"token": token}),
        env=az.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["groups"]) == GROUPS + 1
    assert ["rg-sdk", {"b": "2"}] in found["groups"]
    assert found["tagged"] == ["rg-sdk"]
    assert found["subscriptions"] == ["Enabled"]
    assert found["resources"] > found["inside"] > 0
    assert found["compute"] == ["2020-06-01"]
    assert found["may"] == [["*"]]
    assert found["roles"] >= 5
    assert found["left"] is False
