"""Public Azure under its own names: metadata, `latest`, audiences, managed identities."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

from .probe import Client

CORE, ARM = "https://management.core.windows.net/", "https://management.azure.com/"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
IMDS = "/metadata/identity/oauth2/token?api-version=2018-02-01"


@pytest.fixture(scope="module")
def public() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=3)) as running:
        yield running


@pytest.fixture
def azure(public: RunningStamp) -> Client:
    return Client(public)


def test_it_is_reached_by_its_own_names(azure: Client) -> None:
    assert azure.stamp.arm_url == "https://management.azure.com"
    assert azure.stamp.login_url == "https://login.microsoftonline.com/"
    assert "management.azure.com:443" in azure.stamp.resolve
    assert azure.metadata().json()["authentication"]["audiences"] == [CORE, ARM]
    assert azure.metadata("2022-09-01").json()["name"] == "AzureCloud"
    assert azure.metadata("2019-05-01").json()[0]["name"] == "AzureCloud"


def token(azure: Client, scope: str) -> str:
    answer = azure.post(azure.token_url, azure.secret_form() | {"scope": scope})
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("audience", [CORE, ARM, CORE.rstrip("/"), ARM.rstrip("/")])
def test_its_audiences(azure: Client, audience: str) -> None:
    found = azure.arm(
        "GET", "{sub}/resourcegroups", "2021-04-01", token=token(azure, f"{audience}/.default")
    )
    assert found.status == 200


@pytest.mark.parametrize("audience", ["https://management.azure.com.invalid/", "https://a.invalid"])
def test_no_other_audience(azure: Client, audience: str) -> None:
    form = azure.secret_form() | {"scope": f"{audience}/.default"}
    assert azure.post(azure.token_url, form).json()["error_codes"] == [500011]


def test_the_walk_of_a_user_assigned_identity(azure: Client) -> None:
    owner, stamp = token(azure, f"{ARM}/.default"), azure.stamp
    group = "{sub}/resourceGroups/rg-web-prod-01"
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-walk"
    made = azure.arm(
        "PUT", path, "2023-01-31", token=owner, body={"location": stamp.location}
    ).json()
    principal, client_id = made["properties"]["principalId"], made["properties"]["clientId"]
    ask = f"{stamp.imds_url}{IMDS}&resource={ARM}&client_id={client_id}"
    assert azure.get(ask, {"Metadata": "true"}).status == 400

    vm = "{sub}/resourceGroups/rg-identity/providers/Microsoft.Compute/virtualMachines/vm-ops"
    identity = {"type": "UserAssigned", "userAssignedIdentities": {made["id"]: {}}}
    patched = azure.arm("PATCH", vm, "2024-07-01", token=owner, body={"identity": identity})
    assert patched.status == 200
    assert "azure-asyncoperation" in patched.headers
    now = azure.arm("GET", vm, "2024-07-01", token=owner).json()["identity"]
    assert now["type"] == "UserAssigned", "the system identity is gone: send the union"
    assert set(now["userAssignedIdentities"]) == {stamp.imds_resource_id, made["id"]}
    identity["userAssignedIdentities"] = {stamp.imds_resource_id.upper(): None}
    azure.arm("PATCH", vm, "2024-07-01", token=owner, body={"identity": identity})
    now = azure.arm("GET", vm, "2024-07-01", token=owner).json()["identity"]
    assert list(now["userAssignedIdentities"]) == [made["id"]]

    mine = azure.get(ask, {"Metadata": "true"}).json()["access_token"]
    assert azure.arm("GET", group, "2021-04-01", token=mine).code == "AuthorizationFailed"
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    properties = {"roleDefinitionId": definition, "principalId": principal}
    grant = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    body = {"properties": properties | {"principalType": "ServicePrincipal"}}
    assert azure.arm("PUT", grant, "2022-04-01", token=owner, body=body).status == 201
    assert azure.arm("GET", group, "2016-09-01", token=mine).status == 200
    listed = azure.arm("GET", "{sub}/resourcegroups", "2021-04-01", token=mine).json()["value"]
    assert [each["name"] for each in listed] == ["rg-web-prod-01"]
    refused = azure.get(ask.replace(ARM, ARM.rstrip("/")), {"Metadata": "true"})
    assert refused.status == 400
