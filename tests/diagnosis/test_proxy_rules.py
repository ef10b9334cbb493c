"""Verdicts on proxies, each a real one on loopback, and what is no fault of a proxy's."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.servers import Script, scripted, verdict_on
from tests.product import check_json
from tests.support.listeners import (
    closed_port,
    closing_at_once,
    listening,
    saying,
    until_closed,
)
from tests.support.proxies import answering_connect, proxying

NO_SETTING = "\n"  # the variables decide
ARM = "https://management.local.azurestack.invalid"


async def through(
    folder: Path, url: str, *, by: str = "HTTPS_PROXY", arm: str = ARM
) -> dict[str, Any]:
    if by == "proxy setting":
        return await verdict_on(folder, arm, settings=f'proxy = "{url}"')
    return await verdict_on(folder, arm, settings=NO_SETTING, variables={by: url})


def pasted(command: str, variables: Mapping[str, str], *, typed: str = "") -> dict[str, str]:
    """The proxy variables of a shell after `command` was pasted into it."""
    done = subprocess.run(
        ["bash", "-c", f"{command}\nenv"],
        env={"PATH": os.environ["PATH"]} | variables,
        input=typed,
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.partition("=")[::2] for line in done.stdout.splitlines())
    return {name: value for name, value in pairs if name.lower().endswith("_proxy")}


@pytest.mark.parametrize("by", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "proxy setting"])
async def test_a_proxy_that_is_not_there(by: str, tmp_path: Path) -> None:
    with closed_port() as port:
        verdict = await through(tmp_path, f"http://localhost:{port}", by=by)
    assert (verdict["id"], verdict["side"]) == ("proxy-unreachable", "box")
    assert f"{by} names the proxy localhost:{port}" in verdict["evidence"]
    assert any("ECONNREFUSED" in line for line in verdict["evidence"])
    direct = {"kind": "set", "key": "proxy", "value": "none"}
    settled = [each for each in verdict["remedies"] if each["action"] == direct]
    assert bool(settled) == (by == "proxy setting")


async def test_a_proxy_whose_name_does_not_exist(tmp_path: Path) -> None:
    verdict = await through(tmp_path, "http://proxy.nowhere.invalid:3128")
    assert verdict["id"] == "proxy-unreachable"
    assert "proxy.nowhere.invalid" in verdict["title"]


async def test_a_proxy_that_cannot_be_read(tmp_path: Path) -> None:
    verdict = await through(tmp_path, "http://u:hunter2/x@proxy:3128")
    assert (verdict["id"], verdict["side"]) == ("proxy-unreachable", "box")
    assert verdict["title"] == "The proxy in HTTPS_PROXY cannot be read"
    assert "hunter2" not in str(verdict)
    after = pasted(verdict["remedies"][0]["bash"], {"HTTPS_PROXY": "http://u:x/x@proxy:3128"})
    assert after["HTTPS_PROXY"] == "http://proxy.example:8080"


@pytest.mark.parametrize(
    "before", [{}, {"NO_PROXY": "a.test"}, {"no_proxy": "b.test"}, {"no_proxy": ""}]
)
async def test_going_round_a_proxy_works_when_pasted(
    before: dict[str, str], tmp_path: Path
) -> None:
    with closed_port() as port:
        proxy = f"http://localhost:{port}"
        async with scripted(Script()) as web:
            first = await verdict_on(
                tmp_path, web.url, settings=NO_SETTING, variables=before | {"HTTPS_PROXY": proxy}
            )
            assert first["id"] == "proxy-unreachable"
            (way,) = (each for each in first["remedies"] if "NO_PROXY" in each["title"])
            after = pasted(way["bash"], before | {"HTTPS_PROXY": proxy})
            assert after["NO_PROXY"] == after["no_proxy"]
            assert set(filter(None, before.values())) <= set(after["NO_PROXY"].split(","))
            second = await asyncio.to_thread(check_json, tmp_path / "config.toml", **after)
            assert second.code == 0, second.out


async def test_the_whole_stamp_goes_round_by_its_domain(tmp_path: Path) -> None:
    with closed_port() as port:
        verdict = await through(tmp_path, f"http://localhost:{port}")
    (way,) = (each for each in verdict["remedies"] if "NO_PROXY" in each["title"])
    assert pasted(way["bash"], {})["NO_PROXY"] == ".local.azurestack.invalid"
    assert "'.local.azurestack.invalid'" in way["powershell"]


async def test_a_proxy_that_wants_a_password(tmp_path: Path) -> None:
    async with scripted(Script()) as web, proxying(password="dTpw") as proxy:  # u:p
        verdict = await through(tmp_path, proxy.url, arm=web.url)
        assert (verdict["id"], verdict["side"]) == ("proxy-auth-required", "box")
        assert "schemes offered: Negotiate, Basic" in verdict["evidence"]
        command = verdict["remedies"][0]["bash"]
        variables = await asyncio.to_thread(pasted, command, {}, typed="u:p\n")
        assert variables == {"HTTPS_PROXY": proxy.url.replace("://", "://u:p@")}
        after = await asyncio.to_thread(check_json, tmp_path / "config.toml", **variables)
        assert after.code == 0, after.out


REFUSING = {
    "407": b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",
    "401": b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n",
}


@pytest.mark.parametrize("status", REFUSING)
async def test_credentials_that_were_sent_and_refused(status: str, tmp_path: Path) -> None:
    async with listening(answering_connect(REFUSING[status])) as listener:
        url = f"http://user:s3cret-word@localhost:{listener.port}"
        sent = await through(tmp_path, url)
        asked = await through(tmp_path, url.replace("user:s3cret-word@", ""))
    for each in (sent, asked):
        assert (each["id"], each["side"]) == ("proxy-auth-required", "box")
    assert "refuses the user name" in sent["title"]
    assert "asks for" in asked["title"]
    assert "a user name and password were sent to it, from HTTPS_PROXY" in sent["evidence"]
    assert "schemes offered: Basic" in sent["evidence"]
    assert "s3cret-word" not in str(sent)


async def test_quotation_marks_in_the_variable(tmp_path: Path) -> None:
    async with scripted(Script()) as web, proxying() as proxy:
        value = f'"{proxy.url.replace("://", "://u:hunter2@")}"'
        verdict = await through(tmp_path, value, arm=web.url)
        assert (verdict["id"], verdict["side"]) == ("proxy-unreachable", "box")
        assert "in quotation marks" in verdict["title"]
        assert "hunter2" not in str(verdict)
        after = pasted(verdict["remedies"][0]["bash"], {"HTTPS_PROXY": value})
        assert after["HTTPS_PROXY"] == value.strip('"')
        healthy = await asyncio.to_thread(check_json, tmp_path / "config.toml", **after)
        assert healthy.code == 0, healthy.out


NO_PROXIES = {
    "*.local.azurestack.invalid": True,
    '".local.azurestack.invalid"': True,
    "https://management.local.azurestack.invalid": True,
    "a.test;.local.azurestack.invalid": True,
    # neighbours
    "*.east.azurestack.invalid": False,
    "localhost,10.0.0.0/8,other.test": False,
    "": False,
}


@pytest.mark.parametrize("value", NO_PROXIES)
async def test_an_entry_of_no_proxy_that_never_matches(value: str, tmp_path: Path) -> None:
    with closed_port() as port:
        variables = {"HTTPS_PROXY": f"http://localhost:{port}", "NO_PROXY": value}
        verdict = await verdict_on(tmp_path, ARM, settings=NO_SETTING, variables=variables)
    assert verdict["id"] == "proxy-unreachable"
    told = [each for each in verdict["evidence"] if "never matches" in each]
    assert bool(told) is NO_PROXIES[value]
    assert all(each.endswith("write .local.azurestack.invalid") for each in told)


async def test_a_port_that_speaks_socks(tmp_path: Path) -> None:
    """It closes what is no SOCKS, as most do; another says that it accepts no method."""

    async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readexactly(1)) == b"\x05":
            writer.write(b"\x05\x00")
            await writer.drain()

    async with listening(socks) as listener:
        verdict = await through(tmp_path, f"http://u:hunter2@localhost:{listener.port}")
    assert (verdict["id"], verdict["side"]) == ("proxy-unreachable", "box")
    assert "speaks SOCKS" in verdict["title"]
    assert "HTTPS_PROXY" in verdict["remedies"][0]["bash"]
    async with listening(saying(b"\x05\xff", then_close=True)) as listener:
        verdict = await through(tmp_path, f"http://localhost:{listener.port}")
    assert (verdict["id"], verdict["side"]) == ("proxy-unreachable", "box")


async def test_a_port_that_says_nothing(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def quiet(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        await until_closed(reader)

    async with listening(quiet) as listener:
        config = f'proxy = "http://u:p@localhost:{listener.port}"'
        limits = {"first_byte": 0.2, "tls": 0.2}
        verdict = await verdict_on(tmp_path, ARM, settings=config, limits=limits)
    assert (verdict["id"], verdict["side"]) == ("proxy-refused", "network")
    assert "says nothing" in verdict["title"]
    # Only the CONNECT has the credentials.
    assert ["uthorization" in each.decode() for each in heard] == [True, False, False]


async def test_a_proxy_that_offers_nothing_we_speak(tmp_path: Path) -> None:
    said = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n"
    async with listening(answering_connect(said)) as listener:
        verdict = await through(tmp_path, f"http://localhost:{listener.port}")
    assert verdict["id"] == "proxy-auth-required"
    assert "Negotiate or NTLM" in verdict["remedies"][0]["title"]
    assert verdict["remedies"][0]["bash"] == ""


@pytest.mark.parametrize(
    ("said", "expected", "remedy"),
    [
        (b"HTTP/1.1 403 Blocked by policy\r\n\r\n", "403 Blocked by policy", "allow CONNECT"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway", "cannot reach"),
        (b"", "closed the connection", "does not answer"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel(
    said: bytes, expected: str, remedy: str, tmp_path: Path
) -> None:
    async with listening(answering_connect(said)) as listener:
        verdict = await through(tmp_path, f"http://localhost:{listener.port}")
    assert (verdict["id"], verdict["side"]) == ("proxy-refused", "network")
    assert any(expected in line for line in verdict["evidence"])
    assert any(remedy in each["title"] for each in verdict["remedies"])


async def test_a_proxy_that_is_none_is_not_explained(tmp_path: Path) -> None:
    async with listening(answering_connect(b"SSH-2.0-OpenSSH\r\n\r\n")) as listener:
        verdict = await through(tmp_path, f"http://localhost:{listener.port}")
    assert verdict["id"] == "unexplained"


async def test_a_fault_behind_a_proxy_is_not_the_proxys(tmp_path: Path) -> None:
    async with listening(closing_at_once) as listener, proxying() as proxy:
        verdict = await through(tmp_path, proxy.url, arm=listener.url)
    assert verdict["id"] == "tcp-reset"
    assert any(proxy.url in line for line in verdict["evidence"])
