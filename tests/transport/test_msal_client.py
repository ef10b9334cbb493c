"""MSAL's `http_client`: recorded answers first, then one request of ours."""

from __future__ import annotations

import asyncio

import pytest

from stacktui.text.sanitize import HELD_BACK
from stacktui.transport.msal_client import MAX_REQUESTS, MsalResponse, ReplayHttpClient, run_msal
from stacktui.transport.records import TransportError, TransportFaultKind
from tests.support.listeners import closed_port
from tests.support.sessions import opened
from tests.support.web import Asked, Raw, answer, serving


def anywhere(_url: str) -> None:
    """Permits every URL."""


async def test_work_runs_anew_with_one_answer_more_each_time() -> None:
    runs: list[list[str]] = []

    async with (
        serving(answer(b"one"), answer(b"two"), answer(b"three")) as web,
        opened() as session,
    ):

        def work(client: ReplayHttpClient) -> list[str]:
            runs.append([])
            for path in ("a", "b", "c"):
                runs[-1].append(client.get(f"{web.url}/{path}").text)
            assert client.said == (200, "three")
            return runs[-1]

        assert await run_msal(session, work, anywhere) == ["one", "two", "three"]
        exchanges = session.take_exchanges()
    assert runs == [[], ["one"], ["one", "two"], ["one", "two", "three"]]
    assert [asked.target for asked in web.asked] == ["/a", "/b", "/c"]
    assert len(exchanges) == 3


async def test_what_is_made_once_is_not_made_again_nor_its_answers_taken_twice() -> None:
    made: list[str] = []

    async with (
        serving(answer(b"one"), answer(b"two"), answer(b"three")) as web,
        opened() as session,
    ):

        def make(client: ReplayHttpClient) -> str:
            made.append(client.get(web.url).text)
            return made[-1]

        def work(client: ReplayHttpClient) -> list[str]:
            first = client.once(lambda: make(client))
            return [first, client.get(web.url).text, client.get(web.url).text]

        assert await run_msal(session, work, anywhere) == ["one", "two", "three"]
    assert made == ["one"]


async def test_requests_are_sent_as_msal_means_them() -> None:
    async with serving(answer(b"x")) as web, opened() as session:

        def work(client: ReplayHttpClient) -> None:
            client.get(
                f"{web.url}/get?a=1", params={"b": "2 3"}, headers={"X-A": "1"}, verify=False
            )
            client.get(f"{web.url}/plain", params={"b": "&"})
            client.post(f"{web.url}/form", data={"k": "v&w ü"}, timeout=3)
            client.post(f"{web.url}/text", data="raw", headers={"Content-Type": "text/plain"})
            client.post(f"{web.url}/none")

        await run_msal(session, work, anywhere)
    get, plain, form, text, none = web.asked
    assert (get.method, get.target, get.headers["x-a"]) == ("GET", "/get?a=1&b=2+3", "1")
    assert plain.target == "/plain?b=%26"
    assert (form.method, form.body) == ("POST", b"k=v%26w+%C3%BC")
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (text.body, text.headers["content-type"]) == (b"raw", "text/plain")
    assert (none.method, none.body) == ("POST", b"")


async def test_an_answer_is_what_msal_reads() -> None:
    said = answer(b'\xef\xbb\xbf{"a": "\xff"}', status="400 Bad", Retry_After="7")
    async with serving(said) as web, opened() as session:
        found = await run_msal(session, lambda client: client.get(web.url), anywhere)
    assert (found.status_code, found.text) == (400, '{"a": "\ufffd"}')
    assert found.headers["retry-after"] == "7"
    with pytest.raises(RuntimeError, match="HTTP 400"):
        found.raise_for_status()


async def test_a_good_status_raises_nothing() -> None:
    MsalResponse(399, "", {}).raise_for_status()


async def test_no_handler_of_msals_swallows_a_wanted_request() -> None:
    async with serving(answer(b"x")) as web, opened() as session:

        def work(client: ReplayHttpClient) -> str:
            try:
                return client.get(web.url).text
            except Exception:  # as MSAL does
                return "swallowed"

        assert await run_msal(session, work, anywhere) == "x"


async def test_what_work_raises_comes_through() -> None:
    async with opened() as session:

        def work(_client: ReplayHttpClient) -> None:
            raise ValueError("from MSAL")

        with pytest.raises(ValueError, match="from MSAL"):
            await run_msal(session, work, anywhere)


async def test_what_the_transport_raises_comes_through() -> None:
    with closed_port() as port:
        async with opened() as session:
            with pytest.raises(TransportError) as caught:
                await run_msal(
                    session, lambda client: client.get(f"https://127.0.0.1:{port}"), anywhere
                )
    assert caught.value.fault.kind is TransportFaultKind.TCP_REFUSED


async def test_asking_without_end_is_stopped() -> None:
    async with serving(answer()) as web, opened() as session:

        def work(client: ReplayHttpClient) -> None:
            while True:
                client.get(web.url)

        with pytest.raises(RuntimeError, match=f"more than {MAX_REQUESTS} requests"):
            await run_msal(session, work, anywhere)
    assert len(web.asked) == MAX_REQUESTS


async def test_a_cancelled_run_makes_no_further_request() -> None:
    async with serving(Raw(b"", "hang")) as web, opened() as session:
        task = asyncio.create_task(run_msal(session, lambda client: client.get(web.url), anywhere))
        async with asyncio.timeout(2):
            await web.arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await web.listener.all_closed.wait()
    assert len(web.asked) == 1


async def test_neither_bodies_nor_headers_show() -> None:
    def said(asked: Asked) -> Raw:
        assert asked.body == b"client_secret=s3cret-value"
        return answer(b'{"access_token": "t0ken-value"}', status="200 OK")

    async with serving(said) as web, opened() as session:
        shown = await run_msal(
            session,
            lambda client: repr(
                client.post(
                    web.url,
                    data={"client_secret": "s3cret-value"},
                    headers={"Authorization": "s3cret-value"},
                )
            ),
            anywhere,
        )
        shown += repr(session.take_exchanges())
    assert "s3cret" not in shown
    assert "t0ken" not in shown


async def test_nothing_is_sent_where_it_is_not_permitted() -> None:
    def nowhere(url: str) -> None:
        raise PermissionError(url)

    async with serving(answer()) as web, opened() as session:
        with pytest.raises(PermissionError, match="localhost"):
            await run_msal(session, lambda client: client.post(web.url, data={"a": "b"}), nowhere)
        assert web.listener.connections == 0


async def test_a_token_in_the_headers_of_its_own_answer_does_not_show() -> None:
    token = "opaque-t0ken-value"
    said = answer(
        f'{{"access_token": "{token}"}}'.encode(), x_ms_request_id=token, Location=f"/{token}"
    )
    async with serving(said) as web, opened() as session:
        await run_msal(session, lambda client: client.post(web.url, data={"a": "b"}), anywhere)
        (exchange,) = session.take_exchanges()
    assert exchange.response is not None
    assert exchange.response.header("x-ms-request-id") == "[redacted]"
    assert exchange.response.header("location") == "/[redacted]"


@pytest.mark.parametrize("url", [5, None, [], {}, True])
async def test_what_is_no_url_is_asked_for_permission_as_none(url: object) -> None:
    asked: list[str] = []

    def nowhere(url: str) -> None:
        asked.append(url)
        raise PermissionError

    async with opened() as session:
        with pytest.raises(PermissionError):
            await run_msal(session, lambda client: client.post(url, data={}), nowhere)  # type: ignore[arg-type]
        assert session.take_exchanges() == ()
    assert asked == [""]


async def test_an_assertion_that_is_echoed_is_held_back() -> None:
    assertion = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0xMjM0NTY3ODkw.c2lnbmF0dXJlLW9mLW9wcw"
    told = f"AADSTS700027: {assertion.rpartition('.')[2][::-1]}"
    refusal = answer(told.encode(), status="401 Unauthorized")
    async with serving(refusal) as web, opened() as session:
        given = {"client_id": "ops", "client_assertion": assertion}
        said = await run_msal(session, lambda client: client.post(web.url, data=given), anywhere)
        assert session.redactor.sanitize_untrusted(said.text) == HELD_BACK
        assert told not in repr(session.take_exchanges())
