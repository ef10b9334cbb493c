"""Verdicts on answers: what each rule takes for its own fault, and what it leaves unexplained."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.servers import (
    CLIENT_ID,
    DIRECT,
    OBJECT_ID,
    SUBSCRIPTION,
    Script,
    arm_error,
    said,
    scripted,
    token,
    verdict_on,
)
from tests.support.web import Raw, answer


async def verdict(folder: Path, settings: str = DIRECT, **said_: Raw) -> dict[str, Any]:
    async with scripted(Script(**said_)) as web:
        return await verdict_on(folder, web.url, settings=settings)


def redirect(status: str, location: str | None) -> Raw:
    return answer(status=status, **({} if location is None else {"Location": location}))


INTERCEPTED = {
    "a page": answer(b"<!DOCTYPE html><html><title>Guests</title></html>"),
    "a redirect": redirect("302 Found", "https://guests.example/login"),
    "a redirect for good": redirect("308 Permanent Redirect", "http://10.0.0.1/"),
    "a redirect without a scheme": redirect("307 Temporary", "//guests.example/login"),
}
NOT_INTERCEPTED = {
    "not modified": redirect("304 Not Modified", None),
    "not modified, with a location": redirect("304 Not Modified", "https://guests.example/"),
    "a redirect to nowhere": redirect("302 Found", None),
    "a redirect on the same host": redirect("301 Moved", "https://localhost/metadata"),
    "a redirect to another path": redirect("302 Found", "/adfs/ls"),
    "a broken redirect": redirect("302 Found", "https://["),
    "a redirect to a broken port": redirect("302 Found", "https://localhost:99999999/"),
    "multiple choices": redirect("300 Multiple Choices", "https://guests.example/"),
    "a page of an error": answer(b"<html><title>502</title></html>", status="502 Bad Gateway"),
}


@pytest.mark.parametrize("case", INTERCEPTED)
async def test_a_page_or_another_host_is_an_interception(case: str, tmp_path: Path) -> None:
    assert (await verdict(tmp_path, metadata=INTERCEPTED[case]))["id"] == "metadata-intercepted"


@pytest.mark.parametrize("case", NOT_INTERCEPTED)
async def test_nothing_else_is_an_interception(case: str, tmp_path: Path) -> None:
    assert (await verdict(tmp_path, metadata=NOT_INTERCEPTED[case]))["id"] == "unexplained"


async def test_an_error_in_xml_is_no_page(tmp_path: Path) -> None:
    xml = answer(b'<?xml version="1.0"?>\n<Error><Code>ServerBusy</Code></Error>')
    assert (await verdict(tmp_path, metadata=xml))["id"] == "metadata-not-json"


def refusal(status: str, error: str, description: str, **more: object) -> Raw:
    return said({"error": error, "error_description": description, **more}, status)


WRONG = "AADSTS7000215: Invalid client secret provided."
SECRET_WRONG = {
    "Entra's": refusal("401 Unauthorized", "invalid_client", WRONG, error_codes=[7000215]),
    "AD FS's": refusal("400 Bad", "invalid_client", "MSIS9622: Client authentication failed."),
    "unauthorized": refusal("400 Bad", "unauthorized_client", "MSIS9612: Bad credential."),
}
NOT_SECRET_WRONG = {
    "words alone": refusal("400 Bad", "invalid_grant", WRONG),
    "no error": refusal("400 Bad", "", WRONG),
    "a server error": refusal("500 Error", "invalid_client", WRONG),
    "a throttled one": refusal("429 Slow", "invalid_client", WRONG),
    "a good status": refusal("200 OK", "invalid_client", WRONG),
    "another code": refusal("401 No", "invalid_client", "AADSTS7000218: The secret is missing."),
    "no code": refusal("401 No", "invalid_client", "no"),
}


@pytest.mark.parametrize("case", SECRET_WRONG)
async def test_a_refused_secret_is_wrong(case: str, tmp_path: Path) -> None:
    assert (await verdict(tmp_path, token=SECRET_WRONG[case]))["id"] == "sp-secret-wrong"


@pytest.mark.parametrize("case", NOT_SECRET_WRONG)
async def test_a_secret_is_not_called_wrong_by_words_alone(case: str, tmp_path: Path) -> None:
    # Too many requests is a verdict of its own, whatever the words beside it.
    others = {"a throttled one": "login-throttled", "another code": "secret-missing"}
    expected = others.get(case, "unexplained")
    assert (await verdict(tmp_path, token=NOT_SECRET_WRONG[case]))["id"] == expected


@pytest.mark.parametrize("status", [500, 502, 504, 599])
async def test_a_failure_inside_is_the_stamps(status: int, tmp_path: Path) -> None:
    said_ = arm_error(f"{status} Error", "InternalServerError")
    assert (await verdict(tmp_path, groups=said_))["id"] == "arm-server-error"


@pytest.mark.parametrize(
    "said_",
    [
        answer(b"<html><h1>502 Bad Gateway</h1></html>", status="502 Bad Gateway"),
        answer(b"\r\n  <!DOCTYPE html><p>squid</p>", status="504 Gateway Timeout"),
        answer(b"<html><h1>Service Unavailable</h1></html>", status="503 Unavailable"),
        arm_error("600 Odd", "Odd"),
        arm_error("999 Odd", "Odd"),
    ],
)
async def test_a_gateways_page_is_not_the_stamps_failure(said_: Raw, tmp_path: Path) -> None:
    assert (await verdict(tmp_path, groups=said_))["id"] == "unexplained"


STRANGER = "666e9a10-0000-4000-8000-000000000666"


def forbidden(who: str, scope: str) -> Raw:
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    message = (
        f"The client 'x' with object id '{who}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid."
    )
    return arm_error("403 Forbidden", "AuthorizationFailed", message)


async def test_who_lacks_which_role_where_is_told(tmp_path: Path) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    found = await verdict(tmp_path, groups=forbidden(OBJECT_ID, scope))
    assert found["id"] == "arm-forbidden"
    assert {f"object id {OBJECT_ID}", f"scope {scope}"} <= set(found["evidence"])
    by_us, by_az = found["remedies"]
    asked = f"--environment Test --config {tmp_path}/config.toml"
    assert by_us["bash"] == (
        f"stacktui identities grant {OBJECT_ID} --role Reader --scope {scope} {asked}"
    )
    # `az role` asks Microsoft Graph, which no stamp has.
    assert by_az["bash"].startswith(f"az rest --method put --url '{scope}/")
    body = json.loads(shlex.split(by_az["bash"])[-1])["properties"]
    assert (body["principalId"], body["roleDefinitionId"].startswith(scope)) == (OBJECT_ID, True)
    assert by_az["powershell"].startswith(f"New-AzRoleAssignment -ObjectId '{OBJECT_ID}' ")


async def test_in_public_azure_a_fresh_identity_needs_its_type(tmp_path: Path) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    public = f'{DIRECT}\nprofile = "latest"'
    found = await verdict(tmp_path, public, groups=forbidden(OBJECT_ID, scope))
    words = shlex.split(found["remedies"][1]["bash"])
    assert words[words.index("--url") + 1].endswith("?api-version=2022-04-01")
    assert json.loads(words[-1])["properties"]["principalType"] == "ServicePrincipal"


async def test_ad_fs_may_name_a_sid(tmp_path: Path) -> None:
    sid = "S-1-5-21-397955417-626881126-188441444-3001"
    groups = forbidden(sid, f"/subscriptions/{SUBSCRIPTION}")
    found = await verdict(tmp_path, token=token(oid=sid), groups=groups)
    assert f"identities grant {sid} --role" in found["remedies"][0]["bash"]


async def test_the_servers_words_grant_nobody_anything(tmp_path: Path) -> None:
    other = f"/subscriptions/{STRANGER}"
    found = await verdict(tmp_path, groups=forbidden(STRANGER, other))
    assert found["id"] == "arm-forbidden"
    assert STRANGER not in json.dumps(found["remedies"])
    assert OBJECT_ID in found["remedies"][0]["bash"]
    assert OBJECT_ID in found["remedies"][1]["bash"]
    assert all(f"/subscriptions/{SUBSCRIPTION}" in each["powershell"] for each in found["remedies"])
    evidence = found["evidence"]
    assert f"ARM names the object id {STRANGER}, but the token is for {OBJECT_ID}" in evidence
    assert any(line.startswith(f"ARM names the scope {other}, but ") for line in evidence)


async def test_a_later_pages_address_does_not_choose_the_scope(tmp_path: Path) -> None:
    class Paged(Script):
        def answer(self, asked: Any) -> Raw:
            if asked.target.startswith(f"/subscriptions/{SUBSCRIPTION}/"):
                here = f"https://{asked.headers['host']}"
                link = f"{here}/subscriptions/{STRANGER}/resourcegroups?skip=1"
                return said({"value": [], "nextLink": link})
            return super().answer(asked)

    script = Paged(groups=forbidden(OBJECT_ID, f"/subscriptions/{STRANGER}"))
    async with scripted(script) as web:
        found = await verdict_on(tmp_path, web.url)
    assert found["id"] == "arm-forbidden"
    assert STRANGER not in json.dumps(found["remedies"])


async def test_a_token_without_an_object_id_leaves_the_applications_own(tmp_path: Path) -> None:
    groups = forbidden(STRANGER, f"/subscriptions/{SUBSCRIPTION}")
    nameless = token(aud="https://arm/1")
    # ARM is asked by object id only: of what is known, Az PowerShell alone can look that up.
    found = await verdict(tmp_path, token=nameless, groups=groups)
    assert [each["bash"] for each in found["remedies"]] == ["", ""]
    assert f"-ApplicationId '{CLIENT_ID}' " in found["remedies"][1]["powershell"]


async def test_a_page_of_too_many_rows_is_said_plainly(tmp_path: Path) -> None:
    rows = b'{"value":[' + b",".join([b"{}"] * 4_000_000) + b"]}"
    found = await verdict(tmp_path, groups=answer(rows))
    assert found["id"] == "arm-not-json"
    assert any("over 250,000 values on a page" in line for line in found["evidence"])
