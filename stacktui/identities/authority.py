"""Which hosts may be sent a credential: the authority's own origin, and what Microsoft runs."""

from __future__ import annotations

from urllib.parse import urlsplit

# Public Microsoft login hosts, which name each other's token endpoints: aliases of one service
# (login.windows.net), and the national cloud that a tenant belongs to.
PUBLIC_LOGIN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "login-us.microsoftonline.com",
        "login.microsoftonline.us",
        "login.usgovcloudapi.net",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
    }
)
Origin = tuple[str, str, int]


def may_ask(authority: str, url: str) -> bool:
    """Whether `url` may be sent what is meant for `authority` (origins: RFC 6454 section 5)."""
    named, asked = _origin(authority), _origin(url)
    if named is None or asked is None:
        return False
    return asked == named or (_is_public(named) and _is_public(asked))


def host_of(url: str) -> str:
    """`host[:port]` of a URL, to be shown; uncleaned."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _origin(url: str) -> Origin | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (parts.scheme, host, port or 443) if host else None


def _is_public(origin: Origin) -> bool:
    scheme, host, port = origin
    return scheme == "https" and port == 443 and host in PUBLIC_LOGIN_HOSTS
