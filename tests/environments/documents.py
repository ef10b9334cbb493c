"""Metadata documents as stamps and documents show them."""

from __future__ import annotations

import json
from typing import Any

ARM = "https://management.local.azurestack.external"
AUDIENCE = "https://management.azurestackci.onmicrosoft.com/3ee899c8-c137-4ce4-b230-619961a09a73/"


def object_shape(**authentication: Any) -> dict[str, Any]:
    """The answer to `2015-01-01`."""
    return {
        "galleryEndpoint": "https://adminportal.local.azurestack.external:30015/",
        "graphEndpoint": "https://graph.windows.net/",
        "portalEndpoint": "https://portal.local.azurestack.external/",
        "authentication": {
            "loginEndpoint": "https://login.windows.net/",
            "audiences": [AUDIENCE],
        }
        | authentication,
    }


def cloud(arm: str = ARM, audience: str = AUDIENCE, **authentication: Any) -> dict[str, Any]:
    """One entry of the list that answers `2022-09-01`."""
    return {
        "name": "AzureStack-User",
        "portal": "https://portal.local.azurestack.external/",
        "gallery": "https://gallery.local.azurestack.external/",
        "graph": "https://graph.local.azurestack.external/",
        "resourceManager": arm,
        "authentication": {
            "loginEndpoint": "https://adfs.local.azurestack.external/adfs",
            "audiences": [audience],
            "tenant": "adfs",
            "identityProvider": "ADFS",
        }
        | authentication,
        "suffixes": {
            "storage": "storage.contoso.example",
            "keyVaultDns": "vault.contoso.example",
        },
    }


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()
