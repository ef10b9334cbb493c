"""The commands of Az PowerShell for each kind of identity. A real one parses them elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacktui.exchange import sdk_python_form
from stacktui.exchange.az_powershell_form import render
from stacktui.identities.model import AZURE_CLI, Identity, IdentityKind

from .connections import APP, ASDK, EAST, IDENTITIES, SUBSCRIPTION, TENANT, connection

SUFFIX = f" -Tenant '{TENANT}' -Subscription '{SUBSCRIPTION}'"


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        ("secret", f"-ServicePrincipal -Credential $credential{SUFFIX}"),
        ("user", f"-Credential $credential{SUFFIX}"),
        ("device-code", f"-UseDeviceAuthentication{SUFFIX}"),
        ("managed", f"-Identity -AccountId '{APP}' -Subscription '{SUBSCRIPTION}'"),
        (
            "certificate",
            f"-ServicePrincipal -ApplicationId '{APP}' -CertificatePath '/run/s p/ops.pem'{SUFFIX}",
        ),
    ],
)
def test_each_kind_of_identity_connects(kind: str, account: str) -> None:
    lines = render(connection(EAST, IDENTITIES[kind])).splitlines()
    assert f"Add-AzEnvironment -Name 'East' -ArmEndpoint '{EAST.arm}'" in lines
    assert f"Connect-AzAccount -Environment 'East' {account}" in lines
    assert ("PFX" in "".join(lines)) == (kind == "certificate")


def test_the_account_of_az_is_none_of_az_powershell() -> None:
    identity = Identity("me", IdentityKind.AZURE_CLI, tenant=TENANT)
    text = render(connection(EAST, identity))
    assert f"Connect-AzAccount -Environment 'East' -UseDeviceAuthentication{SUFFIX}" in text
    assert "$credential" not in text
    program = sdk_python_form.render(connection(EAST, identity))
    assert (
        f'DeviceCodeCredential(\n    tenant_id="{TENANT}",\n    client_id="{AZURE_CLI}"' in program
    )


def test_the_secret_is_a_reference_unless_it_was_asked_for() -> None:
    assert "ConvertTo-SecureString $env:OPS_SECRET -As" in render(
        connection(EAST, IDENTITIES["secret"])
    )
    assert "ConvertTo-SecureString 'it''s' -As" in render(
        connection(EAST, IDENTITIES["secret"], "it's")
    )


def test_adfs_and_the_modules_of_the_profile_are_said() -> None:
    text = render(connection(ASDK, IDENTITIES["secret"]))
    assert "-Tenant 'adfs'" in text
    assert "Install-AzProfile -Profile 2020-09-01-hybrid" in text
    older = render(connection(replace(ASDK, profile="2018-03-01-hybrid")))
    assert "AzureRM modules know 2018-03-01-hybrid" in older
    public = replace(EAST, arm="https://management.azure.com", profile="latest", endpoints={})
    assert "Install-AzProfile" not in render(connection(public))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("management.azure.com", "AzureCloud"),
        ("management.usgovcloudapi.net", "AzureUSGovernment"),
        ("management.chinacloudapi.cn", "AzureChinaCloud"),
    ],
)
def test_public_clouds_are_there_already(host: str, name: str) -> None:
    text = render(connection(replace(EAST, arm=f"https://{host}", profile="latest", endpoints={})))
    assert "Add-AzEnvironment" not in text
    assert f"Connect-AzAccount -Environment '{name}' " in text
