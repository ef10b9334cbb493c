"""Choosing how to reach one origin, by pins and proxy, before a connection is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stacktui.text.sanitize import Redactor
from stacktui.transport.proxy import Proxy, ProxyUsed, choose_proxy
from stacktui.transport.records import (
    ConnectionFacts,
    TransportError,
    TransportFault,
    TransportFaultKind,
)


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach one origin.

    `host` and `port` are the origin's. `target` is the name and port to connect or CONNECT to: the
    origin's, or those of its `resolve` pin.
    """

    host: str
    port: int
    target: tuple[str, int]
    proxy: Proxy | None
    proxy_used: ProxyUsed

    def facts(self) -> ConnectionFacts:
        pin = None
        if self.target != (self.host, self.port):
            address, port = self.target
            pin = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return ConnectionFacts(self.host, self.port, self.proxy_used, pinned=pin)


def route_to(
    host: str, port: int, proxy: str | None, resolve: Mapping[str, str], redactor: Redactor
) -> Route:
    """Return the route by an environment's settings; `redactor` is given the proxy's secrets.

    Raises TransportError for a proxy that cannot be read.
    """
    try:
        chosen, used = choose_proxy(host, port, proxy)
    except ValueError as error:
        detail = redactor.sanitize(str(error))
        kind = TransportFaultKind.PROXY_UNREACHABLE
        raise TransportError(TransportFault(kind, host, port, detail)) from None
    for secret in chosen.secrets if chosen else ():
        redactor.add_secret(secret)
    return Route(host, port, pinned(host, port, resolve) or (host, port), chosen, used)


def local_route(host: str, port: int) -> Route:
    """Return the direct route to a service of this machine."""
    return Route(host, port, (host, port), None, ProxyUsed(None, "a service of this machine"))


def pinned(host: str, port: int, resolve: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the address and port that `resolve` pins a host to; None where it has no pin."""
    # A pin for `*.rest` covers one label, like a wildcard in a certificate.
    wildcard = f"*.{host.partition('.')[2]}"
    pin = resolve.get(f"{host}:{port}") or resolve.get(f"{wildcard}:{port}")
    if pin is None:
        return None
    address, _, pinned_port = pin.rpartition(":")
    return address.strip("[]"), int(pinned_port)
