"""Microsoft's public resources, for which a stamp must never be sent a token.

A stamp's metadata names the audience of the token that it is then sent. A hostile one could name a
vault, a mailbox or the public cloud.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# The domains of Microsoft's resources, with all names below: public and national clouds.
_DOMAINS = (
    "azure.cn",
    "azure.com",
    "azure.net",
    "azure.us",
    "azureml.ms",
    "chinacloudapi.cn",
    "cloudapi.de",
    "loganalytics.io",
    "microsoft.com",
    "microsoft.us",
    "microsoftazure.de",
    "office.com",
    "office365.com",
    "office365.us",
    "usgovcloudapi.net",
    "applicationinsights.io",
    "visualstudio.com",
    "windows.net",
)
# The same by their ids, which Entra accepts in place of the URL: Graph, Azure AD Graph, ARM, Key
# Vault, Storage, SQL, DevOps, Office 365 (Exchange, SharePoint).
_IDS = frozenset(
    {
        "00000002-0000-0000-c000-000000000000",
        "00000002-0000-0ff1-ce00-000000000000",
        "00000003-0000-0000-c000-000000000000",
        "00000003-0000-0ff1-ce00-000000000000",
        "022907d3-0f1b-48f7-badc-1ba6abab6d66",
        "499b84ac-1321-427f-aa17-267ca6975798",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
        "e406a681-f3d4-42a8-90b6-c2b029497af1",
    }
)
# The public clouds' own ARM hosts, for which such a token is right, by cloud: each is an audience
# of its ARM too (PROTOCOL.md section 4). Not their domains, where anybody can have a host
# (cloudapp.azure.com).
_CLOUDS = (
    {"management.azure.com", "management.core.windows.net"},
    {"management.chinacloudapi.cn", "management.core.chinacloudapi.cn"},
    {"management.usgovcloudapi.net", "management.core.usgovcloudapi.net"},
    {"management.microsoftazure.de"},
)
_ARM_HOSTS = frozenset().union(*_CLOUDS)
_SCHEME = re.compile(r"^(?:(?:spn|api|https?):[/\\]*|[a-z][a-z0-9+.-]*:[/\\]+)+")
_END = re.compile(r"[/\\?#]")


def is_public_arm(host: str) -> bool:
    """Return whether `host` is the ARM host of a public or national cloud, and of no stamp."""
    return host.lower() in _ARM_HOSTS


def accepted_audiences(audience: str, arm_host: str) -> frozenset[str]:
    """Return the audiences of tokens that an ARM takes, of which its metadata names one.

    Of a stamp that one only; of a public cloud each of its own, with a slash at the end or without.
    """
    hosts = next((each for each in _CLOUDS if arm_host.lower() in each), set())
    return frozenset((audience, *(f"https://{host}{end}" for host in hosts for end in ("/", ""))))


def is_public_resource(audience: str, arm_host: str) -> bool:
    """Return whether `audience` is a resource of Microsoft's public clouds.

    Always False where `arm_host` is the ARM host of such a cloud.
    """
    if is_public_arm(arm_host):
        return False
    # Blanks separate scopes, so each part of an audience would be a scope of its own.
    return any(_is_public(word) for word in unquote(audience).lower().split())


def _is_public(resource: str) -> bool:
    authority = _END.split(_SCHEME.sub("", resource), maxsplit=1)[0]
    host = authority.rpartition("@")[2].partition(":")[0].rstrip(".")
    return host in _IDS or any(host == each or host.endswith(f".{each}") for each in _DOMAINS)
