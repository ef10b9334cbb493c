"""What stands between answers with a page or a redirect, at each of the three steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.servers import Script, arm_error, document_on, said, scripted
from tests.support.authority import authority
from tests.support.web import Raw, answer

DOMAIN = "local.azurestack.example"
STEPS = ("metadata", "token", "groups")
INTERCEPTED = {
    "metadata": "metadata-intercepted",
    "token": "login-intercepted",
    "groups": "arm-intercepted",
}


def page(title: str, status: str = "200 OK", **headers: str) -> Raw:
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>…</body></html>"
    return answer(body.encode(), status=status, Content_Type="text/html", **headers)


async def document(folder: Path, step: str, raw: Raw) -> dict[str, Any]:
    async with scripted(Script(**{step: raw})) as web:
        return await document_on(folder, web.url)


def others(found: dict[str, Any]) -> list[str]:
    """The faults seen beside the verdict; not what warns of the tests' own certificates."""
    return [each["id"] for each in found["also_seen"] if not each["id"].startswith("cert-")]


OF_GATEWAYS = {
    "a captive portal": (page("Guest Network Sign-in"), "titled: Guest Network Sign-in"),
    "a portal's redirect": (
        answer(status="302 Found", Location="https://guests.example/login?to=1"),
        "redirects to guests.example: https://guests.example/login",
    ),
    "a block page": (page("Blocked by Contoso Web Gateway", "403 Forbidden"), "Web Gateway"),
    "a proxy's own page": (page("ERROR", "404 Not Found", Server="squid/5.7"), "server: squid"),
    "a network that wants a sign-in": (page("Hello", "511 Network"), "titled: Hello"),
    "the same without a page": (answer(status="511 Network"), "511"),
    "a proxy between that has no page": (
        answer(status="407 No", Proxy_Authenticate="Negotiate"),
        "407",
    ),
    "a block page that calls itself a failure": (
        page("Web Page Blocked", "503 No"),
        "titled: Web Page Blocked",
    ),
    "a block page in German": (page("Zugriff verweigert", "403 No"), "Zugriff verweigert"),
    "a block text": (
        answer(b"Blocked by web filter", status="403 No", Content_Type="text/plain"),
        "it says: Blocked by web filter",
    ),
    "a script alone": (
        answer(b'<script>location="https://guests.example/"</script>', Content_Type="text/html"),
        "→ 200",
    ),
}


@pytest.mark.parametrize("case", OF_GATEWAYS)
@pytest.mark.parametrize("step", STEPS)
async def test_what_is_between_is_named_at_every_step(step: str, case: str, tmp_path: Path) -> None:
    raw, shown = OF_GATEWAYS[case]
    found = await document(tmp_path, step, raw)
    verdict = found["verdict"]
    assert (verdict["id"], verdict["side"]) == (INTERCEPTED[step], "network")
    assert any(shown in line for line in verdict["evidence"]), verdict["evidence"]
    assert others(found) == []


HTTP_SYS = "Microsoft-HTTPAPI/2.0"
SILENT = "The gateway did not receive a response from 'Microsoft.Compute' within the time."
# What a web server, the stamp or ARM itself says: no gateway's, however it looks.
NEIGHBOURS = {
    "IIS without AD FS": ("token", page("IIS Windows Server"), "login-not-json"),
    "IIS without ARM": ("groups", page("IIS Windows Server"), "arm-not-json"),
    "a page on the same host": (
        "token", answer(status="302 Found", Location="/adfs/ls"), "login-not-json",
    ),
    "a service that fails with a page": (
        "token", page("Service Unavailable", "503 No", Server=HTTP_SYS), "login-server-error",
    ),
    "a failure of the stamp's server": (
        "groups", page("Server Error", "500 Error", Server=HTTP_SYS), "arm-server-error",
    ),
    "the same, passed on by a gateway": (
        "groups", page("502", "502 Bad", Server=HTTP_SYS, Via="1.1 zscaler"), "arm-server-error",
    ),
    "the stamp's server without ARM": (
        "groups", page("Service Unavailable", "503 No", Server=HTTP_SYS), "arm-unavailable",
    ),
    "ARM's own words, passed on": (
        "groups",
        said({"error": {"code": "AuthorizationFailed"}}, "403 No", Via="1.1 squid"),
        "arm-forbidden",
    ),
    "a refusal of the service's": (
        "token",
        said({"error": "invalid_client", "error_description": "MSIS9607: no"}, "400 Bad",
             Via="1.1 squid"),
        "app-not-found",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NEIGHBOURS)
async def test_a_neighbour_is_no_gateway(case: str, tmp_path: Path) -> None:
    step, raw, expected = NEIGHBOURS[case]
    found = await document(tmp_path, step, raw)
    assert found["verdict"]["id"] == expected
    assert others(found) == []


async def test_a_provider_that_is_silent_is_down_and_arm_is_not(tmp_path: Path) -> None:
    raw = arm_error("504 Gateway Timeout", "GatewayTimeout", SILENT)
    verdict = (await document(tmp_path, "groups", raw))["verdict"]
    assert (verdict["id"], verdict["side"]) == ("arm-server-error", "stamp")
    assert "Microsoft.Compute does not answer ARM" in verdict["title"]
    assert any("provider Microsoft.Compute" in each["title"] for each in verdict["remedies"])


async def test_a_path_that_is_not_there_is_a_wrong_url(tmp_path: Path) -> None:
    """Under ARM's own name too, where the page says so itself."""
    name = f"management.{DOMAIN}"
    context = authority().server(authority().leaf(name))
    missing = page("404 - File or directory not found.", "404 Not Found", Server=HTTP_SYS)
    async with scripted(Script(missing), context) as web:
        pin = f'proxy = "none"\nresolve = {{ "{name}:443" = "127.0.0.1:{web.listener.port}" }}'
        found = await document_on(tmp_path, f"https://{name}", settings=pin)
    assert (found["verdict"]["id"], found["verdict"]["side"]) == ("metadata-wrong-url", "box")
    assert others(found) == []


# What fails first at a host that is another service of the stamp, and what is seen of it.
FIRST = {
    "tcp-refused": None,
    "metadata-not-json": Script(answer(b'{"cut')),
    "tls-name-mismatch": Script(),
}


@pytest.mark.parametrize("label", ["portal", "adminportal", "adfs"])
@pytest.mark.parametrize("fault", FIRST)
async def test_another_service_is_told_as_such_whatever_fails(
    fault: str, label: str, tmp_path: Path, closed_port: int
) -> None:
    name = f"{label}.{DOMAIN}"
    script = FIRST[fault] or Script()
    there = f"management.{DOMAIN}" if fault == "tls-name-mismatch" else name
    async with scripted(script, authority().server(authority().leaf(there))) as web:
        port = web.listener.port if FIRST[fault] else closed_port
        settings = f'proxy = "none"\nresolve = {{ "{name}:443" = "127.0.0.1:{port}" }}'
        found = await document_on(tmp_path, f"https://{name}", settings=settings)
    verdict = found["verdict"]
    assert (verdict["id"], verdict["side"]) == ("metadata-wrong-url", "box")
    assert f"{name} is the stamp's {label}" in verdict["evidence"][0]
    endpoint = "adminmanagement" if label == "adminportal" else "management"
    assert verdict["remedies"][0]["action"]["value"] == f"https://{endpoint}.{DOMAIN}"
    assert others(found)[:1] == [fault]


async def test_a_proxy_that_is_not_there_is_no_wrong_url(tmp_path: Path, closed_port: int) -> None:
    settings = f'proxy = "http://127.0.0.1:{closed_port}"'
    found = await document_on(tmp_path, f"https://portal.{DOMAIN}", settings=settings)
    assert found["verdict"]["id"] == "proxy-unreachable"
