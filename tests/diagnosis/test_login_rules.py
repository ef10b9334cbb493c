"""A sign-in service that fails, throttles, or is something else: verdicts on real answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.servers import Script, document_on, said, scripted, verdict_on
from tests.product import check_json, write_config
from tests.support.web import Asked, Raw, answer

DOMAIN = "local.azurestack.external"
PROVOKED = {
    "login-server-error": "→ 500",
    "login-not-json": "the page is titled: IIS Windows Server",
    "login-throttled": "Retry-After: 30 (until 20",
}


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("fault", PROVOKED)
def test_a_sign_in_services_fault_is_named(
    fault: str, idp: IdentityProvider, tmp_path: Path
) -> None:
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        ran = check_json(write_config(tmp_path, stamp.describe()))
    document = ran.document
    found = document["verdict"]
    assert (ran.code, found["id"], found["side"]) == (1, fault, "sign-in")
    assert any(PROVOKED[fault] in line for line in found["evidence"]), found["evidence"]
    assert [step["outcome"] for step in document["steps"]] == ["ok", "failed", "skipped"]
    assert [each["id"] for each in document["also_seen"]] == []
    if fault != "login-throttled":
        adfs = idp is IdentityProvider.ADFS
        assert ("adfssrv" in found["remedies"][-1]["title"]) == adfs


async def verdict(folder: Path, token: Raw) -> dict[str, Any]:
    async with scripted(Script(token=token)) as web:
        return await verdict_on(folder, web.url)


def refusal(status: str, error: str, description: str = "", **more: object) -> Raw:
    return said({"error": error, "error_description": description, **more}, status)


PAGE = b"<!DOCTYPE html><html><title>Service Unavailable</title></html>"
ANSWERS = {
    "a service that says so": (refusal("500 Error", "server_error"), "login-server-error"),
    "one that is down for now": (
        refusal("503 No", "temporarily_unavailable"),
        "login-server-error",
    ),
    "http.sys without its service": (answer(PAGE, status="503 No"), "login-server-error"),
    "no words": (answer(status="502 Bad Gateway"), "login-server-error"),
    "a JSON of nobody's": (said({"message": "no"}, "500 Error"), "login-server-error"),
    "a page": (answer(PAGE), "login-not-json"),
    "a page that is not found": (answer(PAGE, status="404 No"), "login-not-json"),
    "a redirect to nowhere": (answer(status="302 Found"), "login-not-json"),
    "a cut answer": (answer(b'{"access_token": "ey'), "login-not-json"),
    "too many": (refusal("429 Slow", "temporarily_unavailable"), "login-throttled"),
    "too many, on a page": (answer(PAGE, status="429 Slow"), "login-throttled"),
    "Entra's code for it": (
        refusal("400 Bad", "invalid_request", "AADSTS90055: Slow.", error_codes=[90055]),
        "login-throttled",
    ),
    # neighbours
    "a refusal with a server's status": (refusal("500 No", "invalid_client"), "unexplained"),
    "a refusal": (refusal("400 Bad", "invalid_client"), "unexplained"),
    "words alone": (refusal("400 Bad", "invalid_request", "not AADSTS90055: x"), "unexplained"),
    "JSON without a token": (said({"hello": "world"}), "unexplained"),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_an_answer_is_told_by_what_it_is(case: str, tmp_path: Path) -> None:
    token, expected = ANSWERS[case]
    found = await verdict(tmp_path, token)
    assert found["id"] == expected, found
    if expected != "unexplained":
        assert found["side"] == "sign-in"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [(answer(PAGE), "login-not-json"), (answer(PAGE, status="503 No"), "login-server-error")],
)
async def test_discovery_that_fails_is_the_services_too(
    metadata: Raw, expected: str, tmp_path: Path
) -> None:
    class Broken(Script):
        def answer(self, asked: Asked) -> Raw:
            found = asked.target.startswith("/adfs/.well-known/")
            return metadata if found else super().answer(asked)

    async with scripted(Broken()) as web:
        assert (await verdict_on(tmp_path, web.url))["id"] == expected


async def test_a_service_that_works_is_no_fault_of_its_own(tmp_path: Path) -> None:
    groups = said({"error": {"code": "InternalServerError"}}, "500 Error")
    async with scripted(Script(groups=groups)) as web:
        assert (await verdict_on(tmp_path, web.url))["id"] == "arm-server-error"


async def test_a_date_to_come_back_is_told_by_our_clock(tmp_path: Path) -> None:
    """The server's clock is an hour ahead: what it calls 13:05 is 12:05 here."""
    theirs = datetime.now(UTC) + timedelta(hours=1)
    again = theirs + timedelta(minutes=5)
    dates = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry_After": format_datetime(again, usegmt=True),
    }
    found = await verdict(tmp_path, answer(b"{}", status="429 Slow", **dates))
    title = found["remedies"][0]["title"]
    ours = [again - timedelta(hours=1, seconds=each) for each in (-3, -2, -1, 0, 1, 2, 3)]
    assert any(f"after {each:%H:%M:%S} UTC" in title for each in ours), (title, ours)


@pytest.mark.parametrize("said_", ["soon", "-5", "9" * 30, "Thu, 32 Foo 2026 99:00:00 GMT", "٣"])
async def test_a_time_that_is_none_is_only_quoted(said_: str, tmp_path: Path) -> None:
    header = said_.encode().decode("latin-1")
    found = await verdict(tmp_path, answer(b"{}", status="429 Slow", Retry_After=header))
    assert found["id"] == "login-throttled"
    assert "again in a few minutes" in found["remedies"][0]["title"]


async def test_a_proxy_is_named_only_where_there_is_one(tmp_path: Path) -> None:
    found = await verdict(tmp_path, answer(PAGE))
    assert "NO_PROXY" not in str(found["remedies"])


BROKEN_OFF = {
    "reset": Raw(b"", "reset"),
    "closed": Raw(b"", "close"),
    "closed in mid-answer": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "close"),
}


@pytest.mark.parametrize("how", BROKEN_OFF)
async def test_a_sign_in_that_breaks_off(how: str, tmp_path: Path) -> None:
    """Silence, its neighbour, is in the tests of the budgets: it takes 15 s."""
    found = await verdict(tmp_path, BROKEN_OFF[how])
    assert (found["id"], found["side"]) == ("login-reset", "sign-in")
    assert "/oauth2/token" in found["evidence"][0]
    async with scripted(Script(groups=BROKEN_OFF[how])) as web:
        assert (await verdict_on(tmp_path, web.url))["id"] == "arm-reset"


class Leading(Script):
    """A login host whose discovery document names token endpoints at `there`."""

    there = "https://adfs.elsewhere.invalid/adfs"

    def answer(self, asked: Asked) -> Raw:
        if "openid-configuration" not in asked.target:
            return super().answer(asked)
        here = asked.headers["host"]
        endpoints = ("token", "authorization", "device_authorization")
        there = self.there.format(here=here)
        found = {f"{name}_endpoint": f"{there}/oauth2/{name}" for name in endpoints}
        return said(found | {"issuer": f"https://{here}/adfs"})


class LeadingWithPassword(Leading):
    there = "https://ops:hunter2@{here}/adfs"


async def test_a_token_endpoint_on_another_host_is_named_and_gets_nothing(tmp_path: Path) -> None:
    async with scripted(Leading()) as web:
        found = await verdict_on(tmp_path, web.url)
        assert not [each for each in web.asked if "token" in each.target]
    assert (found["id"], found["side"]) == ("login-foreign-endpoint", "sign-in")
    said_where = f"on adfs.elsewhere.invalid, not on {web.url.removeprefix('https://')}"
    assert any(said_where in line for line in found["evidence"]), found["evidence"]
    assert not [each for each in found["remedies"] if each["bash"] or each["action"]]


async def test_a_token_endpoint_with_a_password_gets_nothing(tmp_path: Path) -> None:
    async with scripted(LeadingWithPassword()) as web:
        document = await document_on(tmp_path, web.url)
        assert not [each for each in web.asked if "token" in each.target]
    found = document["verdict"]
    assert (found["id"], found["side"]) == ("login-foreign-endpoint", "sign-in")
    assert any("holds a user name or password" in line for line in found["evidence"])
    assert "hunter2" not in json.dumps(document)


async def test_a_token_that_no_request_can_carry_is_named(tmp_path: Path) -> None:
    found = await verdict(tmp_path, said({"access_token": "a" * 20_000, "token_type": "Bearer"}))
    assert (found["id"], found["side"]) == ("token-too-large", "sign-in")
    assert any("20000 characters" in line for line in found["evidence"]), found["evidence"]
