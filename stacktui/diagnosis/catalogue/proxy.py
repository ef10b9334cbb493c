"""Proxies that cannot be reached, or open no tunnel."""

from __future__ import annotations

import re
from dataclasses import replace

from stacktui.diagnosis.az_messages import AZ_NETWORK
from stacktui.diagnosis.catalogue.reach import SEE_LISTENER
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import route_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import HTTP_403, HTTP_502
from stacktui.diagnosis.messages.metadata import METADATA_401_OR_403, METADATA_UNREAD
from stacktui.diagnosis.messages.network import PROXY_FAILED
from stacktui.diagnosis.remedies import (
    CONNECT_DIRECTLY,
    GO_AROUND_PROXY,
    PROXY_SETTING,
    PROXY_VARIABLE,
    around_proxy,
    editing,
    proxy_source,
)
from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate
from stacktui.text.shell import toml
from stacktui.transport.port_answer import Protocol
from stacktui.transport.proxy import QUOTED
from stacktui.transport.records import TransportFault, TransportFaultKind

_AZ_PROXY = (
    AZ_NETWORK + "HTTPSConnectionPool(…): … (Caused by ProxyError('Unable to connect to proxy', "
)


def _proxy_lines(failure: FailureContext, fault: TransportFault) -> list[str]:
    code = f" ({fault.errno})" if fault.errno else ""
    said = f"the proxy at {fault.host}:{fault.port}: {fault.detail}{code}"
    return [said, *route_lines(failure)]


# Naming another proxy

NAME_PROXY_IN_VARIABLE = RemedyTemplate(
    "Name the right proxy in {source}",
    "export {source}={url}",
    "$env:{source} = {url}",
    {"source": "HTTPS_PROXY", "url": "'http://PROXY:PORT'"},
)
NAME_PROXY_IN_SETTING = RemedyTemplate(
    "Name the right proxy under {section}: proxy = {url}", shown={"url": '"http://PROXY:PORT"'}
)


def name_proxy(failure: FailureContext, url: str) -> Remedy:
    """Return how to name another proxy in place of this one; `url` is an example."""
    source = proxy_source(failure)
    if PROXY_VARIABLE.fullmatch(source):
        return NAME_PROXY_IN_VARIABLE.fill(source=PlainWord(source), url=url)
    return NAME_PROXY_IN_SETTING.fill(section=failure.section, url=toml(url))


# proxy-unreachable

_SEE_PROXY_LISTENER = replace(SEE_LISTENER, shown={"host": "PROXY", "port": "PORT"})
_SEE_VARIABLES = RemedyTemplate(
    "See which variables name a proxy",
    "env | grep -i _proxy",
    "Get-ChildItem Env: | Where-Object Name -like '*_proxy'",
)
_ASK_ADDRESS = RemedyTemplate(
    "Else ask whoever runs the proxy for its address, and correct the {source}",
    shown={"source": "variable"},
)


# Values in quotation marks come from env files and from `set` of Windows' cmd.
_TAKE_OUT_QUOTES = RemedyTemplate(
    "Take the quotation marks out of {source}",
    """export {source}="$(printenv {source} | tr -d "\\"'")\"""",
    """$env:{source} = $env:{source} -replace '["'']', ''""",
    {"source": "HTTPS_PROXY"},
)
_NO_TUNNEL = (TransportFaultKind.PROXY_REFUSED, TransportFaultKind.PROXY_PROTOCOL)


def _proxy_unreachable(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.PROXY_UNREACHABLE)
    if fault is None:
        return None
    if failure.connection is None:
        return _unreadable_proxy(failure, fault)
    source, host, port = proxy_source(failure), fault.host, fault.port
    evidence = [f"{source} names the proxy {host}:{port}", *_proxy_lines(failure, fault)]
    if fault.resolvers:
        evidence.append(f"resolvers asked: {', '.join(fault.resolvers)}")
    remedies = [_SEE_PROXY_LISTENER.fill(host=host, port=port)]
    if PROXY_VARIABLE.fullmatch(source):
        # Several variables may be set, and all may need the correction.
        remedies.append(_SEE_VARIABLES.fill())
    remedies += [*around_proxy(failure), _ASK_ADDRESS.fill(source=source)]
    title = f"The proxy {host}:{port} cannot be reached"
    return Explanation(title, tuple(evidence), tuple(remedies))


def _unreadable_proxy(failure: FailureContext, fault: TransportFault) -> Explanation:
    source = proxy_source(failure)
    title = f"The proxy in {source} cannot be read"
    if source == PROXY_SETTING:
        title = f"The proxy that the {source} names cannot be read"
    # The fault has the stamp's host: the proxy's could not be parsed.
    example = name_proxy(failure, "http://proxy.example:8080")
    remedies = (example, *around_proxy(failure))
    if QUOTED in fault.detail and PROXY_VARIABLE.fullmatch(source):
        title = f"The proxy in {source} cannot be read: it is in quotation marks"
        remedies = (_TAKE_OUT_QUOTES.fill(source=PlainWord(source)), *remedies)
    return Explanation(title, (fault.detail,), remedies)


def _speaks_socks(failure: FailureContext) -> Explanation | None:
    """Explain a proxy that answers CONNECT as none does, as it is one for SOCKS."""
    found = failure.port_answer
    fault = next((each for kind in _NO_TUNNEL if (each := failure.transport(kind))), None)
    if fault is None or found is None or found.speaks is not Protocol.SOCKS:
        return None
    source, host, port = proxy_source(failure), fault.host, fault.port
    evidence = (
        f"{source} names the proxy {host}:{port}",
        *_proxy_lines(failure, fault),
        f"to the greeting of SOCKS it answered: {found.answer}",
    )
    right = name_proxy(failure, "http://proxy.example:8080")
    remedies = (right, *around_proxy(failure), _ASK_ADDRESS.fill(source=source))
    title = f"{host}:{port} speaks SOCKS, and no HTTP proxy is there"
    return Explanation(title, evidence, remedies)


PROXY_UNREACHABLE = FaultInfo(
    id="proxy-unreachable",
    group=Group.REACH,
    sides=(Side.BOX,),
    meaning="The proxy itself cannot be reached, or its address cannot be read.",
    distinguishing_evidence=(
        "The name or the port that fails is the proxy's, and not the stamp's as in "
        "`dns-not-found`, `tcp-refused` or `tcp-timeout`; the report says which variable or "
        "setting names it. Or its value is in quotation marks, or the port speaks SOCKS; a port "
        "that says nothing is `proxy-refused`."
    ),
    az_says=_AZ_PROXY + "NewConnectionError(… Failed to establish …)))",
    patterns={
        PROXY_FAILED: 55,
        MessagePattern(
            "the proxy itself cannot be reached",
            PROXY_FAILED.regex,
            also=r"connection refused|failed to resolve|timed out|no route to host"
            r"|is unreachable|\b1006[01]\b|actively refused|connection reset|econnrefused"
            r"|etimedout|i/o timeout|enotfound|no such host|getaddrinfo|ehostunreach",
        ): 180,
        MessagePattern(
            "the proxy's name or address cannot be used",
            r"could not resolve proxy|proxy url had (?:unsupported|no) scheme|unsupported proxy"
            r"|unknown scheme for proxy|proxyschemeunknown|invalidproxyurl|invalid proxy url"
            r"|unable to resolve proxy|err_proxy_connection_failed|check proxy url"
            r"|missing dependencies for socks"
            r"|proxy name could not be resolved"
            r"|failed to parse: .{1,40}is not a valid host or port"
            r"|connect to proxy .{1,60}failed",
        ): 90,
        METADATA_UNREAD: 15,
    },
    remedies=(
        _SEE_PROXY_LISTENER,
        _SEE_VARIABLES,
        _TAKE_OUT_QUOTES,
        NAME_PROXY_IN_VARIABLE,
        NAME_PROXY_IN_SETTING,
        GO_AROUND_PROXY,
        CONNECT_DIRECTLY,
        _ASK_ADDRESS,
    ),
    rules=(_proxy_unreachable, _speaks_socks),
)


# proxy-auth-required

_OFFERED = re.compile(r"; it offers (.+)")
_GIVE_IN_VARIABLE = RemedyTemplate(
    "Give user name and password, special characters written as %XX; they are not shown and not "
    "in the shell's history",
    "read -rsp 'user:password ' p && export {source}={scheme}://\"$p\"@{address}",
    "$p = [Net.NetworkCredential]::new('', (Read-Host 'user:password' -AsSecureString)).Password; "
    "$env:{source} = {before} + $p + {after}",
    {
        "source": "HTTPS_PROXY",
        "scheme": "http",
        "address": "PROXY:PORT",
        "before": "'http://'",
        "after": "'@PROXY:PORT'",
    },
)
_GIVE_IN_SETTING = editing(
    "Give user name and password, special characters written as %XX; under {section}: "
    "proxy = {url}",
    url='"http://USER:PASSWORD@PROXY:PORT"',
)
_SIGN_IN_BY_ANOTHER = RemedyTemplate(
    "Neither az nor stacktui speaks {schemes} to a proxy: ask for Basic, or run a small proxy on "
    "this machine that signs in to it (px, cntlm), and name that one",
    shown={"schemes": "NTLM, Negotiate or Kerberos"},
)


_CHECK_CREDENTIALS = RemedyTemplate(
    "Check the user name and password in the {source}: @ : / # and % in them are written as %40 "
    "%3A %2F %23 %25, a domain's user as DOMAIN%5Cuser; a password may have expired, or the "
    "account be locked",
    shown={"source": "variable"},
)


def _proxy_auth_required(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.PROXY_AUTH_REQUIRED)
    if fault is None:
        return None
    found = _OFFERED.search(fault.detail)
    schemes = [each.strip() for each in found[1].split(",")] if found else []
    evidence = _proxy_lines(failure, fault)
    if schemes:
        evidence.append(f"schemes offered: {', '.join(schemes)}")
    if not schemes or "basic" in map(str.lower, schemes):
        give = _give_credentials(failure, fault)
    else:
        give = _SIGN_IN_BY_ANOTHER.fill(schemes=" or ".join(schemes))
    title = f"The proxy {fault.host}:{fault.port} asks for a user name and password"
    remedies = (give, *around_proxy(failure))
    if failure.connection and failure.connection.proxy.has_credentials:
        title = f"The proxy {fault.host}:{fault.port} refuses the user name and password"
        evidence.append(f"a user name and password were sent to it, from {proxy_source(failure)}")
        remedies = (_CHECK_CREDENTIALS.fill(source=proxy_source(failure)), *remedies)
    return Explanation(title, tuple(evidence), remedies)


def _give_credentials(failure: FailureContext, fault: TransportFault) -> Remedy:
    source = proxy_source(failure)
    used = failure.connection.proxy.url if failure.connection else None
    scheme, _, address = (used or f"http://{fault.host}:{fault.port}").partition("://")
    if not PROXY_VARIABLE.fullmatch(source):
        url = toml(f"{scheme}://USER:PASSWORD@{address}")
        return _GIVE_IN_SETTING.fill(**failure.placeholders | {"url": url})
    return _GIVE_IN_VARIABLE.fill(
        source=PlainWord(source),
        scheme=scheme,
        address=address,
        before=f"{scheme}://",
        after=f"@{address}",
    )


PROXY_AUTH_REQUIRED = FaultInfo(
    id="proxy-auth-required",
    group=Group.REACH,
    sides=(Side.BOX,),
    meaning="The proxy wants a user name and password, or refuses those sent (407, 401).",
    distinguishing_evidence=(
        "The proxy itself answers, with 407 or 401 and the schemes that it takes; the report says "
        "whether credentials were sent. Any other status is `proxy-refused`."
    ),
    az_says=_AZ_PROXY + "OSError('Tunnel connection failed: 407 …')))",
    patterns={
        MessagePattern(
            "the proxy of Node, Java or a browser asks for credentials",
            r"statuscode=407|err_proxy_auth|error:? 407\b|http/[12]\.?\d? 407",
        ): 190,
        PROXY_FAILED: 38,
        MessagePattern(
            "the proxy asks for credentials (407 or 401)",
            r"tunnel connection failed: 40[17]|407 proxy authentication|\(407\)"
            r"|tunnel failed, response 40[17]|http code 407|proxy authentication required"
            r"|http code 401 from proxy"
            r"|status code '407'|returned status code 407",
        ): 190,
    },
    remedies=(
        _CHECK_CREDENTIALS,
        _GIVE_IN_VARIABLE,
        _GIVE_IN_SETTING,
        _SIGN_IN_BY_ANOTHER,
        GO_AROUND_PROXY,
        CONNECT_DIRECTLY,
    ),
    rules=(_proxy_auth_required,),
)


# proxy-refused

_STATUS = re.compile(r"answered (\d{3})\b")
_ASK_TO_ALLOW = RemedyTemplate(
    "Ask whoever runs the proxy to allow CONNECT to {host} port {port}", shown={"port": "443"}
)
_ASK_FOR_WAY = RemedyTemplate(
    "Ask whoever runs the proxy why it cannot reach {host} port {port}: its DNS, its routes",
    shown={"port": "443"},
)
_ASK_FOR_ANSWER = RemedyTemplate(
    "Ask whoever runs the proxy why it does not answer CONNECT to {host} port {port}",
    shown={"port": "443"},
)


def _proxy_refused(failure: FailureContext) -> Explanation | None:
    fault, answered = failure.transport(TransportFaultKind.PROXY_REFUSED), failure.port_answer
    if fault is None or (answered and answered.speaks is Protocol.SOCKS):
        return None
    host, port = failure.host, failure.port
    found = _STATUS.search(fault.detail)
    if not found:
        ask = _ASK_FOR_ANSWER
    else:
        ask = _ASK_FOR_WAY if found[1].startswith("5") else _ASK_TO_ALLOW
    evidence = [f"asked for a tunnel to {host} port {port}", *_proxy_lines(failure, fault)]
    title = f"The proxy {fault.host}:{fault.port} opens no tunnel to {host}"
    remedies = (*around_proxy(failure), ask.fill(host=host, port=port))
    if not found and answered and answered.speaks in (Protocol.SILENCE, Protocol.CLOSED):
        title = f"{fault.host}:{fault.port} takes connections and says nothing, as no proxy does"
        evidence.append(f"asked plainly, and with the greeting of SOCKS, it says {answered.speaks}")
        remedies = (name_proxy(failure, "http://proxy.example:8080"), *remedies)
    return Explanation(title, tuple(evidence), remedies)


PROXY_REFUSED = FaultInfo(
    id="proxy-refused",
    group=Group.REACH,
    sides=(Side.NETWORK,),
    meaning="The proxy opens no tunnel to the stamp.",
    distinguishing_evidence=(
        "The proxy answers CONNECT with a status: 403 says that it may not, 502 or 504 that it "
        "cannot reach the stamp itself; or it closes the connection without one, or is silent, as "
        "another port than the proxy's is. 407 and 401 are "
        "`proxy-auth-required`; a proxy to which no connection can be made is "
        "`proxy-unreachable`."
    ),
    az_says=_AZ_PROXY + "OSError('Tunnel connection failed: 403 …')))",
    patterns={
        MessagePattern(
            "the proxy of Node, Java or a browser opens no tunnel",
            r"(?:could not be established, statuscode=|proxy returns .{0,9}http/1\.\d )"
            r"(?:40[0-689]|4[1-9]\d|5\d\d)|err_tunnel_connection_failed|tunnel or ssl forbidden",
        ): 190,
        PROXY_FAILED: 40,
        MessagePattern(
            "the proxy opens no tunnel",
            r"tunnel connection failed: (?:40[02-689]|4[1-9]\d|5\d\d)"
            r"|tunnel failed, response (?:40[02-689]|4[1-9]\d|5\d\d)"
            r"|http code (?:40[02-689]|4[1-9]\d|5\d\d) from proxy"
            r"|proxy tunnel request to proxy .{1,80}status code "
            r"'(?:40[0-689]|4[1-9]\d|5\d\d)'",
        ): 190,
        MessagePattern(
            "a page of the proxy itself",
            r"x-squid-error|\(squid/|requested url could not be retrieved",
        ): 180,
        METADATA_401_OR_403: 50,
        HTTP_403: 44,
        HTTP_502: 40,
    },
    remedies=(
        NAME_PROXY_IN_VARIABLE,
        NAME_PROXY_IN_SETTING,
        GO_AROUND_PROXY,
        CONNECT_DIRECTLY,
        _ASK_TO_ALLOW,
        _ASK_FOR_WAY,
        _ASK_FOR_ANSWER,
    ),
    rules=(_proxy_refused,),
)

FAULTS = (PROXY_UNREACHABLE, PROXY_AUTH_REQUIRED, PROXY_REFUSED)
