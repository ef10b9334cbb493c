"""What the lists of ARM give as values, streamed page by page."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from typing import Any

import pytest

from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.resources.group_details import group_details, newest_first, resource_details
from stacktui.resources.groups import group_pages, group_path, resource_group
from stacktui.resources.listing import RowPage
from stacktui.resources.model import (
    ArmError,
    Deployment,
    Lock,
    Offer,
    Permission,
    Resource,
    ResourceGroup,
    ResourceType,
    Subscription,
)
from stacktui.resources.permissions import allowed, allowed_words
from stacktui.resources.portal import portal_link
from stacktui.resources.providers import provider, provider_pages
from stacktui.resources.subscriptions import offer_pages, subscription_pages
from stacktui.transport.limits import Limits
from tests.resources.conftest import Client
from tests.resources.test_client import error, page
from tests.support.web import Asked, Raw, answer, serving

PATH = "/subscriptions/s1/resourceGroups/g1"
GROUP: dict[str, Any] = {
    "id": PATH,
    "name": "g1",
    "location": "local",
    "tags": {"env": "prod", "no text": 5},
    "properties": {"provisioningState": "Succeeded"},
}


async def test_a_group_has_its_tags_and_id_and_arms_own_object(client: Client) -> None:
    async with serving(page(GROUP)) as web, client(web) as (arm, _):
        (found,) = [each async for each in group_pages(arm, "s1")]
    assert list(found) == [ResourceGroup("g1", "local", "Succeeded", PATH, {"env": "prod"})]
    assert (found.raw, found.last, len(found)) == ((GROUP,), True, 1)


async def test_the_next_page_is_asked_for_while_one_is_shown(client: Client) -> None:
    asked_again = asyncio.Event()

    def said(asked: Asked) -> Raw:
        if "skip" in asked.target:
            asked_again.set()
            return page({"name": "g1"})
        return page({"name": "g0"}, link=f"{web.url}/x?skip=1")

    seen: list[RowPage[ResourceGroup]] = []
    async with serving(said) as web, client(web) as (arm, _):
        async for each in group_pages(arm, "s1"):
            await asked_again.wait()
            seen.append(each)
    assert [group.name for each in seen for group in each] == ["g0", "g1"]
    assert [each.last for each in seen] == [False, True]


async def test_the_limits_of_a_check_cut_no_stream(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        number = int(asked.target.partition("skip=")[2] or 0)
        link = f"{web.url}/x?skip={number + 1}" if number < 8 else None
        return page({"name": "a"}, {"name": "b"}, link=link)

    limits = Limits(rows=3, pages=2)
    async with serving(said) as web, client(web, limits=limits) as (arm, _):
        assert sum([len(each) async for each in group_pages(arm, "s1")]) == 18


async def test_a_page_that_fails_comes_after_those_before_it(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        if "skip" in asked.target:
            return error("500 No", "InternalServerError")
        return page(GROUP, link=f"{web.url}/x?skip=1")

    async with serving(said) as web, client(web) as (arm, _), aclosing(group_pages(arm, "s1")) as p:
        assert len(await anext(p)) == 1
        await asyncio.sleep(0.05)  # the next page has failed by now
        with pytest.raises(ArmError) as caught:
            await anext(p)
    assert caught.value.fault.status == 500


async def test_who_stops_in_the_middle_leaves_no_request_behind(client: Client) -> None:
    def first(_asked: Asked) -> Raw:
        return page(GROUP, link=f"{web.url}/x?skip=1")

    async with serving(first, Raw(b"", "hang")) as web, client(web) as (arm, _):
        before = len(asyncio.all_tasks())
        async with aclosing(group_pages(arm, "s1")) as pages:
            await anext(pages)
            assert len(asyncio.all_tasks()) > before
        assert len(asyncio.all_tasks()) <= before + 1  # the server's own


async def test_one_group_and_each_of_its_lists_by_itself(client: Client) -> None:
    resource = f"{PATH}/providers/Microsoft.Compute/virtualMachines/vm1"
    lock = f"{PATH}/providers/Microsoft.Authorization/locks/keep"

    def said(asked: Asked) -> Raw:
        path = asked.target.partition("?")[0]
        kind = "Microsoft.Compute/virtualMachines"
        deployed = {"provisioningState": "Failed", "timestamp": "2", "error": {"code": "Quota"}}
        rows: dict[str, Raw] = {
            "resources": page({"id": resource, "name": "vm1", "type": kind, "location": "local"}),
            "locks": page({"id": lock, "name": "keep", "properties": {"level": "CanNotDelete"}}),
            "deployments": page({"name": "d1", "properties": deployed}),
            "permissions": error("403 No", "AuthorizationFailed"),
        }
        return rows.get(path.rpartition("/")[2], answer(b'{"name": "g1", "x": 1}'))

    async with serving(said) as web, client(web) as (arm, _):
        path = group_path(arm, "s1", "g1")
        group, raw = await resource_group(arm, path)
        found = await group_details(arm, path)
    assert (path, group.name, raw["x"]) == (PATH, "g1", 1)
    assert found.resources.rows == (
        Resource("vm1", "Microsoft.Compute/virtualMachines", "local", resource),
    )
    assert found.locks.rows == (Lock("keep", "CanNotDelete", "", PATH),)
    assert found.deployments.rows == (Deployment("d1", "Failed", "2", "Quota"),)
    assert found.resources.error is None
    assert found.permissions.rows == ()
    assert isinstance(found.permissions.error, ArmError)
    assert found.permissions.error.fault.code == "AuthorizationFailed"


async def test_a_resource_is_shown_as_arm_has_it_without_an_echoed_secret(client: Client) -> None:
    secret = "Deadly-Token-0123456789"
    said = {"id": PATH, "name": "g1", "properties": {"echo": secret, "list": [1, {"a": "b c"}]}}

    def read(asked: Asked) -> Raw:
        if asked.target.startswith(PATH):
            return answer(json.dumps(said).encode())
        types = [{"resourceType": "t", "apiVersions": ["2020-01-01"]}]
        return answer(json.dumps({"resourceTypes": types}).encode())

    async with serving(read) as web, client(web) as (arm, _):
        whole = (await resource_details(arm, f"{PATH}/providers/P.Q/t/g1")).document
        arm.redactor.add_secret(secret)
        redacted = (await resource_details(arm, f"{PATH}/providers/P.Q/t/g1")).document
    assert json.loads(whole) == said
    assert whole.isascii()
    assert "Deadly" not in redacted
    assert redacted.splitlines()[5:] == whole.splitlines()[5:]


def test_the_newest_deployment_is_first() -> None:
    old, new = Deployment("a", "", "2026-01-01T00:00:00Z"), Deployment("b", "", "2026-02-01T00:00Z")
    assert newest_first((old, new)) == [new, old]


@pytest.mark.parametrize("name", ["..", "a/../b", "a?b", "a#b", "a%2fb", "\udcff", "\x1b[2J"])
async def test_a_name_never_leads_to_another_path(client: Client, name: str) -> None:
    async with serving(answer(b"{}")) as web, client(web) as (arm, _):
        with suppress(ArmError):
            await resource_group(arm, group_path(arm, "s1", name))
        for asked in web.asked:
            path = asked.target.partition("?")[0]
            assert path.startswith("/subscriptions/s1/resourceGroups/")
            assert path.count("/") == 4


OWNER, READER = Permission(("*",)), Permission(("*/read",))
CONTRIBUTOR = Permission(("*",), ("Microsoft.Authorization/*/Write", "*/elevateAccess/Action"))


@pytest.mark.parametrize(
    ("permissions", "words"),
    [
        ([], ()),
        ([READER], ("read",)),
        ([OWNER], ("read", "write", "delete", "assign roles")),
        ([CONTRIBUTOR], ("read", "write", "delete")),
        ([CONTRIBUTOR, READER], ("read", "write", "delete")),
        # What one role leaves out, another may give.
        (
            [CONTRIBUTOR, Permission(("microsoft.authorization/*",))],
            ("read", "write", "delete", "assign roles"),
        ),
        ([Permission(("Microsoft.Resources/subscriptions/resourceGroups/*",))],
         ("read", "write", "delete")),
        ([Permission((".*", "(", "Microsoft.Compute/*"))], ()),
    ],
)  # fmt: skip
def test_what_i_may_do_in_words(permissions: list[Permission], words: tuple[str, ...]) -> None:
    assert allowed_words(permissions) == words


def test_an_action_is_compared_without_case() -> None:
    assert allowed([Permission(("MICROSOFT.compute/*/READ",))], "Microsoft.Compute/disks/read")


async def test_a_provider_has_its_types_and_is_marked_where_samples_need_it(
    client: Client,
) -> None:
    rows = [
        {
            "namespace": name,
            "registrationState": state,
            "resourceTypes": [
                {"resourceType": "t", "apiVersions": ["2019-10-01"], "locations": ["local"]}
            ],
        }
        for name, state in (("Microsoft.Compute", "Registered"), ("A.B", "NotRegistered"))
    ]
    async with serving(page(*rows)) as web, client(web) as (arm, _):
        found = [each async for part in provider_pages(arm, "s1") for each in part]
    assert [(each.needed, each.registered) for each in found] == [(True, True), (False, False)]
    assert found[0].types == (ResourceType("t", ("2019-10-01",), ("local",)),)


async def test_one_provider_is_asked_for_by_its_name(client: Client) -> None:
    async with serving(answer(b'{"namespace": "A.B"}')) as web, client(web) as (arm, _):
        found, raw = await provider(arm, "s1", "A.B")
        assert web.asked[0].target.startswith("/subscriptions/s1/providers/A.B?")
    assert (found.namespace, raw) == ("A.B", {"namespace": "A.B"})


async def test_a_subscription_has_tenant_and_offer_where_arm_gives_them(client: Client) -> None:
    more = {"tenantId": "t1", "offerId": "/delegatedProviders/default/offers/standard"}
    row = {"subscriptionId": "s1", "displayName": "One", "state": "Enabled"}
    async with serving(page(row, row | more)) as web, client(web) as (arm, _):
        found = [each async for part in subscription_pages(arm) for each in part]
    assert found == [
        Subscription("s1", "One", "Enabled"),
        Subscription("s1", "One", "Enabled", "t1", "standard"),
    ]


async def test_offers_are_asked_for_where_there_is_no_subscription(client: Client) -> None:
    said = page({"name": "trial", "displayName": "Trial", "description": "Thirty days"})
    async with serving(said) as web, client(web) as (arm, _):
        found = [each async for part in offer_pages(arm) for each in part]
        assert web.asked[0].target == "/offers?api-version=2015-11-01"
    assert found == [Offer("trial", "Trial", "Thirty days")]


STAMP = Environment("A", "https://management.east.contoso.example")
ENTRA = Metadata("2015-01-01", "https://login.example/", "aud", IdentityProvider.ENTRA)


@pytest.mark.parametrize(
    ("arm", "metadata", "tenant", "link"),
    [
        ("https://management.east.contoso.example", None, "",
         f"https://portal.east.contoso.example/#resource{PATH}"),
        ("https://management.east.contoso.example", ENTRA, "t1",
         "https://portal.east.contoso.example/#@t1/resource" + PATH),
        ("https://adminmanagement.east.contoso.example", None, "t1",
         "https://adminportal.east.contoso.example/#@t1/resource" + PATH),
        ("https://localhost:5", None, "t1", ""),
    ],
)  # fmt: skip
def test_the_portal_has_a_link_to_each_resource(
    arm: str, metadata: Metadata | None, tenant: str, link: str
) -> None:
    if metadata is not None:
        metadata = Metadata(*(("2015-01-01", "https://login.example", "aud",
                               IdentityProvider.ENTRA, None, None,
                               "https://portal.east.contoso.example/")))  # fmt: skip
    assert portal_link(Environment("A", arm), PATH, metadata=metadata, tenant=tenant) == link


def test_under_adfs_the_link_names_no_tenant() -> None:
    metadata = Metadata("2015-01-01", "https://adfs.x.example/adfs", "aud", IdentityProvider.ADFS,
                        portal="https://portal.x.example:8443/")  # fmt: skip
    found = portal_link(STAMP, PATH, metadata=metadata, tenant="adfs")
    assert found == f"https://portal.x.example:8443/#resource{PATH}"
