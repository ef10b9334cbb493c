"""Remedies by which az reads or changes Entra's directory.

`az ad` asks Microsoft Graph, which az knows in Microsoft's own clouds only: with a stamp as its
active cloud it fails before it sends anything (PROTOCOL.md section 4).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from stacktui.diagnosis.finding import Remedy
from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate, Value

PUBLIC_CLOUD = "AzureCloud"
# az's names of the national clouds, by the host of their login.
_NATIONAL_CLOUDS = {
    "login.microsoftonline.us": "AzureUSGovernment",
    "login.partner.microsoftonline.cn": "AzureChinaCloud",
    "login.chinacloudapi.cn": "AzureChinaCloud",
}
_IN_BASH = "az cloud set -n {cloud} && "
_IN_POWERSHELL = "az cloud set -n {cloud}; "
# An administrator of a directory need not have a subscription of that cloud.
_HOW = (
    " (in Entra's own cloud: az login --allow-no-subscriptions there first, back by az cloud set "
    "-n NAME)"
)


def in_entra(title: str, command: str, *, prepared_by: str = "", **shown: str) -> RemedyTemplate:
    """Return a remedy whose az command is for Entra's own cloud. Filled by `fill_in_entra`.

    `prepared_by` is a command before it, the same in both shells.
    """
    return RemedyTemplate(
        title + _HOW,
        f"{prepared_by and f'{prepared_by} && '}{_IN_BASH}{command}",
        f"{prepared_by and f'{prepared_by}; '}{_IN_POWERSHELL}{command}",
        {"cloud": PUBLIC_CLOUD, **shown},
    )


def fill_in_entra(template: RemedyTemplate, authority: str, **values: Value) -> Remedy:
    """Fill with the cloud of the login host of `authority`.

    There is no PowerShell command if a value is not safe for az there (`shell.for_az`).
    """
    return template.fill_for_az(cloud=PlainWord(entra_cloud(authority)), **values)


def entra_cloud(authority: str) -> str:
    """Return az's name of the cloud whose login host is that of `authority`, a URL."""
    try:
        host = urlsplit(authority).hostname or ""
    except ValueError:
        host = ""
    return _NATIONAL_CLOUDS.get(host, PUBLIC_CLOUD)
