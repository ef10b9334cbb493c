"""The one exception: the metadata service of this machine is asked over http:, and directly."""

from __future__ import annotations

import pytest

from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportError, TransportFaultKind
from tests.support.sessions import opened
from tests.support.web import answer, serving_plain


async def test_nobody_else_is_spoken_to_in_clear() -> None:
    async with serving_plain(answer(b"{}")) as web, opened() as session:
        with pytest.raises(TransportError) as caught:
            await session.fetch("GET", f"{web.url}/", limit=100)
        assert caught.value.fault.kind is TransportFaultKind.INSECURE_URL
        assert web.asked == []
        answered = await session.fetch("GET", f"{web.url}/", limit=100, local=True)
    assert answered.status == 200
    assert answered.exchange.connection is not None
    assert answered.exchange.connection.tls is None


async def test_a_connection_in_clear_never_carries_what_wants_tls() -> None:
    async with serving_plain(answer(b"{}")) as web, opened(limits=Limits(tls=0.5)) as session:
        await session.fetch("GET", f"{web.url}/", limit=100, local=True)
        port = web.listener.port
        with pytest.raises(TransportError) as caught:
            await session.fetch("GET", f"https://localhost:{port}/secret", limit=100)
    assert caught.value.fault.kind is not TransportFaultKind.INSECURE_URL
    assert [each.target for each in web.asked] == ["/"]


async def test_no_proxy_and_no_pin_leads_there() -> None:
    async with serving_plain(answer(b"{}")) as web:
        pins = {f"localhost:{web.listener.port}": "127.0.0.1:9"}
        async with opened(proxy="http://127.0.0.1:9", resolve=pins) as session:
            answered = await session.fetch("GET", f"{web.url}/", limit=100, local=True)
    connection = answered.exchange.connection
    assert connection is not None
    assert (connection.proxy.url, connection.pinned) == (None, None)


async def test_a_public_document_may_come_in_clear_by_the_usual_route() -> None:
    async with serving_plain(answer(b"{}")) as web:
        pins = {"web.example:8080": f"127.0.0.1:{web.listener.port}"}
        async with opened(resolve=pins) as session:
            url = "http://web.example:8080/a.json"
            answered = await session.fetch("GET", url, limit=100, public=True)
    assert answered.body == b"{}"
    assert answered.exchange.connection is not None
    assert answered.exchange.connection.pinned == f"127.0.0.1:{web.listener.port}"
    assert [each.headers.get("authorization") for each in web.asked] == [None]
