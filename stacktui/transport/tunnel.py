"""CONNECT through an HTTP proxy (RFC 9110 section 9.3.6), keeping the proxy's own words."""

from __future__ import annotations

import asyncio

import h11

from stacktui.transport.bounds import Bounds
from stacktui.transport.facts import TransportError, TransportFault, TransportFaultKind
from stacktui.transport.proxy import Proxy
from stacktui.transport.streams import READ_SIZE, Stream
from stacktui.transport.text import Cleaner


async def open_tunnel(
    stream: Stream, proxy: Proxy, target: tuple[str, int], bounds: Bounds, cleaner: Cleaner
) -> None:
    """Ask the proxy on the other end of `stream` for a tunnel to `target`.

    Returns when `stream` is the tunnel. Raises TransportError with a PROXY_* kind.
    """
    try:
        async with asyncio.timeout(bounds.first_byte):
            await _connect(stream, proxy, target, cleaner)
    except TimeoutError:
        detail = f"the proxy did not answer CONNECT in {bounds.first_byte:g} s"
        raise _error(TransportFaultKind.PROXY_REFUSED, proxy, detail, bounds.first_byte) from None
    except h11.RemoteProtocolError as error:
        detail = cleaner.line(f"the proxy does not speak HTTP: {error}")
        raise _error(TransportFaultKind.PROXY_PROTOCOL, proxy, detail) from None
    except OSError:
        detail = "the proxy closed the connection instead of answering CONNECT"
        raise _error(TransportFaultKind.PROXY_REFUSED, proxy, detail) from None


async def _connect(stream: Stream, proxy: Proxy, target: tuple[str, int], cleaner: Cleaner) -> None:
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
            raise _refusal(event, proxy, cleaner)


def _refusal(response: h11.Response, proxy: Proxy, cleaner: Cleaner) -> TransportError:
    reason = cleaner.line(response.reason.decode("latin-1"), 120)
    detail = f"the proxy answered {response.status_code} {reason}".rstrip()
    if response.status_code != 407:
        return _error(TransportFaultKind.PROXY_REFUSED, proxy, detail)
    schemes = ", ".join(
        value.decode("latin-1").split(" ")[0]
        for name, value in response.headers
        if name == b"proxy-authenticate"
    )
    offered = cleaner.line(f"; it offers {schemes}", 120) if schemes else ""
    return _error(TransportFaultKind.PROXY_AUTH_REQUIRED, proxy, detail + offered)


def _error(
    kind: TransportFaultKind, proxy: Proxy, detail: str, limit: float | None = None
) -> TransportError:
    return TransportError(TransportFault(kind, proxy.host, proxy.port, detail, limit=limit))
