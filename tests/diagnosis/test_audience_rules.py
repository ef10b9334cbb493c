"""A stamp that wants a token for something of Microsoft's: it is asked for nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stacktui.environments.public_resources import is_public_resource
from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.product import check_json
from tests.support.authority import authority

STAMP = "management.local.azurestack.external"


@pytest.mark.parametrize(
    "audience",
    [
        "https://vault.azure.net",
        "https://graph.microsoft.com/",
        "https://management.azure.com",
        "https://management.core.windows.net/",
        "HTTPS://Vault.Azure.NET:443/x",
        "https://account.blob.core.windows.net",
        "https://someone@vault.azure.net",
        "https:\\\\vault.azure.net",
        "https://vault.azure.net.",
        "https://vault%2Eazure.net",
        "vault.azure.net",
        " https://graph.microsoft.com",
        "https://arm/1 https://graph.microsoft.com",
        "00000003-0000-0000-C000-000000000000",
        "spn:cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
        "api://00000003-0000-0000-c000-000000000000",
    ],
)
def test_public_resources_are_known_in_every_spelling(audience: str) -> None:
    assert is_public_resource(audience, STAMP)
    assert is_public_resource(audience, "management.cloudapp.azure.com")
    assert not is_public_resource(audience, "management.azure.com")


@pytest.mark.parametrize(
    "audience",
    [
        "https://management.adfs.azurestack.local/0b1ec700-0000-4000-8000-000000000002",
        "https://management.contoso.onmicrosoft.com/0b1ec700-0000-4000-8000-000000000002",
        "https://management.local.azurestack.external/x?vault.azure.net",
        "https://arm/vault.azure.net",
        "https://notazure.net",
        "https://vault.azure.net.contoso.example",
        "0b1ec700-0000-4000-8000-000000000002",
        "https://[::1]/",
        "://",
    ],
)
def test_a_stamp_s_own_audience_is_none_of_them(audience: str) -> None:
    assert not is_public_resource(audience, STAMP)


async def test_an_audience_of_microsofts_is_a_fault_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    login = {
        "loginEndpoint": "https://login.invalid/adfs",
        "audiences": ["https://vault.azure.net"],
    }
    async with scripted(Script(metadata=said({"authentication": login}))) as web:
        found = await verdict_on(tmp_path, web.url)
        assert {each.target.partition("?")[0] for each in web.asked} == {"/metadata/endpoints"}
    assert (found["id"], found["side"]) == ("audience-foreign", "stamp")
    assert any("https://vault.azure.net" in line for line in found["evidence"])
    assert not [each for each in found["remedies"] if each["action"]]


async def test_a_managed_identity_is_not_asked_for_such_a_token(tmp_path: Path) -> None:
    login = {
        "loginEndpoint": "https://login.invalid/adfs",
        "audiences": ["https://vault.azure.net"],
    }
    async with scripted(Script(metadata=said({"authentication": login}))) as web:
        (tmp_path / "ca.pem").write_bytes(authority().root.pem)
        config = tmp_path / "config.toml"
        config.write_text(
            f'[environments.Test]\narm = "{web.url}"\nca = "{tmp_path}/ca.pem"\n'
            'identity = "mi"\nproxy = "none"\n[identities.mi]\nkind = "managed-identity"\n'
        )
        async with scripted(Script()) as imds:
            variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": imds.url}
            ran = await asyncio.to_thread(check_json, config, **variables)
            assert imds.asked == []
    assert ran.document["verdict"]["id"] == "audience-foreign"
