"""Reading the forms: what was exported comes back, and so does what the documents have."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.check.settings import load_settings
from stacktui.environments.model import CloudKey, Environment
from stacktui.exchange.connection import Machine
from stacktui.exchange.forms import RENDERERS, Form
from stacktui.exchange.importing import plan_import
from stacktui.exchange.reading import MAX_SIZE, Reading, UnknownFormError, read_text
from stacktui.exchange.script_reader import read_script
from stacktui.exchange.shells import Shell
from stacktui.identities.model import CertificateRef, EnvSecret, FileSecret, Identity

from .connections import APP, ASDK, EAST, IDENTITIES, SUBSCRIPTION, TENANT, connection

WHOLE = (Form.TOML,)
WITH_PROFILE = (Form.TOML, Form.AZ_COMMANDS)
# The files of the samples have a service principal; an environment's file has nobody.
PRINCIPALS = ("secret", "secret-file", "certificate")
WITH_NAME = (Form.TOML, Form.AZ_COMMANDS, Form.AZ_POWERSHELL)
EXPORTS = [
    pytest.param(form, shell, id=f"{form}-{shell}")
    for form in RENDERERS
    for shell in Shell
    if form in (Form.TERRAFORM, Form.AZ_COMMANDS) or shell is Shell.BASH
]


def read_one(text: str) -> Reading:
    (found,) = read_text(text, Path("/src"))
    return found


def imported(text: str, folder: Path, name: str) -> tuple[Environment, Identity | None]:
    """The environment that an import of this text writes, as the config is then read."""
    config = folder / "config.toml"
    config.unlink(missing_ok=True)
    plan = plan_import(config, read_one(text), name)
    plan.check()
    plan.carry_out()
    found = load_settings(config)
    assert found.warnings == ()
    target = found.target(name)
    return target.environment, target.identity


@pytest.mark.parametrize(("form", "shell"), EXPORTS)
@pytest.mark.parametrize("kind", IDENTITIES)
def test_an_export_is_imported_as_it_was(
    form: Form, shell: Shell, kind: str, tmp_path: Path
) -> None:
    """As far as the form can hold it: the profile and the name are not in all."""
    identity = IDENTITIES[kind]
    text = RENDERERS[form](connection(EAST, identity, machine=Machine(shell)))
    reading = read_one(text)
    assert reading.form is form
    if form in WITH_NAME:
        assert reading.name == EAST.name
    if form is Form.TERRAFORM and kind == "user":
        return
    environment, found = imported(text, tmp_path, EAST.name)
    expected = EAST if form in WITH_PROFILE else replace(EAST, profile="2020-09-01-hybrid")
    if form not in WITH_PROFILE:
        expected = replace(expected, vm_image_aliases=None)
    if form is Form.ENVIRONMENT_JSON:
        expected = replace(expected, subscription=None)
    if form is Form.ENVIRONMENT_JSON or (form is Form.SDK_JSON and kind not in PRINCIPALS):
        assert found is None
    else:
        assert found == replace(identity, name=environment.identity or "")
    assert environment == replace(expected, identity=environment.identity)


@pytest.mark.parametrize(("form", "shell"), EXPORTS)
def test_adfs_needs_no_tenant(form: Form, shell: Shell, tmp_path: Path) -> None:
    identity = replace(IDENTITIES["secret"], tenant=None)
    text = RENDERERS[form](connection(ASDK, identity, machine=Machine(shell)))
    environment, found = imported(text, tmp_path, ASDK.name)
    if form is not Form.ENVIRONMENT_JSON:
        assert found == replace(identity, name=environment.identity or "")
    assert (environment.arm, environment.endpoints) == (ASDK.arm, {})


OWN = {
    CloudKey.LOGIN_ENDPOINT: "https://login.east.contoso.com/",
    CloudKey.AUDIENCE: "https://management.other/1a",
    CloudKey.GRAPH: "https://graph.other/",
    CloudKey.GALLERY: "https://gallery.other/",
    CloudKey.STORAGE_SUFFIX: "other.contoso.com",
}


def test_overrides_in_the_commands_of_az_are_kept(tmp_path: Path) -> None:
    for environment in (EAST, ASDK):
        url = "https://aliases.other/a.json"
        own = replace(environment, endpoints=OWN, vm_image_aliases=url, identity=None)
        text = RENDERERS[Form.AZ_COMMANDS](connection(own, machine=Machine(Shell.BASH)))
        found, _ = imported(text, tmp_path, own.name)
        assert (found.endpoints, found.vm_image_aliases) == (OWN, url)


@pytest.mark.parametrize("shell", Shell)
@pytest.mark.parametrize("environment", [EAST, ASDK], ids=["entra", "adfs"])
def test_an_override_of_only_the_audience_is_kept(
    shell: Shell, environment: Environment, tmp_path: Path
) -> None:
    own = {CloudKey.AUDIENCE: OWN[CloudKey.AUDIENCE]}
    exported = replace(environment, endpoints=own, identity=None)
    text = RENDERERS[Form.AZ_COMMANDS](connection(exported, machine=Machine(shell)))
    found, _ = imported(text, tmp_path, exported.name)
    assert found.endpoints == own
    assert RENDERERS[Form.AZ_COMMANDS](connection(found, machine=Machine(shell))) == text


def test_an_identity_that_the_file_lacks_is_said() -> None:
    text = RENDERERS[Form.TOML](connection(EAST, IDENTITIES["secret"]))
    assert read_one(text).lacks == ""
    found = read_one(text.partition("[identities")[0])
    assert (found.lacks, found.identity) == ("ops", None)


DOCUMENTS = r"""
az cloud register -n AzureStackUser --endpoint-resource-manager \
  "https://management.local.azurestack.external/" \
  --suffix-storage-endpoint "other.azurestack.external" \
  --suffix-keyvault-dns ".vault.local.azurestack.external" # a note
az cloud set --name AzureStackUser
az cloud update --profile=2019-03-01-hybrid
az login --service-principal -u APPLICATION -p C:/certs/spn.pem --tenant TENANTID --debug
"""


def test_the_documents_commands_are_read() -> None:
    found = read_one(DOCUMENTS.replace("APPLICATION", APP).replace("TENANTID", TENANT))
    assert found.name == "AzureStackUser"
    assert found.values == {
        "arm": "https://management.local.azurestack.external",
        "profile": "2019-03-01-hybrid",
        "endpoints": {CloudKey.STORAGE_SUFFIX: "other.azurestack.external"},
    }
    assert found.identity == {
        "kind": "service-principal", "client_id": APP, "tenant": TENANT,
        "certificate": "C:/certs/spn.pem",
    }  # fmt: skip
    assert found.origins["profile"] == "az cloud update --profile"
    assert found.secret == ""


def test_variables_of_the_script_itself_are_known() -> None:
    text = f"""NAME=West; ARM="https://management.west.example"
    export APP={APP} KEY='s3cret value' \\
        TENANT
    az cloud register --name "$NAME" --endpoint-resource-manager ${{ARM}} && az login \
        --service-principal -u "$APP" -p "$KEY" -t {TENANT}
    az account set -s {SUBSCRIPTION}
    """
    found = read_one(text)
    assert (found.name, found.values["arm"]) == ("West", "https://management.west.example")
    assert found.values["subscription"] == SUBSCRIPTION
    assert found.identity is not None
    assert (found.identity["client_id"], found.identity["secret"]) == (APP, {"env": "KEY"})
    assert found.secret == "s3cret value"
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("export ARM_ENDPOINT=https://a.b.c AZURE_CLIENT_ID=i AZURE_CLIENT_SECRET='it'\\''s $X'",
         "it's $X"),
        (("$env:ARM_ENDPOINT = \"https://a.b.c\"\n$env:AZURE_CLIENT_ID='i'\n"
         "$env:AZURE_CLIENT_SECRET = \"a`\"b\""), 'a"b'),
        (("set ARM_ENDPOINT=https://a.b.c\nset AZURE_CLIENT_ID=i\n"
         'set "AZURE_CLIENT_SECRET=a&b"'), "a&b"),
        ("set ARM_METADATA_HOST=a.b.c\r\nSET ARM_CLIENT_ID=i\r\nset ARM_CLIENT_SECRET=ab", "ab"),
        (("Add-AzEnvironment -Name W -ARMEndpoint https://a.b.c\n"
         "$s = ConvertTo-SecureString 'it''s' -AsPlainText -Force\n"
         "$c = New-Object PSCredential('i', $s)\n"
         "Connect-AzAccount -EnvironmentName W -ServicePrincipal -Credential $c -TenantId t"),
         "it's"),
        (('[environments.W]\narm = "https://a.b.c"\nidentity = "i"\n[identities.i]\n'
         'kind = "service-principal"\nclient_id = "i"\nsecret = "ab"'), "ab"),
    ],
)  # fmt: skip
def test_a_secret_is_kept_apart_and_becomes_a_reference(text: str, secret: str) -> None:
    found = read_one(text)
    assert found.values["arm"] == "https://a.b.c"
    assert found.secret == secret
    assert found.identity is not None
    variable = "ARM_CLIENT_SECRET" if "ARM_CLIENT" in text else "AZURE_CLIENT_SECRET"
    assert found.identity["secret"] == {"env": variable}
    assert found.identity["client_id"] == "i"


def test_what_only_running_it_could_tell_is_not_a_value() -> None:
    text = 'ARM_ENDPOINT=https://a.b.c AZURE_TENANT_ID=$(id) AZURE_CLIENT_ID="x`id`y${Z}"'
    found = read_one(text)
    assert found.values == {"arm": "https://a.b.c"}
    assert found.identity == {"kind": "device-code"}


@pytest.mark.parametrize(
    "text",
    [
        "", "\0", "hello", "az login", "x = 1", "[environments]\nx = 1", "ARM_ENDPOINT=http://a.b",
        "ARM_ENDPOINT='https://u:hunter2@a.b.c'", "az cloud register -n x", "$env:X = 1",
        "[" * 5000,
    ],
)  # fmt: skip
def test_a_text_without_an_environment_is_refused(text: str) -> None:
    with pytest.raises(UnknownFormError) as caught:
        read_text(text, Path("/src"))
    assert "hunter2" not in str(caught.value)


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "'", '"', "$'", "\\", "`", "$(", "$(cat ", "(Get-Content ", ")", "(", "%X%", "%", "$X",
            "$env:X", "set X=", "set \"", "rem", "call ", "\n", " ", ";", "|", "&&", "#", "=", "^",
            "az cloud register -n ", "--endpoint-resource-manager ", "https://a.b.c", "-p @-",
            "ARM_ENDPOINT=", "export ", "az login ", "[char]0x0041", "@", "‘", "é", "\x1b", "+",
            "New-Object PSCredential", "Add-AzEnvironment ", "[environments.x]\n", "$x = ",
        ]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=200)
@given(st.text() | FRAGMENTS)
def test_any_text_gives_readings_or_the_error(text: str) -> None:
    with suppress(UnknownFormError):
        assert all(found.values is not None for found in read_text(text, Path("/src")))


@pytest.mark.parametrize(
    "repeated",
    [
        "'",
        '"',
        "$'\\'",
        '\\"',
        "$(cat '",
        '"$(cat "',
        "(((",
        "`",
        "%x",
        "$x = (",
        "a=b ",
        "x|",
        "${a:?",
        "\n",
        "\n ",
        "set /p x=",
    ],
)
@pytest.mark.timeout(20)
@pytest.mark.parametrize("start", ["", "set X=1\n", "$x = 1\n"])
def test_the_longest_text_is_read_in_a_moment(repeated: str, start: str) -> None:
    text = start + repeated * (MAX_SIZE // len(repeated))
    script = read_script(text)
    assert len(script.commands) <= MAX_SIZE


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        "\n" * MAX_SIZE,
        "$x = 1" + "\n" * MAX_SIZE,
        "set x=1\nset /p x=" + " " * MAX_SIZE + '"z',
        "set x=1\nset /p x= <" + " " * MAX_SIZE + 'a"b',
        "set x=1\nset /p x=<a" + " " * MAX_SIZE + "b",
    ],
    ids=["blank lines", "blank lines of PowerShell", "cmd-1", "cmd-2", "cmd-3"],
)
def test_blanks_are_read_in_linear_time(text: str) -> None:
    start = time.process_time()
    read_script(text)
    assert time.process_time() - start < 1


def test_cmd_reads_a_file_into_a_variable_in_each_spelling() -> None:
    for line in (
        "set /p X=<a b",
        'set /p "X=" < "a b"',
        'SET /P  "X=? "<a b  ',
        '@set /p X= <"a b" ',
    ):
        assert read_script(line).variables == {"X": FileSecret(Path("a b"))}, line


def test_only_to_az_a_secret_with_an_at_sign_is_a_file() -> None:
    login = f"az login --service-principal -u {APP} -p @ops -t {TENANT}"
    register = f"az cloud register -n W --endpoint-resource-manager {EAST.arm}"
    found = read_one(f"{register}; {login}")
    assert found.identity is not None
    assert (found.identity["secret"], found.secret) == ({"file": "/src/ops"}, "")
    found = read_one(f"ARM_ENDPOINT={EAST.arm} AZURE_CLIENT_ID={APP} AZURE_CLIENT_SECRET=@ops")
    assert found.identity is not None
    assert (found.identity["secret"], found.secret) == ({"env": "AZURE_CLIENT_SECRET"}, "@ops")


def test_references_of_an_export_name_absolute_places() -> None:
    text = RENDERERS[Form.TOML](connection(EAST, IDENTITIES["secret-file"]))
    relative = text.replace("/run/s p/ops", "ops")
    found = read_one(relative)
    assert found.identity is not None
    assert found.identity["secret"] == {"file": "/src/ops"}
    for reference in (EnvSecret("X"), FileSecret(Path("/a b/c")), CertificateRef(Path("/c.pem"))):
        identity = replace(IDENTITIES["secret"], credential=reference)
        assert read_one(RENDERERS[Form.ENV](connection(EAST, identity))).secret == ""
