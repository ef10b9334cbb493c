"""The form of `az`: the options of a cloud, how far the two agree, and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacktui.azure_cli.cloud_file import AzClouds
from stacktui.environments.cloud import cloud_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.exchange.az_form import (
    AzDifference,
    AzState,
    AzSync,
    az_sync,
    differences,
    needs_instance_discovery_off,
    options_of,
    settings_of,
)

ENVIRONMENT = Environment(
    "West", "https://management.w.example", vm_image_aliases="https://a.test/x"
)
METADATA = Metadata(
    "2015-01-01",
    "https://login.w.example",
    "https://management.w/7f/",
    IdentityProvider.ENTRA,
    graph="https://graph.w.example/",
    gallery="https://gallery.w.example:30015/",
    portal="https://portal.w.example/",
    storage_suffix="w.example",
    keyvault_suffix=".vault.w.example",
    login_as_given="https://login.w.example/",
)
CLOUD = cloud_of(ENVIRONMENT, METADATA)
OPTIONS = {
    "profile": "2020-09-01-hybrid",
    "endpoint_active_directory": "https://login.w.example/",
    "endpoint_active_directory_graph_resource_id": "https://graph.w.example/",
    "endpoint_active_directory_resource_id": "https://management.w/7f/",
    "endpoint_gallery": "https://gallery.w.example:30015/",
    "endpoint_resource_manager": "https://management.w.example",
    "endpoint_vm_image_alias_doc": "https://a.test/x",
    "suffix_keyvault_dns": ".vault.w.example",
    "suffix_storage_endpoint": "w.example",
}
AUDIENCE = "endpoint_active_directory_resource_id"


def test_the_options_in_the_order_of_az() -> None:
    assert list(options_of(CLOUD).items()) == list(OPTIONS.items())


def test_what_is_not_known_is_left_out() -> None:
    cloud = cloud_of(Environment("West", ENVIRONMENT.arm), replace(METADATA, gallery=None))
    assert set(OPTIONS) - set(options_of(cloud)) == {
        "endpoint_gallery", "endpoint_vm_image_alias_doc",
    }  # fmt: skip


SYNCS = {
    "absent": ({}, AzSync(AzState.ABSENT)),
    "the same": ({"West": OPTIONS}, AzSync(AzState.SAME, "West")),
    "active": ({"West": OPTIONS, "active": {}}, AzSync(AzState.SAME, "West", active=True)),
    "under another name": ({"Other": OPTIONS}, AzSync(AzState.SAME, "Other")),
    "another case": ({"west": {}}, AzSync(AzState.ABSENT)),
    "unknown options": ({"West": OPTIONS | {"subscription": "s"}}, AzSync(AzState.SAME, "West")),
    "a slash after ARM": (
        {"West": OPTIONS | {"endpoint_resource_manager": "https://Management.w.example/"}},
        AzSync(AzState.SAME, "West"),
    ),
    "a slash of the audience": (
        {"West": OPTIONS | {AUDIENCE: "https://management.w/7f"}},
        AzSync(
            AzState.DIFFERS,
            "West",
            differences=(
                AzDifference(AUDIENCE, "https://management.w/7f", "https://management.w/7f/"),
            ),
        ),
    ),
    "a missing suffix": (
        {"West": {key: text for key, text in OPTIONS.items() if key != "suffix_keyvault_dns"}},
        AzSync(
            AzState.DIFFERS,
            "West",
            differences=(AzDifference("suffix_keyvault_dns", "", ".vault.w.example"),),
        ),
    ),
}


def test_what_az_alone_has_is_a_difference_too() -> None:
    cloud = cloud_of(ENVIRONMENT, replace(METADATA, gallery=None))
    gallery = AzDifference("endpoint_gallery", OPTIONS["endpoint_gallery"], "")
    assert az_sync(cloud, AzClouds({"West": OPTIONS})) == AzSync(
        AzState.DIFFERS, "West", differences=(gallery,)
    )
    assert list(differences(cloud, OPTIONS)) == []


@pytest.mark.parametrize("what", SYNCS)
def test_how_it_stands_in_az(what: str) -> None:
    registered, expected = SYNCS[what]
    active = "West" if "active" in registered else "Other cloud"
    assert az_sync(CLOUD, AzClouds(registered, active)) == expected


@pytest.mark.parametrize(
    ("login", "provider", "needed"),
    [
        ("https://login.w.example/", IdentityProvider.ENTRA, True),
        ("https://login.microsoftonline.com/", IdentityProvider.ENTRA, False),
        ("https://adfs.w.example/adfs", IdentityProvider.ADFS, False),
    ],
)
def test_who_needs_instance_discovery_off(
    login: str, provider: IdentityProvider, needed: bool
) -> None:
    metadata = replace(METADATA, login_as_given=login, identity_provider=provider)
    assert needs_instance_discovery_off(cloud_of(ENVIRONMENT, metadata)) == needed


def test_a_section_stores_what_cannot_be_derived() -> None:
    of_rule = OPTIONS | {
        "endpoint_resource_manager": "https://management.r.w.example/",
        "suffix_keyvault_dns": ".vault.r.w.example",
        "suffix_storage_endpoint": "r.w.example",
    }
    assert settings_of({**of_rule, "subscription": "s"}, {}) == {
        "arm": "https://management.r.w.example",
        "profile": "2020-09-01-hybrid",
        "subscription": "s",
        "endpoints": {
            "login_endpoint": "https://login.w.example/",
            "graph": "https://graph.w.example/",
            "audience": "https://management.w/7f/",
            "gallery": "https://gallery.w.example:30015/",
        },
        "vm_image_aliases": "https://a.test/x",
    }


def test_a_section_stores_nothing_that_the_stamp_says() -> None:
    derived = {key: value.text for key, value in CLOUD.values.items()}
    assert settings_of(OPTIONS, derived) == {"arm": ENVIRONMENT.arm, "profile": ENVIRONMENT.profile}


@pytest.mark.parametrize("arm", ["", "http://management.w.example", "https://w.example/x", "x y"])
def test_a_section_without_an_arm_endpoint_is_no_stamp(arm: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint_resource_manager|https"):
        settings_of({"endpoint_resource_manager": arm}, {})


def test_the_signature_of_a_url_is_in_no_difference() -> None:
    """As az takes any URL, and its file may have one."""
    signed = {**OPTIONS, "endpoint_vm_image_alias_doc": "https://b/a.json?sv=1&sig=hunter2%3D"}
    without = cloud_of(replace(ENVIRONMENT, vm_image_aliases=None), METADATA)
    for cloud in (CLOUD, without):
        (found,) = az_sync(cloud, AzClouds({"West": signed})).differences
        assert found.registered == "https://b/a.json?sv=1&sig=[redacted]"
