"""The images of a stamp: which lists are read, what is there, and what is there instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from stacktui.environments.alias_document import ImageAlias
from stacktui.resources.images import (
    ImageLevel,
    ImageMatch,
    compare_images,
    highest,
    offered_images,
)
from stacktui.resources.model import ArmError, ArmProblem
from tests.resources.conftest import Client
from tests.support.web import Asked, Raw, answer, serving

SUB = "5f0e9a10-0000-4000-8000-000000000001"
BASE = f"/subscriptions/{SUB}/providers/Microsoft.Compute/locations/west/publishers"
TREE: Mapping[str, Any] = {
    "Canonical": {
        "UbuntuServer": {"18.04-LTS": ["18.04.9", "18.04.10"], "22.04": []},
    },
    "Contoso": {"Box": {"Std": ["1.0.0"]}},
    "Empty": {},
}


def found(value: object) -> Raw:
    return answer(json.dumps(value).encode())


def stamp(asked: Asked) -> Raw:
    path, _, query = asked.target.partition("?")
    if path == f"/subscriptions/{SUB}/locations":
        return found({"value": [{"name": "west"}]})
    assert query == "api-version=2020-06-01"
    below = unquote(path).removeprefix(BASE).removeprefix("/").split("/")
    names = [each for each in below if each not in ("", "artifacttypes", "vmimage", "offers",
                                                    "skus", "versions")]  # fmt: skip
    node: Any = TREE
    for name in names:
        if isinstance(node, list):
            system = {"operatingSystem": "Windows" if "Contoso" in names else "Linux"}
            return found({"name": name, "properties": {"osDiskImage": system}})
        node = node[name]
    if not node and names == ["Empty"]:
        return answer(b'{"error": {"code": "NotFound"}}', status="404 Not Found")
    return found([{"name": each} for each in node])


def alias(urn: str, name: str = "A") -> ImageAlias:
    return ImageAlias(name, "Linux", *urn.split(":"))


async def compare(client: Client, *urns: str) -> list[tuple[str, str | None, tuple[str, ...]]]:
    async with serving(stamp) as web, client(web) as (arm, _):
        matches = await compare_images(arm, SUB, [alias(each) for each in urns])
    return [(each.urn, each.missing, each.instead) for each in matches]


async def test_an_image_is_there_or_the_first_missing_level_is_named(client: Client) -> None:
    assert await compare(
        client,
        "Canonical:UbuntuServer:18.04-LTS:latest",
        "canonical:ubuntuserver:18.04-lts:18.04.9",
        "OpenLogic:CentOS:7.5:latest",
        "Canonical:Other:1:latest",
        "Canonical:UbuntuServer:16.04:latest",
        "Canonical:UbuntuServer:18.04-LTS:18.04.1",
        "Canonical:UbuntuServer:22.04:latest",
        "Empty:A:B:latest",
    ) == [
        ("Canonical:UbuntuServer:18.04-LTS:18.04.10", None, ()),
        ("Canonical:UbuntuServer:18.04-LTS:18.04.9", None, ()),
        ("", ImageLevel.PUBLISHER, ("Canonical", "Contoso", "Empty")),
        ("", ImageLevel.OFFER, ("UbuntuServer",)),
        ("", ImageLevel.SKU, ("18.04-LTS", "22.04")),
        ("", ImageLevel.VERSION, ("18.04.9", "18.04.10")),
        ("", ImageLevel.VERSION, ()),
        ("", ImageLevel.OFFER, ()),
    ]


async def test_only_what_leads_to_an_image_is_asked_for_and_once(client: Client) -> None:
    async with serving(stamp) as web, client(web) as (arm, _):
        twice = [alias("Contoso:Box:Std:latest", "A"), alias("Contoso:Box:Std:1.0.0", "B")]
        matches = await compare_images(arm, SUB, twice)
    assert matches == tuple(ImageMatch(each, "Contoso:Box:Std:1.0.0") for each in twice)
    offers = f"{BASE}/Contoso/artifacttypes/vmimage/offers"
    assert [each.target.partition("?")[0] for each in web.asked[1:]] == [
        BASE, offers, f"{offers}/Box/skus", f"{offers}/Box/skus/Std/versions",
    ]  # fmt: skip


async def test_all_that_a_stamp_has_as_aliases(client: Client) -> None:
    async with serving(stamp) as web, client(web) as (arm, _):
        aliases = await offered_images(arm, SUB)
    assert aliases == (
        ImageAlias("UbuntuServer-18.04-LTS", "Linux", "Canonical", "UbuntuServer", "18.04-LTS"),
        ImageAlias("Box-Std", "Windows", "Contoso", "Box", "Std"),
    )


async def test_a_cloud_of_thousands_of_publishers_is_not_listed(client: Client) -> None:
    def many(asked: Asked) -> Raw:
        if asked.target.startswith(f"{BASE}?"):
            return found([{"name": f"p{number}"} for number in range(201)])
        return stamp(asked)

    async with serving(many) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await offered_images(arm, SUB)
    assert caught.value.fault.problem is ArmProblem.TOO_LARGE
    assert len(web.asked) == 2


@pytest.mark.parametrize("body", [{"value": []}, None, "x", 5])
async def test_what_is_no_bare_array_is_a_fault_of_its_shape(client: Client, body: object) -> None:
    def said(asked: Asked) -> Raw:
        return found(body) if asked.target.startswith(BASE) else stamp(asked)

    async with serving(said) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await compare_images(arm, SUB, [alias("a:b:c:latest")])
    assert caught.value.fault.problem is ArmProblem.SHAPE


async def test_hostile_names_are_harmless_and_lead_nowhere_else(client: Client) -> None:
    names: list[object] = [{"name": "\x1b[2J"}, {"name": 5}, 7, None, {}, {"name": "../.."}]

    def said(asked: Asked) -> Raw:
        return found(names) if asked.target.startswith(BASE) else stamp(asked)

    async with serving(said) as web, client(web) as (arm, _):
        (match,) = await compare_images(arm, SUB, [alias("a:b:c:latest")])
        assert match.instead == (r"\x1b[2J", "../..")
        await offered_images(arm, SUB)
    assert all(each.target.startswith("/subscriptions/") for each in web.asked)
    assert not [each for each in web.asked if "/../" in each.target]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([], None),
        (["9.0", "10.0"], "10.0"),
        (["16.04.202109280", "16.04.9"], "16.04.202109280"),
        (["1.0", "1.0.1"], "1.0.1"),
        (["preview", "0.1"], "0.1"),
        (["2019.0.20190410", "17763.3887.230107"], "17763.3887.230107"),
    ],
)
def test_the_highest_version_is_by_numbers(versions: list[str], expected: str | None) -> None:
    assert highest(versions) == expected
    assert highest(reversed(versions)) == expected
