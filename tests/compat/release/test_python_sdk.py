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
