"""The Python SDK against a stamp: which releases list its groups (PROTOCOL.md section 7)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.compat.own_venv import own_venv, wanted
from tests.product import check_json, stacktui, write_config

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


@pytest.mark.parametrize("idp", list(IdentityProvider))
def test_the_documented_program_works_with_the_last_release_for_it(idp: IdentityProvider) -> None:
    python = python_of("24.0.0")
    profile = f"{DOCUMENTED}\nfrom azure.profiles import KnownProfiles"
    with run_in_thread(StampOptions(idp=idp, groups=GROUPS)) as stamp:
        by_profile = "profile=KnownProfiles.v2020_09_01_hybrid"
        for client, how in ((profile, by_profile), (DOCUMENTED, BY_VERSION)):
            assert listing(python, stamp, client, how) == (str(GROUPS), "")
        out, errors = listing(python, stamp, DOCUMENTED, "logging_enable=False")
    assert out == ""
    assert "InvalidApiVersionParameter" in errors


@pytest.mark.parametrize("idp", list(IdentityProvider))
def test_a_later_release_works_by_another_import(idp: IdentityProvider) -> None:
    python = python_of("26.0.0")
    with run_in_thread(StampOptions(idp=idp, groups=GROUPS)) as stamp:
        out, errors = listing(python, stamp, DOCUMENTED, BY_VERSION)
        assert out == ""
        assert "ImportError" in errors
        assert listing(python, stamp, MOVED, BY_VERSION) == (str(GROUPS), "")


@pytest.mark.parametrize("idp", list(IdentityProvider))
def test_what_is_said_of_each_release_is_what_happens(
    idp: IdentityProvider, tmp_path: Path
) -> None:
    """The last release works, by the documented program and as `clients` has it; the newest fails
    with a message that `explain` knows, and works by the second cure."""
    works, fails = python_of("24.0.0"), python_of("26.0.0")
    with run_in_thread(StampOptions(idp=idp, groups=GROUPS)) as stamp:
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
    python = python_of("24.0.0")
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
