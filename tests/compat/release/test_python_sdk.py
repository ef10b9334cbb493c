"""The Python SDK against a stamp: which releases list its groups, and what we export for them.

Source: PROTOCOL.md section 7.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import Cloud, IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.compat.own_venv import own_venv, wanted
from tests.compat.proxy import pinning_proxy
from tests.compat.ways import STAMPS, ways
from tests.product import check_json, imds_of, signing_in, stacktui, write_config

GROUPS = 3
DOCUMENTED = "from azure.mgmt.resource import ResourceManagementClient"
MOVED = "from azure.mgmt.resource.resources import ResourceManagementClient"
LIST_GROUPS = """
import json, sys
from azure.identity import ClientSecretCredential
{client}
known = json.load(sys.stdin)
credential = ClientSecretCredential(
    known["tenant"], known["client_id"], known["secret"], authority=known["authority"],
    disable_instance_discovery=True,
)
client = ResourceManagementClient(
    credential, known["subscription"], base_url=known["arm"], {how},
    credential_scopes=[known["audience"] + "/.default"],
)
print(len(list(client.resource_groups.list())))
"""
BY_VERSION = 'api_version="2019-10-01"'
BY_PROFILE = "profile=KnownProfiles.v2020_09_01_hybrid"
LAST, NEWEST = "24.0.0", "26.0.0"
# The client that each release has, with what it is given for the versions of a stamp.
CLIENTS = {
    LAST: (f"{DOCUMENTED}\nfrom azure.profiles import KnownProfiles", BY_PROFILE),
    NEWEST: (MOVED, BY_VERSION),
}
# As the samples do: their file, the metadata, a credential of its keys, the client.
AS_SAMPLE = """
import json, sys
import requests
from azure.identity import CertificateCredential, ClientSecretCredential
{client}
with open(sys.argv[1], "r") as f:
    config = json.load(f)
arm = config["resourceManagerEndpointUrl"]
cloud = requests.get(arm + "/metadata/endpoints?api-version=2015-01-01").json()["authentication"]
common = dict(
    client_id=config["clientId"], tenant_id=config["tenantId"], disable_instance_discovery=True,
    authority=cloud["loginEndpoint"].rstrip("/").removesuffix("/adfs"),
)
if "certPath" in config:
    credential = CertificateCredential(
        certificate_path=config["certPath"], password=config["certPass"], **common
    )
else:
    credential = ClientSecretCredential(client_secret=config["clientSecret"], **common)
client = ResourceManagementClient(
    credential, config["subscriptionId"], base_url=arm, {how},
    credential_scopes=[cloud["audiences"][0] + "/.default"],
)
print(len(list(client.resource_groups.list())))
"""
BY_VARIABLES = """
import os, sys
from azure.identity import EnvironmentCredential
{client}
credential = EnvironmentCredential(authority=sys.argv[1], disable_instance_discovery=True)
client = ResourceManagementClient(
    credential, os.environ["AZURE_SUBSCRIPTION_ID"], base_url=os.environ["ARM_ENDPOINT"], {how},
    credential_scopes=[sys.argv[2] + "/.default"],
)
print(len(list(client.resource_groups.list())))
"""
# Runs several programs in one process; prints for each how many lines it printed, and its error.
RUN_ALL = """
import contextlib, io, json, sys
results = {}
for name, program in json.loads(sys.argv[1]).items():
    out, error = io.StringIO(), ""
    with contextlib.redirect_stdout(out):
        try:
            exec(program, {"__name__": "__main__"})
        except Exception as failed:
            error = str(failed) or repr(failed)
    results[name] = [len(out.getvalue().splitlines()), error]
print(json.dumps(results))
"""
pytestmark = pytest.mark.skipif(
    not wanted(release=True), reason="set STACKTUI_COMPAT=release to have the SDK installed"
)


def python_of(version: str) -> Path:
    """An interpreter with this release of azure-mgmt-resource."""
    requirements = [f"azure-mgmt-resource=={version}", "azure-identity", "azure-common"]

    def works(folder: Path) -> bool:
        return (folder / "bin" / "python").exists() and not subprocess.run(
            [folder / "bin" / "python", "-c", "import azure.mgmt.resource, azure.identity"],
            capture_output=True, check=False,
        ).returncode  # fmt: skip

    return own_venv(f"sdk-{version}", requirements, works) / "bin" / "python"


def listing(python: Path, stamp: RunningStamp, client: str, how: str) -> tuple[str, str]:
    """The output and the errors of a program as the documents have it."""
    adfs = stamp.idp is IdentityProvider.ADFS
    known = {
        "tenant": "adfs" if adfs else stamp.tenant,
        "client_id": stamp.client_id,
        "secret": stamp.secret,
        "authority": stamp.login_url.removesuffix("/").removesuffix("/adfs"),
        "subscription": stamp.subscription_id,
        "arm": stamp.arm_url,
        "audience": stamp.identity_provider_audience,
    }
    done = subprocess.run(
        [python, "-c", LIST_GROUPS.format(client=client, how=how)],
        input=json.dumps(known), capture_output=True, text=True, timeout=60, check=False,
        env=dict(os.environ) | {"REQUESTS_CA_BUNDLE": stamp.ca_file},
    )  # fmt: skip
    return done.stdout.strip(), done.stderr


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    options = StampOptions(
        idp=request.param, groups=GROUPS, device_interval=1, device_approve_after=1
    )
    with run_in_thread(options) as running:
        yield running


def test_the_documented_program_works_with_the_last_release_for_it(stamp: RunningStamp) -> None:
    python = python_of(LAST)
    for client, how in (CLIENTS[LAST], (DOCUMENTED, BY_VERSION)):
        assert listing(python, stamp, client, how) == (str(GROUPS), "")
    out, errors = listing(python, stamp, DOCUMENTED, "logging_enable=False")
    assert out == ""
    assert "InvalidApiVersionParameter" in errors


def test_a_later_release_works_by_another_import(stamp: RunningStamp) -> None:
    python = python_of(NEWEST)
    out, errors = listing(python, stamp, DOCUMENTED, BY_VERSION)
    assert out == ""
    assert "ImportError" in errors
    assert listing(python, stamp, MOVED, BY_VERSION) == (str(GROUPS), "")


def test_the_release_between_them_ignores_the_profile(stamp: RunningStamp) -> None:
    python = python_of("25.0.0")
    out, errors = listing(python, stamp, *CLIENTS[LAST])
    assert out == ""
    assert "InvalidApiVersionParameter" in errors
    for client in (DOCUMENTED, MOVED):
        assert listing(python, stamp, client, BY_VERSION) == (str(GROUPS), "")


def exported(config: Path, form: str, *options: str) -> str:
    ran = stacktui("environments", "export", "Test", "--format", form, "--config", config, *options)
    assert ran.code == 0, ran.err
    return ran.out


def run_program(version: str, program: str, *arguments: str | Path, **variables: str) -> list[str]:
    """The lines that a program prints with this release."""
    done = subprocess.run(
        [python_of(version), "-c", program, *arguments],
        capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ) | variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def lists_by_its_program(config: Path, groups: int = GROUPS, **variables: str) -> None:
    """Check that the program which is exported lists the groups as it is, with both releases."""
    assert stacktui("certificates", "export", "--yes", "--config", config).code == 0
    program = exported(config, "sdk-python")
    for version in (LAST, NEWEST):
        assert len(run_program(version, program, **variables)) == groups, version


# MSAL asks for a user's realm at the login host's name without its port.
KINDS = [kind for kind in SignInKind if kind not in (SignInKind.PASSWORD, SignInKind.DEVICE_CODE)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_exported_program_works_as_it_is(
    kind: SignInKind, stamp: RunningStamp, tmp_path: Path
) -> None:
    described = stamp.describe()
    config = write_config(tmp_path, described, **signing_in(kind, described))
    lists_by_its_program(config, **imds_of(described))


def test_the_exported_program_signs_in_a_user_by_device_code(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    described = stamp.describe()
    config = write_config(tmp_path, described, **signing_in(SignInKind.DEVICE_CODE, described))
    assert stacktui("certificates", "export", "--yes", "--config", config).code == 0
    prompt, *groups = run_program(NEWEST, exported(config, "sdk-python"))
    assert stamp.device_login_url in prompt
    assert len(groups) == GROUPS


@pytest.mark.parametrize(
    "options",
    [
        StampOptions(domain="local.azurestack.external", groups=GROUPS),
        StampOptions(idp=IdentityProvider.ADFS, domain="local.azurestack.external", groups=GROUPS),
        StampOptions(cloud=Cloud.PUBLIC, groups=GROUPS),
    ],
    ids=["entra", "adfs", "public"],
)
def test_the_exported_program_works_under_real_names(options: StampOptions, tmp_path: Path) -> None:
    with run_in_thread(options) as stamp, pinning_proxy(stamp.resolve) as proxy:
        described = stamp.describe()
        public = options.cloud is Cloud.PUBLIC  # which has a group of its own for identities
        for kind in (SignInKind.SECRET,) if public else (SignInKind.SECRET, SignInKind.PASSWORD):
            given = signing_in(kind, described, proxy=f'"{proxy}"', resolve="")
            lists_by_its_program(write_config(tmp_path, described, **given), GROUPS + public)


@pytest.mark.parametrize(("idp", "fault"), STAMPS)
def test_azure_identity_signs_in_where_identities_test_does(
    idp: IdentityProvider, fault: str | None, tmp_path: Path
) -> None:
    """In every way, by the programs that are exported, and with the same refusals."""
    options = StampOptions(idp=idp, fault=fault, domain="local.azurestack.external", groups=GROUPS)
    with run_in_thread(options) as stamp, pinning_proxy(stamp.resolve) as proxy:
        described = stamp.describe()
        variables, table, programs = imds_of(described), ways(stamp, tmp_path), {}
        for way in table:
            given = {"identity": way.table, "proxy": f'"{proxy}"', "resolve": ""}
            config = write_config(tmp_path, described, **given)
            config.write_text(config.read_text().replace('"tester"', f'"{way.name}"', 1))
            if not programs:
                assert stacktui("certificates", "export", "--yes", "--config", config).code == 0
            programs[way.name] = exported(config, "sdk-python")
            words = ("identities", "test", way.name, "--format", "json", "--config", config)
            ours = stacktui(*words, **variables)
            assert ours.document["ok"] is (not way.verdict), (way.name, ours)
            assert (ours.document["verdict"] or {}).get("id", "") == way.verdict
        for version in (LAST, NEWEST):
            (said,) = run_program(version, RUN_ALL, json.dumps(programs), **variables)
            theirs = json.loads(said)
            for way in table:
                groups, error = theirs[way.name]
                # MSAL does not repeat what discovery says of a tenant.
                code = "authority" if way.verdict == "tenant-not-found" else way.code
                assert (groups, bool(error)) == (0 if error else GROUPS, bool(way.verdict)), (
                    way.name
                )
                assert code in error, (way.name, version)


def test_the_other_scope_that_the_program_names_works_where_adfs_wants_it(tmp_path: Path) -> None:
    options = StampOptions(idp=IdentityProvider.ADFS, groups=GROUPS, adfs_default_scope=False)
    with run_in_thread(options) as stamp:
        config = write_config(tmp_path, stamp.describe())
        assert stacktui("certificates", "export", "--yes", "--config", config).code == 0
        program = exported(config, "sdk-python")
        done = subprocess.run(
            [python_of(NEWEST), "-c", program], capture_output=True, text=True, check=False
        )
        assert "MSIS9605" in done.stderr
        assert "MSIS9605" in program
        assert len(run_program(NEWEST, program.replace("/.default", "/openid"))) == GROUPS


@pytest.mark.parametrize("kind", [SignInKind.SECRET, SignInKind.CERTIFICATE])
def test_the_samples_work_with_the_file_that_is_exported(
    kind: SignInKind, stamp: RunningStamp, tmp_path: Path
) -> None:
    described = stamp.describe()
    config = write_config(tmp_path, described, **signing_in(kind, described))
    sample = tmp_path / "config.json"
    sample.write_text(exported(config, "sdk-json", "--with-secrets"))
    trust = {"REQUESTS_CA_BUNDLE": stamp.ca_file}
    for version, (client, how) in CLIENTS.items():
        program = AS_SAMPLE.format(client=client, how=how)
        assert run_program(version, program, sample, **trust) == [str(GROUPS)]


@pytest.mark.parametrize("kind", [SignInKind.SECRET, SignInKind.CERTIFICATE])
def test_the_variables_that_are_exported_are_those_of_the_sdk(
    kind: SignInKind, stamp: RunningStamp, tmp_path: Path
) -> None:
    described = stamp.describe()
    config = write_config(tmp_path, described, **signing_in(kind, described))
    script = f"{exported(config, 'env')}\nenv -0"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    pairs = (each.partition("=") for each in done.stdout.rstrip("\0").split("\0"))
    variables = {name: value for name, _, value in pairs if name.startswith(("ARM_", "AZURE_"))}
    login = stamp.login_url.removesuffix("/").removesuffix("/adfs")
    for version, (client, how) in CLIENTS.items():
        program = BY_VARIABLES.format(client=client, how=how)
        arguments = (login, stamp.identity_provider_audience)
        trust = {"REQUESTS_CA_BUNDLE": stamp.ca_file}
        assert run_program(version, program, *arguments, **variables, **trust) == [str(GROUPS)]


def test_what_is_said_of_each_release_is_what_happens(stamp: RunningStamp, tmp_path: Path) -> None:
    """The last release works, by the documented program and as `clients` has it; the newest fails
    with a message that `explain` knows, and works by the second cure."""
    works, fails = python_of(LAST), python_of(NEWEST)
    config = write_config(tmp_path, stamp.describe())
    paths = ", ".join(f'"{each}"' for each in (works, fails))
    config.write_text(f"clients.python = [{paths}]\n{config.read_text()}", encoding="utf-8")
    # As its program does: what counts is the file that the variable names.
    ran = check_json(config, REQUESTS_CA_BUNDLE=stamp.ca_file)
    _, errors = listing(fails, stamp, DOCUMENTED, BY_VERSION)
    (other,) = [
        each["title"]
        for client in ran.document["clients"]
        for finding in client["findings"]
        for each in finding["remedies"]
        if not each["bash"]
    ]
    assert MOVED in other
    assert BY_VERSION in other
    assert listing(fails, stamp, MOVED, BY_VERSION) == (str(GROUPS), "")
    found = {each["path"]: each for each in ran.document["clients"]}
    assert found[str(works)]["works"] is True
    assert [each["id"] for each in found[str(fails)]["findings"]] == ["sdk-too-new"]
    explained = stacktui("explain", errors, "--format", "json").document
    assert "sdk-too-new" in json.dumps(explained)


def test_its_own_certifi_counts_without_a_variable(tmp_path: Path) -> None:
    python = python_of(LAST)
    with run_in_thread(StampOptions(groups=GROUPS)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        config.write_text(f'clients.python = ["{python}"]\n{config.read_text()}', encoding="utf-8")
        (found,) = check_json(config).document["clients"]
    assert [each["id"] for each in found["findings"]] == ["tls-untrusted-root"]
    where = [python, "-c", "import certifi; print(certifi.where())"]
    bundle = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    assert found["findings"][0]["remedies"][0]["bash"].endswith(
        f" --store {os.path.realpath(bundle)}"
    )
