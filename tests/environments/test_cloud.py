"""What other clients are given of a cloud, and where each value comes from."""

from __future__ import annotations

import json
from typing import Any

from stacktui.environments.cloud import Cloud, Origin, cloud_of
from stacktui.environments.metadata import IdentityProvider, parse_metadata
from stacktui.environments.model import CloudKey, Environment
from stacktui.text.sanitize import Redactor

ARM = "https://management.west.contoso.example"
OLD_SHAPE: dict[str, Any] = {
    "galleryEndpoint": "https://gallery.west.contoso.example:30015/",
    "graphEndpoint": "https://graph.west.contoso.example/",
    "portalEndpoint": "https://portal.west.contoso.example/",
    "authentication": {
        "loginEndpoint": "https://adfs.west.contoso.example/adfs/",
        "audiences": ["https://management.adfs.west.contoso.example/7f"],
    },
}


def cloud(document: object, aliases: str | None = None, **own: str) -> Cloud:
    values = {CloudKey(key): value for key, value in own.items()}
    environment = Environment("West", ARM, endpoints=values, vm_image_aliases=aliases)
    body = json.dumps(document).encode()
    metadata = parse_metadata(body, ARM, "2015-01-01", Redactor(), values)
    return cloud_of(environment, metadata)


def test_each_value_says_where_it_comes_from() -> None:
    found = cloud(OLD_SHAPE, "https://a.example/x", gallery="https://other.example/")
    assert found.identity_provider is IdentityProvider.ADFS
    assert {key: (each.text, each.origin) for key, each in found.values.items()} == {
        "arm": (ARM, Origin.SETTING),
        "login_endpoint": ("https://adfs.west.contoso.example/adfs/", Origin.METADATA),
        "audience": ("https://management.adfs.west.contoso.example/7f", Origin.METADATA),
        "graph": ("https://graph.west.contoso.example/", Origin.METADATA),
        "gallery": ("https://other.example/", Origin.SETTING),
        "portal": ("https://portal.west.contoso.example/", Origin.METADATA),
        "storage_suffix": ("west.contoso.example", Origin.NAMING_RULE),
        "keyvault_suffix": (".vault.west.contoso.example", Origin.NAMING_RULE),
        "image_aliases": ("https://a.example/x", Origin.SETTING),
    }


def test_suffixes_of_the_metadata_come_before_those_of_the_naming_rule() -> None:
    shape = {
        "resourceManager": ARM,
        "authentication": OLD_SHAPE["authentication"] | {"tenant": "adfs"},
        "suffixes": {"storage": "blobs.example"},
    }
    found = cloud([shape])
    assert found.values[CloudKey.STORAGE_SUFFIX].origin is Origin.METADATA
    assert found[CloudKey.STORAGE_SUFFIX] == "blobs.example"
    assert found.values[CloudKey.KEYVAULT_SUFFIX].origin is Origin.NAMING_RULE
    assert found.tenant == "adfs"
    assert found[CloudKey.GALLERY] == ""


def test_own_values_stand_in_for_blank_ones() -> None:
    blank = OLD_SHAPE | {"authentication": {"loginEndpoint": "", "audiences": [""]}}
    login, audience = "https://adfs.example/adfs", "https://arm.example/7f"
    found = cloud(blank, login_endpoint=login, audience=audience)
    assert (found[CloudKey.LOGIN_ENDPOINT], found[CloudKey.AUDIENCE]) == (login, audience)
    assert found.identity_provider is IdentityProvider.ADFS


def test_a_key_vault_suffix_has_its_dot_and_a_declared_provider_counts() -> None:
    shape = {
        "resourceManager": ARM,
        "authentication": {
            "loginEndpoint": "https://sts.contoso.example",
            "audiences": ["https://management.contoso.example"],
            "identityProvider": "ADFS",
        },
        "suffixes": {"keyVaultDns": "vault.contoso.example"},
    }
    assert cloud([shape])[CloudKey.KEYVAULT_SUFFIX] == ".vault.contoso.example"
    own = cloud([shape], login_endpoint="https://other.contoso.example")
    assert own.identity_provider is IdentityProvider.ADFS
