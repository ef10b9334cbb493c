"""Each az command of a remedy, run by bash with a real az 2.66 on PATH."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stacktui.diagnosis.remedy_template import PlainWord
from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.remedy_runs import TEMPLATES, Run
from tests.support.authority import authority
from tests.support.remedy_shell import Site

from .az import SECONDS, Az
from .conftest import CLOUD, PROFILE, on_stamp
from .device_code import approve
from .graph import microsoft_graph
from .proxy import pinning_proxy

_CLIENT = {"client": "{client_id}", "cloud": PlainWord("AzureCloud")}
_AD = "az cloud set -n {cloud} && az ad "
_ASSIGNMENT = (
    "/subscriptions/{subscription_id}/providers/Microsoft.Authorization/roleAssignments/"
    "0e1f2a3b-0000-4000-8000-00000000000a?api-version=2015-07-01"
)
_BODY = (
    '{"properties": {"principalId": "{group_object_id}", "roleDefinitionId": "/subscriptions/'
    "{subscription_id}/providers/Microsoft.Authorization/roleDefinitions/"
    'b24988ac-6180-42a0-ab88-20f7382dd24c"}}'
)
_OWN_IDENTITY = (
    ' --identities "$(az identity list --query "[?clientId==\'{imds_client_id}\'].id" -o tsv)"'
)

# With the stamp as the active cloud, signed in. The last one has it registered anew.
ON_STAMP: Mapping[str, Run] = {
    "AZURE_CLOUD_NAME={cloud} az account get-access-token --resource {audience} "
    "--query expiresOn -o tsv": Run(
        {"cloud": CLOUD, "audience": "{identity_provider_audience}"}, r"^20\d\d-\d\d-\d\d \d\d:"
    ),
    "az rest --method put --url {url} --body {body}": Run(
        {"url": _ASSIGNMENT, "body": _BODY, "assignee": "x", "parameter": PlainWord("-x"),
         "scope": "x", "role": "x"}, r'"principalId": "{group_object_id}"',
    ),
    "az config set core.instance_discovery=false": Run(
        shows="^false$", after="az config get core.instance_discovery --query value -o tsv"
    ),
    "az provider register --namespace {namespace} --wait": Run(
        {"namespace": "Microsoft.Web"}, "Registered",
        after="az provider show -n Microsoft.Web --query registrationState",
    ),
    "az vm image list --all --location {location} --output table": Run(
        {"location": "{location}"}, "Canonical:UbuntuServer:"
    ),
    "az cloud update --profile {profile}": Run(
        {"profile": "2019-03-01-hybrid"}, "2019-03-01-hybrid",
        after="az cloud show --query profile -o tsv",
    ),
    "az cloud update -n {cloud} {options}": Run(
        {"cloud": CLOUD, "options": PlainWord(f"--profile {PROFILE} "
                                              "--endpoint-active-directory {login_url}")},
        PROFILE, after="az cloud show --query profile -o tsv",
    ),
    "unset AZURE_CLOUD_NAME; {again}": Run(
        {"again": PlainWord(f"az cloud set -n {CLOUD}"), "then": PlainWord("-")}, CLOUD,
        before="printf '[cloud]\\nname = Gone\\n' > {folder}/azure/config; "
        "export AZURE_CLOUD_NAME=Gone",
        after="az cloud show --query name -o tsv",
    ),
    "mv -- {path} {aside} && {again}": Run(
        {"path": "{folder}/azure/clouds.config", "aside": "{folder}/aside", "again": PlainWord(
            f"az cloud register -n {CLOUD} --endpoint-resource-manager {{arm_url}} && "
            f"az cloud set -n {CLOUD} && az cloud update --profile {PROFILE}"
        ), "then": PlainWord("-")},
        "{arm_url}", after="az cloud show --query endpoints.resourceManager -o tsv",
    ),
}  # fmt: skip
BY_DEVICE_CODE: Mapping[str, Run] = {
    "AZURE_CLOUD_NAME={cloud} az login --use-device-code{tenant}": Run(
        {"cloud": CLOUD, "tenant": PlainWord(" --tenant {tenant}")}
    ),
    "az login --use-device-code": Run(),
    "az login --use-device-code --tenant {tenant}": Run({"tenant": "{tenant}"}),
    "az login --use-device-code{tenant}": Run({"tenant": PlainWord("")}),
}
# Signed in to both clouds: as the stamp's is active, az ad alone has no Microsoft Graph.
IN_ENTRA: Mapping[str, Run] = {
    f"{_AD}sp show --id {{client}}": Run(_CLIENT, '"appId": "{client_id}"'),
    f"{_AD}app credential list --id {{client}} --query '[].[displayName,endDateTime]'": Run(
        _CLIENT, "2027-01-31"
    ),
    f"{_AD}app credential reset --id {{client}} --append": Run(
        _CLIENT, '"password": "made-by-graph"'
    ),
    "openssl x509 -in {path} -out {public} && "
    f"{_AD}app credential reset --id {{client}} --cert {{at_public}} --append": Run(
        _CLIENT | {"path": "{certificate_file}", "public": "{folder}/sp.crt",
                   "at_public": "@{folder}/sp.crt"},
        '"appId": "{client_id}"',
    ),
    f"{_AD}app update --id {{client}} --is-fallback-public-client true": Run(_CLIENT),
    f"{_AD}app permission admin-consent --id {{client}}": Run(_CLIENT),
    f"{_AD}user show --id {{user}} --query accountEnabled": Run(
        _CLIENT | {"user": "{user}"}, "^false$"
    ),
    f"{_AD}user update --id {{user}} --account-enabled true": Run(_CLIENT | {"user": "{user}"}),
    "az cloud set -n {cloud} && az rest --url '/tenants?api-version=2022-12-01' "
    "--query 'value[].[tenantId,displayName]'": Run(_CLIENT, "{tenant}"),
    f"{_AD}sp update --id {{client}} --set accountEnabled=true": Run(_CLIENT),
    "az vm identity show -g {group} -n {machine} "
    "--query 'values(userAssignedIdentities)[].clientId'": Run(
        {"group": "rg-identity", "machine": "vm-ops"}, "{imds_client_id}"
    ),
    "az vm identity assign -g {group} -n {machine}{identities}": Run(
        {"group": "rg-identity", "machine": "vm-ops", "identities": PlainWord(_OWN_IDENTITY)},
        "{imds_resource_id}",
    ),
}  # fmt: skip
AZ_RUNS = (*ON_STAMP, *BY_DEVICE_CODE, *IN_ENTRA)


def site_of(az: Az, stamp: RunningStamp, **more: str) -> Site:
    values = {name: str(value) for name, value in stamp.describe().items()}
    return Site(az.folder, values | {"folder": str(az.folder)} | more)


def start(az: Az, command: str) -> subprocess.Popen[str]:
    """Start a bash that has this az on PATH."""
    path = f"{az.path.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "-c", command],
        env=az.environment() | {"PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(az: Az, command: str) -> tuple[int, str, str]:
    """Return exit code, output and errors."""
    with az.commands_known():
        process = start(az, command)
        out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def run_all(az: Az, site: Site, runs: Mapping[str, Run]) -> None:
    """Run the commands in order; each must succeed, and show what it is to show."""
    for command, wanted in runs.items():
        pasted = site.fill(TEMPLATES[command], wanted.values)
        before, after = (site.text(each).splitlines() for each in (wanted.before, wanted.after))
        lines = [*before, f"{{ {pasted}\n}} || exit", *after]
        code, out, err = run(az, "\n".join(lines))
        assert code == 0, (pasted, err)
        assert re.search(site.text(wanted.shows, re.escape), out, re.MULTILINE), (pasted, out, err)


def sign_in(az: Az, stamp: RunningStamp, cloud: str, *options: str) -> None:
    """Sign the application in to a cloud, which is the active one then."""
    who = f"-u {stamp.client_id} -p {stamp.secret} --tenant {stamp.tenant}"
    login = " ".join(("az login --service-principal", who, *options))
    code, _, err = run(az, f"az cloud set -n {cloud} && {login}")
    assert code == 0, err


def signed_in(az_path: Path, folder: Path, stamp: RunningStamp, **variables: str) -> Az:
    """An az whose active cloud is the stamp, and which is signed in to it."""
    az = Az(az_path, folder, {"REQUESTS_CA_BUNDLE": stamp.ca_file, **variables})
    on_stamp(az, stamp)
    sign_in(az, stamp, CLOUD)
    return az


def test_on_a_stamp(az_path: Path, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=2, device_interval=1)) as stamp:
        az = signed_in(az_path, tmp_path, stamp)
        site = site_of(az, stamp)
        run_all(az, site, ON_STAMP)
        for command, wanted in BY_DEVICE_CODE.items():
            process = start(az, site.fill(TEMPLATES[command], wanted.values))
            try:
                approve(process, stamp)
                out, err = process.communicate(timeout=SECONDS)
            finally:
                process.kill()
                process.wait()
            assert process.returncode == 0, (command, err)
            assert f'"name": "{stamp.user}"' in out


async def test_in_entra_s_own_cloud(az_path: Path, tmp_path: Path) -> None:
    with (
        run_in_thread(StampOptions(groups=2)) as stamp,
        run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=2)) as public,
    ):
        async with microsoft_graph(public) as (graph, pins):
            with pinning_proxy({**public.resolve, **pins}) as proxy:
                await asyncio.to_thread(_in_entra, az_path, tmp_path, stamp, public, proxy)
    written = [(method, path.rpartition("/")[2], body) for method, path, body in graph.written]
    assert ("PATCH", public.user, {"accountEnabled": True}) in written
    assert ("PATCH", public.object_id, {"isFallbackPublicClient": True}) in written
    keys = [body["keyCredentials"] for _, _, body in written if "keyCredentials" in (body or {})]
    assert [key["type"] for (key,) in keys] == ["AsymmetricX509Cert"]
    assert {"addPassword", "Consent"} <= {name for _, name, _ in written}


def _in_entra(
    az_path: Path, folder: Path, stamp: RunningStamp, public: RunningStamp, proxy: str
) -> None:
    roots = folder / "roots.pem"
    files = (stamp.ca_file, public.ca_file)
    roots.write_bytes(b"".join(Path(each).read_bytes() for each in files) + authority().root.pem)
    variables = {"HTTPS_PROXY": proxy, "NO_PROXY": "localhost"}
    az = signed_in(az_path, folder, stamp, REQUESTS_CA_BUNDLE=str(roots), **variables)
    alone = az("ad", "sp", "show", "--id", public.client_id)
    assert "microsoft_graph_resource_id" in alone.err
    sign_in(az, public, "AzureCloud", "--allow-no-subscriptions")
    # The first begins with the stamp as the active cloud: each change of it costs az seconds.
    az.ok("cloud", "set", "-n", CLOUD)
    run_all(az, site_of(az, public), IN_ENTRA)
    # The way back: the stamp's subscription is in use again.
    az.ok("cloud", "set", "-n", CLOUD)
    assert az.ok("group", "list", "--query", "length(@)").strip() == "2"
