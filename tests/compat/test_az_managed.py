"""What `identities managed walk` makes is what a real az sees, and makes itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.resources.role_paths import READER
from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, imds_of, stacktui, write_config
from tests.resources.walks import GROUP, MACHINE, writes

from .az import Az
from .proxy import pinning_proxy

OURS, THEIRS = "id-ours", "id-theirs"


@pytest.fixture
def public(az_path: Path) -> Iterator[tuple[RunningStamp, dict[str, str]]]:
    """Public Azure under its own names, and the variables by which `az` reaches it."""
    options = StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)
    with run_in_thread(options) as stamp, pinning_proxy(stamp.resolve) as proxy:
        yield stamp, {"REQUESTS_CA_BUNDLE": stamp.ca_file, "HTTPS_PROXY": proxy}


def test_az_sees_what_the_walk_made(
    az_path: Path, public: tuple[RunningStamp, dict[str, str]], tmp_path: Path
) -> None:
    stamp, variables = public
    config = write_config(tmp_path, stamp.describe(), environment='profile = "latest"')
    az = Az(az_path, tmp_path / "az", variables)
    az.folder.mkdir()
    secret = ("--service-principal", "-u", stamp.client_id, "-p", stamp.secret)
    az.ok("login", *secret, "--tenant", stamp.tenant)

    def ours(name: str) -> Ran:
        words = ("walk", "--group", GROUP, "--vm", MACHINE, "--name", name, "--yes")
        words += ("--format", "json", "--config", str(config))
        ran = stacktui("identities", "managed", *words, **imds_of(stamp.describe()))
        assert ran.code == 0, ran
        return ran

    def seen(path: str, version: str) -> dict[str, Any]:
        url = f"{stamp.arm_url}{path}{'&' if '?' in path else '?'}api-version={version}"
        found: dict[str, Any] = json.loads(az.ok("rest", "--url", url))
        return found

    create, _, grant, prove = ours(OURS).document["steps"]
    assert prove["outcome"] == "ok"
    group = f"/subscriptions/{stamp.subscription_id}/resourceGroups/{GROUP}"
    identity = seen(create["identity"]["id"], "2018-11-30")
    assert identity["properties"]["clientId"] == create["identity"]["client_id"]
    machine = seen(f"{group}/providers/Microsoft.Compute/virtualMachines/{MACHINE}", "2024-07-01")
    assert machine["identity"]["type"] == "SystemAssigned, UserAssigned"
    assert create["identity"]["id"] in machine["identity"]["userAssignedIdentities"]
    assignments = f"{group}/providers/Microsoft.Authorization/roleAssignments"
    who = create["identity"]["principal_id"]
    (assigned,) = seen(f"{assignments}?$filter=principalId eq '{who}'", "2022-04-01")["value"]
    assert assigned["id"] == grant["assignment"]
    assert assigned["properties"]["principalType"] == "ServicePrincipal"
    assert assigned["properties"]["roleDefinitionId"].endswith(READER.id)

    # az's own commands of the document do the same, so that nothing is left for the walk to do.
    az.ok("identity", "create", "-g", GROUP, "-n", THEIRS)
    az.ok("vm", "identity", "assign", "-g", GROUP, "-n", MACHINE, "--identities", THEIRS)
    steps = ours(THEIRS).document["steps"]
    assert [each["outcome"] for each in steps] == ["already", "already", "ok", "ok"]
    assert len(steps[1]["after"]["user_assigned"]) == 3
    before = writes(stamp)
    assert [each["outcome"] for each in ours(OURS).document["steps"]] == ["already"] * 3 + ["ok"]
    assert writes(stamp) == before
    names = json.loads(az.ok("identity", "list", "-g", GROUP, "--query", "[].name"))
    assert {*names} == {"id-ops", OURS, THEIRS}
