"""Choosing the proxy of a connection (PROTOCOL.md section 7; DESIGN.md, Transport)."""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from stacktui.text.sanitize import escape_control_chars

# The value of an environment's `proxy` setting that means: none, whatever the variables say.
DIRECT = "none"
# What `parse_proxy` says of a value with quotation marks in it.
QUOTED = "the value has quotation marks in it, which belong to a shell and not to the value"
# Characters of an entry of NO_PROXY that are kept.
_LONGEST_ENTRY = 200
_QUOTES = "\"'`“”„‘’"


@dataclass(frozen=True, slots=True)
class ProxyUsed:
    """Which proxy was used and why; never its credentials.

    `url` is None for a direct connection. `source` names the setting or variable that decided.
    `has_credentials` is true where it is sent a user name and password, and None where not.
    `unmatched` are the entries of NO_PROXY that look as if they were meant for the host, and never
    match it.
    """

    url: str | None
    source: str
    has_credentials: bool | None = field(default=None, compare=False)
    unmatched: tuple[str, ...] = field(default=(), compare=False)


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
        return ProxyUsed(self.url, self.source, True if self.authorization else None)


def without_credentials(url: str) -> str:
    """Return a proxy's URL, with or without a scheme, without its credentials."""
    scheme, mark, _ = url.partition("://")
    host = url.rpartition("@")[2]
    if host == url or not mark or scheme.lower() not in ("http", "https"):
        return host
    return f"{scheme}://{host}"


def parse_proxy(url: str, source: str) -> Proxy:
    """Read `http[s]://[user:password@]host[:port]`; ValueError says what is wrong with it."""
    if url[:1] in _QUOTES or any(mark in url.rpartition("@")[2] for mark in _QUOTES):
        raise ValueError(QUOTED)
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
        return proxy, replace(proxy.used(), unmatched=_unmatched(host))
    return None, ProxyUsed(None, "no proxy set")


def _bypassed(host: str, port: int) -> bool:
    # Requests, and so az, use this very function for NO_PROXY.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    return bool(proxy_bypass_environment(f"{host}:{port}"))


def _unmatched(host: str) -> tuple[str, ...]:
    """Return the entries of NO_PROXY that mean `host` in a form which no client understands.

    The name of a domain stands for all below it; a `*` is a wildcard only alone, and a quotation
    mark, a scheme or another separator than a comma is part of the name.
    """
    from urllib.request import getproxies_environment

    entries = (each.strip() for each in getproxies_environment().get("no", "").split(","))
    meant = (each for each in entries if each and _means(each, host))
    return tuple(escape_control_chars(each[:_LONGEST_ENTRY]) for each in meant)


def _means(entry: str, host: str) -> bool:
    for part in re.split(r"[;|\s]+", entry):
        name = part.strip(_QUOTES).partition("://")[2] or part.strip(_QUOTES)
        domain = name.strip("/").lstrip("*.").partition(":")[0].lower()
        if domain and (host.lower() == domain or host.lower().endswith(f".{domain}")):
            return True
    return False
