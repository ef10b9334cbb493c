"""The forms of variables: the names that clients read, and what a real bash makes of each line."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.environments.model import Environment
from stacktui.exchange.connection import Machine
from stacktui.exchange.forms import RENDERERS, Form
from stacktui.exchange.shells import Shell
from stacktui.identities.model import (
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
    KeyringSecret,
    PromptSecret,
    TypedSecret,
)

from .connections import APP, ASDK, EAST, IDENTITIES, SUBSCRIPTION, TENANT, connection

SECRET = "it's~8Q.\"$(id)`id`%PATH%!\\"
HOSTILE = st.text(
    st.sampled_from("'\"$`\\%!^&|<>(); \t\n\r\x1b\u202e\u2028#~*é💣=ab") | st.characters(
        exclude_characters="\0", exclude_categories=["Cs"]
    ),
    min_size=1,
)  # fmt: skip
EXPECTED = {
    "ARM_ENDPOINT": EAST.arm,
    "AZURE_RESOURCE_LOCATION": "east",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": APP,
}


def variables(script: str, **given: str) -> dict[str, str]:
    """The variables that a real bash has after the script, beside those it was given."""
    done = subprocess.run(
        ["bash", "-c", f"{script}\nenv -0"],
        env={"PATH": "/usr/bin:/bin", **given},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    pairs = (each.partition("=") for each in done.stdout.decode().rstrip("\0").split("\0"))
    return {name: value for name, _, value in pairs if name.startswith(("ARM_", "AZURE_"))}


def test_bash_has_the_variables_and_the_secret_that_its_reference_names(tmp_path: Path) -> None:
    by_variable = RENDERERS[Form.ENV](connection(EAST, IDENTITIES["secret"]))
    expected = EXPECTED | {"AZURE_CLIENT_SECRET": SECRET}
    assert variables(by_variable, OPS_SECRET=SECRET) == expected
    assert SECRET not in by_variable
    path = tmp_path / "a file's $name"
    path.write_text(f"{SECRET}\n")
    identity = replace(IDENTITIES["secret"], credential=FileSecret(path))
    assert variables(RENDERERS[Form.ENV](connection(EAST, identity))) == expected
    itself = RENDERERS[Form.ENV](connection(EAST, identity, SECRET))
    assert variables(itself) == expected


def test_each_kind_of_identity_has_the_variables_of_its_kind() -> None:
    def names(identity: str, **given: str) -> dict[str, str]:
        found = variables(RENDERERS[Form.ENV](connection(EAST, IDENTITIES[identity])), **given)
        return {name: value for name, value in found.items() if name not in EXPECTED}

    assert names("certificate") == {"AZURE_CLIENT_CERTIFICATE_PATH": "/run/s p/ops.pem"}
    user = {"AZURE_USERNAME": f"me@{TENANT}", "AZURE_PASSWORD": "p"}
    assert names("user", OPS_PASSWORD="p") == user
    assert names("device-code") == names("managed") == {}
    managed = variables(RENDERERS[Form.ENV](connection(EAST, IDENTITIES["managed"])))
    assert "AZURE_TENANT_ID" not in managed
    assert variables(RENDERERS[Form.ENV](connection(ASDK, None))) == {
        "ARM_ENDPOINT": ASDK.arm,
        "AZURE_RESOURCE_LOCATION": "local",
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    }


def test_an_adfs_stamp_has_the_tenant_of_that_name() -> None:
    found = variables(RENDERERS[Form.ENV](connection(ASDK, IDENTITIES["certificate"])))
    assert found["AZURE_TENANT_ID"] == "adfs"


def test_terraform_reads_names_of_its_own_and_is_said_to_be_archived() -> None:
    text = RENDERERS[Form.TERRAFORM](connection(EAST, IDENTITIES["secret"]))
    assert variables(text, OPS_SECRET=SECRET) == {
        "ARM_METADATA_HOST": "management.east.contoso.com",
        "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
        "ARM_TENANT_ID": TENANT,
        "ARM_CLIENT_ID": APP,
        "ARM_CLIENT_SECRET": SECRET,
    }
    assert "archived" in text
    assert "2019-03-01-hybrid" in text
    managed = variables(RENDERERS[Form.TERRAFORM](connection(EAST, IDENTITIES["managed"])))
    assert managed["ARM_USE_MSI"] == "true"
    in_cmd = connection(EAST, IDENTITIES["secret"], machine=Machine(Shell.CMD))
    assert 'do set "ARM_CLIENT_SECRET=%%i"' in RENDERERS[Form.TERRAFORM](in_cmd)


@pytest.mark.parametrize(
    ("form", "by_variable", "by_file"),
    [
        (
            Form.POWERSHELL,
            "$env:AZURE_CLIENT_SECRET = $env:OPS_SECRET",
            "(Get-Content -Raw -Encoding UTF8 -LiteralPath '/run/s p/ops').TrimEnd(",
        ),
        (
            Form.CMD,
            (
                "for /f delims^=^ eol^= %%i in "
                """('powershell -NoProfile -Command "$env:OPS_SECRET"')"""
                ' do set "AZURE_CLIENT_SECRET=%%i"\n'
            ),
            'set /p "AZURE_CLIENT_SECRET=" < "/run/s p/ops"',
        ),
    ],
)
def test_windows_shells_take_the_secret_from_its_reference(
    form: Form, by_variable: str, by_file: str
) -> None:
    assert by_variable in RENDERERS[form](connection(EAST, IDENTITIES["secret"]))
    assert by_file in RENDERERS[form](connection(EAST, IDENTITIES["secret-file"]))


@pytest.mark.parametrize("form", [Form.CMD, Form.TERRAFORM, Form.AZ_COMMANDS])
def test_cmd_expands_no_secret_in_a_line(form: Form) -> None:
    """A secret with a quote and `&` would run as commands."""
    for name in ("OPS_SECRET", "AZURE_CLIENT_SECRET"):
        identity = replace(IDENTITIES["secret"], credential=EnvSecret(name))
        assert f"%{name}%" not in RENDERERS[form](
            connection(EAST, identity, machine=Machine(Shell.CMD))
        )


def test_powershell_quotes_every_value() -> None:
    text = RENDERERS[Form.POWERSHELL](connection(EAST, IDENTITIES["secret"], "a'b$c"))
    assert f"$env:ARM_ENDPOINT = '{EAST.arm}'" in text
    assert "$env:AZURE_CLIENT_SECRET = 'a''b$c'" in text


def test_the_password_of_a_certificate_is_a_reference_too() -> None:
    reference = CertificateRef(Path("/k/ops.pfx"), EnvSecret("OPS_PFX"))
    identity = replace(IDENTITIES["secret"], credential=reference)
    for prefix, form in (("AZURE", Form.ENV), ("ARM", Form.TERRAFORM)):
        text = RENDERERS[form](connection(EAST, identity))
        assert f'export {prefix}_CLIENT_CERTIFICATE_PASSWORD="$OPS_PFX"' in text
    assert "OPS_PFX" in RENDERERS[Form.SDK_PYTHON](connection(EAST, identity))
    assert "OPS_PFX" in RENDERERS[Form.SDK_JSON](connection(EAST, identity))
    typed = replace(reference, password=TypedSecret(SECRET, EnvSecret("OPS_PFX")))
    for form in RENDERERS:
        assert SECRET not in RENDERERS[form](connection(EAST, identity.with_secret(typed.password)))


@pytest.mark.parametrize("secret", [KeyringSecret("stacktui", "ops"), PromptSecret()])
def test_what_no_shell_reads_is_taken_from_a_variable_that_the_text_names(
    secret: KeyringSecret | PromptSecret,
) -> None:
    for reference in (secret, TypedSecret(SECRET, secret)):
        identity = replace(IDENTITIES["secret"], credential=reference)
        for form in {*RENDERERS} - {Form.TOML, Form.ENVIRONMENT_JSON}:
            text = RENDERERS[form](connection(EAST, identity))
            assert "STACKTUI_SECRET" in text, form
            assert SECRET not in text
    text = RENDERERS[Form.ENV](connection(EAST, identity))
    assert ("python -m keyring get stacktui ops" in text) is isinstance(secret, KeyringSecret)
    assert "STACKTUI_SECRET" not in RENDERERS[Form.ENV](connection(EAST, identity, "itself"))


def test_a_typed_secret_is_written_as_the_reference_that_it_stands_for() -> None:
    typed = TypedSecret(SECRET, EnvSecret("OPS_SECRET"))
    identity = replace(IDENTITIES["secret"], credential=typed)
    for form in RENDERERS:
        assert SECRET not in RENDERERS[form](connection(EAST, identity))
        assert form is Form.ENVIRONMENT_JSON or "OPS_SECRET" in RENDERERS[form](
            connection(EAST, identity)
        )


@pytest.mark.parametrize("value", ["100%", 'a"b', "a\nb", "\x1b[2J", "a^b", "a!b"])
def test_cmd_is_told_what_it_cannot_hold(value: str) -> None:
    identity = replace(IDENTITIES["secret"], tenant=value)
    text = RENDERERS[Form.CMD](connection(EAST, identity))
    assert "rem AZURE_TENANT_ID is left out: cmd cannot hold its value" in text
    assert value not in text
    lines = text.splitlines()
    assert all(line.startswith(('set "', "rem ", "for /f ")) for line in lines)


@settings(max_examples=30, deadline=None)
@given(HOSTILE, HOSTILE)
def test_bash_reads_hostile_values_back_and_runs_none_of_them(name: str, value: str) -> None:
    environment = Environment(name, EAST.arm, subscription=value)
    identity = Identity(name, IdentityKind.SERVICE_PRINCIPAL, value, FileSecret(Path("/dev/null")))
    text = RENDERERS[Form.ENV](connection(environment, identity))
    assert text.replace("\n", "").isprintable()
    found = variables(text)
    assert (found["AZURE_SUBSCRIPTION_ID"], found["AZURE_CLIENT_ID"]) == (value, value)


@given(HOSTILE, HOSTILE)
def test_no_hostile_value_leaves_its_line_in_any_form(name: str, value: str) -> None:
    environment = Environment(name, EAST.arm, subscription=value)
    identity = Identity(name, IdentityKind.SERVICE_PRINCIPAL, value, FileSecret(Path("/dev/null")))
    usual = connection(EAST, replace(IDENTITIES["secret-file"], tenant=None))
    for form in RENDERERS:
        for shell in Shell:
            hostile = connection(environment, identity, machine=Machine(shell))
            text = RENDERERS[form](hostile)
            assert text.replace("\n", "").isprintable()
            plain = RENDERERS[form](replace(usual, machine=Machine(shell)))
            assert form is Form.TOML or text.count("\n") <= plain.count("\n")
