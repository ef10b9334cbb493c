"""Fetching the document of VM image aliases: without a token, within bounds, and to one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stacktui.check.image_aliases import AliasFetchError, fetch_aliases
from stacktui.check.target import CheckTarget
from stacktui.environments.alias_document import SAMPLE, AliasDocument, render_aliases
from stacktui.environments.model import Environment
from stacktui.transport.limits import Limits
from tests.support.authority import authority
from tests.support.listeners import closed_port
from tests.support.web import Raw, answer, serving, serving_plain

BUILT_IN = "uses the list that it has built in"
BODY = render_aliases(SAMPLE).encode()


def target(ca: Path | None = None, proxy: str = "none", **limits: float) -> CheckTarget:
    environment = Environment(
        "A",
        "https://management.west.example",
        proxy=proxy,
        ca=ca,
        limits=Limits().with_settings(limits),
    )
    return CheckTarget(environment)


async def refusal(url: str, **limits: float) -> str:
    with pytest.raises(AliasFetchError) as caught:
        await fetch_aliases(target(**limits), url)
    return str(caught.value)


async def test_it_comes_over_https_with_the_environments_trust(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().root.pem)
    async with serving(answer(BODY)) as web:
        assert await fetch_aliases(target(ca), f"{web.url}/a.json") == AliasDocument(SAMPLE)
        assert "authorization" not in web.asked[0].headers
        assert "certificate" in await refusal(f"{web.url}/a.json")


async def test_it_comes_over_http_as_az_takes_it() -> None:
    async with serving_plain(answer(BODY)) as web:
        assert await fetch_aliases(target(), f"{web.url}/a.json") == AliasDocument(SAMPLE)
        assert "authorization" not in web.asked[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_said_and_not_followed(status: int) -> None:
    location = "https://elsewhere.example/\x1b[2J"
    async with serving_plain(answer(status=f"{status} Found", Location=location)) as web:
        told = await refusal(f"{web.url}/a.json")
    assert f"status {status}, which points to https://elsewhere.example/" in told
    assert "az follows that" in told
    assert BUILT_IN not in told
    assert told.isprintable()
    assert len(web.asked) == 1


async def test_where_a_redirect_points_to_is_said_without_a_secret() -> None:
    location = "https://me:hunter2@elsewhere.example/a.json?sv=1&sig=hunter2"
    async with serving_plain(answer(status="302 Found", Location=location)) as web:
        told = await refusal(f"{web.url}/a.json")
    assert "elsewhere.example/a.json?sv=1" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized", "300 Many", "302 Found"])
async def test_a_status_is_said(status: str) -> None:
    async with serving_plain(answer(b"none", status=status)) as web:
        told = await refusal(f"{web.url}/a.json")
    assert told.startswith(f"{web.url}/a.json answers with status {status[:3]}; az then uses the")
    assert BUILT_IN in told


async def test_a_fault_is_said(tmp_path: Path) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/a.json"
        told = await refusal(url)
        assert told.startswith(f"{url} cannot be fetched: 127.0.0.1: ")
        assert BUILT_IN in told
    async with serving(answer(BODY)) as web:
        assert BUILT_IN in await refusal(f"{web.url}/a.json")
    # az ends with a traceback at this.
    cut = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", "close")
    async with serving_plain(cut) as web:
        told = await refusal(f"{web.url}/a.json")
        assert told.startswith(f"{web.url}/a.json cannot be fetched: ")
        assert "az " not in told


async def test_it_ends_in_time_and_in_size() -> None:
    slow = Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"[", b"["], pause=1.0)
    async with serving_plain(slow) as web:
        told = await refusal(f"{web.url}/a", step=0.3)
        assert told.startswith(f"{web.url}/a did not answer whole in 0.3 s; az has no time-out")
        assert BUILT_IN not in told
    async with serving_plain(answer(b" " * (1024 * 1024 + 1))) as web:
        told = await refusal(f"{web.url}/a")
        assert re.search("larger than 1048576 bytes; az has no limit", told)
        assert BUILT_IN not in told
