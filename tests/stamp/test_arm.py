"""The Resource Manager: tokens, api-versions, resource groups (PROTOCOL.md sections 3 and 4)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from stacktui.stamp.running import RunningStamp

from .probe import SUBSCRIPTIONS, Answer, Client

Start = Callable[..., RunningStamp]
GROUPS = "{sub}/resourcegroups"


@pytest.fixture(scope="module")
def token(entra: RunningStamp) -> str:
    return Client(entra).token()


@pytest.fixture
def arm(entra: RunningStamp, token: str) -> Callable[..., Answer]:
    """Send requests to the Entra stamp's ARM with a valid token."""
    client = Client(entra)

    def send(method: str, path: str, version: str = "2019-10-01", **more: object) -> Answer:
        return client.arm(method, path, version, token=token, **more)  # type: ignore[arg-type]

    return send


# Tokens


def forged(token: str, **changes: object) -> str:
    """Return the token with other claims, under the old signature."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    altered = base64.urlsafe_b64encode(json.dumps({**claims, **changes}).encode())
    return f"{head}.{altered.decode().rstrip('=')}.{signature}"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AuthenticationFailed"),
        ("Basic abc", "AuthenticationFailed"),
        ("Bearer", "AuthenticationFailed"),
        ("Bearer nonsense", "InvalidAuthenticationToken"),
        ("Bearer a.b.c", "InvalidAuthenticationToken"),
        ("Bearer e30.e30.AAAA", "InvalidAuthenticationToken"),
    ],
)
def test_bad_bearer(client: Client, header: str | None, code: str) -> None:
    stamp = client.stamp
    url = f"{stamp.arm_url}/subscriptions?api-version={SUBSCRIPTIONS}"
    answer = client.get(url, {"Authorization": header} if header else None)
    assert (answer.status, answer.code) == (401, code)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer authorization_uri="' + stamp.login_url.rstrip("/"))


def test_forged_claims(entra: RunningStamp, token: str) -> None:
    answer = Client(entra).arm("GET", GROUPS, token=forged(token, exp=9_999_999_999))
    assert answer.code == "InvalidAuthenticationToken"


def test_algorithm_none(entra: RunningStamp, token: str) -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    answer = Client(entra).arm("GET", GROUPS, token=f"{head}.{token.split('.')[1]}.")
    assert answer.code == "InvalidAuthenticationToken"


def test_id_token_is_no_access_token(entra: RunningStamp) -> None:
    client = Client(entra)
    answer = client.post(client.token_url, client.password_form()).json()
    refused = client.arm("GET", GROUPS, token=answer["id_token"])
    assert refused.code == "InvalidAuthenticationTokenAudience"
    assert entra.identity_provider_audience in refused.message


# Api-versions


@pytest.mark.parametrize(
    ("build", "served", "refused"),
    [
        ("1802", "2016-02-01", "2018-02-01"),
        ("1808", "2018-02-01", "2018-05-01"),
        ("1903", "2018-02-01", "2018-05-01"),
        ("1904", "2018-05-01", "2019-10-01"),
        ("2008", "2018-05-01", "2019-10-01"),
        ("2102", "2019-10-01", "2022-12-01"),
        ("2311", "2019-10-01", "2022-12-01"),
    ],
)
def test_builds(start: Start, build: str, served: str, refused: str) -> None:
    client = Client(start(build=build))
    assert client.arm("GET", GROUPS, served).status == 200
    answer = client.arm("GET", GROUPS, refused)
    assert (answer.status, answer.code) == (400, "InvalidApiVersionParameter")
    assert f"'{refused}' is invalid" in answer.message
    assert served in answer.message


def test_newer_az_is_refused(arm: Callable[..., Answer]) -> None:
    """The request of az 2.67 and later (PROTOCOL.md section 1)."""
    assert arm("GET", "/subscriptions", "2022-12-01").code == "InvalidApiVersionParameter"


def test_provider_versions_are_refused_differently(arm: Callable[..., Answer]) -> None:
    answer = arm("GET", "{sub}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")
    assert answer.code == "NoRegisteredProviderFound"
    assert "2015-07-01" in answer.message


def test_version_is_required_even_before_a_token(entra: RunningStamp) -> None:
    answer = Client(entra).get(f"{entra.arm_url}/subscriptions")
    assert (answer.status, answer.code) == (400, "MissingApiVersionParameter")


# Subscriptions, tenants, providers


def test_subscriptions(arm: Callable[..., Answer], entra: RunningStamp) -> None:
    (listed,) = arm("GET", "/subscriptions", SUBSCRIPTIONS).json()["value"]
    assert listed["subscriptionId"] == entra.subscription_id
    assert listed["state"] == "Enabled"
    assert arm("GET", "{sub}", SUBSCRIPTIONS).json() == listed
    (tenant,) = arm("GET", "/tenants", SUBSCRIPTIONS).json()["value"]
    assert tenant["tenantId"] == entra.tenant
    (location,) = arm("GET", "{sub}/locations", SUBSCRIPTIONS).json()["value"]
    assert location["name"] == entra.location


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions/nonsense/resourcegroups", 400, "InvalidSubscriptionId"),
        (
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups",
            404,
            "SubscriptionNotFound",
        ),
        ("/nothing/here", 404, "HttpResourceNotFound"),
        ("{sub}/resourceGroups/absent", 404, "ResourceGroupNotFound"),
        ("{sub}/providers/Microsoft.Nothing", 404, "InvalidResourceNamespace"),
    ],
)
def test_not_found(arm: Callable[..., Answer], path: str, status: int, code: str) -> None:
    answer = arm("GET", path)
    assert (answer.status, answer.code) == (status, code)


def test_method_not_supported(arm: Callable[..., Answer]) -> None:
    answer = arm("DELETE", "/subscriptions", SUBSCRIPTIONS)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET"


def test_providers_register(arm: Callable[..., Answer]) -> None:
    states = {
        provider["namespace"]: provider["registrationState"]
        for provider in arm("GET", "{sub}/providers").json()["value"]
    }
    assert states["Microsoft.Compute"] == "Registered"
    assert states["Microsoft.Web"] == "NotRegistered"
    arm("POST", "{sub}/providers/microsoft.web/register")
    registered = arm("GET", "{sub}/providers/Microsoft.Web").json()
    assert registered["registrationState"] == "Registered"


def test_role_assignments(arm: Callable[..., Answer], entra: RunningStamp) -> None:
    path = "{sub}/providers/Microsoft.Authorization/roleAssignments"
    query = f"&$filter=assignedTo('{entra.object_id}')"
    (mine,) = arm("GET", path, "2015-07-01", query=query).json()["value"]
    assert mine["properties"]["principalId"] == entra.object_id
    query = "&$filter=assignedTo('00000000-0000-0000-0000-000000000000')"
    assert arm("GET", path, "2015-07-01", query=query).json()["value"] == []
    answer = arm("GET", path, "2015-07-01", query="&$filter=nonsense")
    assert answer.code == "InvalidFilterInQueryString"


# Resource groups


def names(answer: Answer) -> list[str]:
    return [group["name"] for group in answer.json()["value"]]


def test_pages(entra: RunningStamp, arm: Callable[..., Answer], token: str) -> None:
    client, headers = Client(entra), {"Authorization": f"Bearer {token}"}
    answer, seen = arm("GET", GROUPS), []
    while True:
        seen += names(answer)
        link = answer.json().get("nextLink")
        if link is None:
            break
        parts = urlsplit(link)
        assert f"{parts.scheme}://{parts.netloc}" == entra.arm_url
        assert "skiptoken=" in parts.query
        answer = client.get(link, headers)
    assert len(seen) == len(set(seen)) >= 7
    assert seen == sorted(seen)


def test_page_parameters(arm: Callable[..., Answer]) -> None:
    assert len(names(arm("GET", GROUPS, query="&$top=2"))) == 2
    assert len(names(arm("GET", GROUPS, query="&$top=50"))) == 3
    assert arm("GET", GROUPS, query="&$top=0").code == "InvalidTopParameter"
    assert arm("GET", GROUPS, query="&$skiptoken=zzz").code == "InvalidSkipToken"
    tagged = arm("GET", GROUPS, query="&$filter=tagname%20eq%20'env'%20and%20tagvalue%20eq%20'x'")
    assert names(tagged) == []


@pytest.mark.parametrize("count", [0, 1, 18, 980])
def test_group_counts(start: Start, count: int) -> None:
    client = Client(start(groups=count, page_size=1000))
    assert len(set(names(client.arm("GET", GROUPS)))) == count


def test_life_of_a_group(arm: Callable[..., Answer], entra: RunningStamp, token: str) -> None:
    path = "{sub}/resourceGroups/Rg-Life"
    body = {"location": entra.location, "tags": {"env": "test"}}
    created = arm("PUT", path, body=body)
    assert created.status == 201
    assert created.json()["properties"]["provisioningState"] == "Succeeded"
    assert arm("PUT", path, body=body).status == 200
    assert arm("HEAD", path).status == 204
    assert arm("GET", "{sub}/RESOURCEGROUPS/rg-life").json()["name"] == "Rg-Life"
    assert arm("PUT", path, body={"location": "mars"}).code == (
        "LocationNotAvailableForResourceGroup"
    )

    deleted = arm("DELETE", path)
    assert deleted.status == 202
    assert deleted.headers["retry-after"] == "1"
    assert deleted.headers["location"].startswith(entra.arm_url)
    assert arm("PUT", path, body=body).code == "ResourceGroupBeingDeleted"
    headers = {"Authorization": f"Bearer {token}"}
    statuses = []
    while (status := Client(entra).get(deleted.headers["location"], headers).status) == 202:
        statuses.append(status)
        time.sleep(0.3)
    assert statuses
    assert status == 200
    assert arm("HEAD", path).status == 404
    assert arm("DELETE", path).code == "ResourceGroupNotFound"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("rg-x", {}, "LocationRequired"),
        ("rg-x", [], "InvalidRequestContent"),
        ("rg-x", {"location": "local", "tags": {"a": 1}}, "InvalidRequestContent"),
        ("rg!", {"location": "local"}, "InvalidResourceGroup"),
        ("rg.", {"location": "local"}, "InvalidResourceGroup"),
        ("r" * 91, {"location": "local"}, "InvalidResourceGroup"),
    ],
)
def test_bad_groups(arm: Callable[..., Answer], name: str, body: object, code: str) -> None:
    answer = arm("PUT", f"{{sub}}/resourceGroups/{name}", body=body)
    assert (answer.status, answer.code) == (400, code)


def test_resources(arm: Callable[..., Answer]) -> None:
    everything = arm("GET", "{sub}/resources").json()["value"]
    assert {"id", "name", "type", "location"} <= everything[0].keys()
    kind = "Microsoft.Network/virtualNetworks"
    query = f"&$filter=resourceType%20eq%20'{kind}'"
    networks = arm("GET", "{sub}/resources", query=query).json()["value"]
    assert {resource["type"] for resource in networks} == {kind}
    one = everything[0]["id"].split("/")[4]
    assert arm("GET", f"{{sub}}/resourceGroups/{one}/resources").json()["value"]


def test_reader_may_not_write(entra: RunningStamp) -> None:
    """The managed identity is a Reader."""
    client = Client(entra)
    url = (
        f"{entra.imds_url}/metadata/identity/oauth2/token?api-version=2018-02-01"
        f"&resource={entra.identity_provider_audience}&client_id={entra.imds_client_id}"
    )
    token = client.get(url, {"Metadata": "true"}).json()["access_token"]
    assert client.arm("GET", GROUPS, token=token).status == 200
    body = {"location": entra.location}
    refused = client.arm("PUT", "{sub}/resourceGroups/rg-no", token=token, body=body)
    assert (refused.status, refused.code) == (403, "AuthorizationFailed")
    assert "resourceGroups/write" in refused.message
    assert refused.message.count(entra.imds_object_id) == 1


# Headers


def test_request_ids(entra: RunningStamp, token: str) -> None:
    url = f"{entra.arm_url}/subscriptions?api-version={SUBSCRIPTIONS}"
    correlation = "11111111-2222-3333-4444-555555555555"
    sent = {
        "Authorization": f"Bearer {token}",
        "x-ms-correlation-request-id": correlation,
        "x-ms-client-request-id": "mine",
        "x-ms-return-client-request-id": "true",
    }
    answer = Client(entra).get(url, sent)
    assert answer.headers["x-ms-correlation-request-id"] == correlation
    assert answer.headers["x-ms-client-request-id"] == "mine"
    assert answer.headers["x-ms-request-id"] != correlation
    assert answer.headers["date"].endswith("GMT")


def test_ids_that_cannot_go_back_are_dropped(entra: RunningStamp, token: str) -> None:
    url = f"{entra.arm_url}/subscriptions?api-version={SUBSCRIPTIONS}"
    sent = {"Authorization": f"Bearer {token}", "x-ms-correlation-request-id": "caf\xe9"}
    answer = Client(entra).get(url, sent)
    assert answer.status == 200
    assert answer.headers["x-ms-correlation-request-id"] == answer.headers["x-ms-request-id"]


def test_user_tokens_work(stamp: RunningStamp) -> None:
    client = Client(stamp)
    token = client.post(client.token_url, client.password_form()).json()["access_token"]
    assert client.arm("GET", GROUPS, token=token).status == 200
