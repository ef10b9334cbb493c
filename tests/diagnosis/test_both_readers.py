"""What a service says means the same to `check`, on the wire, and to `explain`, in a message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.fault import Group
from stacktui.diagnosis.recognise import recognise
from tests.diagnosis.servers import (
    CLIENT_ID,
    Coded,
    Script,
    arm_error,
    ran_as,
    said,
    scripted,
    token,
    verdict_on,
)
from tests.support.authority import authority, rsa_key
from tests.support.web import Asked, Raw

APPLICATION = f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\n'
SECRET = APPLICATION + 'secret = { file = "secret" }'
CERTIFICATE = APPLICATION + 'certificate = "sp.pem"'
USER = 'kind = "user"\nusername = "a@b.test"\npassword = { file = "secret" }'
DEVICE_CODE = 'kind = "device-code"'
# Whose sign-in meets a fault that not every identity does.
OF_USERS = (
    "password-wrong account-locked account-disabled password-expired mfa-required "
    "conditional-access consent-required app-not-public"
)
MET_BY = {
    "sp-cert-rejected": CERTIFICATE,
    "clock-skew": CERTIFICATE,
    "device-code-expired": DEVICE_CODE,
    "device-code-declined": DEVICE_CODE,
    **dict.fromkeys(OF_USERS.split(), USER),
}


def said_of_faults() -> Iterator[tuple[str, str, str]]:
    """Each fault's id, with each of its codes and each OAuth error that they come with."""
    for fault in EVERY_FAULT.values():
        if fault.refusal is not None:
            for code in fault.codes:
                for error in sorted(fault.refusal.errors):
                    yield fault.id, code, error


async def verdict_of_sign_in(folder: Path, script: Script, identity: str) -> str:
    """The id of the verdict on a sign-in by this identity."""
    if identity is CERTIFICATE:
        client = authority().leaf("client", key=rsa_key())
        (folder / "sp.pem").write_bytes(client.pem + client.key_pem)
    id_: str = (await ran_as(folder, script, identity)).document["verdict"]["id"]
    return id_


def refused(error: str, code: str) -> Raw:
    return said({"error": error, "error_description": words_of(code)}, "400 Bad Request")


def words_of(code: str) -> str:
    return f"{code}: it was refused. Trace ID: 1"


def explained(message: str) -> list[str]:
    return [each.fault.id for each in recognise(message).candidates]


@pytest.mark.parametrize(("id_", "code", "error"), said_of_faults())
async def test_a_code_is_read_alike(id_: str, code: str, error: str, tmp_path: Path) -> None:
    script, identity = Coded(token=refused(error, code)), MET_BY.get(id_, SECRET)
    assert await verdict_of_sign_in(tmp_path, script, identity) == id_
    assert id_ in explained(words_of(code))


class NoDeviceCode(Script):
    """An AD FS that gives no device code."""

    def answer(self, asked: Asked) -> Raw:
        at_codes = asked.target.startswith("/adfs/oauth2/device_authorization")
        return self.token if at_codes else super().answer(asked)


@pytest.mark.parametrize(
    ("id_", "code", "identity", "script"),
    [
        ("app-not-public", "AADSTS7000218", DEVICE_CODE, Coded),
        ("secret-missing", "AADSTS7000218", CERTIFICATE, Script),
        ("app-not-found", "AADSTS700016", DEVICE_CODE, NoDeviceCode),
        ("adfs-client-not-allowed", "MSIS9605", DEVICE_CODE, NoDeviceCode),
        ("adfs-client-not-allowed", "MSIS9605", DEVICE_CODE, Coded),
        ("tenant-not-found", "AADSTS50059", USER, Script),
    ],
)
async def test_a_code_is_read_alike_of_other_identities(
    id_: str, code: str, identity: str, script: type[Script], tmp_path: Path
) -> None:
    refusal = EVERY_FAULT[id_].refusal
    assert refusal is not None
    answer = refused(min(refusal.errors), code)
    assert await verdict_of_sign_in(tmp_path, script(token=answer), identity) == id_
    assert id_ in explained(words_of(code))


# The codes of ARM


def dated(raw: Raw, ahead: float = 0.0) -> Raw:
    """The same answer from a host whose clock is so many seconds ahead."""
    line = f"\r\nDate: {formatdate(time.time() + ahead, usegmt=True)}\r\n\r\n".encode()
    return Raw(raw.whole().replace(b"\r\n\r\n", line, 1))


def token_of(**claims: object) -> Raw:
    now = time.time()
    return dated(token(**({"aud": "https://arm/1", "nbf": now, "exp": now + 3600} | claims)))


def at_groups(status: str, ahead: float = 0.0, **claims: object) -> Callable[[str], Script]:
    """ARM's answer to the request for resource groups, with such a token."""
    return lambda code: Script(
        token=token_of(**claims), groups=dated(arm_error(status, code), ahead)
    )


def at_metadata(status: str) -> Callable[[str], Script]:
    return lambda code: Script(metadata=arm_error(status, code))


def at_token(status: str) -> Callable[[str], Script]:
    return lambda code: Script(token=arm_error(status, code))


@dataclass
class Writing(Script):
    """A stamp that lists one location, and answers what writes with `refusal`."""

    refusal: Raw = field(default_factory=lambda: said({}))

    def answer(self, asked: Asked) -> Raw:
        if "/locations" in asked.target:
            return said({"value": [{"name": "local"}]})
        return self.refusal if asked.method == "PUT" else super().answer(asked)


def at_write(status: str) -> Callable[[str], Script]:
    return lambda code: Writing(refusal=arm_error(status, code))


HOUR = 3600.0
# How each fault that one of ARM's codes can mean comes over the wire.
ON_THE_WIRE = {
    "metadata-server-error": at_metadata("500 Error"),
    "metadata-unavailable": at_metadata("503 Unavailable"),
    "login-server-error": at_token("500 Error"),
    "token-audience-mismatch": at_groups("401 Unauthorized", aud="https://arm/2"),
    "token-expired-on-arrival": at_groups("401 Unauthorized", exp=1),
    "clock-skew": at_groups("401 Unauthorized", -HOUR),
    "arm-unauthorized": at_groups("401 Unauthorized"),
    "arm-forbidden": at_groups("403 Forbidden"),
    "subscription-not-found": at_groups("404 Not Found"),
    "subscription-disabled": at_groups("409 Conflict"),
    "api-version-unsupported": at_groups("400 Bad Request"),
    "arm-throttled": at_groups("429 Too Many Requests"),
    "arm-server-error": at_groups("500 Error"),
    "arm-unavailable": at_groups("503 Unavailable"),
    "write-refused": at_write("409 Conflict"),
}
# A token that has ended by ARM's clock alone, and one that is not valid yet by it.
AHEAD = {("clock-skew", "ExpiredAuthenticationToken"): at_groups("401 Unauthorized", 2 * HOUR)}


def codes_of_arm() -> Iterator[tuple[str, str]]:
    """Each fault's id with each of ARM's codes that can mean it; those beside a verdict are az's
    own, which asks otherwise than a check."""
    for fault in EVERY_FAULT.values():
        for pattern in fault.patterns:
            sign_in = pattern.code.startswith(("AADSTS", "MSIS"))
            if pattern.code and not sign_in and fault.group is not Group.ADVISORY:
                yield fault.id, pattern.code


@pytest.mark.parametrize(("id_", "code"), codes_of_arm())
async def test_a_code_of_arm_is_read_alike(id_: str, code: str, tmp_path: Path) -> None:
    script = AHEAD.get((id_, code), ON_THE_WIRE[id_])(code)
    async with scripted(script) as web:
        options = ("--write-probe",) if isinstance(script, Writing) else ()
        assert (await verdict_on(tmp_path, web.url, options=options))["id"] == id_
    assert id_ in explained(f"({code}) It was refused.")
