"""What the Resource Manager does beyond lists of groups (PROTOCOL.md sections 3, 4 and 8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

from .probe import SUBSCRIPTIONS, Answer, Client

Start = Callable[..., RunningStamp]
RBAC, READER = "2015-07-01", "acdd72a7-3385-48ef-bd42-f606fba81ae7"
AUTH = "{sub}/providers/Microsoft.Authorization"


class Arm:
    """Sends requests to one stamp with one token."""

    def __init__(self, stamp: RunningStamp) -> None:
        self.stamp, self.client = stamp, Client(stamp)
        self.token = self.client.token()

    def __call__(
        self, method: str, path: str, version: str = "2019-10-01", **more: object
    ) -> Answer:
        more.setdefault("token", self.token)
        return self.client.arm(method, path, version, **more)  # type: ignore[arg-type]

    def follow(self, url: str) -> Answer:
        return self.client.get(url, {"Authorization": f"Bearer {self.token}"})

    def end(self, url: str) -> int:
        """Poll until the operation is done; return the last status."""
        deadline = time.monotonic() + 5
        while (status := self.follow(url).status) == 202 and time.monotonic() < deadline:
            time.sleep(0.05)
        return status


@pytest.fixture(scope="module")
def arm() -> Iterator[Arm]:
    """A stamp with fast operations and subscriptions of each kind."""
    options = StampOptions(
        groups=40,
        page_size=30,
        delete_seconds=0.2,
        register_seconds=0.3,
        managed_identity=True,
        hostile=True,
        more_subscriptions=("enabled", "disabled", "other-tenant"),
    )
    with run_in_thread(options) as stamp:
        yield Arm(stamp)


def test_types_have_their_own_versions(arm: Arm) -> None:
    compute = arm("GET", "{sub}/providers/Microsoft.Compute").json()
    versions = {kind["resourceType"]: kind["apiVersions"] for kind in compute["resourceTypes"]}
    assert versions["virtualMachines"][0] == "2020-06-01"
    assert versions["disks"] == ["2019-07-01", "2017-03-30"]
    for path, kind in (
        ("Microsoft.Compute/disks", "disks"),
        ("Microsoft.Authorization/roleDefinitions", "roleDefinitions"),
    ):
        refused = arm("GET", f"{{sub}}/providers/{path}", "2099-01-01")
        assert refused.code == "NoRegisteredProviderFound"
        assert f"for type '{kind}'" in refused.message
    assert arm("GET", "{sub}/providers/Microsoft.Compute/disks", "2020-06-01").status == 400


def test_a_provider_registers_for_a_time(arm: Arm) -> None:
    sites = "{sub}/providers/Microsoft.Web/sites"
    assert arm("GET", sites, "2018-02-01").code == "MissingSubscriptionRegistration"
    begun = arm("POST", "{sub}/providers/Microsoft.Web/register").json()
    assert begun["registrationState"] == "Registering"
    assert arm("GET", "{sub}/providers/Microsoft.Web").json()["registrationState"] == "Registering"
    time.sleep(0.35)
    assert arm("GET", "{sub}/providers/Microsoft.Web").json()["registrationState"] == "Registered"
    assert arm("GET", sites, "2018-02-01").status == 200


def test_tags_are_replaced_whole(arm: Arm) -> None:
    path, location = "{sub}/resourceGroups/rg-tags", arm.stamp.location
    hostile = {"a'b": "\x1b[31m[bold]\u202e\n" + "x" * 10_000, "two": "2"}
    arm("PUT", path, body={"location": location, "tags": hostile})
    assert arm("GET", path).json()["tags"] == hostile
    query = "&$filter=tagName%20eq%20'a''b'"
    (found,) = arm("GET", "{sub}/resourcegroups", query=query).json()["value"]
    assert found["name"] == "rg-tags"
    assert arm("PATCH", path, body={"tags": {"three": "3"}}).json()["tags"] == {"three": "3"}
    assert arm("PATCH", path, body={}).json()["tags"] == {"three": "3"}
    assert "tags" not in arm("PUT", path, body={"location": location}).json()
    assert arm("PATCH", "{sub}/resourceGroups/absent", body={}).code == "ResourceGroupNotFound"


def test_tags_by_themselves(arm: Arm) -> None:
    group = "{sub}/resourceGroups/rg-crm-dev-01"
    arm("PUT", group, body={"location": arm.stamp.location, "tags": {"a": "1", "b": "2"}})
    (vnet, *_) = arm("GET", f"{group}/resources").json()["value"]
    for scope in (group, vnet["id"]):
        path = f"{scope}/providers/Microsoft.Resources/tags/default"
        put = arm("PUT", path, body={"properties": {"tags": {"a": "1", "b": "2"}}})
        assert put.json()["properties"]["tags"] == {"a": "1", "b": "2"}
        for operation, tags, left in (
            ("Merge", {"b": "3", "c": "4"}, {"a": "1", "b": "3", "c": "4"}),
            ("Delete", {"a": "1", "b": "other"}, {"b": "3", "c": "4"}),
            ("Replace", {"crm": "only"}, {"crm": "only"}),
        ):
            arm("PATCH", path, body={"operation": operation, "properties": {"tags": tags}})
            assert arm("GET", path).json()["properties"]["tags"] == left
    assert arm("GET", group).json()["tags"] == {"crm": "only"}
    names = {tag["tagName"]: tag for tag in arm("GET", "{sub}/tagNames").json()["value"]}
    assert names["crm"]["count"]["value"] == 2
    assert arm("DELETE", path).status == 200
    assert arm("GET", path).json()["properties"]["tags"] == {}
    assert arm("GET", path, "2018-05-01").code == "InvalidApiVersionParameter"


def test_a_deletion_fails(start: Start) -> None:
    arm = Arm(start(delete_seconds=0.1, operation_end=409, retry_after=7))
    group = "{sub}/resourceGroups/rg-web-test-01"
    (vm,) = [
        each["id"]
        for each in arm("GET", f"{group}/resources").json()["value"]
        if each["type"] == "Microsoft.Compute/virtualMachines"
    ]
    deleted = arm("DELETE", vm, "2020-06-01")
    time.sleep(0.15)
    ended = arm.follow(deleted.headers["azure-asyncoperation"]).json()
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "InternalExecutionError")
    assert arm("GET", vm, "2020-06-01").status == 200

    deleted = arm("DELETE", group)
    assert deleted.headers["retry-after"] == "7"
    assert arm("GET", group).json()["properties"]["provisioningState"] == "Deleting"
    time.sleep(0.15)
    ended = arm.follow(deleted.headers["location"])
    assert (ended.status, ended.code) == (409, "ResourceGroupDeletionBlocked")
    assert arm("GET", group).json()["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize("end", [200, 204, 404])
def test_a_deletion_ends(start: Start, end: int) -> None:
    arm = Arm(start(delete_seconds=0.2, operation_end=end))
    deleted = arm("DELETE", "{sub}/resourceGroups/rg-web-test-01")
    assert (deleted.status, deleted.headers["retry-after"]) == (202, "1")
    assert arm.follow(deleted.headers["location"]).status == 202
    assert arm.end(deleted.headers["location"]) == end
    assert arm("HEAD", "{sub}/resourceGroups/rg-web-test-01").status == 404


def test_twenty_thousand_groups(start: Start) -> None:
    arm = Arm(start(groups=20_000, page_size=1000))
    answer, seen = arm("GET", "{sub}/resourcegroups"), 0
    while True:
        seen += len(answer.json()["value"])
        if "nextLink" not in answer.json():
            break
        answer = arm.follow(answer.json()["nextLink"])
    assert seen == 20_000


def test_resources_are_paged_and_listed_by_type(arm: Arm) -> None:
    first = arm("GET", "{sub}/resources").json()
    assert len(first["value"]) == 30
    assert arm.follow(first["nextLink"]).json()["value"]
    (vm, *_) = arm("GET", "{sub}/providers/Microsoft.Compute/virtualMachines", "2020-06-01").json()[
        "value"
    ]
    assert arm("GET", vm["id"], "2020-06-01").json() == vm
    assert vm["properties"]["provisioningState"] == "Succeeded"
    seen = arm("GET", vm["id"], "2020-06-01", query="&$expand=instanceView").json()["properties"]
    assert seen["instanceView"]["statuses"][1]["code"] == "PowerState/running"
    absent = arm("GET", vm["id"] + "-absent", "2020-06-01")
    assert (absent.status, absent.code) == (404, "ResourceNotFound")


def test_a_provider_deletes_in_its_own_style(arm: Arm) -> None:
    path = "{sub}/resourceGroups/rg-web-dev-01/providers/Microsoft.Compute/virtualMachines/vm-x"
    body = {"location": arm.stamp.location}
    assert arm("PUT", path, "2020-06-01", body=body).status == 201
    deleted = arm("DELETE", path, "2020-06-01")
    assert deleted.status == 202
    assert arm.follow(deleted.headers["location"]).status == 405
    status = arm.follow(deleted.headers["azure-asyncoperation"]).json()
    assert status["status"] == "InProgress"
    time.sleep(0.25)
    status = arm.follow(deleted.headers["azure-asyncoperation"]).json()
    assert status["status"] == "Succeeded"
    assert arm("DELETE", path, "2020-06-01").status == 204


def test_deployments_and_locks(arm: Arm) -> None:
    group = "{sub}/resourceGroups/rg-backup-prod-01"
    deployments = arm("GET", group + "/providers/Microsoft.Resources/deployments").json()["value"]
    assert {each["properties"]["provisioningState"] for each in deployments} >= {"Succeeded"}
    locks = group + "/providers/Microsoft.Authorization/locks"
    (lock,) = arm("GET", locks, "2016-09-01").json()["value"]
    assert lock["properties"]["level"] == "CanNotDelete"
    assert arm("DELETE", group).code == "ScopeLocked"
    assert arm("DELETE", f"{locks}/keep-backups", "2016-09-01").status == 200
    assert arm("DELETE", f"{locks}/keep-backups", "2016-09-01").status == 204
    body = {"properties": {"level": "ReadOnly"}}
    assert arm("PUT", f"{locks}/mine", "2016-09-01", body=body).status == 201
    assert arm("PATCH", group, body={"tags": {}}).code == "ScopeLocked"
    arm("DELETE", f"{locks}/mine", "2016-09-01")
    assert arm("DELETE", group).status == 202


def test_hostile_names_come_as_they_are(arm: Arm) -> None:
    answer, names = arm("GET", "{sub}/resourcegroups"), []
    while True:
        names += [group["name"] for group in answer.json()["value"]]
        if "nextLink" not in answer.json():
            break
        answer = arm.follow(answer.json()["nextLink"])
    assert any("\x1b" in name for name in names)
    assert max(map(len, names)) > 10_000


# Roles


def assignment(principal: str, role: str = READER) -> dict[str, object]:
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {"properties": {"roleDefinitionId": definition, "principalId": principal}}


def test_life_of_an_assignment(arm: Arm) -> None:
    scope = "{sub}/resourceGroups/rg-web-dev-01/providers/Microsoft.Authorization"
    path, body = f"{scope}/roleAssignments/{uuid4()}", assignment(arm.stamp.imds_object_id)
    assert arm("PUT", path, RBAC, body=body).status == 201
    assert arm("PUT", path, RBAC, body=body).status == 200
    other = arm("PUT", f"{scope}/roleAssignments/{uuid4()}", RBAC, body=body)
    assert (other.status, other.code) == (409, "RoleAssignmentExists")
    changed = arm("PUT", path, RBAC, body=assignment(arm.stamp.object_id))
    assert changed.code == "RoleAssignmentUpdateNotPermitted"
    found = arm("GET", path, RBAC).json()["properties"]
    assert "principalType" not in found
    assert found["roleDefinitionId"].endswith(READER)
    query = f"&$filter=atScope()%20and%20assignedTo('{arm.stamp.imds_object_id}')"
    listed = arm("GET", f"{scope}/roleAssignments", RBAC, query=query).json()["value"]
    assert len(listed) == 2, "the inherited one, and the one of the group"
    assert arm("DELETE", path, RBAC).status == 200
    assert arm("DELETE", path, RBAC).status == 204
    assert arm("GET", path, RBAC).code == "RoleAssignmentNotFound"


def test_assignments_go_with_their_group(start: Start) -> None:
    arm = Arm(start(delete_seconds=0))
    group = "{sub}/resourceGroups/rg-web-test-01"
    path = f"{group}/providers/Microsoft.Authorization/roleAssignments"
    body = assignment(arm.stamp.imds_object_id)
    assert arm("PUT", f"{path}/{uuid4()}", RBAC, body=body).status == 201
    before = len(arm("GET", f"{AUTH}/roleAssignments", RBAC).json()["value"])
    arm("DELETE", group)
    assert len(arm("GET", f"{AUTH}/roleAssignments", RBAC).json()["value"]) == before - 1
    assert arm("GET", path, RBAC).code == "ResourceGroupNotFound"


def test_an_older_version_has_no_principal_type(arm: Arm) -> None:
    body = assignment(arm.stamp.imds_object_id)
    body["properties"]["principalType"] = "ServicePrincipal"  # type: ignore[index]
    refused = arm("PUT", f"{AUTH}/roleAssignments/{uuid4()}", RBAC, body=body)
    assert refused.code == "InvalidRequestContent"
    unknown = arm("PUT", f"{AUTH}/roleAssignments/{uuid4()}", RBAC, body=assignment(str(uuid4())))
    assert unknown.code == "PrincipalNotFound"


def test_assigned_to_includes_groups(arm: Arm) -> None:
    form = arm.client.password_form()
    token = arm.client.post(arm.client.token_url, form).json()["access_token"]
    definitions = arm(
        "GET", f"{AUTH}/roleDefinitions", RBAC, query="&$filter=roleName%20eq%20'Reader'"
    )
    assert [each["name"] for each in definitions.json()["value"]] == [READER]
    everyone = arm("GET", f"{AUTH}/roleAssignments", RBAC).json()["value"]
    (group,) = [
        each for each in everyone if each["properties"]["principalId"] == arm.stamp.group_object_id
    ]
    assert group["properties"]["roleDefinitionId"].endswith(READER)
    may = arm("GET", f"{AUTH}/permissions", RBAC, token=token).json()["value"]
    assert [each["actions"] for each in may] == [["*"], ["*/read"]]


def test_a_contributor_grants_nothing(start: Start) -> None:
    arm = Arm(start(role="contributor"))
    body = assignment(arm.stamp.imds_object_id)
    refused = arm("PUT", f"{AUTH}/roleAssignments/{uuid4()}", RBAC, body=body)
    assert (refused.status, refused.code) == (403, "AuthorizationFailed")
    assert arm("PUT", "{sub}/resourceGroups/rg-x", body={"location": "local"}).status == 201


def test_a_principal_without_a_role_sees_nothing(start: Start) -> None:
    arm = Arm(start(role=None))
    assert arm("GET", "/subscriptions", SUBSCRIPTIONS).json()["value"] == []
    assert arm("GET", "{sub}/resourcegroups").code == "AuthorizationFailed"
    assert arm("GET", f"{AUTH}/permissions", RBAC).json()["value"] == []
    offers = arm("GET", "/offers", "2015-11-01").json()["value"]
    assert [offer["displayName"] for offer in offers] == ["Standard", "Trial"]


# Subscriptions


def test_subscriptions_of_each_kind(arm: Arm) -> None:
    listed = arm("GET", "/subscriptions", SUBSCRIPTIONS).json()["value"]
    assert [each["state"] for each in listed] == ["Enabled", "Enabled", "Disabled", "Enabled"]
    assert [each["tenantId"] == arm.stamp.tenant for each in listed] == [True, True, True, False]
    _, enabled, disabled, foreign = (each["id"] for each in listed)
    assert len(arm("GET", f"{enabled}/resourcegroups", query="&$top=5").json()["value"]) == 5
    assert arm("GET", f"{disabled}/resourcegroups").code == "DisabledSubscription"
    assert arm("GET", disabled, SUBSCRIPTIONS).status == 200
    refused = arm("GET", f"{foreign}/resourcegroups")
    assert (refused.status, refused.code) == (401, "InvalidAuthenticationTokenTenant")
    assert listed[3]["tenantId"] in refused.message


# Compute and identities


def test_image_lists_are_bare_arrays(arm: Arm) -> None:
    path = f"{{sub}}/providers/Microsoft.Compute/locations/{arm.stamp.location}/publishers"
    publishers = arm("GET", path, "2020-06-01").json()
    assert "Canonical" in [each["name"] for each in publishers]
    path += "/canonical/artifacttypes/vmimage/offers"
    assert arm("GET", path, "2020-06-01").json()[0]["name"] == "UbuntuServer"
    path += "/UbuntuServer/skus/18.04-LTS/versions"
    query = "&$top=1&$orderby=name%20desc"
    (latest,) = arm("GET", path, "2020-06-01", query=query).json()
    assert latest["name"] == "18.04.202204190"
    assert arm("GET", f"{path}/{latest['name']}", "2020-06-01").status == 200


def test_the_alias_document_needs_no_token_and_names_images_of_the_stamp(arm: Arm) -> None:
    answer = Client(arm.stamp).get(arm.stamp.vm_image_aliases)
    assert answer.status == 200
    linux = answer.json()["outputs"]["aliases"]["value"]["Linux"]
    image = linux["UbuntuLTS"]
    assert set(image) == {"publisher", "offer", "sku", "version", "architecture"}
    path = f"{{sub}}/providers/Microsoft.Compute/locations/{arm.stamp.location}/publishers"
    path += f"/{image['publisher']}/artifacttypes/vmimage/offers/{image['offer']}"
    assert arm("GET", f"{path}/skus/{image['sku']}/versions", "2020-06-01").status == 200


def test_an_identity_needs_its_provider(start: Start) -> None:
    arm = Arm(start())
    namespaces = [each["namespace"] for each in arm("GET", "{sub}/providers").json()["value"]]
    assert "Microsoft.ManagedIdentity" not in namespaces
    path = "{sub}/resourceGroups/rg-web-dev-01/providers/Microsoft.ManagedIdentity"
    refused = arm("GET", f"{path}/userAssignedIdentities", "2018-11-30")
    assert refused.code == "InvalidResourceNamespace"


# Operators


def test_what_operators_read(start: Start) -> None:
    arm = Arm(start(domain="local.azurestack.external", fault="operator-health"))
    admin = arm.stamp.arm_url.replace("management", "adminmanagement")
    sub = f"{admin}/subscriptions/{arm.stamp.subscription_id}"
    system = f"{sub}/resourceGroups/System.local/providers"

    def read(path: str, version: str) -> Answer:
        return arm.follow(f"{path}?api-version={version}")

    health = f"{system}/Microsoft.InfrastructureInsights.Admin/regionHealths/local"
    summary = read(health, "2016-05-01").json()["properties"]["alertSummary"]
    assert summary["criticalAlertCount"] == 1
    alert = read(f"{health}/alerts", "2016-05-01").json()["value"][0]["properties"]
    assert alert["remediation"][0]["type"] == "Text"
    services = read(f"{health}/serviceHealths", "2016-05-01").json()["value"]
    assert "Critical" in [each["properties"]["healthState"] for each in services]
    nodes = f"{system}/Microsoft.Fabric.Admin/fabricLocations/local/scaleUnitNodes"
    assert len(read(nodes, "2016-05-01").json()["value"]) == 4
    backups = f"{system}/Microsoft.Backup.Admin/backupLocations"
    assert read(backups, "2018-09-01").status == 200
    admin_list = f"{sub}/providers/Microsoft.Subscriptions.Admin/subscriptions"
    assert len(read(admin_list, "2015-11-01").json()["value"]) == 1
