"""Roles on a stamp, over TLS: who has them, granting, revoking; and what hostile answers do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stacktui.environments.model import Environment
from stacktui.identities.model import FileSecret, Identity
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources import roles
from stacktui.resources.client import ArmClient
from stacktui.resources.connection import open_arm
from stacktui.resources.groups import resource_groups
from stacktui.resources.listing import collect
from stacktui.resources.model import ArmError, Principal, RoleAssignment, RoleDefinition
from stacktui.resources.permissions import allowed_words
from stacktui.resources.principals import PrincipalError, principal_of
from stacktui.resources.retry import Wait
from stacktui.resources.role_paths import READER, Reach, assignment_name, assignment_path, reach
from stacktui.resources.roles import (
    access,
    assignment_pages,
    definition_pages,
    find_role,
    grant,
    pages_of_principal,
    revoke,
)
from stacktui.stamp import Cloud, IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.servers import Script, scripted, token
from tests.identities.sign_ins import identity_of, nobody_asked, ops, user_of
from tests.resources.conftest import Client
from tests.resources.test_client import error, page
from tests.support.authority import authority
from tests.support.web import Asked, Raw, answer, serving

DOMAIN = "local.azurestack.external"
OWNER = RoleDefinition("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner")
GONE = Principal("0b1ec700-0000-4000-8000-00000000000a")


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    """A stamp whose application has no role, and whose user is the owner."""
    with run_in_thread(StampOptions(idp=request.param, role=None, domain=DOMAIN)) as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "_PAUSE", 0.1)


def sign_in_on(stamp: RunningStamp, identity: Identity, profile: str = "") -> SignIn:
    values = {"profile": profile} if profile else {}
    ca = Path(stamp.ca_file)
    environment = Environment("A", stamp.arm_url, ca=ca, resolve=stamp.resolve, **values)
    return SignIn(environment, identity)


@asynccontextmanager
async def arm_as(
    stamp: RunningStamp, identity: Identity, waits: list[Wait] | None = None, profile: str = ""
) -> AsyncIterator[ArmClient]:
    on_wait = waits.append if waits is not None else lambda _: None
    wanted = sign_in_on(stamp, identity, profile)
    async with open_arm(wanted, TokenSource(), on_wait=on_wait) as client:
        yield client


def subscription(stamp: RunningStamp) -> str:
    return f"/subscriptions/{stamp.subscription_id}"


async def test_before_the_grant_403_after_it_200(stamp: RunningStamp) -> None:
    """A resource group's role counts there; the subscription's everywhere in it."""
    scope, who = subscription(stamp), Principal(stamp.object_id)
    async with (
        arm_as(stamp, user_of(stamp)) as owner,
        arm_as(stamp, identity_of(stamp)) as application,
    ):
        with pytest.raises(ArmError) as refused:
            await resource_groups(application, stamp.subscription_id)
        assert (refused.value.fault.status, refused.value.fault.code) == (
            403,
            "AuthorizationFailed",
        )
        # What may be done is known without any right; by which role, is not.
        before = await access(application, scope, stamp.object_id)
        assert (before.permissions.error, before.permissions.rows) == (None, ())
        assert before.assignments.error is not None

        granted = await grant(owner, scope, READER, who)
        assert granted.changed
        assert len((await resource_groups(application, stamp.subscription_id)).groups) > 1
        after = await access(application, scope, stamp.object_id)
        assert allowed_words(after.permissions.rows) == ("read",)
        (found,) = after.assignments.rows
        assert (found.id, found.role, found.principal) == (granted.id, READER.id, stamp.object_id)
        assert reach(found, scope) is Reach.DIRECT

        name = granted.id.rpartition("/")[2]
        assert await revoke(owner, scope, name)
        assert not await revoke(owner, scope, name)
        with pytest.raises(ArmError):
            await resource_groups(application, stamp.subscription_id)


async def test_again_is_no_change_whoever_granted_it(stamp: RunningStamp) -> None:
    scope = f"{subscription(stamp)}/resourceGroups/rg-web-prod-01"
    who = Principal(stamp.imds_object_id)
    async with arm_as(stamp, user_of(stamp)) as owner:
        first = await grant(owner, scope, READER, who)
        again = await grant(owner, scope.upper().replace("/SUB", "/sub"), READER, who)
        assert (first.changed, again.changed) == (True, False)
        name = first.id.rpartition("/")[2]
        assert again.id.endswith(name)
        assert await revoke(owner, scope, name)

        body = {
            "properties": {
                "roleDefinitionId": f"/x/roleDefinitions/{READER.id}",
                "principalId": who.object_id,
            }
        }
        other = "0b1ec700-0000-4000-8000-00000000000b"
        await owner.request("PUT", assignment_path(scope, other), body=body)
        by_other = await grant(owner, scope, READER, who)
        assert (by_other.id, by_other.changed) == ("", False)
        held = (await collect(pages_of_principal(owner, scope, who.object_id))).rows
        direct = [each for each in held if reach(each, scope) is Reach.DIRECT]
        assert [each.id.rpartition("/")[2] for each in direct] == [other]
        assert await revoke(owner, scope, other)


async def test_of_many_at_once_one_changes_something(stamp: RunningStamp) -> None:
    scope, who = subscription(stamp), Principal(stamp.object_id)
    async with arm_as(stamp, user_of(stamp)) as owner, arm_as(stamp, user_of(stamp)) as other:
        clients = (owner, other) * 4
        granted = await asyncio.gather(*(grant(each, scope, OWNER, who) for each in clients))
        assert sum(each.changed for each in granted) == 1
        assert len({each.id for each in granted}) == 1
        held = (await collect(pages_of_principal(owner, scope, who.object_id))).rows
        assert [each.role for each in held] == [OWNER.id]
        name = granted[0].id.rpartition("/")[2]
        revoked = await asyncio.gather(*(revoke(each, scope, name) for each in clients))
        assert sum(revoked) == 1


async def test_roles_of_groups_and_from_above_and_below(stamp: RunningStamp) -> None:
    above = subscription(stamp)
    group = f"{above}/resourceGroups/rg-web-prod-01"
    async with arm_as(stamp, user_of(stamp)) as owner:
        facts = await owner.token_facts()
        assert facts.object_id
        granted = await grant(owner, group, READER, Principal(facts.object_id))
        found = await access(owner, group, facts.object_id)
        names = {each.id: each.name for each in found.definitions.rows}
        seen = {
            (names[each.role], reach(each, group), each.principal)
            for each in found.assignments.rows
        }
        assert seen == {
            ("Owner", Reach.INHERITED, facts.object_id),
            ("Reader", Reach.INHERITED, stamp.group_object_id),
            ("Reader", Reach.DIRECT, facts.object_id),
        }
        assert allowed_words(found.permissions.rows) == (
            "read",
            "write",
            "delete",
            "assign roles",
        )
        from_above = (await access(owner, above, facts.object_id)).assignments.rows
        assert {reach(each, above) for each in from_above} == {Reach.DIRECT, Reach.BELOW}
        # At the subscription and above it: everybody's, and none below.
        everybody = (await collect(assignment_pages(owner, above))).rows
        assert {each.scope for each in everybody} == {above}
        assert len({each.principal for each in everybody}) > 2
        assert await revoke(owner, group, granted.id.rpartition("/")[2])


async def test_a_role_by_its_name_or_id(stamp: RunningStamp) -> None:
    async with arm_as(stamp, user_of(stamp)) as owner:
        found = (await collect(definition_pages(owner, subscription(stamp)))).rows
    path = f"/providers/Microsoft.Authorization/roleDefinitions/{READER.id.upper()}"
    for wanted in ("Reader", "READER", READER.id, READER.id.upper(), path):
        assert find_role(found, wanted) == READER
    for wanted in ("", "Read", f"{READER.id}0"):
        assert find_role(found, wanted) is None


async def test_without_an_object_id_nothing_is_taken_for_ones_own(stamp: RunningStamp) -> None:
    async with arm_as(stamp, user_of(stamp)) as owner:
        found = await access(owner, subscription(stamp), "")
    assert found.assignments.rows == ()
    assert found.permissions.rows


async def test_ad_fs_may_have_a_sid_for_an_object_id() -> None:
    sid = Principal("S-1-5-21-397955417-626881126-188441444-3001")
    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS)) as stamp:
        async with arm_as(stamp, identity_of(stamp)) as owner:
            scope = subscription(stamp)
            assert (await grant(owner, scope, READER, sid)).changed
            (held,) = (await collect(pages_of_principal(owner, scope, sid.object_id))).rows
            assert held.principal.casefold() == sid.object_id.casefold()


NEW = "userAssignedIdentities/id-new"


async def _new_principal(owner: ArmClient, stamp: RunningStamp) -> str:
    group = f"{subscription(stamp)}/resourceGroups/rg-identity"
    path = f"{group}/providers/Microsoft.ManagedIdentity/{NEW}"
    made = await owner.request("PUT", path, "2018-11-30", {"location": stamp.location})
    return str(made.document["properties"]["principalId"])


async def test_a_new_principal_is_waited_for_visibly(quick: None) -> None:
    options = StampOptions(managed_identity=True, replication_seconds=0.35)
    waits: list[Wait] = []
    with run_in_thread(options) as stamp:
        async with arm_as(stamp, identity_of(stamp), waits) as owner:
            new = Principal(await _new_principal(owner, stamp), is_application=True)
            assert (await grant(owner, subscription(stamp), READER, new)).changed
    assert {each.status for each in waits} == {400}
    assert 2 <= len(waits) <= 5
    assert new.object_id in waits[0].what


async def test_one_that_stays_unknown_is_refused_in_the_end(quick: None) -> None:
    waits: list[Wait] = []
    with run_in_thread(StampOptions()) as stamp:
        async with arm_as(stamp, identity_of(stamp), waits) as owner:
            with pytest.raises(ArmError) as caught:
                await grant(owner, subscription(stamp), READER, GONE, longest=0.35)
    assert caught.value.fault.code == "PrincipalNotFound"
    assert len(waits) == 3


async def test_public_azure_takes_a_new_application_at_once() -> None:
    """It is told the type, which the stamps' api-version does not know."""
    waits: list[Wait] = []
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, replication_seconds=30)) as stamp:
        async with arm_as(stamp, identity_of(stamp), waits, "latest") as owner:
            new = Principal(await _new_principal(owner, stamp), is_application=True)
            assert (await grant(owner, subscription(stamp), READER, new)).changed
            (held,) = (
                await collect(pages_of_principal(owner, subscription(stamp), new.object_id))
            ).rows
    assert (waits, held.principal_type) == ([], "ServicePrincipal")


# Principals


@pytest.mark.parametrize("of", [identity_of, user_of])
async def test_an_identity_has_the_object_id_of_its_token(stamp: RunningStamp, of: object) -> None:
    identity = of(stamp)  # type: ignore[operator]
    found = await principal_of(sign_in_on(stamp, identity), TokenSource(), nobody_asked)
    async with arm_as(stamp, identity) as client:
        assert found.object_id == (await client.token_facts()).object_id
    assert found == Principal(found.object_id, of is identity_of, "ops")
    assert str(found) == f"{found.object_id} (identity ops)"


async def test_a_token_without_one_says_what_to_give_instead(tmp_path: Path) -> None:
    async with scripted(Script(token=token(aud="https://arm/1"))) as web:
        ca, secret = tmp_path / "ca.pem", tmp_path / "secret"
        ca.write_bytes(authority().root.pem)
        secret.touch(0o600)
        secret.write_text("a-secret-of-ours")
        environment = Environment("A", web.url, ca=ca, proxy="none")
        wanted = SignIn(environment, ops(FileSecret(secret)))
        with pytest.raises(PrincipalError) as caught:
            await principal_of(wanted, TokenSource(), nobody_asked)
    assert "object id" in str(caught.value)


# Hostile answers and names


async def test_a_quote_in_a_principal_does_not_end_the_filter(stamp: RunningStamp) -> None:
    hostile = f"x' or principalId eq '{stamp.imds_object_id}"
    async with arm_as(stamp, user_of(stamp)) as owner:
        scope = subscription(stamp)
        assert (await collect(pages_of_principal(owner, scope, hostile))).rows == ()
        found = (await access(owner, scope, hostile)).assignments
        assert (found.rows, found.error) == ((), None)


@pytest.mark.parametrize("name", ["a?b=c", "a#b", "a b", "\x1b[31m", "ü", "a&$filter=x"])
async def test_no_character_of_a_scope_begins_a_query(client: Client, name: str) -> None:
    scope = f"/subscriptions/s1/resourceGroups/{name}"
    async with serving(error("404 Not", "ResourceGroupNotFound")) as web, client(web) as (arm, _):
        with pytest.raises(ArmError):
            await grant(arm, scope, READER, GONE)
        with pytest.raises(ArmError):
            await revoke(arm, scope, assignment_name(scope, READER, GONE))
    for asked in web.asked:
        path, _, query = asked.target.partition("?")
        assert query == "api-version=2015-07-01"
        assert "/providers/Microsoft.Authorization/roleAssignments/" in path


async def test_a_scope_that_leads_elsewhere_is_not_sent(client: Client) -> None:
    async with serving(page()) as web, client(web) as (arm, _):
        for scope in ("/subscriptions/s1/../s2", "/subscriptions/./s2"):
            with pytest.raises(ArmError):
                await grant(arm, scope, READER, GONE)
            with pytest.raises(ArmError):
                await revoke(arm, scope, "n")
    assert web.asked == []


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "409 Conflict"])
async def test_what_arm_answers_to_a_grant(client: Client, status: str) -> None:
    code = "RoleAssignmentExists" if status.startswith("409") else ""
    said = error(status, code) if code else answer(b"{}", status=status)
    async with serving(said) as web, client(web) as (arm, _):
        found = await grant(arm, "/subscriptions/s1", READER, GONE)
    assert found.changed is status.startswith("201")
    (asked,) = web.asked
    assert asked.method == "PUT"
    assert set(json.loads(asked.body)["properties"]) == {"roleDefinitionId", "principalId"}


@pytest.mark.parametrize(
    ("said", "was"),
    [
        (answer(b"{}"), True),
        (answer(status="204 No Content"), False),
        (error("404 Not", "RoleAssignmentNotFound"), False),
    ],
)
async def test_what_arm_answers_to_a_revocation(client: Client, said: Raw, was: bool) -> None:
    async with serving(said) as web, client(web) as (arm, _):
        assert await revoke(arm, "/subscriptions/s1", "n") is was


async def test_a_group_that_is_not_there_is_no_missing_assignment(client: Client) -> None:
    async with serving(error("404 Not", "ResourceGroupNotFound")) as web, client(web) as (arm, _):
        with pytest.raises(ArmError):
            await revoke(arm, "/subscriptions/s1/resourceGroups/g", "n")


async def test_odd_rows_are_harmless(client: Client) -> None:
    odd = {
        "id": "/x/\x1b[31m",
        "properties": {"scope": "/s/", "roleDefinitionId": 5, "principalId": "\u202ep"},
    }

    def said(_: Asked) -> Raw:
        return page(odd, {"properties": None})

    async with serving(said) as web, client(web) as (arm, _):
        first, second = (await collect(assignment_pages(arm, "/subscriptions/s1"))).rows
        roles_ = (await collect(definition_pages(arm, "/subscriptions/s1"))).rows
    assert first.id.isprintable()
    assert first.principal.isprintable()
    assert (first.scope, first.role) == ("/s", "")
    assert second == RoleAssignment("", "", "", "")
    assert find_role(roles_, "") is None
