"""One connection for many requests, and none left behind."""

from __future__ import annotations

import asyncio

import pytest

from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportError
from tests.support.authority import localhost_server
from tests.support.listeners import Handler, listening, saying, silent
from tests.support.proxies import answering_connect
from tests.support.sessions import MIB, failure, names, opened
from tests.support.web import Raw, answer, serving

# Far below the bounds that would end these waits otherwise, far above what a busy machine needs.
PROMPT = 1.0


async def test_one_connection_serves_several_requests() -> None:
    async with serving(answer(b"x")) as web, opened() as session:
        for _ in range(4):
            await session.fetch("GET", web.url, limit=MIB)
        first, *others = session.take_exchanges()
        assert web.listener.connections == 1
    assert first.connection is not None
    for each in others:
        assert names(each.phases) == ["request", "first-byte", "body"]
        assert each.connection is not None
        assert each.connection.reused
        assert each.connection.tls == first.connection.tls
        assert each.connection.attempts == first.connection.attempts
    async with asyncio.timeout(PROMPT):
        await web.listener.all_closed.wait()


async def test_another_origin_gets_a_connection_of_its_own() -> None:
    async with serving(answer()) as one, serving(answer()) as two, opened() as session:
        await session.fetch("GET", one.url, limit=MIB)
        second = await session.fetch("GET", two.url, limit=MIB)
        by_address = f"https://127.0.0.1:{one.listener.port}"
        third = await session.fetch("GET", by_address, limit=MIB)
    for each in (second, third):
        assert each.exchange.connection is not None
        assert not each.exchange.connection.reused


async def test_a_stale_connection_is_replaced() -> None:
    async with serving(answer(b"1", then="close"), answer(b"2")) as web, opened() as session:
        await session.fetch("GET", web.url, limit=MIB)
        async with asyncio.timeout(PROMPT):
            await web.listener.all_closed.wait()
        second = await session.fetch("GET", web.url, limit=MIB)
        assert web.listener.connections == 2
    assert second.body == b"2"
    assert second.exchange.connection is not None
    assert not second.exchange.connection.reused
    assert names(second.exchange.phases)[0] == "dns"


@pytest.mark.parametrize(
    "said",
    [
        answer(b"x", Connection="close"),
        Raw(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"),
        Raw(b"HTTP/1.1 200 OK\r\n\r\nx", "close"),
    ],
)
async def test_a_connection_that_must_end_is_not_kept(said: Raw) -> None:
    async with serving(said) as web, opened() as session:
        for _ in range(2):
            assert (await session.fetch("GET", web.url, limit=MIB)).body == b"x"
        assert web.listener.connections == 2
        async with asyncio.timeout(PROMPT):
            await web.listener.all_closed.wait()


async def test_a_connection_after_a_fault_is_not_kept() -> None:
    async with serving(answer(b"x" * 2000), answer(b"ok")) as web, opened() as session:
        await failure(session, web.url, limit=1000)
        found = await session.fetch("GET", web.url, limit=1000)
        assert web.listener.connections == 2
    assert found.body == b"ok"


async def test_what_a_server_says_unasked_is_no_answer_to_the_next_request() -> None:
    twice = Raw(answer(b"mine").whole() + answer(b"smuggled").whole())
    async with serving(twice, answer(b"honest")) as web, opened() as session:
        assert (await session.fetch("GET", web.url, limit=MIB)).body == b"mine"
        assert (await session.fetch("GET", web.url, limit=MIB)).body == b"honest"


@pytest.mark.parametrize(
    ("handler", "through_proxy"),
    [
        (silent, False),
        (silent, True),
        (answering_connect(b"HTTP/1.1 200 OK\r\n\r\n", then_close=False), True),
    ],
    ids=["tls", "proxy", "tunnel"],
)
async def test_cancelling_an_opening_closes_the_socket_at_once(
    handler: Handler, through_proxy: bool
) -> None:
    async with listening(handler) as listener:
        proxy = f"http://localhost:{listener.port}" if through_proxy else "none"
        async with opened(proxy=proxy) as session:
            task = asyncio.create_task(session.fetch("GET", listener.url, limit=MIB))
            async with asyncio.timeout(PROMPT):
                await listener.arrived.wait()
                await asyncio.sleep(0.05)  # into the handshake
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await listener.all_closed.wait()
            (exchange,) = session.take_exchanges()
    assert not exchange.phases[-1].ok
    assert (exchange.response, exchange.fault) == (None, None)


@pytest.mark.parametrize(
    "said", [Raw(b"", "hang"), Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "hang")]
)
async def test_cancelling_a_wait_closes_the_socket_at_once(said: Raw) -> None:
    async with serving(said) as web, opened() as session:
        task = asyncio.create_task(session.fetch("GET", web.url, limit=MIB))
        async with asyncio.timeout(PROMPT):
            await web.arrived.wait()
            await asyncio.sleep(0.05)  # into the answer
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await web.listener.all_closed.wait()
        (exchange,) = session.take_exchanges()
    assert not exchange.phases[-1].ok


async def test_a_bound_from_outside_ends_a_body_that_drips() -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(dripping, context=localhost_server()) as listener, opened() as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await session.fetch("GET", listener.url, limit=MIB)
        async with asyncio.timeout(PROMPT):
            await listener.all_closed.wait()
        (exchange,) = session.take_exchanges()
    assert names(exchange.phases)[-1] == "body!"


async def test_closing_a_session_closes_its_idle_connections() -> None:
    async with serving(answer()) as web:
        async with opened() as session:
            await session.fetch("GET", web.url, limit=MIB)
            assert web.listener.open
        async with asyncio.timeout(PROMPT):
            await web.listener.all_closed.wait()


async def test_many_failures_leave_no_socket_behind() -> None:
    async with listening(saying(b"not tls")) as listener, opened(limits=Limits(tls=1)) as session:
        for _ in range(10):
            with pytest.raises(TransportError):
                await session.fetch("GET", listener.url, limit=MIB)
        async with asyncio.timeout(PROMPT):
            await listener.all_closed.wait()


def closing_as_asked_again(answers: int) -> Handler:
    """A server that closes a connection when it gets one request more than `answers`."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(answers):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await reader.readuntil(b"\r\n\r\n")

    return handler


async def test_a_get_on_a_connection_that_closes_meanwhile_is_asked_again() -> None:
    handler = closing_as_asked_again(1)
    async with listening(handler, context=localhost_server()) as listener, opened() as session:
        for _ in range(2):
            assert (await session.fetch("GET", listener.url, limit=MIB)).body == b"x"
        assert listener.connections == 2
        with pytest.raises(TransportError):
            await session.fetch("POST", listener.url, limit=MIB)
        assert listener.connections == 2
        async with asyncio.timeout(PROMPT):
            await listener.all_closed.wait()


async def test_a_get_is_asked_again_only_once() -> None:
    script = (answer(b"x"), Raw(b"", "close"))
    async with serving(*script) as web, opened() as session:
        await session.fetch("GET", web.url, limit=MIB)
        session.take_exchanges()
        await failure(session, web.url)
        assert len(web.asked) == 3
