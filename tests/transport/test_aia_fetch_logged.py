"""The request log has what is fetched from a certificate's AIA URL, as the curl line."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from stacktui.text.shell import for_this_machine
from stacktui.transport import aia_fetch
from stacktui.transport.aia_fetch import fetch_public
from stacktui.transport.background import in_background
from stacktui.transport.records import Exchange
from stacktui.transport.request_commands import command_lines
from stacktui.transport.request_log import logging_requests
from tests.support.listeners import closed_port, listening, silent
from tests.support.publishing import PLACE, leading_to
from tests.support.web import answer, serving_plain

LIMIT = 1000
URL = f"{PLACE}/a%20b/root.crt?x='y"


@pytest.fixture
def logged() -> Iterator[list[Exchange]]:
    found: list[Exchange] = []
    with logging_requests(found.append):
        yield found


def line_of(exchange: Exchange) -> str:
    (line,) = map(for_this_machine, command_lines(exchange))
    return line


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
@pytest.mark.parametrize("by", ["pin", "proxy"])
async def test_the_line_repeats_the_request(by: str, logged: list[Exchange]) -> None:
    async with serving_plain(answer(b"a certificate")) as web:
        secret = f"http://ops:geheim-5512@{urlsplit(web.url).netloc}"
        proxy, pins = ("none", leading_to(web)) if by == "pin" else (secret, {})
        assert await fetch_public(URL, LIMIT, proxy, pins) == b"a certificate"
        (exchange,) = logged
        line = line_of(exchange)
        assert "geheim" not in f"{line}{exchange}"
        command = ["bash", "-c", line]
        done = await in_background(
            lambda: subprocess.run(command, capture_output=True, timeout=30, check=True)
        )
        assert (done.stdout, done.stderr) == (b"a certificate", b"")
        ours, theirs = web.asked
    assert (theirs.method, theirs.target) == (ours.method, ours.target)
    assert (exchange.outcome, exchange.method) == ("200", "GET")
    phases = [each.name.value for each in exchange.phases]
    assert phases == ["dns", "tcp", "request", "first-byte", "body"]


async def test_one_that_fails_says_how(
    logged: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aia_fetch, "_SECONDS", 0.2)
    async with serving_plain(answer(status="404 Not Found")) as web:
        await fetch_public(PLACE, LIMIT, "none", leading_to(web))
    async with serving_plain(answer(b"x" * (LIMIT + 1))) as web:
        await fetch_public(PLACE, LIMIT, "none", leading_to(web))
    with closed_port() as port:
        await fetch_public(PLACE, LIMIT, "none", leading_to(port))
    async with listening(silent) as listener:
        await fetch_public(PLACE, LIMIT, "none", leading_to(listener.port))
    await fetch_public("http://nowhere.invalid/", LIMIT, "none")
    *known, unknown = (each.outcome for each in logged)
    assert known == ["404", "200 too-large", "tcp-refused", "first-byte-timeout"]
    assert unknown.startswith("dns-")


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ftp://ca.test/x", "http://a@b/x", "http:"])
async def test_what_is_not_asked_is_not_logged(url: str, logged: list[Exchange]) -> None:
    assert isinstance(await fetch_public(url, LIMIT, "none"), str)
    assert logged == []
