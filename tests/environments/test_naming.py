"""The naming rule of integrated systems, and the profiles."""

from __future__ import annotations

import pytest

from stacktui.environments.naming import (
    SERVICES,
    Audience,
    certificate_names,
    domain_of,
    other_audience,
    region_of,
    suffixes,
)
from stacktui.environments.profiles import DEFAULT_PROFILE, PROFILES, profile_of_build


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("management.local.azurestack.external", "local.azurestack.external"),
        ("adminmanagement.west.contoso.example", "west.contoso.example"),
        ("portal.local.azurestack.external", None),
        ("management", None),
        ("management.local", None),
        ("localhost", None),
        ("management.azure.com", None),
        ("management.chinacloudapi.cn", None),
        ("", None),
    ],
)
def test_the_domain_follows_from_an_arm_host(host: str, domain: str | None) -> None:
    assert domain_of(host) == domain


@pytest.mark.parametrize(
    ("arm", "other", "region"),
    [
        ("https://management.w.c.example", "https://adminmanagement.w.c.example", "w"),
        ("https://adminmanagement.w.c.example:8443", "https://management.w.c.example:8443", "w"),
        ("https://localhost:8443", "", ""),
        ("https://management.azure.com", "", ""),
    ],
)
def test_users_and_operators_have_an_endpoint_each(arm: str, other: str, region: str) -> None:
    assert other_audience(arm) == other
    assert region_of(arm) == region


@pytest.mark.parametrize(
    ("version", "profile"),
    [
        ("1.1807.0.76", "2017-03-09-profile"),
        ("1.1808.0.97", "2018-03-01-hybrid"),
        ("1.2008.13.88", "2019-03-01-hybrid"),
        ("1.2108.2.130", "2020-09-01-hybrid"),
        ("1.2601.0.1", "2020-09-01-hybrid"),
        ("", None),
        ("20180329.1", None),
    ],
)
def test_the_profile_of_a_build(version: str, profile: str | None) -> None:
    found = profile_of_build(version)
    assert (found.name if found else None) == profile


def test_user_and_operator_have_their_own_vaults() -> None:
    assert suffixes("management.w.c.example") == ("w.c.example", ".vault.w.c.example")
    assert suffixes("adminmanagement.w.c.example") == ("w.c.example", ".adminvault.w.c.example")
    assert suffixes("localhost") == (None, None)


def test_the_names_of_a_stamp_under_entra_are_those_of_the_documents() -> None:
    names = certificate_names("East.Contoso.example", adfs=False)
    labels = [name.removesuffix(".east.contoso.example") for name in names]
    assert labels == [
        "portal", "adminportal", "management", "adminmanagement", "*.blob", "*.table", "*.queue",
        "*.vault", "*.adminvault", "*.hosting", "*.adminhosting",
    ]  # fmt: skip


def test_a_stamp_under_adfs_has_two_names_more() -> None:
    more = set(certificate_names("e.c", adfs=True)) - set(certificate_names("e.c", adfs=False))
    assert more == {"adfs.e.c", "graph.e.c"}


def test_the_operator_has_the_admin_services_and_nothing_else() -> None:
    operator = {each.label for each in SERVICES if each.audience is Audience.OPERATOR}
    assert operator == {each.label for each in SERVICES if "admin" in each.label}
    assert {each.label for each in SERVICES if each.is_wildcard} == {
        f"*.{name}"
        for name in ("blob", "table", "queue", "vault", "adminvault", "hosting", "adminhosting")
    }


def test_the_default_profile_is_for_current_builds() -> None:
    assert PROFILES[DEFAULT_PROFILE].builds == "2102 and later"
    assert "latest" in PROFILES
