"""The link to a resource in the stamp's portal."""

from __future__ import annotations

from urllib.parse import quote

from stacktui.environments.endpoints import PORTAL, endpoints
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment


def portal_link(
    environment: Environment, resource_id: str, *, metadata: Metadata | None, tenant: str = ""
) -> str:
    """Return the URL of a resource in the portal, which names the tenant under Entra.

    The portal is where the metadata says, else where the naming rule puts it; empty where neither
    does. Without `tenant`, the metadata's is taken; without that too, the user's own is left to the
    portal.
    """
    found = (each for each in endpoints(environment, metadata) if PORTAL in each.roles)
    portal = next(found, None)
    if portal is None:
        return ""
    host = portal.host if portal.port == 443 else portal.key
    adfs = metadata is not None and metadata.identity_provider is IdentityProvider.ADFS
    named = "" if adfs else tenant or (metadata.tenant if metadata else "") or ""
    of_tenant = f"@{quote(named, safe='')}/" if named else ""
    return f"https://{host}/#{of_tenant}resource{quote(resource_id, safe='/()')}"
