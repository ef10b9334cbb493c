"""The commands that show what a URL really answers, pasted into a real bash."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.support.web import Asked, Raw, answer

# Retitles the terminal, clears it, and reorders what the eye reads; once in UTF-8, once in C1.
HOSTILE = b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xae" + b"\x9b2J\x00\x08"
# What curl would take for a range and a list, and ask each URL of them.
GLOB = "a[1-3]{b,c}"


class Acting(Script):
    """A stamp whose metadata is no JSON, but acts on a terminal, in a header and in the body."""

    def answer(self, asked: Asked) -> Raw:
        if asked.target.startswith("/metadata/endpoints"):
            return answer(HOSTILE, Server=HOSTILE.replace(b"\x00", b"").decode("latin-1"))
        return super().answer(asked)


class Globbing(Script):
    """A stamp that chose a login endpoint which curl would expand, and acts there."""

    def answer(self, asked: Asked) -> Raw:
        if asked.target.startswith("/metadata/endpoints"):
            login = f"https://{asked.headers['host']}/{GLOB}/adfs"
            return said({"authentication": {"loginEndpoint": login, "audiences": ["https://arm"]}})
        return answer(HOSTILE)


def pasted(command: str) -> bytes:
    """All that a bash has on its terminal after `command`."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    return done.stdout


def screen_style_of(verdict: dict[str, Any]) -> dict[str, str]:
    (remedy,) = (each for each in verdict["remedies"] if each["bash"].startswith("curl "))
    found: dict[str, str] = remedy
    return found


@pytest.mark.parametrize("script", [Acting, Globbing])
async def test_what_a_server_says_acts_on_no_terminal(script: type[Script], tmp_path: Path) -> None:
    async with scripted(script()) as web:
        look = screen_style_of(await verdict_on(tmp_path, web.url))
        asked = len(web.asked)
        shown = await asyncio.to_thread(pasted, look["bash"])
        assert len(web.asked) == asked + 1  # one URL, as it was written
        assert unquote(web.asked[-1].target) == unquote(web.asked[asked - 1].target)
        assert script is not Globbing or f"/{GLOB}/" in unquote(web.asked[-1].target)
    assert shown.startswith(b"HTTP/1.1 ")
    assert b"^[]0;owned^G^[[2J" in shown
    assert not set(shown) - {*range(0x20, 0x7F), *b"\r\n\t"}, shown


@pytest.mark.parametrize("script", [Acting, Globbing])
async def test_what_is_pasted_expands_nothing_and_shows_nothing_raw(
    script: type[Script], tmp_path: Path
) -> None:
    async with scripted(script()) as web:
        look = screen_style_of(await verdict_on(tmp_path, web.url))
    words = shlex.split(look["bash"])
    assert "-g" in words
    assert words[-2:] == ["cat", "-v"]
    assert look["bash"].endswith(" | cat -v")
    assert look["powershell"].endswith(r".RawContent -replace '[^\x20-\x7E\r\n\t]', '?'")
