"""Both metadata shapes (PROTOCOL.md section 1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp

from .probe import Client


@pytest.mark.parametrize("version", ["1.0", "2015-01-01", "2016-01-01"])
def test_object(client: Client, version: str) -> None:
    document = client.metadata(version).json()
    assert document.keys() == {
        "galleryEndpoint",
        "graphEndpoint",
        "portalEndpoint",
        "authentication",
    }
    assert document["authentication"] == {
        "loginEndpoint": client.stamp.login_url,
        "audiences": [client.stamp.identity_provider_audience],
    }


@pytest.mark.parametrize("version", ["2019-10-01", "2022-09-01"])
def test_list(client: Client, version: str) -> None:
    (cloud,) = client.metadata(version).json()
    stamp = client.stamp
    adfs = stamp.idp is IdentityProvider.ADFS
    assert cloud["authentication"] == {
        "loginEndpoint": stamp.login_url,
        "audiences": [stamp.identity_provider_audience],
        "tenant": "adfs" if adfs else stamp.tenant,
        "identityProvider": "ADFS" if adfs else "AAD",
    }
    assert cloud["suffixes"].keys() == {"storage", "keyVaultDns"}
    assert cloud["resourceManager"].startswith(stamp.arm_url)


def test_needs_no_token_and_a_known_version(client: Client) -> None:
    url = f"{client.stamp.arm_url}/metadata/endpoints"
    assert client.get(url).code == "MissingApiVersionParameter"
    refused = client.metadata("2031-01-01")
    assert refused.code == "InvalidApiVersionParameter"
    assert "2022-09-01,2019-10-01,2016-01-01,2015-01-01,1.0" in refused.message


def test_an_old_build_knows_the_object_only(start: Callable[..., RunningStamp]) -> None:
    client = Client(start(build="1904"))
    assert client.metadata("2015-01-01").status == 200
    assert client.metadata("2019-10-01").code == "InvalidApiVersionParameter"


def test_path_is_case_insensitive(client: Client) -> None:
    url = f"{client.stamp.arm_url}/Metadata/Endpoints?API-Version=2015-01-01"
    assert client.get(url).status == 200
