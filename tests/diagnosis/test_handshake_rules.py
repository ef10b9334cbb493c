"""Verdicts on handshakes that come to no certificate, each by a real listener."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.servers import verdict_on
from tests.product import check_json, limited, write_config
from tests.support.listeners import (
    Handler,
    closing_at_once,
    listening,
    reset,
    resetting,
    saying,
    silent,
    until_closed,
)
from tests.support.proxies import proxying

DOMAIN = "local.azurestack.external"


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize(
    ("fault", "side", "shown"),
    [
        ("tcp-reset", "network", f"(SNI): management.{DOMAIN}"),
        ("tls-not-tls", "box", "it answered: HTTP/1.1 400"),
        ("tls-timeout", "network", "did not end in 0.5 s"),
    ],
)
def test_a_fault_of_the_stamp_is_named(
    fault: str, side: str, shown: str, idp: IdentityProvider, tmp_path: Path
) -> None:
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        ran = check_json(write_config(tmp_path, stamp.describe()), *limited(tls=0.5))
    verdict = ran.document["verdict"]
    assert (ran.code, verdict["id"], verdict["side"]) == (1, fault, side)
    assert any(shown in line for line in verdict["evidence"]), verdict["evidence"]
    assert verdict["remedies"]
    assert [each["outcome"] for each in ran.document["steps"]] == ["failed", "skipped", "skipped"]


@pytest.mark.parametrize("handler", [closing_at_once, resetting])
async def test_a_connection_that_ends_before_tls(handler: object, tmp_path: Path) -> None:
    async with listening(handler) as listener:  # type: ignore[arg-type]
        verdict = await verdict_on(tmp_path, listener.url)
        assert (verdict["id"], verdict["side"]) == ("tcp-reset", "network")
        command = verdict["remedies"][0]["bash"]
        assert f"localhost:{listener.port}" in command
        seen = listener.connections
        await asyncio.to_thread(subprocess.run, ["bash", "-c", command], capture_output=True)
        assert listener.connections == seen + 2  # with the name and without it


def ending_tls(said: dict[bytes, bytes]) -> Handler:
    """End each handshake, and answer what begins otherwise: by its first byte, or not at all."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1)
        if first == b"\x16":  # a record of TLS
            reset(writer)
        elif first in said:
            writer.write(said[first])
            await writer.drain()
        elif said:
            await until_closed(reader)

    return handler


HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NGINX = b"HTTP/1.1 400 Bad\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>"
STANDING = {
    "a web server": ({b"G": HTTP}, "tls-not-tls", "speaks plain HTTP", "200 OK"),
    "SSH that waits": ({b"G": b"SSH-2.0-X\r\n"}, "tls-not-tls", "speaks SSH", "SSH-2.0-X"),
    "SOCKS that refuses": ({b"G": b"\x05\xff"}, "tls-not-tls", "speaks SOCKS", "x05"),
    "SOCKS that is greeted": ({b"\x05": b"\x05\x00"}, "tls-not-tls", "speaks SOCKS", "x05"),
    # neighbours
    "a server that wants TLS": ({b"G": NGINX}, "tcp-reset", "closes the", "wants TLS"),
    "silence": ({b"x": b""}, "tcp-reset", "closes the", "silence"),
    "no service at all": ({}, "tcp-reset", "closes the", "closed too"),
}


@pytest.mark.parametrize("case", STANDING)
async def test_a_plain_request_tells_what_stands_on_a_port(case: str, tmp_path: Path) -> None:
    said, id_, title, shown = STANDING[case]
    async with listening(ending_tls(said)) as listener:
        verdict = await verdict_on(tmp_path, listener.url, limits={"tls": 0.2})
    assert verdict["id"] == id_
    assert title in verdict["title"]
    assert any(shown in line for line in verdict["evidence"]), verdict["evidence"]


async def test_a_plain_request_has_no_secret(tmp_path: Path) -> None:
    """Behind a proxy with a password too: it asks the stamp, not the proxy."""
    heard: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        reset(writer)

    async with listening(noting) as listener, proxying(password="dTpw") as proxy:  # u:p
        settings = f'proxy = "{proxy.url.replace("://", "://u:p@")}"'
        verdict = await verdict_on(tmp_path, listener.url, settings=settings)
    assert verdict["id"] == "tcp-reset"
    plain = [each for each in heard if not each.startswith(b"\x16")]
    assert plain[0].startswith(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    assert plain[1:] == [b"\x05\x01\x00"]
    assert not [each for each in plain if b"uthorization" in each or b"dTpw" in each]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks plain HTTP"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "speaks SSH"),
        (b"220 mail.contoso.example ESMTP\r\n", "speaks SMTP or FTP"),
        (b"\x00\x01 whatever", "speaks something else"),
    ],
)
async def test_what_is_spoken_instead_of_tls_is_said(
    said: bytes, expected: str, tmp_path: Path
) -> None:
    async with listening(saying(said)) as listener:
        verdict = await verdict_on(tmp_path, listener.url)
    assert (verdict["id"], verdict["side"]) == ("tls-not-tls", "box")
    assert expected in verdict["title"]
    assert any("443" in each["title"] for each in verdict["remedies"])


async def test_an_https_proxy_that_speaks_plain_http(tmp_path: Path) -> None:
    async with listening(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as listener:
        proxy = f"https://localhost:{listener.port}"
        verdict = await verdict_on(
            tmp_path,
            "https://management.local.azurestack.invalid",
            settings="\n",
            variables={"HTTPS_PROXY": proxy},
        )
    assert verdict["id"] == "tls-not-tls"
    assert verdict["title"].startswith("the proxy localhost port ")
    assert verdict["remedies"][0]["bash"] == (
        f"export HTTPS_PROXY=http://localhost:{listener.port}"
    )


async def test_silence_behind_a_pin_is_pinged_where_it_was_reached(tmp_path: Path) -> None:
    async with listening(silent) as listener:
        verdict = await verdict_on(
            tmp_path,
            "https://management.east.contoso.invalid",
            settings='proxy = "none"\nresolve = '
            f'{{ "management.east.contoso.invalid:443" = "127.0.0.1:{listener.port}" }}',
            limits={"tls": 0.5},
        )
    assert verdict["id"] == "tls-timeout"
    assert "-s 1472 127.0.0.1" in verdict["remedies"][0]["bash"]


async def test_an_alert_that_says_nothing_is_not_explained(tmp_path: Path) -> None:
    """A handshake failure (RFC 8446 section 6.2) may be ciphers, names or client certificates."""
    async with listening(saying(b"\x15\x03\x01\x00\x02\x02\x28")) as listener:
        verdict = await verdict_on(tmp_path, listener.url)
    assert verdict["id"] == "unexplained"


async def test_behind_a_pin_nobody_speaks_of_a_proxy(tmp_path: Path) -> None:
    async with listening(resetting) as listener:
        name = "management.local.azurestack.invalid"
        pin = f'"{name}:443" = "127.0.0.1:{listener.port}"'
        settings = f'proxy = "none"\nresolve = {{ {pin} }}'
        verdict = await verdict_on(tmp_path, f"https://{name}", settings=settings)
    assert verdict["id"] == "tcp-reset"
    assert "proxy" not in verdict["title"]
