"""Choosing the proxy of a connection (PROTOCOL.md section 7; DESIGN.md, Transport)."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

# The value of an environment's `proxy` setting that means: none, whatever the variables say.
DIRECT = "none"


@dataclass(frozen=True, slots=True)
class ProxyUsed:
    """Which proxy was used and why; never its credentials.

    `url` is None for a direct connection. `source` names the setting or variable that decided.
    """

    url: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy to CONNECT through. `authorization` is secret and stays out of every repr."""

    scheme: str
    host: str
    port: int
    source: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The proxy's URL without credentials, safe to show."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The credentials as they are sent, and the password in them: never to be shown."""
        if self.authorization is None:
            return ()
        sent = self.authorization.removeprefix("Basic ")
        user, _, password = b64decode(sent).decode().partition(":")
        # A token stands for the user with some proxies, and has no password then.
        return (sent, password) if password else (sent, user)

    def used(self) -> ProxyUsed:
        return ProxyUsed(self.url, self.source)


def without_credentials(url: str) -> str:
    """Return a proxy's URL, with or without a scheme, without its credentials."""
    scheme, mark, _ = url.partition("://")
    host = url.rpartition("@")[2]
    if host == url or not mark or scheme.lower() not in ("http", "https"):
        return host
    return f"{scheme}://{host}"


def parse_proxy(url: str, source: str) -> Proxy:
    """Read `http[s]://[user:password@]host[:port]`; ValueError says what is wrong with it."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        # Python's message quotes parts of the URL, which may hold a password.
        how = "http://host:port, special characters in a password written as %XX"
        raise ValueError(f"a proxy must be {how}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"a proxy must be http:// or https://, not {parts.scheme}://")
    host = parts.hostname or ""
    if not host or not host.isprintable() or " " in host:
        raise ValueError("a proxy must be http://host:port")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        # Most likely part of a password with a special character in it.
        raise ValueError(
            "a proxy must be http://host:port, special characters in a password written as %XX"
        )
    # Without a port, requests (and so `az`) uses the scheme's default.
    port = port or (80 if parts.scheme == "http" else 443)
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + b64encode(pair.encode()).decode()
    return Proxy(parts.scheme, host, port, source, authorization)


def choose_proxy(host: str, port: int, setting: str | None) -> tuple[Proxy | None, ProxyUsed]:
    """Return the proxy for an https connection to `host`: the setting's, else the variables'.

    Raises ValueError for a proxy that cannot be read, naming the variable that holds it.
    """
    if setting == DIRECT:
        return None, ProxyUsed(None, "proxy setting")
    if setting:
        proxy = parse_proxy(setting, "proxy setting")
        return proxy, proxy.used()
    for name in ("https_proxy", "all_proxy"):
        # The lower-case one wins, even where it is empty, as in curl and requests.
        variable = name if name in os.environ else name.upper()
        value = os.environ.get(variable, "").strip()
        if not value:
            continue
        if _bypassed(host, port):
            return None, ProxyUsed(None, "NO_PROXY")
        try:
            proxy = parse_proxy(value, variable)
        except ValueError as error:
            raise ValueError(f"{variable}: {error}") from None
        return proxy, proxy.used()
    return None, ProxyUsed(None, "no proxy set")


def _bypassed(host: str, port: int) -> bool:
    # Requests, and so az, use this very function for NO_PROXY.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    return bool(proxy_bypass_environment(f"{host}:{port}"))
