"""The table of api-versions, and what ARM lists where the table has none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.environments.profiles import PROFILES
from stacktui.resources.api_versions import (
    RESOURCES,
    SUBSCRIPTIONS,
    known_version,
    listed_version,
    resource_type,
)

GROUP = "/subscriptions/s/resourceGroups/providers-1"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks"


@pytest.mark.parametrize(
    ("name", "resources", "subscriptions", "authorization"),
    [
        ("2017-03-09-profile", "2016-02-01", "2016-06-01", "2015-07-01"),
        ("2018-03-01-hybrid", "2018-02-01", "2016-06-01", "2015-07-01"),
        ("2019-03-01-hybrid", "2018-05-01", "2016-06-01", "2015-07-01"),
        ("2020-09-01-hybrid", "2019-10-01", "2016-06-01", "2015-07-01"),
        ("latest", "2021-04-01", "2022-12-01", "2022-04-01"),
    ],
)
def test_a_profile_sends_the_documented_versions(
    name: str, resources: str, subscriptions: str, authorization: str
) -> None:
    assert known_version(name, RESOURCES) == resources
    assert known_version(name, SUBSCRIPTIONS) == subscriptions
    assert known_version(name, "Microsoft.Authorization/roleAssignments") == authorization


@pytest.mark.parametrize(
    ("path", "kind", "version"),
    [
        ("/subscriptions", SUBSCRIPTIONS, "2016-06-01"),
        ("/subscriptions/s", SUBSCRIPTIONS, "2016-06-01"),
        ("/subscriptions/s/resourceGroups/providers", RESOURCES, "2019-10-01"),
        ("/subscriptions/s/resourceGroups/providers/resources", RESOURCES, "2019-10-01"),
        (f"{DISK}/providers", "Microsoft.Compute/disks", "2019-07-01"),
        ("/tenants", SUBSCRIPTIONS, "2016-06-01"),
        ("/offers", "Microsoft.Subscriptions/offers", "2015-11-01"),
        ("/subscriptions/s/locations", SUBSCRIPTIONS, "2016-06-01"),
        ("/subscriptions/s/resourcegroups", RESOURCES, "2019-10-01"),
        (GROUP, RESOURCES, "2019-10-01"),
        (f"{GROUP}/resources?$filter=a eq '/providers/x'", RESOURCES, "2019-10-01"),
        ("/subscriptions/s/providers", RESOURCES, "2019-10-01"),
        ("/subscriptions/s/providers/Microsoft.Web", RESOURCES, "2019-10-01"),
        ("/subscriptions/s/providers/Microsoft.Web/register", RESOURCES, "2019-10-01"),
        (
            f"{GROUP}/providers/Microsoft.Authorization/locks/l",
            "Microsoft.Authorization/locks",
            "2016-09-01",
        ),
        (
            f"{GROUP}/providers/Microsoft.Compute/virtualMachines/v/start",
            "Microsoft.Compute/virtualMachines/start",
            "2020-06-01",
        ),
        (
            f"{GROUP}/providers/microsoft.compute/DISKS/d",
            "microsoft.compute/DISKS",
            "2019-07-01",
        ),
        (
            "/subscriptions/s/providers/Microsoft.Compute/locations/l/publishers/p",
            "Microsoft.Compute/locations/publishers",
            "2020-06-01",
        ),
        (
            f"{DISK}/d/providers/Microsoft.Authorization/roleAssignments/r",
            "Microsoft.Authorization/roleAssignments",
            "2015-07-01",
        ),
        (f"{GROUP}/providers/Microsoft.Network/dnsZones/z", "Microsoft.Network/dnsZones", None),
        (
            f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i",
            "Microsoft.ManagedIdentity/userAssignedIdentities",
            None,
        ),
        ("/subscriptions/s/providers/Contoso.Web/sites", "Contoso.Web/sites", None),
    ],
)
def test_a_path_has_its_type_and_version(path: str, kind: str, version: str | None) -> None:
    assert resource_type(path) == kind
    assert known_version("2020-09-01-hybrid", kind) == version


PROVIDER = {
    "resourceTypes": [
        {
            "resourceType": "Sites",
            "apiVersions": ["2016-08-01", "2018-02-01", "2019-01-01-preview"],
        },
        {
            "resourceType": "sites/slots",
            "apiVersions": ["2015-01-01-preview", "2014-01-01-preview"],
        },
        {"resourceType": "none", "apiVersions": []},
    ]
}


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("Contoso.Web/sites", "2018-02-01"),
        ("Contoso.Web/sites/slots", "2015-01-01-preview"),
        ("Contoso.Web/sites/config", "2018-02-01"),
        ("Contoso.Web/none", None),
        ("Contoso.Web/others", None),
    ],
)
def test_the_newest_listed_version_counts_and_a_preview_only_alone(
    kind: str, version: str | None
) -> None:
    assert listed_version(PROVIDER, kind) == version


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
_TYPES = st.lists(_JSON | st.fixed_dictionaries({"resourceType": _JSON, "apiVersions": _JSON}))


@given(path=st.text(max_size=60), types=_TYPES | _JSON)
def test_any_path_and_any_list_have_a_version_or_none(path: str, types: Any) -> None:
    kind = resource_type(path)
    for profile in PROFILES:
        version = known_version(profile, kind)
        assert version is None or len(version) == 10
    listed = listed_version({"resourceTypes": types}, kind)
    assert listed is None or isinstance(listed, str)
