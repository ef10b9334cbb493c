"""Codes of sign-in services, refused on the wire: which fault each means, and its neighbours.

The errors and words are those of Entra and AD FS (PROTOCOL.md section 2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.servers import CLIENT_ID, Coded, Script, ran_as, said
from tests.support.web import Asked, Raw

APPLICATION = (
    f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\nsecret = {{ file = "secret" }}'
)
USER = 'kind = "user"\nusername = "ada@fabrikam.test"\npassword = { file = "secret" }'
DEVICE_CODE = 'kind = "device-code"'


def refusal(code: str, error: str, status: str = "400 Bad") -> Raw:
    description = f"{code}: It was refused. Trace ID: 1"
    return said({"error": error, "error_description": description}, status)


async def verdict(folder: Path, answer: Raw, identity: str) -> dict[str, Any]:
    ran = await ran_as(folder, Script(token=answer), identity)
    found: dict[str, Any] = ran.document["verdict"]
    return found


# code, the service's word for it, who signs in, and what it is
MEANT = [
    ("AADSTS50020", "invalid_grant", USER, "tenant-not-found"),
    ("AADSTS90072", "interaction_required", USER, "tenant-not-found"),
    ("AADSTS50059", "invalid_request", APPLICATION, "tenant-not-found"),
    ("AADSTS65005", "invalid_resource", USER, "consent-required"),
    ("AADSTS650057", "invalid_client", APPLICATION, "consent-required"),
    ("AADSTS650052", "invalid_client", USER, "consent-required"),
    ("AADSTS50105", "invalid_grant", USER, "consent-required"),
    ("AADSTS50105", "unauthorized_client", APPLICATION, "consent-required"),
    ("AADSTS7000112", "unauthorized_client", APPLICATION, "app-not-found"),
    ("AADSTS7000218", "invalid_client", USER, "app-not-public"),
    ("AADSTS7000218", "invalid_client", APPLICATION, "secret-missing"),
    ("AADSTS50173", "invalid_grant", USER, "password-expired"),
    ("AADSTS700082", "invalid_grant", USER, "password-expired"),
    ("AADSTS70043", "invalid_grant", USER, "password-expired"),
    ("AADSTS53000", "interaction_required", USER, "conditional-access"),
    ("AADSTS530003", "invalid_grant", USER, "conditional-access"),
    ("AADSTS700038", "invalid_request", APPLICATION, "app-not-found"),
    ("AADSTS900023", "invalid_request", APPLICATION, "tenant-not-found"),
    ("MSIS9615", "invalid_grant", USER, "password-expired"),
    ("AADSTS530084", "invalid_grant", USER, "conditional-access"),
    ("AADSTS53003", "access_denied", APPLICATION, "conditional-access"),
    ("MSIS7012", "server_error", APPLICATION, "login-server-error"),
    ("MSIS9604", "invalid_request", USER, "login-server-error"),
    ("MSIS9605", "unauthorized_client", APPLICATION, "adfs-client-not-allowed"),
]


@pytest.mark.parametrize(
    ("code", "error", "identity", "expected"), MEANT, ids=lambda text: text.partition("\n")[0]
)
async def test_a_code_means_its_fault(
    code: str, error: str, identity: str, expected: str, tmp_path: Path
) -> None:
    found = await verdict(tmp_path, refusal(code, error), identity)
    assert found["id"] == expected, found
    assert found["side"] == ("box" if expected == "secret-missing" else "sign-in")
    assert any(code in line for line in found["evidence"]), found["evidence"]


async def test_a_user_of_another_directory_is_led_home(tmp_path: Path) -> None:
    found = await verdict(tmp_path, refusal("AADSTS50020", "invalid_grant"), USER)
    home, by_az, *_ = found["remedies"]
    assert 'tenant = "fabrikam.test"' in home["title"]
    assert by_az["bash"].endswith("az login --use-device-code --tenant fabrikam.test")


async def test_an_application_meets_policies_for_workloads(tmp_path: Path) -> None:
    found = await verdict(tmp_path, refusal("AADSTS53003", "access_denied"), APPLICATION)
    (remedy,) = found["remedies"]
    assert "workload identities" in remedy["title"]
    assert CLIENT_ID in found["title"]


async def test_a_device_code_that_ad_fs_does_not_give(tmp_path: Path) -> None:
    class Refusing(Coded):
        def answer(self, asked: Asked) -> Raw:
            if asked.target.startswith("/adfs/oauth2/device_authorization"):
                return refusal("MSIS9605", "unauthorized_client")
            return super().answer(asked)

    ran = await ran_as(tmp_path, Refusing(), DEVICE_CODE)
    found = ran.document["verdict"]
    assert (found["id"], found["side"]) == ("adfs-client-not-allowed", "sign-in")
    assert "1.2108.2.130" in found["remedies"][0]["title"]


# Codes that nobody knows: what is quoted, and where it is looked up.
UNKNOWN = [
    ("AADSTS500999", "invalid_grant", "error?code=500999"),
    ("MSIS9699", "invalid_request", "AD FS/Admin"),
]


@pytest.mark.parametrize(("code", "error", "where"), UNKNOWN)
async def test_a_code_that_nobody_knows_is_quoted(
    code: str, error: str, where: str, tmp_path: Path
) -> None:
    found = await verdict(tmp_path, refusal(code, error), APPLICATION)
    assert (found["id"], found["side"]) == ("unexplained", "sign-in")
    assert code in found["title"]
    assert found["az_says"] == f"{code}: It was refused."
    assert where in found["remedies"][0]["title"]


async def test_a_code_of_arm_that_nobody_knows_is_quoted(tmp_path: Path) -> None:
    odd = {"error": {"code": "FlightDelayed", "message": "Come back by train."}}
    script = Script(groups=said(odd, "409 Conflict", x_ms_request_id="r-1"))
    found = (await ran_as(tmp_path, script, APPLICATION)).document["verdict"]
    assert (found["id"], found["side"]) == ("unexplained", "stamp")
    assert found["az_says"] == "(FlightDelayed) Come back by train."
    assert "x-ms-request-id: r-1" in found["remedies"][0]["title"]


NEIGHBOURS = [
    ("a server error", refusal("AADSTS50105", "invalid_grant", "500 Error"), USER),
    ("a good status", refusal("AADSTS53003", "invalid_grant", "200 OK"), APPLICATION),
    ("a word of a user", refusal("AADSTS50173", "invalid_grant"), APPLICATION),
    ("a longer code", refusal("AADSTS5300399", "invalid_grant"), USER),
]


@pytest.mark.parametrize(("case", "answer", "identity"), NEIGHBOURS)
async def test_a_neighbour_is_not_taken_for_it(
    case: str, answer: Raw, identity: str, tmp_path: Path
) -> None:
    assert (await verdict(tmp_path, answer, identity))["id"] == "unexplained", case
