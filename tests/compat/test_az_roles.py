"""Roles that we grant are those that a real az sees, and the other way round."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from stacktui.resources.role_paths import READER
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config

from .az import Az
from .conftest import DOMAIN, on_stamp
from .proxy import pinning_proxy

AS_OWNER = ("--identity", "owner", "--yes")


@pytest.fixture(params=list(IdentityProvider))
def stamp(
    request: pytest.FixtureRequest, az_path: Path
) -> Iterator[tuple[RunningStamp, dict[str, str]]]:
    """A stamp whose application has no role and whose user is the owner, and az's way there."""
    options = StampOptions(idp=request.param, role=None, domain=DOMAIN, groups=3)
    with run_in_thread(options) as running, pinning_proxy(running.resolve) as proxy:
        yield running, {"REQUESTS_CA_BUNDLE": running.ca_file, "HTTPS_PROXY": proxy}


@pytest.fixture
def config(stamp: tuple[RunningStamp, dict[str, str]], tmp_path: Path) -> Path:
    known = stamp[0]
    owner = (
        f'[identities.owner]\nkind = "user"\nusername = "{known.user}"\n'
        f'tenant = "{known.tenant}"\npassword = {{ file = "{known.password_file}" }}\n'
    )
    return write_config(tmp_path, known.describe(), identity=owner)


def signed_in(az_path: Path, folder: Path, variables: dict[str, str], stamp: RunningStamp,
              *who: str) -> Az:  # fmt: skip
    folder.mkdir()
    az = on_stamp(Az(az_path, folder, variables), stamp)
    az.ok("login", *who, "--tenant", stamp.tenant)
    return az


def test_a_role_is_the_same_for_az_and_for_us(
    az_path: Path, stamp: tuple[RunningStamp, dict[str, str]], config: Path, tmp_path: Path
) -> None:
    known, variables = stamp
    user = ("-u", known.user, "-p", known.password)
    owner = signed_in(az_path, tmp_path / "owner", variables, known, *user)
    scope = f"/subscriptions/{known.subscription_id}"
    url = f"{known.arm_url}{scope}/providers/Microsoft.Authorization/roleAssignments"
    version = "?api-version=2015-07-01"
    rest = ("rest", "--resource", known.identity_provider_audience)
    own, other = json.loads(owner.ok("group", "list", "--query", "[:2].name"))

    def listed() -> list[str]:
        """The application's assignments on the subscription, as az sees them."""
        query = f"{url}{version}&$filter=principalId eq '{known.object_id}'"
        found = json.loads(owner.ok(*rest, "--url", query))["value"]
        return [each["id"] for each in found if each["properties"]["scope"] == scope]

    def ours(verb: str, *words: str) -> Ran:
        ran = stacktui("identities", verb, *words, "--format", "json", "--config", config)
        assert ran.code == 0, ran
        return ran

    # Without any role, az does not even see the subscription: it has one on a group.
    to_tester = ("tester", "--role", "Reader", *AS_OWNER)
    ours("grant", *to_tester, "--group", own)
    secret = ("--service-principal", "-u", known.client_id, "-p", known.secret)
    application = signed_in(az_path, tmp_path / "application", variables, known, *secret)

    # Granted by us: 403 before it, 200 after it.
    refused = application("group", "show", "-n", other)
    assert (refused.code != 0, "AuthorizationFailed" in refused.err) == (True, True)
    assert listed() == []
    path = ours("grant", *to_tester).document["assignment"]
    assert listed() == [path]
    application.ok("group", "show", "-n", other)

    # Revoked by az.
    owner.ok(*rest, "--method", "delete", "--url", f"{known.arm_url}{path}{version}")
    assert "AuthorizationFailed" in application("group", "show", "-n", other).err

    # Granted by az under a name of its own, which we see, do not repeat, and revoke.
    definition = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{READER.id}"
    body = {"properties": {"roleDefinitionId": definition, "principalId": known.object_id}}
    name = str(uuid4())
    put = (*rest, "--method", "put", "--url", f"{url}/{name}{version}", "--body", json.dumps(body))
    owner.ok(*put)
    seen = ours("roles").document["assignments"]
    assert name in [each["id"].rpartition("/")[2] for each in seen if each["reach"] == "direct"]
    assert ours("grant", *to_tester).document["changed"] is False
    assert ours("revoke", *to_tester).document["assignments"] == [name]
    assert listed() == []

    # The remedy's command for az, as bash runs it for the owner: it makes the assignment that our
    # own grant makes.
    ours("revoke", *to_tester, "--group", own)
    verdict = stacktui("check", "--config", config, "--format", "json").document["verdict"]
    programs = f"{az_path.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", verdict["remedies"][1]["bash"]],
        env=owner.environment() | {"PATH": programs},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert stacktui("check", "--config", config).code == 0
    assert listed() == [path]
