"""A proxy that cannot be reached, or opens no tunnel."""

from __future__ import annotations

import re

from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import set_value
from stacktui.diagnosis.shell import bash, powershell, toml
from stacktui.diagnosis.words import route_lines
from stacktui.environments.naming import domain_of
from stacktui.transport.facts import TransportFault, TransportFaultKind
from stacktui.transport.proxy import DIRECT

_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by ProxyError('Unable to connect to proxy', "
)
# What `transport.proxy` calls the setting of an environment, among the names of variables.
_SETTING = "proxy setting"
_VARIABLE = re.compile(r"(?:https|all)_proxy", re.IGNORECASE)
_STATUS = re.compile(r"answered (\d{3})\b")
_OFFERED = re.compile(r"; it offers (.+)")


def around_proxy(case: FailureContext) -> tuple[Remedy, ...]:
    """How to reach the stamp without the proxy; nothing where there is none."""
    if case.connection and case.connection.proxy.url is None:
        return ()
    source = _source(case)
    if source == _SETTING:
        return (set_value(case, "If no proxy is needed, connect directly", "proxy", DIRECT),)
    if not _VARIABLE.fullmatch(source):
        return ()
    domain = domain_of(case.host)
    name = f".{domain}" if domain else case.host
    return (
        Remedy(
            f"If no proxy is needed for {name}, go round it (az reads NO_PROXY too)",
            # Python prefers the lower-case name where both are set.
            f'no_proxy={bash(name)},"${{no_proxy:-$NO_PROXY}}"; no_proxy="${{no_proxy%,}}"; '
            'export no_proxy NO_PROXY="$no_proxy"',
            f'$env:NO_PROXY = (@({powershell(name)}, $env:NO_PROXY) -ne $null) -join ","',
        ),
    )


def mend_proxy(case: FailureContext, url: str) -> Remedy:
    """Name another proxy where this one is named; `url` is an example."""
    source = _source(case)
    if _VARIABLE.fullmatch(source):
        return Remedy(
            f"Name the right proxy in {source}",
            f"export {source}={bash(url)}",
            f"$env:{source} = {powershell(url)}",
        )
    return Remedy(f"Name the right proxy under {case.section}: proxy = {toml(url)}")


def _source(case: FailureContext) -> str:
    """The variable or setting that names the proxy; a variable that cannot be read names itself."""
    if case.connection:
        return case.connection.proxy.source
    fault = case.fault
    first = fault.detail.partition(":")[0] if isinstance(fault, TransportFault) else ""
    return first if _VARIABLE.fullmatch(first) else _SETTING


def _proxy_lines(case: FailureContext, fault: TransportFault) -> list[str]:
    code = f" ({fault.errno})" if fault.errno else ""
    return [f"the proxy at {fault.host}:{fault.port}: {fault.detail}{code}", *route_lines(case)]


def _url(case: FailureContext, fault: TransportFault) -> str:
    used = case.connection.proxy.url if case.connection else None
    return used or f"http://{fault.host}:{fault.port}"


@rule("proxy-unreachable", Side.BOX, _AZ + "NewConnectionError(… Failed to establish …)))")
def proxy_unreachable(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.PROXY_UNREACHABLE)
    if fault is None:
        return None
    source = _source(case)
    if case.connection is None:
        title = f"The proxy that the {source} names cannot be read"
        if source != _SETTING:
            title = f"The proxy in {source} cannot be read"
        # The fault's host is the stamp's here: no proxy was made out.
        example = mend_proxy(case, "http://proxy.example:8080")
        return title, (fault.detail,), (example, *around_proxy(case))
    evidence = [f"{source} names the proxy {fault.host}:{fault.port}", *_proxy_lines(case, fault)]
    if fault.resolvers:
        evidence.append(f"resolvers asked: {', '.join(fault.resolvers)}")
    remedies = (
        Remedy(
            "See whether anything listens there",
            f"""timeout 5 bash -c '</dev/tcp/"$0"/"$1"' {bash(fault.host)} {fault.port} """
            "&& echo open",
            f"Test-NetConnection {powershell(fault.host)} -Port {fault.port}",
        ),
        *around_proxy(case),
        Remedy(f"Else ask whoever runs the proxy for its address, and mend the {source}"),
    )
    title = f"The proxy {fault.host}:{fault.port} cannot be reached"
    return title, tuple(evidence), remedies


@rule("proxy-auth-required", Side.BOX, _AZ + "OSError('Tunnel connection failed: 407 …')))")
def proxy_auth_required(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.PROXY_AUTH_REQUIRED)
    if fault is None:
        return None
    found = _OFFERED.search(fault.detail)
    schemes = [each.strip() for each in found[1].split(",")] if found else []
    evidence = _proxy_lines(case, fault)
    if schemes:
        evidence.append(f"schemes offered: {', '.join(schemes)}")
    if not schemes or "basic" in map(str.lower, schemes):
        give = _credentials(case, _url(case, fault))
    else:
        give = Remedy(
            f"Neither az nor stacktui speaks {' or '.join(schemes)} to a proxy: ask for Basic, or "
            "run a small proxy on this box that signs in to it (px, cntlm), and name that one"
        )
    title = f"The proxy {fault.host}:{fault.port} asks for a user name and password"
    return title, tuple(evidence), (give, *around_proxy(case))


def _credentials(case: FailureContext, url: str) -> Remedy:
    source = _source(case)
    scheme, _, where = url.partition("://")
    how = "Give user name and password, special characters written as %XX"
    if not _VARIABLE.fullmatch(source):
        filled = toml(f"{scheme}://USER:PASSWORD@{where}")
        return Remedy(f"{how}; under {case.section}: proxy = {filled}")
    return Remedy(
        f"{how}; they are not shown and not in the shell's history",
        f"read -rsp 'user:password ' p && export {source}={bash(scheme)}://\"$p\"@{bash(where)}",
        "$p = [Net.NetworkCredential]::new('', (Read-Host 'user:password' -AsSecureString))"
        f".Password; $env:{source} = {powershell(f'{scheme}://')} + $p + {powershell(f'@{where}')}",
    )


@rule("proxy-refused", Side.NETWORK, _AZ + "OSError('Tunnel connection failed: 403 …')))")
def proxy_refused(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.PROXY_REFUSED)
    if fault is None:
        return None
    found = _STATUS.search(fault.detail)
    where = f"{case.host} port {case.port}"
    ask = f"Ask whoever runs the proxy to allow CONNECT to {where}"
    if found and found[1].startswith("5"):
        ask = f"Ask whoever runs the proxy why it cannot reach {where}: its DNS, its routes"
    elif not found:
        ask = f"Ask whoever runs the proxy why it does not answer CONNECT to {where}"
    evidence = (f"asked for a tunnel to {where}", *_proxy_lines(case, fault))
    title = f"The proxy {fault.host}:{fault.port} opens no tunnel to {case.host}"
    return title, evidence, (*around_proxy(case), Remedy(ask))


RULES = (proxy_unreachable, proxy_auth_required, proxy_refused)
