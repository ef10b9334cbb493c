"""The metadata endpoint's two shapes, by api-version (PROTOCOL.md section 1)."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import replace

from stacktui.stamp.arm.errors import CloudError
from stacktui.stamp.arm.versions import (
    METADATA_OBJECT,
    PUBLIC_METADATA_OBJECT,
    Family,
    require_version,
)
from stacktui.stamp.directory import Directory
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, json_response

PATH = "/metadata/endpoints"

OTHER_CLOUDS: tuple[dict[str, object], ...] = (
    {
        "name": "AzureChinaCloud",
        "resourceManager": "https://management.chinacloudapi.cn",
        "authentication": {
            "loginEndpoint": "https://login.chinacloudapi.cn",
            "audiences": ["https://management.core.chinacloudapi.cn"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
    },
    {
        "name": "AzureUSGovernment",
        "resourceManager": "https://management.usgovcloudapi.net",
        "authentication": {
            "loginEndpoint": "https://login.microsoftonline.us",
            "audiences": ["https://management.core.usgovcloudapi.net"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
    },
)
"""Other clouds in the list of public Azure, which nobody serves here."""


def respond(
    hosts: Hosts, directory: Directory, build: str, request: Request, form: str = "usual"
) -> Response:
    """Return the endpoints of this stamp; any token in the request is ignored.

    `form` is one of `options.METADATA_FORMS`.
    """
    version = request.query.get("api-version")
    is_old = version in METADATA_OBJECT
    try:
        asked = "1900-01-01" if is_old and form == "newer-only" else version
        require_version(Family.METADATA, build, asked, hosts.region)
    except CloudError as error:
        return error.response()
    if is_old and form != "list":
        return _in_form(form, _one_object(hosts, directory))
    if hosts.is_public:
        cloud = _public_cloud(hosts, directory)
        alone = version in PUBLIC_METADATA_OBJECT
        return json_response(200, cloud if alone else [cloud, *OTHER_CLOUDS])
    return json_response(200, [_cloud(hosts, directory)])


def _in_form(form: str, document: dict[str, object]) -> Response:
    if form == "no-graph":
        del document["graphEndpoint"]
    response = json_response(200, document)
    if form == "byte-order-mark":
        return replace(response, body=BOM_UTF8 + response.body)
    return response


def _one_object(hosts: Hosts, directory: Directory) -> dict[str, object]:
    return {
        "galleryEndpoint": hosts.gallery,
        "graphEndpoint": hosts.graph,
        "portalEndpoint": hosts.portal,
        "authentication": {"loginEndpoint": hosts.login, "audiences": list(directory.audiences)},
    }


def _cloud(hosts: Hosts, directory: Directory) -> dict[str, object]:
    adfs = hosts.idp is IdentityProvider.ADFS
    return {
        "name": f"AzureStack-User-{directory.tenant}",
        "portal": hosts.portal,
        "gallery": hosts.gallery,
        "graph": hosts.graph,
        "graphAudience": hosts.graph,
        "resourceManager": f"{hosts.arm}/",
        "authentication": {
            "loginEndpoint": hosts.login,
            "audiences": [directory.audience],
            "tenant": "adfs" if adfs else directory.tenant,
            "identityProvider": hosts.idp.value.upper(),
        },
        "suffixes": {"storage": hosts.suffix, "keyVaultDns": f"vault.{hosts.suffix}"},
    }


def _public_cloud(hosts: Hosts, directory: Directory) -> dict[str, object]:
    return {
        "name": "AzureCloud",
        "portal": hosts.portal,
        "gallery": hosts.gallery,
        "graph": hosts.graph,
        "graphAudience": hosts.graph,
        "resourceManager": f"{hosts.arm}/",
        "authentication": {
            "loginEndpoint": hosts.login,
            "audiences": list(directory.audiences),
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {"storage": hosts.suffix, "keyVaultDns": "vault.azure.net"},
    }
