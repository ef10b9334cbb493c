"""The hosts that may be sent a credential: the authority's own, and Microsoft's public ones."""

from __future__ import annotations

from urllib.parse import urlsplit

from stacktui.transport.host import Origin, origin_of

# Microsoft's public login hosts. Each may name another one's token endpoint: an alias of the same
# service (login.windows.net), or the national cloud of a tenant.
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


def may_ask(authority: str, url: str) -> bool:
    """Return whether `url` may be sent the credentials for `authority` (RFC 6454).

    Nothing is sent to a URL with a user name or password in it.
    """
    named, asked = origin_of(authority), origin_of(url)
    if named is None or asked is None or "@" in urlsplit(url).netloc:
        return False
    return asked == named or (_is_public(named) and _is_public(asked))


def is_foreign_page(page: str, host: str) -> bool:
    """Return whether the page for a device code is not the login host's own (`host[:port]`).

    Then the code may be one of a stranger's sign-in, who gets the token. Microsoft's public hosts
    have their pages elsewhere.
    """
    return host not in PUBLIC_LOGIN_HOSTS and origin_of(page) != origin_of(f"https://{host}")


def host_of(url: str) -> str:
    """Return `host[:port]` of a URL, not sanitised."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _is_public(origin: Origin) -> bool:
    scheme, host, port = origin
    return scheme == "https" and port == 443 and host in PUBLIC_LOGIN_HOSTS
