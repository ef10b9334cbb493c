"""The stamp's host names and their roles (PROTOCOL.md sections 1 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from stacktui.stamp.cloud import Cloud
from stacktui.stamp.identity_provider import IdentityProvider

LOOPBACK = "127.0.0.1"


class HostRole(Enum):
    """Service behind a host name."""

    ARM = auto()
    LOGIN = auto()
    GRAPH = auto()
    PORTAL = auto()


HOST_ROLES = {
    "management": HostRole.ARM,
    "adminmanagement": HostRole.ARM,
    "login": HostRole.LOGIN,
    "adfs": HostRole.LOGIN,
    "graph": HostRole.GRAPH,
    "portal": HostRole.PORTAL,
    "adminportal": HostRole.PORTAL,
}

CERTIFICATE_LABELS = (
    "management",
    "adminmanagement",
    "portal",
    "adminportal",
    "*.blob",
    "*.table",
    "*.queue",
    "*.vault",
    "*.adminvault",
    "*.hosting",
    "*.adminhosting",
)
"""Names that a stamp's certificates cover under either identity provider (section 6)."""

PUBLIC_HOSTS = {
    "management": "management.azure.com",
    "login": "login.microsoftonline.com",
    "graph": "graph.windows.net",
    "portal": "portal.azure.com",
    "gallery": "gallery.azure.com",
}
"""Host names of public Azure, by label."""

PUBLIC_LOCATIONS = ("westeurope", "northeurope", "eastus")

LOGIN_LABELS = {
    IdentityProvider.AAD: ("login", "graph"),
    IdentityProvider.ADFS: ("adfs", "graph"),
}


@dataclass(frozen=True, slots=True)
class Hosts:
    """The URLs: all on `localhost:<port>`, or under `domain` or public Azure's, without a port."""

    idp: IdentityProvider
    domain: str | None
    port: int
    cloud: Cloud = Cloud.STAMP

    @property
    def is_public(self) -> bool:
        return self.cloud is Cloud.PUBLIC

    @property
    def locations(self) -> tuple[str, ...]:
        """Every location: a stamp has one."""
        return PUBLIC_LOCATIONS if self.is_public else (self.region,)

    @property
    def region(self) -> str:
        """The location of resources: the domain's first label."""
        if self.is_public:
            return PUBLIC_LOCATIONS[0]
        return self.domain.split(".")[0] if self.domain else "local"

    @property
    def arm(self) -> str:
        """Origin of the user endpoint, without a trailing slash."""
        return self._origin("management")

    @property
    def login_origin(self) -> str:
        """Origin of the sign-in host."""
        return self._origin(LOGIN_LABELS[self.idp][0])

    @property
    def login(self) -> str:
        """`loginEndpoint` of the metadata: Entra's ends in a slash, AD FS's in `/adfs`."""
        match self.idp:
            case IdentityProvider.AAD:
                return f"{self.login_origin}/"
            case IdentityProvider.ADFS:
                return f"{self.login_origin}/adfs"

    @property
    def graph(self) -> str:
        return f"{self._origin('graph')}/"

    @property
    def portal(self) -> str:
        return f"{self._origin('portal')}/"

    @property
    def gallery(self) -> str:
        """Gallery endpoint: on a stamp it is the providers' host, port 30016."""
        if self.is_public:
            return f"{self._origin('gallery')}/"
        return f"https://providers.{self.domain}:30016/" if self.domain else f"{self.arm}/gallery/"

    @property
    def suffix(self) -> str:
        """DNS suffix of storage, and on a stamp after `vault.` of Key Vault."""
        if self.is_public:
            return "core.windows.net"
        return self.domain or "local.azurestack.external"

    def certificate_names(self) -> tuple[str, ...]:
        """Return the DNS names of the leaf certificate, localhost always among them."""
        if self.is_public:
            return ("localhost", *PUBLIC_HOSTS.values())
        if self.domain is None:
            return ("localhost",)
        labels = (*CERTIFICATE_LABELS, *LOGIN_LABELS[self.idp])
        return ("localhost", *(f"{label}.{self.domain}" for label in labels))

    def resolve(self) -> dict[str, str]:
        """Return pins, `host:443` to `127.0.0.1:port`, for clients of a stamp under a domain.

        `*.rest` stands for every name with one label before `rest`, as in a certificate.
        """
        if self.is_public:
            return {f"{host}:443": f"{LOOPBACK}:{self.port}" for host in PUBLIC_HOSTS.values()}
        if self.domain is None:
            return {}
        labels = (*CERTIFICATE_LABELS, *LOGIN_LABELS[self.idp])
        return {f"{label}.{self.domain}:443": f"{LOOPBACK}:{self.port}" for label in labels}

    def roles(self, host_header: str) -> frozenset[HostRole]:
        """Return the roles of a Host header; empty for a name that is not the stamp's."""
        try:
            host = urlsplit(f"//{host_header}").hostname or ""
        except ValueError:
            return frozenset()
        if host in ("localhost", LOOPBACK):
            return frozenset(HostRole)
        if self.is_public:
            labels = [label for label, known in PUBLIC_HOSTS.items() if known == host]
            return frozenset(HOST_ROLES[label] for label in labels if label in HOST_ROLES)
        label, _, rest = host.partition(".")
        if self.domain is not None and rest == self.domain and label in HOST_ROLES:
            return frozenset({HOST_ROLES[label]})
        return frozenset()

    def _origin(self, label: str) -> str:
        if self.is_public:
            return f"https://{PUBLIC_HOSTS[label]}"
        return f"https://{label}.{self.domain}" if self.domain else f"https://localhost:{self.port}"
