"""The document of VM image aliases, which anybody may read (PROTOCOL.md section 7)."""

from __future__ import annotations

from stacktui.stamp.hosts import Hosts
from stacktui.stamp.messages import Response, json_response

PATH = "/aliases.json"

_FIELDS = ("publisher", "offer", "sku", "version", "architecture")
# The image of CentOS is one that the stamp does not have, as in the vendor's own document.
_ALIASES = {
    "Linux": {
        "UbuntuLTS": ("Canonical", "UbuntuServer", "18.04-LTS", "latest", "x64"),
        "CentOS": ("OpenLogic", "CentOS", "7.5", "latest", "x64"),
        "SuseSles15SP3": ("SUSE", "sles-15-sp3", "gen1", "latest", "x64"),
    },
    "Windows": {
        "Win2019Datacenter": (
            "MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter", "2019.0.20190410", "x64",
        ),
    },
}  # fmt: skip


def url(hosts: Hosts) -> str:
    return f"{hosts.portal.rstrip('/')}{PATH}"


def respond() -> Response:
    value = {
        system: {alias: dict(zip(_FIELDS, image, strict=True)) for alias, image in aliases.items()}
        for system, aliases in _ALIASES.items()
    }
    return json_response(200, {"outputs": {"aliases": {"value": value}}})
