"""CONNECT through an HTTP proxy (RFC 9110 section 9.3.6)."""

from __future__ import annotations

import asyncio

import h11

from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import Redactor
from stacktui.transport.challenges import schemes_of
from stacktui.transport.http1 import what_is_wrong
from stacktui.transport.limits import LimitName, Limits
from stacktui.transport.proxy import Proxy
from stacktui.transport.records import TransportError, TransportFault, TransportFaultKind
from stacktui.transport.streams import READ_SIZE, Stream

MAX_SCHEMES = 8
# How the detail of a fault begins if the proxy answered CONNECT in HTTP.
ANSWERED = "the proxy answered"
# The statuses that ask for credentials, with the header that says which (RFC 9110 section 11).
_CHALLENGES = {407: b"proxy-authenticate", 401: b"www-authenticate"}


async def open_tunnel(
    stream: Stream, proxy: Proxy, target: tuple[str, int], limits: Limits, redactor: Redactor
) -> None:
    """Turn `stream`, which ends at the proxy, into a tunnel to `target`.

    Raises TransportError with a PROXY_* kind.
    """
    try:
        async with asyncio.timeout(limits.first_byte):
            await _connect(stream, proxy, target, redactor)
    except TimeoutError:
        detail = f"the proxy did not answer CONNECT in {limits.first_byte:g} s"
        fault = TransportFault(
            TransportFaultKind.PROXY_REFUSED,
            proxy.host,
            proxy.port,
            detail,
            limit=limits.first_byte,
            setting=LimitName.FIRST_BYTE,
        )
        raise TransportError(fault) from None
    except h11.RemoteProtocolError as error:
        detail = f"the proxy does not speak HTTP: {what_is_wrong(error)}"
        raise _error(TransportFaultKind.PROXY_PROTOCOL, proxy, detail) from None
    except (h11.LocalProtocolError, UnicodeError):
        # h11's message would quote the proxy's credentials.
        detail = "CONNECT holds a character that HTTP/1.1 cannot carry"
        raise _error(TransportFaultKind.PROXY_PROTOCOL, proxy, detail) from None
    except OSError as error:
        if is_exhaustion(error):
            raise
        detail = "the proxy closed the connection instead of answering CONNECT"
        raise _error(TransportFaultKind.PROXY_REFUSED, proxy, detail) from None


async def _connect(
    stream: Stream, proxy: Proxy, target: tuple[str, int], redactor: Redactor
) -> None:
    host = f"[{target[0]}]" if ":" in target[0] else target[0]
    authority = f"{host}:{target[1]}"
    headers = [("Host", authority), ("User-Agent", "stacktui")]
    if proxy.authorization:
        headers.append(("Proxy-Authorization", proxy.authorization))
    http = h11.Connection(h11.CLIENT)
    await stream.write(http.send(h11.Request(method="CONNECT", target=authority, headers=headers)))
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            data = await stream.read(READ_SIZE)
            if not data:
                raise ConnectionResetError
            http.receive_data(data)
        elif isinstance(event, h11.Response):
            if 200 <= event.status_code < 300:
                return
            raise _refusal(event, proxy, redactor)


def _refusal(response: h11.Response, proxy: Proxy, redactor: Redactor) -> TransportError:
    reason = redactor.sanitize_untrusted(response.reason.decode("latin-1"), 120)
    detail = f"{ANSWERED} {response.status_code} {reason}".rstrip()
    # 401 comes of simple proxies, which are no different from web servers to themselves.
    if response.status_code not in _CHALLENGES:
        return _error(TransportFaultKind.PROXY_REFUSED, proxy, detail)
    # Only the schemes' names: their parameters may hold anything.
    schemes = [
        scheme
        for name, value in response.headers
        if name == _CHALLENGES[response.status_code]
        for scheme in schemes_of(value.decode("latin-1"))
    ]
    offered = (
        f"; it offers {redactor.sanitize_untrusted(', '.join(schemes[:MAX_SCHEMES]), 120)}"
        * bool(schemes)
    )
    return _error(TransportFaultKind.PROXY_AUTH_REQUIRED, proxy, detail + offered)


def _error(kind: TransportFaultKind, proxy: Proxy, detail: str) -> TransportError:
    return TransportError(TransportFault(kind, proxy.host, proxy.port, detail))
