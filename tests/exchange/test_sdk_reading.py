"""Reading the texts of the SDKs: JSON files, programs and variables, also hostile ones."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.exchange.reading import (
    MAX_SIZE,
    Reading,
    UnknownFormError,
    read_text,
    read_values,
)
from stacktui.exchange.sdk_values import of_process

ARM = "https://management.west.example"
SECRET = "s3cret it's $X"
# As the samples' repository has it, with an older name of the last key too.
SAMPLE = {
    "clientId": "app", "clientSecret": SECRET, "objectId": "oid", "subscriptionId": "sub",
    "tenantId": "contoso.onmicrosoft.com", "location": "west",
    "resourceManagerEndpointUrl": f"{ARM}/",
}  # fmt: skip
PROGRAM = """
import os
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
TENANT = "contoso.onmicrosoft.com"
def main():
    arm = "https://management.west.example/"
    credential = ClientSecretCredential(TENANT, "app", SECRET, authority="https://adfs.a.b")
    return ComputeManagementClient(credential, "sub", base_url=arm, api_version="2020-06-01")
"""


def read(text: str) -> Reading:
    (found,) = read_text(text, Path("/src"))
    return found


@pytest.mark.parametrize("key", ["resourceManagerEndpointUrl", "resourceManagerUrl"])
def test_a_samples_file_is_read_and_its_secret_kept_apart(key: str) -> None:
    document = {key if each.startswith("resource") else each: SAMPLE[each] for each in SAMPLE}
    found = read("\ufeff" + json.dumps(document))
    assert found.values == {"arm": ARM, "subscription": "sub"}
    assert found.identity == {
        "kind": "service-principal", "tenant": "contoso.onmicrosoft.com", "client_id": "app",
        "secret": {"env": "AZURE_CLIENT_SECRET"},
    }  # fmt: skip
    assert (found.secret, found.left_out) == (SECRET, "")
    assert found.origins["arm"] == key
    assert found.origins["client_id"] == "clientId"
    assert SECRET not in repr(found)


def test_the_password_of_a_certificate_is_left_out_and_said() -> None:
    document = SAMPLE | {"clientSecret": None, "certPath": "../spn.pfx", "certPass": SECRET}
    found = read(json.dumps(document))
    assert found.identity is not None
    assert found.identity["certificate"] == "/src/../spn.pfx"
    assert "secret" not in found.identity
    assert (found.secret, found.left_out) == ("", "certPass")
    assert SECRET not in repr(found)


def test_a_secret_beside_a_certificate_is_left_out_and_said() -> None:
    found = read(json.dumps(SAMPLE | {"certPath": "spn.pem"}))
    assert found.identity is not None
    assert found.identity["certificate"] == "/src/spn.pem"
    assert (found.secret, found.unused_secret) == ("", "clientSecret")
    for path in ("C:\\certs\\spn.pem", "\\\\server\\certs\\spn.pem", "~/spn.pem"):
        found = read(json.dumps(SAMPLE | {"clientSecret": "", "certPath": path}))
        assert found.identity is not None
        assert (found.identity["certificate"], found.unused_secret) == (path, "")


def test_a_file_that_is_not_filled_in_has_no_identity_or_a_reference() -> None:
    assert read(json.dumps(SAMPLE | {"clientId": ""})).identity is None
    found = read(json.dumps(SAMPLE | {"clientSecret": ""}))
    assert found.identity is not None
    assert found.identity["secret"] == {"env": "AZURE_CLIENT_SECRET"}
    assert found.secret == ""


def test_an_environment_file_gives_what_the_metadata_do_not_say() -> None:
    document = {
        "name": "AzureStackCloud",
        "resourceManagerEndpoint": f"{ARM}/",
        "activeDirectoryEndpoint": "https://login.elsewhere/",
        "tokenAudience": "https://management.elsewhere/1",
        "storageEndpointSuffix": "west.example",
        "keyVaultDNSSuffix": "vault.other.example",
        "resourceIdentifiers": {"graph": ""},
    }
    found = read(json.dumps(document))
    assert found.values["arm"] == ARM
    assert found.values["endpoints"] == {"keyvault_suffix": ".vault.other.example"}
    assert found.identity is None


def test_a_program_of_the_sdk_is_read_and_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    text = f'SECRET = "{SECRET}"\nopen("{marker}", "w")\n{PROGRAM}'
    found = read(text)
    assert found.values == {"arm": ARM, "subscription": "sub"}
    assert found.identity == {
        "kind": "service-principal", "tenant": "contoso.onmicrosoft.com", "client_id": "app",
        "secret": {"env": "AZURE_CLIENT_SECRET"},
    }  # fmt: skip
    assert found.secret == SECRET
    assert found.origins["client_id"] == "ClientSecretCredential client_id"
    assert not marker.exists()


@pytest.mark.parametrize(
    ("secret", "reference"),
    [
        ('os.environ["X"]', {"env": "X"}),
        ('os.environ.get("X", "")', {"env": "X"}),
        ('os.getenv("X").strip()', {"env": "X"}),
        ('open("a b").read().strip()', {"file": "/src/a b"}),
        ('Path("/a").read_text().rstrip()', {"file": "/a"}),
        ('config["clientSecret"]', {"env": "AZURE_CLIENT_SECRET"}),
    ],
)
def test_a_program_has_its_secret_by_reference(secret: str, reference: dict[str, str]) -> None:
    found = read(f"SECRET = {secret}\n{PROGRAM}")
    assert found.identity is not None
    assert (found.identity["secret"], found.secret) == (reference, "")


def test_a_program_without_the_application_has_no_identity() -> None:
    found = read(PROGRAM.replace('"app"', 'os.environ["AZURE_CLIENT_ID"]'))
    assert (found.values["arm"], found.identity) == (ARM, None)


def test_the_variables_of_a_process_are_references_where_they_are_secret() -> None:
    variables = {
        "ARM_ENDPOINT": ARM, "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_TENANT_ID": "t", "AZURE_SUBSCRIPTION_ID": "", "PATH": "/bin",
    }  # fmt: skip
    values = of_process(variables)
    assert SECRET not in repr(values)
    found = read_values(values, Path("/src"))
    assert found.values == {"arm": ARM}
    assert found.identity is not None
    assert found.identity["secret"] == {"env": "AZURE_CLIENT_SECRET"}
    certificate = {
        "ARM_METADATA_HOST": "management.west.example", "ARM_CLIENT_ID": "app",
        "ARM_CLIENT_CERTIFICATE_PATH": "c.pem", "ARM_CLIENT_CERTIFICATE_PASSWORD": SECRET,
    }  # fmt: skip
    found = read_values(of_process(certificate), Path("/src"))
    assert found.left_out == "ARM_CLIENT_CERTIFICATE_PASSWORD"
    user = {"ARM_ENDPOINT": ARM, "AZURE_USERNAME": "u", "AZURE_PASSWORD": SECRET}
    found = read_values(of_process(user), Path("/src"))
    assert found.identity is not None
    assert found.identity["password"] == {"env": "AZURE_PASSWORD"}
    with pytest.raises(UnknownFormError):
        read_values(of_process({"AZURE_CLIENT_ID": "app"}), Path("/src"))


@pytest.mark.parametrize(
    "text",
    [
        '{"clientId": NaN, "resourceManagerEndpointUrl": "https://a.b.c"}',
        '{"clientId": ["hunter2"], "resourceManagerEndpointUrl": "https://a.b.c"}',
        '{"clientId": "hunter2", "clientId": "x", "resourceManagerEndpointUrl": "https://a.b.c"}',
        '{"resourceManagerEndpointUrl": {"https://a.b.c": "hunter2"}}',
        '{"resourceManagerEndpointUrl": "https://u:hunter2@a.b.c"}',
        '{"resourceManagerEndpoint": "https://a.b.c/hunter2"}',
        '{"resourceManagerEndpoint": "https://a.b.c", "storageEndpointSuffix": 1}',
        '{"clientId": "\\ud800", "resourceManagerEndpointUrl": "https://a.b.c"}',
        '{"clientId": "hunter2"}',
        '{"clientId": "hunter2",}',
        '{"a": ' * 10_000,
        '{"a": ' + "[" * 60_000,
        '{"a": ' + "9" * 60_000 + "}",
        '{"resourceManagerEndpointUrl": "https://a.b.c"} and more',
    ],
)
def test_hostile_json_is_refused_without_a_value_of_it(text: str) -> None:
    with pytest.raises(UnknownFormError) as caught:
        read_text(text, Path("/src"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        '{"clientId": "app", "a": ' + "9" * 20_000 + "}",
        '{"resourceManagerEndpointUrl": ' + "9" * 20_000 + "}",
        '[environments.W]\narm = "https://a.b.c"\na = ' + "9" * 20_000,
        "a" + ".a" * 30_000 + " = 1",
        "# azure.mgmt\nx = " + "9" * 20_000,
    ],
    ids=["json", "json-url", "toml", "toml-dots", "program"],
)
def test_absurd_numbers_and_keys_are_refused_plainly_and_soon(text: str) -> None:
    start = time.process_time()
    with pytest.raises(UnknownFormError) as caught:
        read_text(text, Path("/src"))
    assert "digits" not in str(caught.value)
    assert time.process_time() - start < 2


KEYS = st.sampled_from(
    [*SAMPLE, "certPath", "certPass", "resourceManagerEndpoint", "keyVaultDNSSuffix", "x"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([ARM, "<the value of the variable X>", "<the content of the file >", "@x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.dictionaries(KEYS, VALUES), st.integers(0, 200))
def test_any_json_gives_readings_or_the_error(document: dict[str, Any], cut: int) -> None:
    text = json.dumps(document)
    for each in (text, text[:cut], text[cut:] + text):
        with suppress(UnknownFormError):
            assert read(each).values["arm"]


PIECES = st.lists(
    st.sampled_from(
        [
            "azure.identity", "import ", "\n", "    ", "(", ")", "[", "]", "{", "}", ",", "=", "*",
            "**", "x", '"a"', 'f"{x}"', "base_url=", "C", "CertificateCredential", "password=",
            '"https://a.b.c"', "identity_config=", '{"object_id": "o"}', ".read()", 'open("p")',
            "ManagedIdentityCredential", "os.environ", '["X"]', "lambda", ":", "\0", "é", "'\\d'",
        ]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=200)
@given(PIECES)
def test_any_program_gives_readings_or_the_error(pieces: str) -> None:
    call = 'Client(x, base_url="https://a.b.c")'
    for text in (f"# azure.identity\n{pieces}", f"# azure.mgmt\n{call}\n{pieces}"):
        with suppress(UnknownFormError):
            assert read(text).values["arm"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "repeated",
    ["(", "[", "-", "not ", "x.", "x(", "lambda:", "x=", "(x)", "1+", '"', "{x:", "\\\n"],
)
def test_the_longest_program_is_read_in_a_moment(repeated: str) -> None:
    head = '# azure.identity\nC(base_url="https://a.b.c", subscription_id=\\\n'
    start = time.process_time()
    for end in ("", "x", ".read()"):
        text = head + repeated * ((MAX_SIZE - 200) // len(repeated)) + end
        with suppress(UnknownFormError):
            read_text(text, Path("/src"))
    assert time.process_time() - start < 10
