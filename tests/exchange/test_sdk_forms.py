"""The forms of the Python SDK and of go-autorest: their keys, and what is said beside them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.config.locations import exported_bundle
from stacktui.environments.model import CloudKey, Environment
from stacktui.exchange.connection import Connection, Machine
from stacktui.exchange.forms import REMARKS, RENDERERS, Form
from stacktui.exchange.shells import Shell
from stacktui.identities.model import FileSecret, Identity, IdentityKind

from .connections import ADFS, APP, ASDK, EAST, ENTRA, IDENTITIES, SUBSCRIPTION, TENANT, connection
from .test_variable_forms import HOSTILE

# PROTOCOL.md section 7.
OF_SECRET = (
    "clientId", "clientSecret", "objectId", "subscriptionId", "tenantId",
    "resourceManagerEndpointUrl", "location",
)  # fmt: skip
OF_ENVIRONMENT = (
    "name", "managementPortalURL", "publishSettingsURL", "serviceManagementEndpoint",
    "resourceManagerEndpoint", "activeDirectoryEndpoint", "galleryEndpoint", "keyVaultEndpoint",
    "graphEndpoint", "serviceBusEndpoint", "batchManagementEndpoint", "storageEndpointSuffix",
    "sqlDatabaseDNSSuffix", "trafficManagerDNSSuffix", "keyVaultDNSSuffix",
    "serviceBusEndpointSuffix", "serviceManagementVMDNSSuffix", "resourceManagerVMDNSSuffix",
    "containerRegistryDNSSuffix", "cosmosDBDNSSuffix", "tokenAudience",
    "apiManagementHostManagementSuffix", "resourceIdentifiers",
)  # fmt: skip
PUBLIC = Environment("Public", "https://management.azure.com", "latest")


def document(form: Form, given: Connection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RENDERERS[form](given))
    return found


def remarks(form: Form, given: Connection) -> str:
    return "\n".join(REMARKS[form](given))


def test_a_sample_reads_the_secret_of_its_service_principal() -> None:
    given = connection(EAST, IDENTITIES["secret"], "hunter2")
    assert document(Form.SDK_JSON, given) == {
        "clientId": APP, "clientSecret": "hunter2", "objectId": "", "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT, "resourceManagerEndpointUrl": EAST.arm, "location": "east",
    }  # fmt: skip
    assert tuple(document(Form.SDK_JSON, given)) == OF_SECRET
    assert "azureSecretSpConfig.json" in remarks(Form.SDK_JSON, given)
    assert "clientSecret" not in remarks(Form.SDK_JSON, given)


@pytest.mark.parametrize(("kind", "where"), [("secret", "OPS_SECRET"), ("secret-file", "s p/ops")])
def test_without_it_the_file_says_where_the_secret_is(kind: str, where: str) -> None:
    given = connection(EAST, IDENTITIES[kind])
    assert where in document(Form.SDK_JSON, given)["clientSecret"]
    assert "clientSecret: put the secret there" in remarks(Form.SDK_JSON, given)


def test_a_sample_reads_the_certificate_of_its_service_principal() -> None:
    given = connection(ASDK, IDENTITIES["certificate"])
    found = document(Form.SDK_JSON, given)
    assert {"clientSecret", *found} - {"certPath", "certPass"} == set(OF_SECRET)
    assert (found["certPath"], found["certPass"]) == ("/run/s p/ops.pem", "")
    assert found["tenantId"] == "adfs"
    assert "azureCertSpConfig.json" in remarks(Form.SDK_JSON, given)


@pytest.mark.parametrize("kind", ["user", "device-code", "managed", None])
def test_what_the_samples_cannot_do_is_said_and_not_faked(kind: str | None) -> None:
    given = connection(replace(PUBLIC, identity=None), IDENTITIES[kind] if kind else None)
    found = document(Form.SDK_JSON, given)
    assert (found["clientId"], found["clientSecret"]) == ("", "")
    said = remarks(Form.SDK_JSON, given)
    assert "service principal only" in said
    assert "fill in clientId, clientSecret, subscriptionId" in said
    assert "location" in said


def test_an_environment_file_has_the_keys_of_its_readers() -> None:
    found = document(Form.ENVIRONMENT_JSON, connection(ASDK))
    assert tuple(found) == OF_ENVIRONMENT
    assert {key: text for key, text in found.items() if text and key != "resourceIdentifiers"} == {
        "name": "AzureStackCloud",
        "serviceManagementEndpoint": ADFS.audience,
        "resourceManagerEndpoint": f"{ASDK.arm}/",
        "activeDirectoryEndpoint": "https://adfs.local.azurestack.external/",
        "graphEndpoint": ADFS.graph,
        "storageEndpointSuffix": "local.azurestack.external",
        "keyVaultDNSSuffix": "vault.local.azurestack.external",
        "resourceManagerVMDNSSuffix": "cloudapp.azurestack.external",
        "tokenAudience": ADFS.audience,
    }
    resources = dict.fromkeys(
        ("graph", "keyVault", "datalake", "batch", "operationalInsights", "storage"), ""
    )
    assert found["resourceIdentifiers"] == resources | {"graph": ADFS.graph}
    of_entra = document(Form.ENVIRONMENT_JSON, connection(EAST))
    assert of_entra["activeDirectoryEndpoint"] == f"{ENTRA.login_endpoint}/"
    assert "AZURE_ENVIRONMENT_FILEPATH" in remarks(Form.ENVIRONMENT_JSON, connection(EAST))
    assert "needs no file" in remarks(Form.ENVIRONMENT_JSON, connection(PUBLIC))


def calls(given: Connection) -> dict[str, dict[str, str]]:
    """The keyword arguments of each call in the program, as source text."""
    program = ast.parse(RENDERERS[Form.SDK_PYTHON](given))
    found = [each for each in ast.walk(program) if isinstance(each, ast.Call)]
    return {
        ast.unparse(each.func): {str(k.arg): ast.unparse(k.value) for k in each.keywords}
        for each in found
    }


def test_the_program_has_the_sign_in_of_each_kind() -> None:
    at_entra = {"tenant_id": f"'{TENANT}'", "authority": "'https://login.microsoftonline.com'"}
    app, az = f"'{APP}'", f"'{IDENTITIES['user'].client_id}'"
    user = {"username": f"'me@{TENANT}'", "password": "os.environ['OPS_PASSWORD']"}
    expected = {
        "secret": ("ClientSecretCredential",
                   at_entra | {"client_id": app, "client_secret": "os.environ['OPS_SECRET']"}),
        "certificate": ("CertificateCredential",
                        at_entra | {"client_id": app, "certificate_path": "'/run/s p/ops.pem'"}),
        "user": ("UsernamePasswordCredential", at_entra | {"client_id": az} | user),
        "device-code": ("DeviceCodeCredential", at_entra | {"client_id": az}),
        "managed": ("ManagedIdentityCredential", {"client_id": app}),
    }  # fmt: skip
    for kind, (name, arguments) in expected.items():
        assert calls(connection(EAST, IDENTITIES[kind]))[name] == arguments
    assert calls(connection(EAST))["DeviceCodeCredential"]["client_id"] == az
    by_id = Identity("m", IdentityKind.MANAGED_IDENTITY, object_id="o")
    found = calls(connection(EAST, by_id))["ManagedIdentityCredential"]
    assert found == {"identity_config": "{'object_id': 'o'}"}


def test_the_program_asks_adfs_and_private_login_hosts_without_discovery() -> None:
    adfs = calls(connection(ASDK, IDENTITIES["secret"]))
    found = adfs["ClientSecretCredential"]
    assert (found["tenant_id"], found["disable_instance_discovery"]) == ("'adfs'", "True")
    assert found["authority"] == "'https://adfs.local.azurestack.external'"
    assert adfs["ResourceManagementClient"] == {
        "subscription_id": f"'{SUBSCRIPTION}'",
        "base_url": f"'{ASDK.arm}'",
        "api_version": "'2019-10-01'",
        "credential_scopes": f"['{ADFS.audience}/.default']",
    }
    private = replace(EAST, endpoints={CloudKey.LOGIN_ENDPOINT: "https://login.east.contoso.com/"})
    found = calls(connection(private, IDENTITIES["secret"]))["ClientSecretCredential"]
    assert found["authority"] == "'https://login.east.contoso.com'"
    assert found["disable_instance_discovery"] == "True"


def test_the_program_keeps_the_slash_of_an_audience_and_takes_variables_for_the_unknown() -> None:
    given = connection(
        replace(PUBLIC, endpoints={CloudKey.AUDIENCE: "https://management.core.windows.net/"}),
        replace(IDENTITIES["secret"], tenant=None),
    )
    found = calls(given)
    client = found["ResourceManagementClient"]
    assert client["credential_scopes"] == "['https://management.core.windows.net//.default']"
    assert client["subscription_id"] == "os.environ['AZURE_SUBSCRIPTION_ID']"
    assert client["api_version"] == "'2021-04-01'"
    assert found["ClientSecretCredential"]["tenant_id"] == "os.environ['AZURE_TENANT_ID']"


def test_the_program_sets_its_trust_and_its_proxy() -> None:
    text = RENDERERS[Form.SDK_PYTHON](connection(replace(EAST, proxy="http://u:p@proxy:3128")))
    assert "stacktui certificates trust" in text
    assert "REQUESTS_CA_BUNDLE" not in text
    assert 'os.environ["HTTPS_PROXY"] = "http://proxy:3128"' in text
    direct = replace(EAST, proxy="none", ca=Path("/root.pem"))
    text = RENDERERS[Form.SDK_PYTHON](connection(direct))
    assert 'os.environ["REQUESTS_CA_BUNDLE"] = ' in text
    hosts = "east.contoso.com,management.east.contoso.com,login.microsoftonline.com"
    assert f'os.environ["NO_PROXY"] = "{hosts}"' in text
    own = connection(EAST, machine=Machine(Shell.BASH, has_own_roots=True))
    assert "REQUESTS_CA_BUNDLE" in RENDERERS[Form.SDK_PYTHON](own)


def test_what_the_program_needs_before_it_runs_is_said() -> None:
    config = Path("/c d/x")
    machine = Machine(Shell.BASH, has_own_roots=True, config=config)
    said = remarks(Form.SDK_PYTHON, connection(EAST, IDENTITIES["secret-file"], machine=machine))
    assert "stacktui certificates export --yes --config '/c d/x'" in said
    assert "set where it runs" not in said
    for with_bundle in (replace(machine, has_bundle=True), Machine(Shell.BASH)):
        given = connection(EAST, IDENTITIES["secret-file"], machine=with_bundle)
        assert remarks(Form.SDK_PYTHON, given) == ""
    without = replace(EAST, subscription=None)
    given = connection(without, replace(IDENTITIES["secret"], tenant=None), machine=machine)
    for text in (remarks(Form.SDK_PYTHON, given), RENDERERS[Form.SDK_PYTHON](given)):
        assert "AZURE_SUBSCRIPTION_ID, AZURE_TENANT_ID, OPS_SECRET" in text
        assert "stacktui subscriptions use ID --environment East --config '/c d/x'" in text


def test_without_its_roots_the_program_says_how_to_write_them() -> None:
    given = connection(replace(EAST, ca=Path("/root.pem")), IDENTITIES["secret-file"])
    head, call, _ = RENDERERS[Form.SDK_PYTHON](given).partition("credential = ")
    assert call
    alone = head.replace("from azure", "# from azure")
    done = subprocess.run(
        [sys.executable, "-c", alone], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    missing = f"{exported_bundle()} is not there; to write it: stacktui certificates export --yes"
    assert done.stderr.strip() == missing


@given(HOSTILE, HOSTILE, st.booleans())
def test_hostile_values_are_texts_of_the_program(name: str, value: str, in_file: bool) -> None:
    environment = Environment(name, EAST.arm, subscription=value)
    kind = IdentityKind.SERVICE_PRINCIPAL
    identity = Identity(name, kind, value, FileSecret(Path(value)), value)
    given = connection(environment, identity, None if in_file else value)
    tree = ast.parse(RENDERERS[Form.SDK_PYTHON](given))
    texts = [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant)]
    assert texts.count(value) >= 4 - in_file
    assert len(tree.body) == 5 + in_file
