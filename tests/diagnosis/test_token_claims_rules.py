"""What tokens and clocks tell of a refusal, and what is left to ARM's words."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider
from tests.diagnosis.drills import ADFS, ENTRA, drill, verdict_of
from tests.diagnosis.servers import Script, arm_error, said, scripted, token, verdict_on
from tests.support.web import Raw, answer

AUDIENCE = "https://arm/1"
EXPIRED = "ExpiredAuthenticationToken"
INVALID = "InvalidAuthenticationToken"
PROVOKED = {
    "token-audience-mismatch": ("sign-in", ["(aud): https://management.invalid/", "metadata: "]),
    "token-expired-on-arrival": ("sign-in", ["the token ended ", "own clock said "]),
    "arm-unauthorized": ("sign-in", ["the token's tenant: ", "InvalidAuthenticationTokenTenant"]),
}


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("fault", PROVOKED)
def test_a_refused_token_is_named(fault: str, idp: IdentityProvider, tmp_path: Path) -> None:
    side, shown = PROVOKED[fault]
    verdict = verdict_of(drill(fault, tmp_path, idp), "resource-groups")
    assert (verdict["id"], verdict["side"]) == (fault, side)
    for text in shown:
        assert any(text in line for line in verdict["evidence"]), (text, verdict["evidence"])


@pytest.mark.parametrize("idp", [ENTRA, ADFS])
def test_a_clock_that_is_off_stops_a_certificate(idp: IdentityProvider, tmp_path: Path) -> None:
    verdict = verdict_of(drill("clock-skew", tmp_path, idp, certificate=True), "token")
    assert (verdict["id"], verdict["side"]) == ("clock-skew", "box")
    assert "20 minutes apart" in verdict["title"]
    assert any("(20 min) ahead of this machine's" in line for line in verdict["evidence"])
    assert any("agrees with it" in line for line in verdict["evidence"])


@pytest.mark.parametrize("idp", [ENTRA, ADFS])
def test_a_clock_that_is_off_does_not_stop_a_secret(idp: IdentityProvider, tmp_path: Path) -> None:
    ran = drill("clock-skew", tmp_path, idp)
    assert (ran.code, ran.document["verdict"]) == (0, None)


def dated(raw: Raw, ahead: float) -> Raw:
    """The same answer from a host whose clock is ahead."""
    line = f"\r\nDate: {formatdate(time.time() + ahead, usegmt=True)}\r\n\r\n".encode()
    return Raw(raw.whole().replace(b"\r\n\r\n", line, 1))


def of_token(**claims: object) -> Raw:
    now = time.time()
    return token(**({"aud": AUDIENCE, "nbf": now, "exp": now + 3600} | claims))


def refused(code: str) -> Raw:
    return arm_error("401 Unauthorized", code, "The access token is refused.")


async def verdict(folder: Path, token_: Raw, groups: Raw) -> dict[str, Any]:
    async with scripted(Script(token=token_, groups=groups)) as web:
        return await verdict_on(folder, web.url)


HOUR, MINUTES = 3600, 60
# the token's claims, ARM's code, how far ahead the login host's and ARM's clocks are
CLAIMS: dict[str, tuple[dict[str, object], str, int, int, str]] = {
    "another audience": ({"aud": "https://arm/2"}, INVALID, 0, 0, "token-audience-mismatch"),
    "a slash more": ({"aud": "https://arm/1/"}, INVALID, 0, 0, "token-audience-mismatch"),
    "ended": ({"exp": 1}, EXPIRED, 0, 0, "token-expired-on-arrival"),
    "ended, all clocks ahead": ({"exp": 1}, EXPIRED, 900, 900, "token-expired-on-arrival"),
    "ARM two hours ahead": ({}, EXPIRED, 0, 2 * HOUR, "clock-skew"),
    "ARM ten minutes behind": ({}, INVALID, 0, -10 * MINUTES, "clock-skew"),
    "all clocks of theirs ahead": ({}, INVALID, 900, 900, "arm-unauthorized"),
    "ARM two minutes behind": ({}, INVALID, 0, -2 * MINUTES, "arm-unauthorized"),
    "ARM behind, but for its tenant": (
        {}, "InvalidAuthenticationTokenTenant", 0, -10 * MINUTES, "arm-unauthorized",
    ),
    "the right audience": (
        {}, "InvalidAuthenticationTokenAudience", 0, 0, "arm-unauthorized",
    ),
    "no times": ({"nbf": None, "exp": None}, EXPIRED, 0, 2 * HOUR, "arm-unauthorized"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLAIMS)
async def test_claims_and_clocks_tell_them_apart(case: str, tmp_path: Path) -> None:
    claims, code, login, arm, expected = CLAIMS[case]
    found = await verdict(tmp_path, dated(of_token(**claims), login), dated(refused(code), arm))
    assert found["id"] == expected, found["evidence"]
    if expected == "clock-skew":
        assert found["side"] == "stamp"


async def test_no_clock_of_theirs_tells_nothing_of_clocks(tmp_path: Path) -> None:
    found = await verdict(tmp_path, of_token(exp=1), refused(EXPIRED))
    assert found["id"] == "arm-unauthorized"
    assert "the token ends 1970-01-01 00:00:01 UTC" in found["evidence"]


NOT_ARMS = {
    "no code": said({"error": "denied"}, "401 Unauthorized"),
    "a page": answer(b"<html><h1>401</h1></html>", status="401 Unauthorized"),
    "another status": arm_error("400 Bad Request", INVALID),
}


@pytest.mark.parametrize("case", NOT_ARMS)
async def test_what_arm_did_not_say_so_is_left_alone(case: str, tmp_path: Path) -> None:
    found = await verdict(tmp_path, of_token(aud="https://arm/2"), NOT_ARMS[case])
    assert found["id"] == "unexplained"
