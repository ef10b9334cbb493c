"""A stamp that says what a test scripts, step by step, and the verdict on it, from outside."""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.product import Ran, check_json, limited
from tests.support.authority import Issued, authority
from tests.support.web import Asked, Raw, Web, answer, serving

SUBSCRIPTION = "5f0e9a10-0000-4000-8000-000000000001"
OBJECT_ID = "0b1ec700-0000-4000-8000-000000000002"
CLIENT_ID = "c11e0700-0000-4000-8000-000000000003"
DIRECT = 'proxy = "none"'


def said(document: object, status: str = "200 OK", **headers: str) -> Raw:
    return answer(json.dumps(document).encode(), status=status, **headers)


def arm_error(status: str, code: str, message: str = "") -> Raw:
    return said({"error": {"code": code, "message": message}}, status)


def token(**claims: object) -> Raw:
    parts = [{"alg": "none"}, claims, {}]
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return said({"access_token": ".".join(encoded), "token_type": "Bearer", "expires_in": 3600})


@dataclass
class Script:
    """What is said in place of the good answer of a step."""

    metadata: Raw | None = None
    token: Raw = field(default_factory=lambda: token(oid=OBJECT_ID))
    groups: Raw = field(default_factory=lambda: said({"value": []}))

    def answer(self, asked: Asked) -> Raw:
        here = f"https://{asked.headers['host']}"
        match asked.target.partition("?")[0]:
            case "/metadata/endpoints":
                login = {"loginEndpoint": f"{here}/adfs", "audiences": ["https://arm/1"]}
                return self.metadata or said({"authentication": login})
            case "/adfs/.well-known/openid-configuration":
                endpoints = ("token", "authorization", "device_authorization")
                found = {f"{name}_endpoint": f"{here}/adfs/oauth2/{name}" for name in endpoints}
                return said(found | {"issuer": f"{here}/adfs"})
            case "/adfs/oauth2/token":
                return self.token
        return self.groups


@dataclass
class Coded(Script):
    """An AD FS that gives device codes."""

    def answer(self, asked: Asked) -> Raw:
        if asked.target.startswith("/adfs/oauth2/device_authorization"):
            code = {"device_code": "d" * 40, "user_code": "ABCD", "expires_in": 30, "interval": 1}
            return said(code | {"verification_uri": "https://login.test/code"})
        return super().answer(asked)


@asynccontextmanager
async def scripted(
    script: Script, context: ssl.SSLContext | None = None, *, port: int = 0
) -> AsyncIterator[Web]:
    async with serving(script.answer, context=context, port=port) as web:
        yield web


def config_for(
    folder: Path,
    arm: str,
    *,
    roots: tuple[Issued, ...] = (),
    name: str = "Test",
    settings: str = DIRECT,
    identity: str = "",
) -> Path:
    """Write a config of one environment, which trusts `roots`, by default the tests' own.

    `identity` are the keys of its identity, by default a service principal with a secret.
    """
    trusted = roots or (authority().root,)
    (folder / "ca.pem").write_bytes(b"".join(each.pem for each in trusted))
    (folder / "secret").touch(0o600)
    (folder / "secret").write_text("a-secret-of-ours")
    principal = (
        f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\n'
        f'tenant = "t"\nsecret = {{ file = "{folder}/secret" }}\n'
    )
    config = folder / "config.toml"
    config.write_text(
        f'[environments.{json.dumps(name)}]\narm = "{arm}"\nca = "{folder}/ca.pem"\n'
        f'identity = "tester"\nsubscription = "{SUBSCRIPTION}"\n{settings}\n'
        f"[identities.tester]\n{identity or principal}\n",
        encoding="utf-8",
    )
    return config


async def document_on(
    folder: Path,
    arm: str,
    *,
    variables: Mapping[str, str] | None = None,
    limits: Mapping[str, float] | None = None,
    options: tuple[str, ...] = (),
    **settings: Any,
) -> dict[str, Any]:
    """What `stacktui check` finds wrong with `arm`; the same settings as `config_for`."""
    config = config_for(folder, arm, **settings)
    options = (*options, *limited(**(limits or {})))
    ran = await asyncio.to_thread(check_json, config, *options, **dict(variables or {}))
    assert ran.code == 1, ran
    return ran.document


async def verdict_on(folder: Path, arm: str, **settings: Any) -> dict[str, Any]:
    """The verdict alone; the same settings as `document_on`."""
    verdict: dict[str, Any] = (await document_on(folder, arm, **settings))["verdict"]
    return verdict


async def ran_as(folder: Path, script: Script, identity: str) -> Ran:
    """Check a scripted AD FS with another identity than the service principal."""
    async with scripted(script) as web:
        config = config_for(folder, web.url, identity=identity)
        ran = await asyncio.to_thread(check_json, config)
    assert ran.code == 1, ran
    return ran
