"""The naming rule of integrated systems, `<service>.<region>.<fqdn>` (PROTOCOL.md section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from stacktui.environments.public_resources import is_public_arm

USER_ENDPOINT = "management"
OPERATOR_ENDPOINT = "adminmanagement"
# The development kit: the same names on every machine, and a root of its own that has this name.
ASDK_DOMAIN = "local.azurestack.external"
ASDK_ROOT = "AzureStackSelfSignedRootCert"
# Services of a stamp that users paste in place of the ARM endpoint (PROTOCOL.md section 6).
OTHER_SERVICES = {
    "portal": USER_ENDPOINT,
    "adminportal": OPERATOR_ENDPOINT,
    "vault": USER_ENDPOINT,
    "adminvault": OPERATOR_ENDPOINT,
    "graph": USER_ENDPOINT,
    "adfs": USER_ENDPOINT,
}

_PUBLIC = "management.azure.com"
_US, _CHINA = "management.usgovcloudapi.net", "management.chinacloudapi.cn"
_GERMANY = "management.microsoftazure.de"
# The ARM of public and national clouds, which does not follow the rule, by the domain that their
# portal, or what has a name for each account, is directly below.
_PUBLIC_ARM = {
    "azure.com": _PUBLIC,
    "azure.net": _PUBLIC,
    "core.windows.net": _PUBLIC,
    "azure.us": _US,
    "core.usgovcloudapi.net": _US,
    "usgovcloudapi.net": _US,
    "azure.cn": _CHINA,
    "core.chinacloudapi.cn": _CHINA,
    "microsoftazure.de": _GERMANY,
    "core.cloudapi.de": _GERMANY,
}
# What a stamp that signs in with Entra shares with public Azure, so it tells the ARM of neither.
_SHARED = {
    "graph": {
        "chinacloudapi.cn",
        "cloudapi.de",
        "microsoft.com",
        "microsoft.us",
        "microsoftazure.us",
        "windows.net",
    },
    "login": {
        "chinacloudapi.cn",
        "microsoft.com",
        "microsoftonline.com",
        "microsoftonline.de",
        "microsoftonline.us",
        "partner.microsoftonline.cn",
        "windows.net",
    },
}


def is_operator_endpoint(arm: str) -> bool:
    """Return whether `arm` (`https://host[:port]`) is an operator's ARM endpoint."""
    return arm.startswith(f"https://{OPERATOR_ENDPOINT}.")


class Audience(StrEnum):
    """Whose service of a stamp it is."""

    USER = "user"
    OPERATOR = "operator"
    ADFS = "adfs"  # for both, and only where the stamp signs in with AD FS


@dataclass(frozen=True, slots=True)
class Service:
    """A host name of a stamp: `label` precedes `.<region>.<fqdn>`; `*.` matches one label."""

    label: str
    audience: Audience

    @property
    def is_wildcard(self) -> bool:
        return self.label.startswith("*.")


# The names that a stamp's certificates must cover, in the order of PROTOCOL.md section 6.
SERVICES = (
    Service("portal", Audience.USER),
    Service("adminportal", Audience.OPERATOR),
    Service(USER_ENDPOINT, Audience.USER),
    Service(OPERATOR_ENDPOINT, Audience.OPERATOR),
    Service("*.blob", Audience.USER),
    Service("*.table", Audience.USER),
    Service("*.queue", Audience.USER),
    Service("*.vault", Audience.USER),
    Service("*.adminvault", Audience.OPERATOR),
    Service("*.hosting", Audience.USER),
    Service("*.adminhosting", Audience.OPERATOR),
    Service("adfs", Audience.ADFS),
    Service("graph", Audience.ADFS),
)

_PER_ACCOUNT = {
    each.label.removeprefix("*."): (
        OPERATOR_ENDPOINT if each.audience is Audience.OPERATOR else USER_ENDPOINT
    )
    for each in SERVICES
    if each.is_wildcard
}


def certificate_names(domain: str, *, adfs: bool) -> tuple[str, ...]:
    """Return the names that the certificates of the stamp at `domain` must cover; lower case."""
    wanted = (each for each in SERVICES if adfs or each.audience is not Audience.ADFS)
    return tuple(f"{each.label}.{domain.lower()}" for each in wanted)


def domain_of(host: str) -> str | None:
    """Return `<region>.<fqdn>` of an ARM host that follows the rule, else None."""
    service, _, domain = host.partition(".")
    if service not in (USER_ENDPOINT, OPERATOR_ENDPOINT) or is_public_arm(host):
        return None
    return domain if "." in domain else None


def region_of(arm: str) -> str:
    """Return the region of an ARM URL, which is its location too; empty where no name tells it."""
    return (domain_of(urlsplit(arm).hostname or "") or "").partition(".")[0]


def other_audience(arm: str) -> str:
    """Return the operators' ARM URL of a stamp whose users' is `arm`, or the users' of the other;
    empty where `arm` does not follow the rule."""
    if domain_of(urlsplit(arm).hostname or "") is None:
        return ""
    service = USER_ENDPOINT if is_operator_endpoint(arm) else OPERATOR_ENDPOINT
    return f"https://{service}.{arm.partition('.')[2]}"


def shared_service(host: str) -> str:
    """Return which service of Entra `host` is, that stamps and public Azure share; else empty."""
    first, _, rest = host.lower().partition(".")
    if rest not in _SHARED.get(first, ()):
        return ""
    return "Entra's Graph" if first == "graph" else "Entra's sign-in"


def other_service(host: str) -> tuple[str, str] | None:
    """Return which other service of a stamp `host` is, by its name, and that stamp's ARM host;
    or which one of a public cloud.

    For services with a name for each account (storage, vaults), the second label counts.
    """
    first, _, rest = host.lower().partition(".")
    if shared_service(host):
        return None
    if first in OTHER_SERVICES and rest:
        return first, _PUBLIC_ARM.get(rest) or f"{OTHER_SERVICES[first]}.{rest}"
    second, _, domain = rest.partition(".")
    if second in _PER_ACCOUNT and "." in domain:
        return second, _PUBLIC_ARM.get(domain) or f"{_PER_ACCOUNT[second]}.{domain}"
    return None


def is_of_stamp(host: str, arm_host: str) -> bool:
    """Return whether `host` is in the domain of the stamp's ARM host."""
    domain = arm_host.partition(".")[2]
    return host == arm_host or ("." in domain and host.endswith(f".{domain}"))


def suffixes(host: str) -> tuple[str | None, str | None]:
    """Return the storage and Key Vault suffixes that follow from an ARM host's name."""
    domain = domain_of(host)
    if domain is None:
        return None, None
    vault = "adminvault" if host.startswith(OPERATOR_ENDPOINT) else "vault"
    return domain, f".{vault}.{domain}"
