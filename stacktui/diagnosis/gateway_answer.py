"""Pages and redirects that come in place of a service's answer, at whichever step.

A gateway, a proxy or a captive portal answers so; so does a web server that lacks its service,
whose own pages are told apart.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.formatting import header_lines, request_lines, route_lines
from stacktui.diagnosis.remedies import bypassing_proxy
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.transport.records import ResponseFacts

# Redirects that a client would follow (RFC 9110 section 15.4).
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Statuses that no origin server has: for a proxy's user, and for a network's (RFC 6585).
_OF_NETWORKS = frozenset({407, 511})
# Characters of a plain text in which a gateway says what it is.
_FIRST = 160
# The `Server` prefix of a stamp's web servers (http.sys, IIS, its gateways).
_STAMPS_SERVER = "microsoft-"
# What products on the way call themselves in `Server` and `Via`, and in the titles of their pages.
_PRODUCTS = re.compile(
    r"squid|blue ?coat|symantec|zscaler|forti|mcafee|skyhigh|ironport|sophos|palo ?alto|websense"
    r"|forcepoint|barracuda|netskope|check ?point|watchguard|sonicwall|mitmproxy|trend ?micro"
    r"|cloudflare|opendns|cisco umbrella|menlo|iboss|smoothwall|untangle|securly"
)
# That something is refused by a rule, in the languages of such pages and texts.
_BLOCKED = re.compile(
    r"block(?:ed|seite)|^access denied|denied by|zugriff verweigert|gesperrt"
    r"|acc[eè]s (?:refus|inter)|acceso denegado|accesso negato|bloqu[eé]|bloquead|bloccat"
)
_GATEWAY_TITLES = re.compile(
    rf"{_PRODUCTS.pattern}|{_BLOCKED.pattern}"
    r"|web ?(?:gateway|filter|proxy|security)|captive|hotspot|guest|firewall"
    r"|\bproxy\b|content filter|internet access|policy"
    r"|network (?:log|sign|access|auth)|requested url could not be retrieved|terms of use|wi-?fi"
    r"|authentication (?:required|portal)"
)
# Pages of a web server itself: IIS, http.sys, nginx, Apache, and AD FS's and the portal's own.
_SERVER_TITLES = re.compile(
    r"\biis\b|iis ?\d|internet information services|service unavailable|nginx|apache|test page"
    r"|default page|it works|server error|runtime error|bad gateway|gateway time-?out|not found"
    r"|bad request|forbidden|^\d{3}\b|^error$|^sign ?in$|microsoft azure stack"
)

LET_PASS = RemedyTemplate(
    "Sign in at the captive portal or gateway whose page this is, or ask for a rule that lets "
    "{host} pass"
)
AROUND_PROXY = bypassing_proxy("If a proxy is in the way, go round it for {host}")


def redirected_to(failure: FailureContext) -> str | None:
    """Return the host that a redirect names, else None."""
    response = _response(failure)
    if response is None or response.status not in _REDIRECTS:
        return None
    try:
        return urlsplit(response.header("location") or "").hostname
    except ValueError:  # the URL comes from the server
        return None


def is_from_stamp(response: ResponseFacts) -> bool:
    """Return whether an answer is no page, or a page of the stamp's own web server, by what that
    calls itself; any other page may be a gateway's."""
    return not is_page(response) or _is_stamps(response.header("server") or "")


def _is_stamps(server: str) -> bool:
    return server.lower().startswith(_STAMPS_SERVER)


def is_page(response: ResponseFacts) -> bool:
    return response.excerpt.startswith("<") or "html" in (response.header("content-type") or "")


def names_gateway(failure: FailureContext, title: str) -> bool:
    """Return whether a product on the way says that the page is its own, whatever the status."""
    response = _response(failure)
    if response is None:
        return False
    if response.status in _OF_NETWORKS:
        return True
    if not (title or is_page(response)):
        return says_blocked(_plain_text(response))
    server, via = (response.header(name) or "" for name in ("server", "via"))
    # A gateway that passes on what the stamp says adds its `Via` too.
    itself = server if _is_stamps(server) else f"{server} {via}"
    return bool(_PRODUCTS.search(itself.lower()) or _GATEWAY_TITLES.search(title.lower()))


def says_blocked(text: str) -> bool:
    """Return whether a title or a text says that a rule of something on the way refuses this."""
    return _BLOCKED.search(text.lower()) is not None


def _plain_text(response: ResponseFacts) -> str:
    """Return what an answer begins with that is declared as plain text, else nothing."""
    is_plain = (response.header("content-type") or "").startswith("text/plain")
    return response.excerpt[:_FIRST] if is_plain else ""


def is_intercepted(failure: FailureContext, title: str) -> bool:
    """Return whether something on the way answered in place of the token service or of ARM.

    A good status with a page, and a redirect off the host, come from there, unless a web server's
    own title says otherwise; an error's page only where its product calls itself by name.
    """
    response = _response(failure)
    if response is None:
        return False
    if elsewhere := redirected_to(failure):
        return elsewhere != failure.host
    if names_gateway(failure, title):
        return True
    is_good = response.status < 300 and (bool(title) or is_page(response))
    return is_good and not _SERVER_TITLES.search(title.lower())


def gateway_lines(failure: FailureContext, title: str) -> tuple[str, ...]:
    """Return the evidence: the request, the page's title, the redirect, and who answered."""
    response = _response(failure)
    lines = request_lines(failure)
    if title:
        lines.append(f"the page is titled: {title}")
    elif response and (text := _plain_text(response)):
        lines.append(f"it says: {text}")
    location = response.header("location") if response else None
    if elsewhere := redirected_to(failure):
        lines.append(f"it redirects to {elsewhere}: {location}")
    lines += header_lines(failure, "server", "via")
    return (*lines, *route_lines(failure))


def _response(failure: FailureContext) -> ResponseFacts | None:
    return failure.last.response if failure.last else None
