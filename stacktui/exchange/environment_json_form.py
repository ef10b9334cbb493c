"""The form of `AZURE_ENVIRONMENT_FILEPATH`, the file that go-autorest and its users read.

Source: PROTOCOL.md section 7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from stacktui.environments.model import CloudKey
from stacktui.exchange.connection import Connection

# The only name for which the file is read, in any case of letters.
NAME = "AzureStackCloud"
ARM, LOGIN, AUDIENCE = "resourceManagerEndpoint", "activeDirectoryEndpoint", "tokenAudience"
GRAPH, STORAGE, KEY_VAULT = "graphEndpoint", "storageEndpointSuffix", "keyVaultDNSSuffix"
_KEYS = (
    "name", "managementPortalURL", "publishSettingsURL", "serviceManagementEndpoint", ARM, LOGIN,
    "galleryEndpoint", "keyVaultEndpoint", GRAPH, "serviceBusEndpoint", "batchManagementEndpoint",
    STORAGE, "sqlDatabaseDNSSuffix", "trafficManagerDNSSuffix", KEY_VAULT,
    "serviceBusEndpointSuffix", "serviceManagementVMDNSSuffix", "resourceManagerVMDNSSuffix",
    "containerRegistryDNSSuffix", "cosmosDBDNSSuffix", AUDIENCE,
    "apiManagementHostManagementSuffix",
)  # fmt: skip
_RESOURCE_IDS = ("graph", "keyVault", "datalake", "batch", "operationalInsights", "storage")


def render(connection: Connection) -> str:
    """Return the file; what a stamp has not is an empty text."""
    _, _, fqdn = connection.domain.partition(".")
    known = {
        "name": NAME,
        "managementPortalURL": connection[CloudKey.PORTAL],
        "serviceManagementEndpoint": connection[CloudKey.AUDIENCE],
        ARM: f"{connection.environment.arm}/",
        # Its readers append the tenant, which is `adfs` for AD FS.
        LOGIN: f"{connection.authority}/",
        "galleryEndpoint": connection[CloudKey.GALLERY],
        GRAPH: connection[CloudKey.GRAPH],
        STORAGE: connection[CloudKey.STORAGE_SUFFIX],
        KEY_VAULT: connection[CloudKey.KEYVAULT_SUFFIX].lstrip("."),
        # Follows the region in the names of public addresses; aks-engine has it by the same rule.
        "resourceManagerVMDNSSuffix": fqdn and f"cloudapp.{fqdn}",
        AUDIENCE: connection[CloudKey.AUDIENCE],
    }
    resources = dict.fromkeys(_RESOURCE_IDS, "") | {"graph": connection[CloudKey.GRAPH]}
    texts: dict[str, object] = {key: known.get(key, "") for key in _KEYS}
    return json.dumps(texts | {"resourceIdentifiers": resources}, indent=4) + "\n"


def remarks(connection: Connection) -> Iterator[str]:
    """Yield how its readers find the file; JSON has no comments."""
    if connection.built_in:
        yield "a public cloud needs no file: its name in AZURE_ENVIRONMENT is enough"
    yield "set AZURE_ENVIRONMENT_FILEPATH to the path of this file"
    yield f"set AZURE_ENVIRONMENT to {NAME}"
    yield "no identity is in it: see the forms env, powershell and cmd"
