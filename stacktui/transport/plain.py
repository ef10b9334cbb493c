"""Public data over plain HTTP: the certificates that other certificates name (RFC 5280, 4.2.2.1).

CAs publish them without TLS, or a chain would be needed to complete a chain. Nothing is sent but
the address, and what comes back is believed only where a signature proves it.
"""

from __future__ import annotations

import asyncio
import ssl

import httpx

from stacktui.transport.facts import TransportError
from stacktui.transport.proxy import DIRECT, Proxy, parse_proxy
from stacktui.transport.resolver import resolve

_SECONDS = 3.0
# For one address as a whole: who gives a byte a second must not take the time of all others.
_WHOLE = 6.0


async def fetch_public(url: str, limit: int, proxy: str | None = None) -> bytes | str:
    """The body, at most `limit` bytes and within 3 s a step; or in a few words why there is none.

    `proxy` is the environment's setting. Follows no redirect. Never raises for what a server or
    the network does, nor for an address that is none; ends within 6 s.
    """
    try:
        async with asyncio.timeout(_WHOLE):
            return await _fetch(httpx.URL(url), limit, proxy)
    except TimeoutError:
        return f"no whole answer in {_WHOLE:g} s"
    except TransportError as error:
        return error.fault.detail
    except httpx.TimeoutException:
        return f"no answer in {_SECONDS:g} s"
    except httpx.ConnectError:
        return "cannot be reached"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return type(error).__name__


async def _fetch(url: httpx.URL, limit: int, setting: str | None) -> bytes | str:
    if url.scheme != "http" or not url.host:
        return "no http address"
    port = url.port or 80
    proxy = _proxy_for(url.host, port, setting)
    first = (proxy.host, proxy.port) if proxy else (url.host, port)
    # Ahead of the client, whose own look-up would hold up the end of the process.
    await resolve(*first, _SECONDS)
    client = httpx.AsyncClient(
        timeout=_SECONDS,
        trust_env=False,
        # Never used: without it, roots would be loaded, from wherever the variables say.
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        proxy=_through(proxy) if proxy else None,
        headers={"accept-encoding": "identity"},
    )
    async with client, client.stream("GET", url) as response:
        if response.status_code != httpx.codes.OK:
            return f"status {response.status_code}"
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > limit:
                return f"more than {limit} bytes"
        return bytes(body)


def _proxy_for(host: str, port: int, setting: str | None) -> Proxy | None:
    """The proxy for an http: request: the setting, else the usual variables. Raises ValueError."""
    from urllib.request import (  # type: ignore[attr-defined]
        getproxies_environment,
        proxy_bypass_environment,
    )

    url = setting
    if setting is None:
        variables = getproxies_environment()
        url = variables.get("http") or variables.get("all")
        if url and proxy_bypass_environment(f"{host}:{port}"):
            return None
    return parse_proxy(url, "http_proxy") if url and url != DIRECT else None


def _through(proxy: Proxy) -> httpx.Proxy:
    sent = {"proxy-authorization": proxy.authorization} if proxy.authorization else None
    return httpx.Proxy(proxy.url, headers=sent)
