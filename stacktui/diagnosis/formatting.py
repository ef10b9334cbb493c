"""Evidence lines that several rules share: requests, routes, chains, names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.certificates.trust import TrustUsed
from stacktui.diagnosis.context import FailureContext, described
from stacktui.environments.naming import domain_of
from stacktui.transport.records import Exchange

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# A server may present any number; a stamp's chain has three certificates, and 20 names.
_CERTIFICATES = 8
_NAMES = 12


def request_line(exchange: Exchange) -> str:
    """Return `GET https://… → 500 (1,234 bytes)`."""
    response = exchange.response
    if response is None:
        return f"{exchange.method} {exchange.url} → no answer"
    return f"{exchange.method} {exchange.url} → {response.status} ({response.size:,} bytes)"


def request_lines(failure: FailureContext) -> list[str]:
    """Return the request that failed, if there was one."""
    return [request_line(failure.last)] if failure.last else []


def header_lines(failure: FailureContext, *names: str) -> list[str]:
    """Return the headers `names` that the response has."""
    response = failure.last.response if failure.last else None
    if response is None:
        return []
    return [f"{name}: {value}" for name in names if (value := response.header(name))]


def body_lines(failure: FailureContext) -> list[str]:
    """Return the start of the response's body."""
    response = failure.last.response if failure.last else None
    return [f"it begins: {response.excerpt}"] if response and response.excerpt else []


def route_lines(failure: FailureContext) -> list[str]:
    """Return how the connection was made: addresses, pin and proxy."""
    connection = failure.connection
    if connection is None:
        return []
    lines = []
    if connection.attempts:
        tried = ", ".join(
            f"{each.address}:{each.port} {each.error or 'connected'}"
            for each in connection.attempts
        )
        lines.append(f"tried {tried}")
    if connection.pinned:
        lines.append(f"resolve pins {connection.host}:{connection.port} to {connection.pinned}")
    if connection.proxy.url:
        lines.append(f"through the proxy {connection.proxy.url} ({connection.proxy.source})")
    for entry in connection.proxy.unmatched:
        meant = domain_of(connection.host)
        right = f".{meant}" if meant else connection.host
        lines.append(f"NO_PROXY has {entry}, which never matches {connection.host}: write {right}")
    return lines


def chain_lines(chain: tuple[Certificate, ...]) -> list[str]:
    """Return one line per certificate, leaf first, at most `_CERTIFICATES` of them."""
    lines = [
        f"certificate {number}: {each.unreadable or each.common_name}, "
        f"issued by {each.issuer_name or '?'}, until {each.not_after:%Y-%m-%d}"
        if each.not_after
        else f"certificate {number}: unreadable ({each.unreadable})"
        for number, each in enumerate(chain[:_CERTIFICATES], 1)
    ]
    more = len(chain) - _CERTIFICATES
    return lines + ([f"and {more} more certificates"] if more > 0 else [])


def flawed_file_lines(failure: FailureContext) -> list[str]:
    """Return a line for each trusted file of which only a part is read."""
    return [
        f"{each.setting} ({each.path}), {each.text}"
        + (": the missing issuer is in the part that is not read" if each.holds_issuer else "")
        for each in failure.flawed_files
    ]


def namesake_lines(failure: FailureContext, end: Certificate) -> list[str]:
    """Return a line for each trusted root of the issuer's name whose key did not sign `end`."""
    return [
        f"{', '.join(each.where)} holds a root of the same name, SHA-256 "
        f"{described(each.der).sha256}, whose key did not sign {end.common_name}"
        for each in failure.namesakes
    ]


def names_line(names: tuple[str, ...]) -> str:
    """Return the names of a certificate, at most `_NAMES` of them."""
    more = f", … ({len(names)} in all)" if len(names) > _NAMES else ""
    return (", ".join(names[:_NAMES]) or "(no names)") + more


def trust_line(used: TrustUsed | None) -> str:
    sources = ", ".join(f"{each.setting} ({each.path})" for each in used.sources) if used else "-"
    return f"trusted here: {sources}"
