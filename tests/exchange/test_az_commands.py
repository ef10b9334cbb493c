"""The commands for az: their order and options for each stamp, identity, shell and version of az.

`tests/compat/test_az_commands.py` runs them.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.environments.cloud import cloud_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import CloudKey
from stacktui.exchange.az_commands import render
from stacktui.exchange.connection import Connection, Machine
from stacktui.exchange.shells import Shell
from stacktui.identities.model import Identity

from .connections import APP, ASDK, EAST, IDENTITIES, SUBSCRIPTION, TENANT, connection

REGISTER_ADFS = (
    "az cloud register -n Kit "
    "--endpoint-resource-manager https://management.local.azurestack.external "
    "--suffix-storage-endpoint local.azurestack.external "
    "--suffix-keyvault-dns .vault.local.azurestack.external "
    "--endpoint-active-directory-resource-id https://management.adfs.azurestack.local/7f "
    "--endpoint-active-directory-graph-resource-id https://graph.local.azurestack.external/ "
    "--endpoint-active-directory https://adfs.local.azurestack.external/adfs/"
)
REGISTER_ENTRA = (
    "az cloud register -n East --endpoint-resource-manager https://management.east.contoso.com "
    "--suffix-storage-endpoint east.contoso.com --suffix-keyvault-dns .vault.east.contoso.com "
    "--endpoint-vm-image-alias-doc https://aliases.blob.east.contoso.com/a/aliases.json"
)


def machine_with(*versions: str, shell: Shell = Shell.BASH) -> Machine:
    """A machine with these installations of az, the first of which a shell runs."""
    found = tuple(AzInstallation(Path(f"/opt/az {each}/bin/az"), each) for each in versions)
    return Machine(shell, AzFacts(Path("/home/me/.azure"), found, next(iter(found), None)))


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith(("#", "rem"))]


def for_identity(name: str, machine: Machine | None = None) -> list[str]:
    machine = machine or machine_with("2.66.2")
    return commands(render(connection(EAST, IDENTITIES[name], machine=machine)))


def test_an_entra_stamp_is_registered_selected_and_signed_in_to() -> None:
    assert for_identity("secret") == [
        REGISTER_ENTRA,
        "az cloud set -n East",
        "az cloud update --profile 2019-03-01-hybrid",
        f'printf %s "$OPS_SECRET" | az login --service-principal -u {APP} -p @- --tenant {TENANT}',
        f"az account set --subscription {SUBSCRIPTION}",
        "az group list --output table",
    ]


def test_an_adfs_stamp_is_registered_with_its_sign_in_too() -> None:
    found = commands(render(connection(ASDK, machine=machine_with("2.66.2"))))
    assert found[:3] == [
        REGISTER_ADFS,
        "az cloud set -n Kit",
        "az cloud update --profile 2020-09-01-hybrid",
    ]


@pytest.mark.parametrize(
    ("identity", "login"),
    [
        ("secret-file", f"--service-principal -u {APP} -p '@/run/s p/ops' --tenant {TENANT}"),
        (
            "certificate",
            f"--service-principal -u {APP} --certificate '/run/s p/ops.pem' --tenant {TENANT}",
        ),
        ("user", f"-u me@{TENANT} -p @- --tenant {TENANT}"),
        ("device-code", f"--use-device-code --tenant {TENANT}"),
        ("managed", f"--identity -u {APP}"),
    ],
)
def test_each_kind_of_identity_signs_in(identity: str, login: str) -> None:
    (found,) = [each for each in for_identity(identity) if "az login" in each]
    assert found.partition("az login ")[2] == login


def test_az_gets_the_id_of_an_adfs_tenant_or_none() -> None:
    uuid = "d669642b-89ec-466e-af2c-2ceab9fef685"

    def login(identity: Identity, audience: str = "https://arm/7f") -> str:
        environment = replace(ASDK, endpoints={CloudKey.AUDIENCE: audience})
        text = render(connection(environment, identity, machine=machine_with("2.66.2")))
        (found,) = [each for each in commands(text) if "az login" in each]
        return found

    principal = replace(IDENTITIES["secret"], tenant=None)
    assert login(replace(principal, tenant=uuid)).endswith(f"--tenant {uuid}")
    assert login(principal, f"https://management.adfs/{uuid}").endswith(f"--tenant {uuid}")
    assert login(principal).endswith("--tenant TENANT")
    assert "--tenant" not in login(IDENTITIES["user"])
    assert "--tenant" not in login(IDENTITIES["device-code"])


def test_a_secret_that_was_asked_for_is_in_no_argument_list() -> None:
    given = connection(EAST, IDENTITIES["secret"], "it's", machine_with("2.66.2"))
    login = [each for each in commands(render(given)) if "it" in each]
    assert login == ["export AZURE_CLIENT_SECRET='it'\"'\"'s'"]
    assert f'printf %s "$AZURE_CLIENT_SECRET" | az login --service-principal -u {APP}' in render(
        given
    )


def test_the_trust_step_names_the_bundle_that_the_export_writes() -> None:
    without = render(connection(EAST, machine=machine_with("2.66.2")))
    assert "certificates export --yes" not in without
    for given in (
        connection(replace(EAST, ca=Path("/c/root.pem"))),
        connection(EAST, machine=Machine(Shell.BASH, has_own_roots=True, config=Path("/c d/x"))),
    ):
        found = commands(render(given))
        place = next(i for i, each in enumerate(found) if "certificates export" in each)
        assert found[place + 1].startswith("export REQUESTS_CA_BUNDLE=")
        assert "az-bundle.pem" in found[place + 1]
    assert "--config '/c d/x'" in found[place]


def test_no_proxy_and_pinned_addresses_are_said() -> None:
    direct = replace(EAST, proxy="none", resolve={"management.east.contoso.com:443": "[::1]:8443"})
    text = render(connection(direct, machine=machine_with("2.66.2")))
    hosts = "east.contoso.com,management.east.contoso.com,login.microsoftonline.com"
    assert f"export NO_PROXY={hosts}" in commands(text)
    assert "HTTPS_PROXY" not in text
    assert "# az cannot be told addresses" in text
    assert "#   management.east.contoso.com:443 at " in text
    usual = render(connection(EAST))
    assert "PROXY" not in usual
    assert "hosts file" not in usual


def test_a_development_kit_says_how_its_root_becomes_a_file() -> None:
    asdk = render(connection(ASDK))
    assert "# AzureStackSelfSignedRootCert as a file" in asdk
    assert "#   Export-Certificate -Type CERT -FilePath root.cer" in asdk
    assert "Export-Certificate" not in render(connection(EAST))


def test_a_private_login_host_is_not_asked_about_in_public() -> None:
    private = Metadata("2015-01-01", "https://login.contoso.com", "aud", IdentityProvider.ENTRA)
    text = render(Connection(EAST, cloud_of(EAST, private), machine=machine_with("2.66.2")))
    before, line, _ = text.partition("\naz config set core.instance_discovery=false\n")
    assert line
    assert "global" in before.rpartition("\n\n")[2]
    for other in (EAST, ASDK):
        assert "instance_discovery" not in render(connection(other))


@pytest.mark.parametrize("versions", [(), ("2.73.0",), ("2.91.1",)])
@pytest.mark.parametrize("shell", Shell)
def test_where_az_cannot_work_266_is_put_beside_it(versions: tuple[str, ...], shell: Shell) -> None:
    text = render(connection(EAST, machine=machine_with(*versions, shell=shell)))
    found = commands(text)
    assert "-m venv" in found[0]
    assert "azure-cli==2.66.*" in found[1]
    assert "PATH" in found[2]
    assert "--no-index --find-links az-2.66-wheels" in text
    assert ("get-access-token --resource" in text) == bool(versions)


def test_an_older_az_of_the_machine_is_used_in_place_of_a_newer_one() -> None:
    for versions in (("2.91.0", "2.66.2"), ("2.91.0", "2.70.0", "2.66.1"), ("2.80.0", "2.72.0")):
        found = commands(render(connection(EAST, machine=machine_with(*versions))))
        assert found[0] == f"export PATH='/opt/az {versions[-1]}/bin':\"$PATH\""
        assert found[1] == REGISTER_ENTRA
    in_cmd = render(connection(EAST, machine=machine_with("2.91.0", "2.66.2", shell=Shell.CMD)))
    assert 'set "PATH=/opt/az 2.66.2/bin;%PATH%"' in in_cmd


@pytest.mark.parametrize("version", ["2.66.2", "2.70.0", "2.72.0", "", "2.50.0"])
def test_an_az_that_works_is_used_as_it_is(version: str) -> None:
    found = commands(render(connection(EAST, machine=machine_with(version))))
    assert found[0] == REGISTER_ENTRA


def test_a_cloud_that_az_has_built_in_is_only_selected() -> None:
    azure = replace(EAST, arm="https://management.azure.com", profile="latest", endpoints={})
    text = render(connection(azure, machine=machine_with("2.91.0")))
    assert "az cloud set -n AzureCloud" in text
    assert "register" not in text
    assert "2.66" not in text


def test_windows_shells_have_the_same_commands() -> None:
    powershell = for_identity("secret", machine_with("2.66.2", shell=Shell.POWERSHELL))
    assert powershell[3] == (
        f"$env:OPS_SECRET | az login --service-principal -u '{APP}' -p '@-' --tenant '{TENANT}'"
    )
    cmd = for_identity("secret", machine_with("2.66.2", shell=Shell.CMD))
    assert cmd[0] == f"call {REGISTER_ENTRA}"
    assert cmd[3] == (
        'powershell -NoProfile -Command "$env:OPS_SECRET" | '
        f"call az login --service-principal -u {APP} -p @- --tenant {TENANT}"
    )
    assert [each.removeprefix("call ") for each in cmd[1:3]] == [
        each.replace("'", "") for each in powershell[1:3]
    ]


@pytest.mark.parametrize("shell", [Shell.POWERSHELL, Shell.CMD])
def test_what_cannot_reach_az_through_its_batch_file_is_left_out(shell: Shell) -> None:
    environment = replace(EAST, name='a"&calc')
    text = render(connection(environment, machine=machine_with("2.66.2", shell=shell)))
    assert "calc" not in text
    assert "az cloud register is left out" in text
    assert "az cloud set is left out" in text
    assert "az cloud update --profile" in text


@pytest.mark.parametrize("name", ["it's", "$(touch x)", "`touch x`", "a\nb", "--help", "\x1b[2J"])
def test_bash_gives_az_hostile_names_as_they_are(name: str, tmp_path: Path) -> None:
    """A program in az's place writes down the words that it gets."""
    (tmp_path / "az").write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> words\n')
    (tmp_path / "az").chmod(0o755)
    identity = replace(IDENTITIES["user"], username=name)
    environment = replace(EAST, name=name, subscription=name)
    text = render(connection(environment, identity, machine=machine_with("2.66.2")))
    subprocess.run(
        ["bash", "-c", text],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "OPS_PASSWORD": "p"},
        check=True,
    )
    words = (tmp_path / "words").read_text().split("\0")
    assert words[2:4] == ["-n", name]
    assert words.count(name) == 4
    assert sorted(each.name for each in tmp_path.iterdir()) == ["az", "words"]
