"""Hosts and origins of URLs."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

# RFC 1123 section 2.1, with the underscore that some sites use. The layers below rely on it: the
# IDNA codec, TLS and CONNECT each raise an error of their own for what it does not match.
_NAME = re.compile(r"(?=.{1,254}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_IPV6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?")

# Scheme, host and port (RFC 6454 section 4).
Origin = tuple[str, str, int]


def is_host(host: str) -> bool:
    """Whether `host` is a plain ASCII name or an address; IPv6 without its brackets."""
    return bool(_NAME.fullmatch(host) or _IPV6.fullmatch(host))


def is_address(host: str) -> bool:
    """Whether `host` is an IP address; IPv6 without its brackets."""
    return address_of(host) is not None


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def origin_of(url: str) -> Origin | None:
    """Return the origin of an absolute URL; None for a URL that has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (parts.scheme, host, port or 443) if host else None
