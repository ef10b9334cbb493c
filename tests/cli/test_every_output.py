"""What a server sends and nobody may read is in no output: text, JSON, Markdown, the screen."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stacktui.tui.app import StacktuiApp
from tests.diagnosis.servers import Script, config_for, said, scripted
from tests.product import check_json, stacktui
from tests.support.web import Asked, Raw, answer
from tests.tui.screen import text_of, until

# A Kerberos token as http.sys sends it (PROTOCOL.md section 4), and others that begin otherwise.
BLOB = "oYG3MIG0oAMKAQChCwYJKoZIgvcSAQICooGfBIGcYIGZBgkqhkiG9xIBAgICAG+BiTCB"
CHALLENGES = {
    f"{BLOB}==": "",
    f"Negotiate {BLOB}": "Negotiate",
    f"Negotiate {BLOB}==, NTLM\tTlRMTVNTUAACAAAA": "Negotiate, NTLM",
    f'{BLOB}, Bearer realm="a, b", nonce="{BLOB}", error="invalid_token"': (
        'Bearer realm="a, b", error="invalid_token"'
    ),
    f'Bearer authorization_uri="https://login/t", claims="{BLOB}", Negotiate {BLOB}': (
        'Bearer authorization_uri="https://login/t", Negotiate'
    ),
    f'New token="{BLOB}", realm="x", Basic realm="{{}}"': 'Basic realm="{}"',
    f'Basic realm="{BLOB}': "Basic",
}
STATUSES = {"200 OK": 0, "401 Unauthorized": 1}


@dataclass
class Challenging(Script):
    """Every answer carries the headers that may hold a secret; ARM's lists have `status`."""

    challenge: str = f"Negotiate {BLOB}"
    status: str = "200 OK"

    def answer(self, asked: Asked) -> Raw:
        listed = asked.target.startswith("/subscriptions")
        document = {"error": {"code": "ExpiredAuthenticationToken", "message": "No."}}
        refused = listed and STATUSES[self.status]
        given = said(document, self.status) if refused else super().answer(asked)
        fields = f"WWW-Authenticate: {self.challenge}\r\n"
        for name in ("Proxy-Authenticate", "Authentication-Info", "Proxy-Authentication-Info"):
            fields += f"{name}: Negotiate {BLOB}\r\n"
        fields += f"Set-Cookie: session={BLOB}; Secure\r\n"
        head, _, rest = given.whole().partition(b"\r\n")
        return replace(given, data=head + b"\r\n" + fields.encode() + rest)


async def outputs(config: Path, code: int) -> dict[str, str]:
    """What `check` on a config ends with and writes in each format, and what the screen shows."""
    found = {}
    for format_ in ("text", "json", "markdown"):
        ran = await asyncio.to_thread(stacktui, "check", "--config", config, "--format", format_)
        assert ran.code == code, ran
        found[format_] = ran.out + ran.err
    async with StacktuiApp(config, auto_check=True).run_test(size=(160, 200)) as pilot:
        await until(pilot, "OK ─" if code == 0 else "FAULT ─")
        await pilot.press("0", "enter", "Y")
        await pilot.pause()
        found["screen"] = text_of(pilot.app)
        found["copied"] = pilot.app.copier.text
    return found


@pytest.mark.parametrize("status", STATUSES)
async def test_a_kerberos_token_is_in_no_output(status: str, tmp_path: Path) -> None:
    async with scripted(Challenging(status=status)) as web:
        config = config_for(tmp_path, web.url)
        for output, text in (await outputs(config, STATUSES[status])).items():
            assert len(text) > 100, output
            assert BLOB[:4] not in text, output


@pytest.mark.parametrize("challenge", CHALLENGES)
async def test_the_schemes_and_harmless_parameters_stay(challenge: str, tmp_path: Path) -> None:
    async with scripted(Challenging(challenge=challenge)) as web:
        ran = await asyncio.to_thread(check_json, config_for(tmp_path, web.url))
    assert BLOB[:4] not in ran.out
    exchange = ran.document["steps"][0]["evidence"]["exchanges"][0]
    headers = dict(exchange["response"].get("headers", ()))
    assert headers.get("www-authenticate", "") == CHALLENGES[challenge]


async def test_the_password_in_a_login_endpoint_is_in_no_output(tmp_path: Path) -> None:
    url = "https://ops:hunter2@login.invalid/adfs"
    for login in (json.dumps(url), json.dumps(url).replace("/", r"\/")):
        body = f'{{"authentication": {{"loginEndpoint": {login}, "audiences": ["a"]}}}}'
        async with scripted(Script(answer(body.encode()))) as web:
            found = await outputs(config_for(tmp_path, web.url), 1)
            assert {each.target.partition("?")[0] for each in web.asked} == {"/metadata/endpoints"}
        for output, text in found.items():
            assert "hunter2" not in text, output
            assert "metadata-incomplete" in text, output
        verdict = json.loads(found["json"])["verdict"]
        assert "loginEndpoint holds a user name or password" in verdict["evidence"][0]


async def test_the_password_in_a_config_is_in_no_output(tmp_path: Path) -> None:
    config = config_for(tmp_path, "https://ops:hunter2@management.invalid")
    ran = stacktui("check", "--config", config)
    assert (ran.code, ran.out) == (2, "")
    assert "must not hold a user name" in ran.err
    async with StacktuiApp(config).run_test(size=(160, 50)) as pilot:
        shown = await until(pilot, "must not hold a user name")
    assert "hunter2" not in ran.err + shown
