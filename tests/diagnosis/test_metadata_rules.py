"""Metadata that is not there, not the stamp's, or not usable: verdicts on real answers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.servers import Script, arm_error, said, scripted, verdict_on
from tests.product import check_json, limited, write_config
from tests.support.authority import authority
from tests.support.pasted import Shell
from tests.support.web import Asked, Raw, answer

DOMAIN = "local.azurestack.external"
# fault: its side, what its evidence shows, and what its remedies name
PROVOKED = {
    "metadata-server-error": ("stamp", ["→ 500", "it said InternalServerError"], "id in its words"),
    "metadata-unavailable": ("stamp", ["→ 503", "Retry-After: 120 (until 20"], " UTC"),
    "metadata-incomplete": ("stamp", ["authentication.loginEndpoint is blank"], "identity"),
    "metadata-too-large": ("stamp", ["larger than 1048576 bytes", "status 200"], "operator"),
    "login-endpoint-insecure": ("stamp", ["refused: nothing was sent there"], "https:"),
}


def provoke(
    fault: str, folder: Path, idp: IdentityProvider = IdentityProvider.AAD, *options: str
) -> Any:
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        ran = check_json(write_config(folder, stamp.describe()), *options)
    assert (ran.code, ran.err) == (1, "")
    return ran.document


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("fault", PROVOKED)
def test_a_stamps_fault_is_named(fault: str, idp: IdentityProvider, tmp_path: Path) -> None:
    side, shown, remedy = PROVOKED[fault]
    document = provoke(fault, tmp_path, idp)
    found = document["verdict"]
    assert (found["id"], found["side"]) == (fault, side)
    for text in shown:
        assert any(text in line for line in found["evidence"]), (text, found["evidence"])
    assert any(remedy in each["title"] for each in found["remedies"])
    assert [step["outcome"] for step in document["steps"]] == ["failed", "skipped", "skipped"]
    assert document["also_seen"] == []


def test_a_stamp_that_never_answers_is_named_within_the_bound(tmp_path: Path) -> None:
    document = provoke("metadata-timeout", tmp_path, IdentityProvider.AAD, *limited(first_byte=0.5))
    found = document["verdict"]
    assert (found["id"], found["side"]) == ("metadata-timeout", "stamp")
    assert "within 0.5 s" in found["title"]
    assert "the request was sent, and nothing came back" in found["evidence"]
    assert any(line.startswith("tls: ") for line in found["evidence"])
    assert 0.5 <= document["seconds"] < 5


async def verdict(folder: Path, metadata: Raw, **limits: float) -> dict[str, Any]:
    async with scripted(Script(metadata)) as web:
        return await verdict_on(folder, web.url, limits=limits)


PAGE = b"\r\n<!DOCTYPE html><html><title>Service Unavailable</title></html>"
HTTP_SYS = "Microsoft-HTTPAPI/2.0"
STATUSES = {
    "a failure in JSON": (arm_error("500 Error", "InternalServerError"), "metadata-server-error"),
    "a failure without words": (answer(status="504 Gateway Timeout"), "metadata-server-error"),
    "an unavailable one": (arm_error("503 No", "ServiceUnavailable"), "metadata-unavailable"),
    "http.sys without its service": (
        answer(PAGE, status="503 No", Server=HTTP_SYS),
        "metadata-unavailable",
    ),
    "a page of IIS": (
        answer(PAGE, status="500 No", Server="Microsoft-IIS/10.0"),
        "metadata-server-error",
    ),
    # neighbours
    "a gateway's page": (answer(PAGE, status="502 Bad", Server="squid/5.7"), "unexplained"),
    "somebody's page": (answer(PAGE, status="503 No"), "unexplained"),
    "a status of no class": (answer(status="600 Odd"), "unexplained"),
    "throttled": (arm_error("429 Slow", "TooManyRequests"), "unexplained"),
    "forbidden": (answer(status="403 Forbidden"), "unexplained"),
}


@pytest.mark.parametrize("case", STATUSES)
async def test_a_failing_status_is_told_by_who_sent_it(case: str, tmp_path: Path) -> None:
    metadata, expected = STATUSES[case]
    assert (await verdict(tmp_path, metadata))["id"] == expected


async def test_without_a_time_to_come_back_none_is_made_up(tmp_path: Path) -> None:
    metadata = arm_error("503 No", "ServiceUnavailable")
    found = await verdict(tmp_path, metadata)
    assert found["remedies"][0]["title"] == "Run the check again in a few minutes"
    assert found["remedies"][0]["bash"].startswith("stacktui check --config ")
    assert "no request id was given" in found["remedies"][1]["title"]


async def test_the_request_id_is_handed_on(tmp_path: Path) -> None:
    error = {"error": {"code": "InternalServerError", "message": "It broke."}}
    headers = {"x_ms_request_id": "4711", "x_ms_correlation_request_id": "4712"}
    found = await verdict(tmp_path, said(error, "500 Error", **headers))
    assert "x-ms-request-id: 4711" in found["evidence"]
    assert "(x-ms-request-id 4711 and x-ms-corr" in found["remedies"][1]["title"]


def sign_in(**values: object) -> dict[str, object]:
    return {"authentication": {"loginEndpoint": "https://l", "audiences": ["a"]} | values}


INCOMPLETE = {
    "authentication ": {"graphEndpoint": "https://graph"},
    "authentication": [],
    "authentication is": {"authentication": None},
    "authentication has the wrong type (str)": {"authentication": "x"},
    "authentication.loginEndpoint is blank": sign_in(loginEndpoint="  "),
    "authentication.loginEndpoint is missing": sign_in(loginEndpoint=None),
    "authentication.loginEndpoint is no https: URL": sign_in(loginEndpoint="ftp://l"),
    "authentication.audiences is empty": sign_in(audiences=[]),
    "authentication.audiences[0] is blank": sign_in(audiences=[""]),
    "none of the 2 clouds listed is this stamp": [
        {"resourceManager": "https://a.test"},
        {"resourceManager": "https://b.test"},
    ],
}


@pytest.mark.parametrize("expected", INCOMPLETE)
async def test_the_field_that_is_wrong_is_named(expected: str, tmp_path: Path) -> None:
    found = await verdict(tmp_path, said(INCOMPLETE[expected]))
    assert found["id"] == "metadata-incomplete"
    assert expected in found["evidence"][0]


async def test_an_insecure_login_endpoint_gets_no_request(tmp_path: Path) -> None:
    async with scripted(Script(said(sign_in(loginEndpoint="http://login.test/")))) as web:
        found = await verdict_on(tmp_path, web.url)
        assert [each.target.partition("?")[0] for each in web.asked] == ["/metadata/endpoints"]
    assert found["id"] == "login-endpoint-insecure"
    assert any("http://login.test/" in line for line in found["evidence"])


async def test_an_answer_that_trickles_is_a_timeout_too(tmp_path: Path) -> None:
    started = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
    found = await verdict(tmp_path, Raw(started, "hang"), step=0.7)
    assert found["id"] == "metadata-timeout"
    assert "the answer began (200), but never ended" in found["evidence"]


async def test_a_page_within_bounds_is_not_too_large(tmp_path: Path) -> None:
    metadata = answer(b" " * (1 << 20) + b"{")
    assert (await verdict(tmp_path, metadata))["id"] == "metadata-too-large"
    metadata = answer(b" " * ((1 << 20) - 1) + b"{")
    assert (await verdict(tmp_path, metadata))["id"] == "metadata-not-json"


async def test_a_stamp_of_another_api_version_only(tmp_path: Path) -> None:
    words = (
        "The requested resource does not support api-version '2015-01-01'. "
        "The supported api-versions are '2031-01-01,2032-05-01-preview'."
    )
    found = await verdict(tmp_path, arm_error("400 Bad", "InvalidApiVersionParameter", words))
    assert (found["id"], found["side"]) == ("metadata-api-version", "stamp")
    assert found["evidence"][0].startswith("api-versions tried: 2015-01-01, 2019-10-01;")
    assert "api-versions it names: 2031-01-01, 2032-05-01-preview" in found["evidence"]
    assert "api-version=2032-05-01-preview" in found["remedies"][0]["bash"]


async def test_one_known_api_version_is_enough(tmp_path: Path) -> None:
    class Newer(Script):
        def answer(self, asked: Asked) -> Raw:
            if asked.target.endswith("/metadata/endpoints?api-version=2015-01-01"):
                return arm_error("400 Bad", "InvalidApiVersionParameter")
            return super().answer(asked)

    async with scripted(Newer(groups=arm_error("500 Bad", "InternalServerError"))) as web:
        assert (await verdict_on(tmp_path, web.url))["id"] == "arm-server-error"


async def test_a_remedy_that_looks_shows_the_answer(tmp_path: Path) -> None:
    async with scripted(Script(said(sign_in(audiences=[])))) as web:
        found = await verdict_on(tmp_path, web.url)
        seen = len(web.asked)
        command = found["remedies"][0]["bash"]
        assert await _pasted(command) == 0
        assert len(web.asked) == seen + 1


async def _pasted(command: str) -> int:
    import asyncio

    run: Callable[..., Any] = subprocess.run
    done = await asyncio.to_thread(run, ["bash", "-o", "pipefail", "-c", command], check=False)
    code: int = done.returncode
    return code


WRONG = {
    "portal": f"management.{DOMAIN}",
    "adminportal": f"adminmanagement.{DOMAIN}",
    "keys.vault": f"management.{DOMAIN}",
    "keys.adminvault": f"adminmanagement.{DOMAIN}",
    "data.blob": f"management.{DOMAIN}",
    "graph": f"management.{DOMAIN}",
    "adfs": f"management.{DOMAIN}",
}


@pytest.mark.parametrize("label", WRONG)
def test_another_service_of_the_stamp_is_no_arm_endpoint(
    label: str, adfs_stamp: Any, tmp_path: Path
) -> None:
    config = write_config(tmp_path, adfs_stamp, arm=f'"https://{label}.{DOMAIN}"')
    document = check_json(config).document
    found = document["verdict"]
    assert (found["id"], found["side"]) == ("metadata-wrong-url", "box")
    (remedy,) = found["remedies"]
    assert remedy["action"] == {"kind": "set", "key": "arm", "value": f"https://{WRONG[label]}"}
    assert "metadata-intercepted" not in [each["id"] for each in document["also_seen"]]
    assert Shell(tmp_path).check_after(remedy["bash"], config=config)["ok"]


@pytest.fixture(scope="module")
def adfs_stamp() -> Any:
    with run_in_thread(StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS)) as running:
        yield running.describe()


TITLED = b"<!DOCTYPE html><title>Microsoft Azure Stack Hub</title>"
BY_ANSWER = {
    "a name without metadata": answer(b"<html>404</html>", status="404 Not Found"),
    "a name that http.sys does not serve": answer(
        b"<!DOCTYPE html><h2>Bad Request - Invalid Hostname</h2>", status="400 Bad Request"
    ),
    "a portal under another name": answer(TITLED),
}


@pytest.mark.parametrize("case", BY_ANSWER)
async def test_a_host_that_is_no_arm_endpoint_by_its_answer(case: str, tmp_path: Path) -> None:
    found = await verdict(tmp_path, BY_ANSWER[case])
    assert found["id"] == "metadata-wrong-url"
    assert "management.<region>.<fqdn>" in found["remedies"][0]["title"]


@pytest.mark.parametrize("case", BY_ANSWER)
async def test_an_arm_endpoint_by_its_name_is_no_wrong_url(case: str, tmp_path: Path) -> None:
    name = f"management.{DOMAIN}"
    context = authority().server(authority().leaf(name))
    async with scripted(Script(BY_ANSWER[case]), context) as web:
        pin = f'proxy = "none"\nresolve = {{ "{name}:443" = "127.0.0.1:{web.listener.port}" }}'
        found = await verdict_on(tmp_path, f"https://{name}", settings=pin)
    page = case == "a portal under another name"
    assert found["id"] == ("metadata-intercepted" if page else "unexplained")


async def test_a_certificate_tells_which_url_was_meant(tmp_path: Path) -> None:
    leaf = authority().leaf("localhost", "127.0.0.1", f"management.{DOMAIN}")
    async with scripted(
        Script(BY_ANSWER["a name without metadata"]), authority().server(leaf)
    ) as w:
        found = await verdict_on(tmp_path, w.url)
        port = w.listener.port
    assert found["id"] == "metadata-wrong-url"
    assert found["remedies"][0]["action"]["value"] == f"https://management.{DOMAIN}:{port}"


async def test_an_error_of_arms_own_is_no_wrong_url(tmp_path: Path) -> None:
    found = await verdict(tmp_path, arm_error("404 Not Found", "ResourceNotFound"))
    assert found["id"] == "unexplained"


BROKEN_OFF = {
    "reset": (Raw(b"", "reset"), "metadata-reset"),
    "closed": (Raw(b"", "close"), "metadata-reset"),
    "cut": (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "close"), "metadata-not-json"),
    "no more chunks": (
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "reset"),
        "metadata-not-json",
    ),
    # nothing is missing, but it is no HTTP
    "another protocol": (Raw(b"+OK POP3 ready\r\n\r\n", "close"), "metadata-not-json"),
}


@pytest.mark.parametrize("how", BROKEN_OFF)
async def test_metadata_that_breaks_off(how: str, tmp_path: Path) -> None:
    raw, id_ = BROKEN_OFF[how]
    found = await verdict(tmp_path, raw)
    assert (found["id"], found["side"]) == (id_, "stamp")
    assert any("/metadata/endpoints" in line for line in found["evidence"])
