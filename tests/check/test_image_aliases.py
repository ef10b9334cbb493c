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


async def test_a_redirect_is_said_and_not_followed() -> None:
    location = "https://elsewhere.example/\x1b[2J"
    async with serving_plain(answer(status="302 Found", Location=location)) as web:
        told = await refusal(f"{web.url}/a.json")
    assert "status 302, which points to https://elsewhere.example/" in told
    assert told.isprintable()
    assert len(web.asked) == 1


async def test_a_status_and_a_fault_are_said() -> None:
    async with serving_plain(answer(b"none", status="404 Not Found")) as web:
        told = await refusal(f"{web.url}/a.json")
        assert told.startswith(f"{web.url}/a.json answers with status 404; az then uses the list")
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/a.json"
        assert (await refusal(url)).startswith(f"{url} cannot be fetched: 127.0.0.1: ")


async def test_it_ends_in_time_and_in_size() -> None:
    slow = Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"[", b"["], pause=1.0)
    async with serving_plain(slow) as web:
        told = await refusal(f"{web.url}/a", step=0.3)
        assert told.startswith(f"{web.url}/a did not answer whole in 0.3 s; ")
    async with serving_plain(answer(b" " * (1024 * 1024 + 1))) as web:
        assert re.search("larger than 1048576 bytes", await refusal(f"{web.url}/a"))
