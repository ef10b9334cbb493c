"""The TLS endpoints of an environment: those that every user needs, and all of a stamp's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.environments.naming import certificate_names, domain_of, is_operator_endpoint
from stacktui.transport.host import is_host

ARM, LOGIN, GRAPH, PORTAL = "ARM", "login", "graph", "portal"
# Replaces the `*` of a wildcard name, to connect to; any label without a meaning would do.
PROBE_LABEL = "stacktui-probe"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One TLS endpoint.

    `roles` are its purposes (`ARM`, `login`, `portal`, `*.blob`). `name` is what its certificate
    must cover: `host` itself, or the wildcard that `host` is an example of. `named` is true where
    the config or the stamp's metadata names the host, so that it must exist; the others follow from
    the naming rule (PROTOCOL.md section 6) and may not exist.
    """

    roles: tuple[str, ...]
    host: str
    port: int
    name: str
    named: bool = False

    @property
    def key(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def role(self) -> str:
        """The roles as one text: `ARM, login`."""
        return ", ".join(self.roles)


def arm_endpoint(environment: Environment) -> Endpoint:
    return _named(ARM, environment.arm)


def endpoints(environment: Environment, metadata: Metadata | None) -> tuple[Endpoint, ...]:
    """ARM, login, graph and portal.

    Without `metadata` the last three are where the naming rule puts them; the login host of a
    stamp under Entra cannot be known then.
    """
    found = [arm_endpoint(environment)]
    if metadata is not None:
        named = ((LOGIN, metadata.login_endpoint), (GRAPH, metadata.graph),
                (PORTAL, metadata.portal))  # fmt: skip
        found += [_named(role, url) for role, url in named if url and _is_usable(url)]
    domain = domain_of(urlsplit(environment.arm).hostname or "")
    if metadata is None and domain is not None:
        portal = "adminportal" if is_operator_endpoint(environment.arm) else PORTAL
        wanted = ((LOGIN, "adfs"), (GRAPH, "graph"), (PORTAL, portal))
        found += [_derived(role, f"{label}.{domain}") for role, label in wanted]
    return merged(found)


def login_endpoint(
    environment: Environment, url: str | None, *, adfs: bool = False
) -> Endpoint | None:
    """Return the login host of `url`; without a URL, the AD FS host that a `resolve` pin names, or
    that of the naming rule where the user says that there is one (`adfs`).

    Else None: a host known by the naming rule alone may not exist, and a DNS wildcard may lead to
    a host that is not the stamp's.
    """
    if url is not None:
        return _named(LOGIN, url) if _is_usable(url) else None
    domain = domain_of(urlsplit(environment.arm).hostname or "")
    if domain is None:
        return None
    pins = (pin.rpartition(":") for pin in environment.resolve)
    port = next((int(port) for name, _, port in pins if name == f"adfs.{domain}"), None)
    if port is None and not adfs:
        return None
    return _named(LOGIN, f"https://adfs.{domain}:{port or 443}")


def all_endpoints(environment: Environment, metadata: Metadata | None) -> tuple[Endpoint, ...]:
    """Return `endpoints`, and every name that the stamp's certificates must cover."""
    found = list(endpoints(environment, metadata))
    domain = domain_of(urlsplit(environment.arm).hostname or "")
    if domain is not None:
        adfs = metadata is None or metadata.identity_provider is IdentityProvider.ADFS
        known = {each.host for each in found}
        names = certificate_names(domain, adfs=adfs)
        found += [_derived(name.removesuffix(f".{domain}"), name) for name in names
                  if name not in known]  # fmt: skip
    # A label before a domain of the greatest length makes an invalid name.
    return merged(each for each in found if is_host(each.host))


def merged(found: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Merge endpoints of the same host and port; `named` is true if one of them is."""
    by_key: dict[str, Endpoint] = {}
    for each in found:
        known = by_key.get(each.key)
        if known is None:
            by_key[each.key] = each
        else:
            roles = (*known.roles, *(role for role in each.roles if role not in known.roles))
            by_key[each.key] = replace(known, roles=roles, named=known.named or each.named)
    return tuple(by_key.values())


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False


def _named(role: str, url: str) -> Endpoint:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return Endpoint((role,), host, parts.port or 443, _as_certified(host), named=True)


def _as_certified(host: str) -> str:
    """Return an address in the form that certificates use; a name unchanged."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return host


def _derived(role: str, name: str) -> Endpoint:
    host = name.replace("*", PROBE_LABEL, 1)
    return Endpoint((role,), host, 443, name)
