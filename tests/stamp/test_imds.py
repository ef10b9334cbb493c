"""The instance metadata service (PROTOCOL.md section 5)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import msal
import pytest
import requests

from stacktui.stamp.running import RunningStamp

from .probe import Answer, Client

TRUE = {"Metadata": "true"}


def ask(
    stamp: RunningStamp, headers: dict[str, str] | None = None, **changes: str | None
) -> Answer:
    """Send a token request, valid unless `changes` make it invalid (None omits a field)."""
    wanted: dict[str, str | None] = {
        "api-version": "2018-02-01",
        "resource": stamp.identity_provider_audience,
        **changes,
    }
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    url = f"{stamp.imds_url}/metadata/identity/oauth2/token?{query}"
    return Client(stamp).get(url, TRUE if headers is None else headers)


def test_times_are_strings(stamp: RunningStamp) -> None:
    document = ask(stamp).json()
    assert all(isinstance(value, str) for value in document.values())
    assert document["expires_in"].isdigit()
    assert document["expires_on"].isdigit()
    token = document["access_token"]
    assert Client(stamp).arm("GET", "{sub}/resourcegroups", token=token).status == 200


def test_identities_by_id(entra: RunningStamp) -> None:
    by = {
        "client_id": entra.imds_client_id,
        "object_id": entra.imds_object_id,
        "mi_res_id": entra.imds_resource_id,
    }
    for name, value in by.items():
        assert ask(entra, **{name: value}).json()["client_id"] == entra.imds_client_id
    assert ask(entra).json()["client_id"] != entra.imds_client_id


@pytest.mark.parametrize(
    ("headers", "changes", "error", "words"),
    [
        ({}, {}, "invalid_request", "metadata header"),
        ({**TRUE, "X-Forwarded-For": "10.0.0.1"}, {}, "invalid_request", "forwarded"),
        (None, {"api-version": None}, "bad_request", "2018-02-01"),
        (None, {"api-version": "2030-01-01"}, "bad_request", "2018-02-01"),
        (None, {"resource": None}, "invalid_request", "resource"),
        (None, {"resource": "https://management.azure.com"}, "invalid_resource", "AADSTS500011"),
        (None, {"client_id": "nobody"}, "invalid_request", "Identity not found"),
    ],
)
def test_refusals(
    entra: RunningStamp,
    headers: dict[str, str] | None,
    changes: dict[str, str | None],
    error: str,
    words: str,
) -> None:
    answer = ask(entra, headers, **changes)
    assert answer.status == 400
    assert answer.json()["error"] == error
    assert words in answer.json()["error_description"]


def test_no_identity_fault(start: Callable[..., RunningStamp]) -> None:
    answer = ask(start(fault="imds-no-identity"))
    assert (answer.status, answer.json()["error_description"]) == (400, "Identity not found")


def test_unreachable_fault(start: Callable[..., RunningStamp]) -> None:
    with pytest.raises(ConnectionRefusedError):
        ask(start(fault="imds-unreachable"))


def test_unavailable_fault(start: Callable[..., RunningStamp]) -> None:
    assert ask(start(fault="imds-unavailable")).status == 503


def test_other_paths(entra: RunningStamp) -> None:
    assert Client(entra).get(f"{entra.imds_url}/metadata/instance", TRUE).status == 404
    assert Client(entra).request("POST", f"{entra.imds_url}/metadata/identity/oauth2/token").status


def test_msal(entra: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", entra.imds_url)
    identity = msal.UserAssignedManagedIdentity(client_id=entra.imds_client_id)
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(identity, http_client=session)
        result = client.acquire_token_for_client(resource=entra.identity_provider_audience)
    token = result["access_token"]
    assert Client(entra).arm("GET", "{sub}/resourcegroups", token=token).status == 200
