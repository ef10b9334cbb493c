"""The walk of a managed identity on public Azure, and on stamps with and without its provider."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.resources import identity_proof, roles
from stacktui.resources.groups import group_path
from stacktui.resources.identity_steps import (
    WalkOutcome,
    WalkStepName,
)
from stacktui.resources.machine_identity import machine_identities, machine_path
from stacktui.resources.managed_identities import (
    ManagedIdentityError,
    is_identity_name,
    user_identity,
)
from stacktui.resources.model import ArmError, ArmProblem
from stacktui.resources.retry import Wait
from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.identities.sign_ins import user_of
from tests.resources.conftest import Client
from tests.resources.walks import (
    ALREADY,
    ASSIGN,
    CREATE,
    FAILED,
    GRANT,
    GROUP,
    MACHINE,
    OK,
    PROVE,
    SKIPPED,
    State,
    arm_of,
    state_of,
    walked,
    writes,
)
from tests.support.web import answer, serving


@pytest.fixture(scope="module")
def public() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)) as stamp:
        yield stamp


@pytest.fixture
def azure(public: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    """Public Azure, and its instance metadata service as if this were its VM."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", public.imds_url)
    yield public
    public.fault_at()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (roles, identity_proof):
        monkeypatch.setattr(module, "_PAUSE", 0.1)


async def test_the_walk_and_again(azure: RunningStamp) -> None:
    before = await state_of(azure, "id-walk")
    assert before == State(None, frozenset({"system", "id-ops"}), ())
    first = await walked(azure, "id-walk")
    assert first.outcomes == [OK] * 4
    assert [words.split()[0] for words in first.asked] == ["create", "assign", "grant"]
    before_and_after = [
        "before: system-assigned, id-ops",
        "after:  system-assigned, id-ops, id-walk",
    ]
    assert first.asked[1].splitlines()[1:] == before_and_after == [*first[ASSIGN].lines]
    after = await state_of(azure, "id-walk")
    assert after.machine == {"system", "id-ops", "id-walk"}
    assert len(after.assignments) == 1
    assigned = first[ASSIGN].facts
    assert (len(assigned["before"]["user_assigned"]), len(assigned["after"]["user_assigned"])) == (
        1,
        2,
    )
    assert assigned["vanished"] == []
    assert first[GRANT].facts["assignment"] == after.assignments[0]
    facts = first[PROVE].facts
    assert (facts["resource"], facts["group"]["name"]) == ("https://management.azure.com/", GROUP)
    assert facts["url"].endswith("?api-version=2021-04-01")

    written = writes(azure)
    again = await walked(azure, "id-walk")
    assert (again.outcomes, again.asked) == ([ALREADY] * 3 + [OK], [])
    assert (writes(azure), await state_of(azure, "id-walk")) == (written, after)


async def test_before_the_grant_403_after_it_200(azure: RunningStamp) -> None:
    await walked(azure, "id-403", (CREATE, ASSIGN))
    refused = (await walked(azure, "id-403", (PROVE,)))[PROVE]
    assert (refused.outcome, refused.commands) == (FAILED, ())
    assert isinstance(refused.error, ArmError)
    assert (refused.error.fault.status, refused.error.fault.code) == (403, "AuthorizationFailed")
    assert (await walked(azure, "id-403", (GRANT,))).outcomes == [OK]
    for version in (None, "2016-09-01"):
        proved = await walked(azure, "id-403", (PROVE,), api_version=version)
        assert proved.outcomes == [OK]
    assert proved[PROVE].facts["url"].endswith("?api-version=2016-09-01")


async def test_the_group_is_named_in_its_own_case(azure: RunningStamp) -> None:
    done = await walked(azure, "id-case", group="RG-Identity", machine="VM-OPS")
    assert done.outcomes == [OK] * 4
    assert f"/resourceGroups/{GROUP}?" in done[PROVE].facts["url"]


async def test_a_new_role_that_does_not_count_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0, grant_seconds=0.4)
    with run_in_thread(options) as stamp:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", stamp.imds_url)
        done = await walked(stamp, "id-soon", settling=2.0)
        assert done.outcomes == [OK] * 4
        waits = [each.what for each in done.waits if each.status == 403]
        assert {*waits} == {"the new role does not count yet"}
        late = await walked(stamp, "id-late", settling=0.15)
        assert late.outcomes == [OK, OK, OK, FAILED]
        assert "403 AuthorizationFailed" in late[PROVE].words
        # Whoever granted it: by itself, and in another walk.
        for name, names in (("id-alone", (PROVE,)), ("id-again", tuple(WalkStepName))):
            assert (await walked(stamp, name, (CREATE, ASSIGN, GRANT))).outcomes == [OK] * 3
            proved = await walked(stamp, name, names, settling=2.0)
            assert (proved[PROVE].outcome, 403 in {each.status for each in proved.waits}) == (
                OK,
                True,
            )
        assert (await walked(stamp, "id-no", (CREATE, ASSIGN, GRANT))).outcomes == [OK] * 3
        (hint,) = (await walked(stamp, "id-no", (PROVE,), settling=0.0))[PROVE].lines
        assert hint.startswith("a new role can take minutes to count; then: stacktui identities ")


async def test_a_proof_without_a_role_names_the_grant(azure: RunningStamp) -> None:
    await walked(azure, "id-roleless", (CREATE, ASSIGN))
    refused = (await walked(azure, "id-roleless", (PROVE,)))[PROVE]
    assert refused.lines[0] == (
        "it has no role there; give it one: stacktui identities managed grant --group rg-identity "
        "--name id-roleless -e A"
    )
    azure.fault_at("GET */roleassignments=500")
    unread = (await walked(azure, "id-roleless", (PROVE,)))[PROVE]
    azure.fault_at()
    assert unread.lines[0].startswith("whether it has a role there cannot be read; give it one: ")
    assert "id-roleless" in unread.lines[1]


@pytest.mark.parametrize("cloud", list(Cloud))
async def test_a_principal_that_is_not_known_yet(cloud: Cloud) -> None:
    """Public Azure takes it at once, told its type; a stamp is asked until it knows it."""
    options = StampOptions(
        cloud=cloud, groups=1, retry_after=0, managed_identity=True, replication_seconds=0.3
    )
    with run_in_thread(options) as stamp:
        done = await walked(stamp, "id-new", (CREATE, GRANT), settling=2.0)
        assert done.outcomes == [OK, OK]
        unknown = [each for each in done.waits if "is not known there yet" in each.what]
        assert bool(unknown) is (cloud is Cloud.STAMP)
        assert len((await state_of(stamp, "id-new")).assignments) == 1


async def test_one_that_stays_unknown_ends_the_step(azure: RunningStamp) -> None:
    with run_in_thread(StampOptions(managed_identity=True, replication_seconds=60)) as stamp:
        done = await walked(stamp, "id-new", (CREATE, GRANT, PROVE))
    assert done.outcomes == [OK, FAILED, SKIPPED]
    assert "PrincipalNotFound" in done[GRANT].words


# The VM's identities


async def test_what_somebody_else_takes_away_meanwhile_is_named() -> None:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=1)) as stamp:

        async def take_away() -> None:
            async with arm_of(stamp) as (client, _):
                scope = group_path(client, stamp.subscription_id, GROUP)
                known = {stamp.imds_resource_id: {}}
                body = {"identity": {"type": "UserAssigned", "userAssignedIdentities": known}}
                await client.request("PATCH", machine_path(scope, MACHINE), body=body)

        tasks = []

        def on_wait(wait: Wait) -> None:
            """The VM is updating: somebody else is at it too."""
            assert wait.status == 202
            tasks.append(asyncio.create_task(take_away()))

        await walked(stamp, "id-mine", (CREATE,))
        done = await walked(stamp, "id-mine", (ASSIGN,), on_wait=on_wait)
        await asyncio.gather(*tasks)
    assert done.outcomes == [OK]
    assert done[ASSIGN].facts["vanished"] == ["SystemAssigned"]
    assert "VANISHED" in done[ASSIGN].lines[-1]


async def test_what_changed_while_the_question_stood_is_kept(azure: RunningStamp) -> None:
    await walked(azure, "id-theirs", (CREATE,))
    await walked(azure, "id-ours", (CREATE,))

    async def theirs(_: WalkStepName) -> None:
        assert (await walked(azure, "id-theirs", (ASSIGN,))).outcomes == [OK]

    done = await walked(azure, "id-ours", (ASSIGN,), confirm=theirs)
    assert done.outcomes == [OK]
    assert done[ASSIGN].facts["vanished"] == []
    machine = (await state_of(azure, "id-ours")).machine
    assert machine >= {"system", "id-ops", "id-theirs", "id-ours"}


async def test_a_machine_without_any_identity_gets_the_first(azure: RunningStamp) -> None:
    """Only a VM's own group is its scope; the one of `rg-web-prod-01` has none."""
    async with arm_of(azure) as (client, _):
        scope = group_path(client, azure.subscription_id, "rg-web-prod-01")
        body = {"location": azure.location, "properties": {}}
        await client.request("PUT", machine_path(scope, "vm-bare"), body=body)
    given = {"group": "rg-web-prod-01", "machine": "vm-bare"}
    done = await walked(azure, "id-first", (CREATE, ASSIGN), **given)
    assert done.outcomes == [OK, OK]
    assert "\nbefore: none\nafter:  id-first" in done.asked[1]
    after = done[ASSIGN].facts["after"]
    assert (after["system_assigned"], len(after["user_assigned"])) == (False, 1)


# Before anything is written


@pytest.mark.parametrize(
    ("options", "said", "helps"),
    [
        ({}, "no resource provider Microsoft.ManagedIdentity", "service principal"),
        (
            {"managed_identity": True, "unregistered": ("Microsoft.ManagedIdentity",)},
            "Microsoft.ManagedIdentity is NotRegistered",
            "stacktui providers register Microsoft.ManagedIdentity",
        ),
    ],
)
@pytest.mark.parametrize("name", [None, *WalkStepName])
async def test_without_the_provider_nothing_is_written(
    options: dict[str, Any], said: str, helps: str, name: WalkStepName | None
) -> None:
    with run_in_thread(StampOptions(groups=1, **options)) as stamp:
        done = await walked(stamp, "id-none", (name,) if name else tuple(WalkStepName))
        assert writes(stamp) == []
    assert (done.outcomes, done.asked) == ([FAILED] + [SKIPPED] * (0 if name else 3), [])
    error = done.results[0].error
    assert isinstance(error, ManagedIdentityError)
    assert said in str(error)
    assert helps in error.help


@pytest.mark.parametrize(
    ("given", "outcomes"),
    [
        ({"group": "no-such-group"}, [FAILED, SKIPPED, SKIPPED, SKIPPED]),
        ({"machine": "no-such-vm"}, [SKIPPED, FAILED, SKIPPED, SKIPPED]),
        ({"machine": ".."}, [SKIPPED, FAILED, SKIPPED, SKIPPED]),
        ({"group": "a/../b?c#d"}, [FAILED, SKIPPED, SKIPPED, SKIPPED]),
    ],
)
async def test_what_is_not_there_is_found_before_anything_is_written(
    azure: RunningStamp, given: dict[str, str], outcomes: list[WalkOutcome]
) -> None:
    before = writes(azure)
    done = await walked(azure, "id-none", **given)
    assert (done.outcomes, done.asked, writes(azure)) == (outcomes, [], before)


@pytest.mark.parametrize("name", [ASSIGN, GRANT, PROVE])
async def test_without_the_identity_a_single_step_says_how_to_make_it(
    azure: RunningStamp, name: WalkStepName
) -> None:
    before = writes(azure)
    done = await walked(azure, "id-none", (name,))
    error = done.results[0].error
    assert isinstance(error, ManagedIdentityError)
    assert (done.outcomes, "managed create" in error.help) == ([FAILED], True)
    assert writes(azure) == before


async def test_who_says_no_ends_the_walk_where_it_is(azure: RunningStamp) -> None:
    async def no(step: WalkStepName) -> None:
        if step is ASSIGN:
            raise KeyError("no")

    with pytest.raises(KeyError):
        await walked(azure, "id-no", confirm=no)
    found = await state_of(azure, "id-no")
    assert found.principal is not None
    assert ("id-no" in found.machine, found.assignments) == (False, ())


async def test_who_may_not_write_is_refused(azure: RunningStamp) -> None:
    with run_in_thread(
        StampOptions(cloud=Cloud.PUBLIC, groups=1, role="reader", retry_after=0)
    ) as stamp:
        done = await walked(stamp, "id-no")
        assert done.outcomes == [FAILED, SKIPPED, SKIPPED, SKIPPED]
        assert "403 AuthorizationFailed" in done[CREATE].words
        assert (await walked(stamp, "id-no", identity=user_of(stamp))).outcomes[:3] == [OK] * 3


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("abc", True), ("0-_", True), ("a" * 128, True), ("ab", False), ("a" * 129, False),
        ("-ab", False), ("a.b", False), ("a/b", False), ("äbc", False), ("abc\n", False),
    ],
)  # fmt: skip
def test_names(name: str, good: bool) -> None:
    assert is_identity_name(name) is good


@pytest.mark.parametrize("lacking", ["clientId", "principalId", "id"])
async def test_an_identity_without_ids_is_none_of_ours(client: Client, lacking: str) -> None:
    """Without a client id, the metadata service would give the token of the machine itself."""
    said = {"id": "/x/id-odd", "properties": {"clientId": "c\x1b[31m", "principalId": "p"}}
    (said if lacking == "id" else said["properties"])[lacking] = None
    body = answer(json.dumps(said).encode(), Content_Type="application/json")
    async with serving(body) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await user_identity(arm, "/subscriptions/s1/x", "2018-11-30")
    assert caught.value.fault.problem is ArmProblem.SHAPE


async def test_odd_identities_of_a_machine_are_harmless(client: Client) -> None:
    odd = {"type": "userassigned , systemassigned", "userAssignedIdentities": {"/\x1b[2J/é": 5}}
    for identity, names in ((odd, 2), ({"type": 7}, 0), (None, 0), ([], 0)):
        said = answer(json.dumps({"identity": identity}).encode(), Content_Type="application/json")
        async with serving(said) as web, client(web) as (arm, _):
            found = await machine_identities(arm, "/subscriptions/s1/x")
        assert len(found.names) == names
        assert str(found).isprintable()


# The proof


async def test_where_no_metadata_service_answers_two_lines_are_given(
    azure: RunningStamp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They work in the bash of the VM: here, curl is led to the stamp by its own file."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    done = await walked(azure, "id-curl", api_version="2016-09-01")
    assert done.outcomes == [OK, OK, OK, SKIPPED]
    assert done[PROVE].lines == ("on the VM vm-ops, these lines do it:",)
    token, group = done[PROVE].commands
    assert "resource=https%3A%2F%2Fmanagement.azure.com%2F&client_id=" in token
    assert f"/resourceGroups/{GROUP}?api-version=2016-09-01" in group
    imds = azure.imds_url.removeprefix("http://")
    (tmp_path / ".curlrc").write_text(
        f'connect-to = "169.254.169.254:80:{imds}"\n'
        f'connect-to = "management.azure.com:443:{azure.resolve["management.azure.com:443"]}"\n'
        f'cacert = "{azure.ca_file}"\n'
    )
    ran = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", f"{token}\n{group}"],
        env=os.environ | {"CURL_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f'"name": "{GROUP}"' in ran.stdout.replace('":"', '": "')


async def test_what_is_no_metadata_service_is_none(
    azure: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other clouds have something else at the same address."""
    azure.fault_at("GET /metadata/identity/*=502")
    done = await walked(azure, "id-other-cloud", (CREATE, PROVE))
    assert done.outcomes == [OK, SKIPPED]


async def test_a_machine_that_does_not_have_it_is_told(azure: RunningStamp) -> None:
    done = await walked(azure, "id-elsewhere", (CREATE, GRANT, PROVE))
    assert done.outcomes == [OK, OK, FAILED]
    assert "Identity not found" in done[PROVE].words
    assert len(done[PROVE].commands) == 2
