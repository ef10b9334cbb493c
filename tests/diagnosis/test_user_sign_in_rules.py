"""What only people meet when they sign in: provoked on the wire, read from the JSON verdict."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import FAULTS, IdentityProvider, SignInKind, StampOptions, run_in_thread
from tests.diagnosis.drills import ADFS, DOMAIN, ENTRA, verdict_of
from tests.diagnosis.servers import CLIENT_ID, Coded, Script, ran_as, said
from tests.product import Ran, check_json, signing_in, write_config
from tests.support.web import Raw

WHO = "operator@"
# fault, under which sign-in service, and what the evidence must show
PROVOKED = [
    ("password-wrong", ENTRA, ["AADSTS50126", "the password came from file", WHO]),
    ("password-wrong", ADFS, ["MSIS9659", "the password came from file", WHO]),
    ("account-locked", ENTRA, ["AADSTS50053", WHO]),
    ("account-disabled", ENTRA, ["AADSTS50057", WHO]),
    ("password-expired", ENTRA, ["AADSTS50055", WHO]),
    ("mfa-required", ENTRA, ["AADSTS50076", WHO]),
    ("mfa-required", ADFS, ["interaction_required", WHO]),
    ("conditional-access", ENTRA, ["AADSTS53003", "correlation id: "]),
    ("conditional-access", ADFS, ["access_denied", WHO]),
    ("consent-required", ENTRA, ["AADSTS65001", "(Azure CLI's)"]),
    ("device-code-expired", ENTRA, ["AADSTS70019", "expired_token"]),
    ("device-code-expired", ADFS, ["expired_token"]),
    ("device-code-declined", ENTRA, ["authorization_declined"]),
    ("device-code-declined", ADFS, ["access_denied"]),
]
# AD FS has one word for whatever keeps a right password from a token, and knows no consent.
ALIKE = [
    ("account-locked", "password-wrong"),
    ("account-disabled", "password-wrong"),
    ("password-expired", "password-wrong"),
    ("consent-required", "conditional-access"),
]


def drill(
    fault: str | None, folder: Path, idp: IdentityProvider, kind: SignInKind, **more: str
) -> Ran:
    options = StampOptions(fault=fault, idp=idp, domain=DOMAIN, device_interval=1)
    with run_in_thread(options) as stamp:
        described = stamp.describe()
        return check_json(write_config(folder, described, **signing_in(kind, described, **more)))


def verdict_on_drill(
    fault: str, folder: Path, idp: IdentityProvider, **more: str
) -> dict[str, Any]:
    ran = drill(fault, folder, idp, FAULTS[fault].sign_in_kind, **more)
    if FAULTS[fault].sign_in_kind is SignInKind.DEVICE_CODE:
        assert ran.err.count("\n") == 1
        ran = Ran(ran.code, ran.out, "")
    return verdict_of(ran, "token")


@pytest.mark.parametrize(("fault", "idp", "shown"), PROVOKED)
def test_what_keeps_a_person_from_a_token_is_named(
    fault: str, idp: IdentityProvider, shown: list[str], tmp_path: Path
) -> None:
    verdict = verdict_on_drill(fault, tmp_path, idp)
    assert (verdict["id"], verdict["side"]) == (fault, "sign-in")
    for text in shown:
        assert any(text in line for line in verdict["evidence"]), (text, verdict["evidence"])


@pytest.mark.parametrize(("fault", "named"), ALIKE)
def test_what_ad_fs_does_not_tell_is_not_guessed(fault: str, named: str, tmp_path: Path) -> None:
    verdict = verdict_on_drill(fault, tmp_path, ADFS)
    assert verdict["id"] == named
    if named == "password-wrong":
        assert "locked, disabled or expired: AD FS does not tell which" in verdict["title"]


def test_a_user_who_is_not_there_is_not_told_to_change_a_password(tmp_path: Path) -> None:
    verdict = verdict_on_drill("password-wrong", tmp_path, ENTRA, username='"nobody@contoso.test"')
    assert verdict["id"] == "password-wrong"
    assert verdict["title"] == "The directory has no user nobody@contoso.test"
    assert any("AADSTS50034" in line for line in verdict["evidence"])
    assert not any("read -rs" in remedy["bash"] for remedy in verdict["remedies"])


@pytest.mark.parametrize("idp", [ENTRA, ADFS])
@pytest.mark.parametrize("by", [SignInKind.PASSWORD, SignInKind.DEVICE_CODE])
def test_faults_of_others_are_named_for_people_too(
    by: SignInKind, idp: IdentityProvider, tmp_path: Path
) -> None:
    """An application that nobody knows is met before anybody types anything."""
    client = '"0b1ec700-0000-4000-8000-00000000000f"'
    verdict = verdict_of(drill(None, tmp_path, idp, by, client_id=client), "token")
    assert verdict["id"] == "app-not-found"


def test_the_mend_for_mfa_is_a_config_that_works(tmp_path: Path) -> None:
    """By device code, the second factor can be shown: the page takes it, and the check is well."""
    options = StampOptions(
        fault="mfa-required", domain=DOMAIN, device_interval=1, device_approve_after=1
    )
    with run_in_thread(options) as stamp:
        described = stamp.describe()
        user = signing_in(SignInKind.PASSWORD, described)
        verdict = verdict_of(check_json(write_config(tmp_path, described, **user)), "token")
        assert 'set kind = "device-code"' in verdict["remedies"][0]["title"]
        words = shlex.split(verdict["remedies"][1]["bash"])
        assert words == ["az", "login", "--use-device-code", "--tenant", stamp.tenant]
        fixed = user | {"kind": '"device-code"', "username": "", "password": ""}
        ran = check_json(write_config(tmp_path, described, **fixed))
    assert ran.code == 0, ran.out


def test_the_mend_for_a_wrong_password_works_when_pasted(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        described = stamp.describe()
        kept = tmp_path / "kept password"
        kept.write_text("not-the-password")
        user = signing_in(SignInKind.PASSWORD, described, password=f'{{ file = "{kept}" }}')
        config = write_config(tmp_path, described, **user)
        verdict = verdict_of(check_json(config), "token")
        assert verdict["id"] == "password-wrong"
        command = verdict["remedies"][0]["bash"]
        typed = f"{stamp.password}\n"
        subprocess.run(["bash", "-c", command], input=typed, text=True, check=True)
        assert check_json(config).code == 0


def test_a_missing_password_is_called_one(tmp_path: Path) -> None:
    missing = '{ env = "NO_SUCH_PASSWORD" }'
    ran = drill(None, tmp_path, ENTRA, SignInKind.PASSWORD, password=missing)
    verdict = verdict_of(ran, "token")
    assert verdict["id"] == "secret-missing"
    assert verdict["title"] == "The password of identity tester is not there"
    assert "password under [identities.tester]" in verdict["remedies"][1]["title"]


def refusal(status: str, error: str, description: str) -> Raw:
    return said({"error": error, "error_description": description}, status)


NEIGHBOURS = {
    "a code that is quoted": refusal("400 Bad", "invalid_grant", "Not AADSTS50126: no"),
    "a code of another error": refusal("400 Bad", "invalid_client", "AADSTS50126: no"),
    "a server error": refusal("500 Error", "invalid_grant", "AADSTS50053: no"),
    "an unknown code": refusal("400 Bad", "interaction_required", "AADSTS59999: no"),
    "an expired token of a user": refusal("400 Bad", "expired_token", "no"),
    "a declined code of a user": refusal("400 Bad", "authorization_declined", "no"),
    "no word at all": refusal("400 Bad", "invalid_grant", ""),
}


async def _on_script(folder: Path, answer: Raw, identity: str) -> dict[str, Any]:
    ran = await ran_as(folder, Script(token=answer), identity)
    verdict: dict[str, Any] = ran.document["verdict"]
    return verdict


USER = 'kind = "user"\nusername = "a@b.test"\npassword = { file = "secret" }'
APPLICATION = (
    f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\nsecret = {{ file = "secret" }}'
)


@pytest.mark.parametrize("case", NEIGHBOURS)
async def test_a_neighbour_is_not_taken_for_a_user_s_fault(case: str, tmp_path: Path) -> None:
    verdict = await _on_script(tmp_path, NEIGHBOURS[case], USER)
    assert verdict["id"] in ("unexplained", "login-server-error")


@pytest.mark.parametrize(
    "answer",
    [
        refusal("400 Bad", "invalid_grant", "MSIS9659: Invalid 'username' or 'password'."),
        refusal("400 Bad", "interaction_required", "Additional authentication is required."),
        refusal("400 Bad", "access_denied", "Access is denied."),
        refusal("400 Bad", "invalid_grant", "AADSTS50053: locked"),
    ],
)
async def test_an_application_has_no_user_s_fault(answer: Raw, tmp_path: Path) -> None:
    assert (await _on_script(tmp_path, answer, APPLICATION))["id"] == "unexplained"


async def test_a_user_has_no_application_s_secret(tmp_path: Path) -> None:
    answer = refusal("400 Bad", "invalid_client", "MSIS9622: Client authentication failed.")
    assert (await _on_script(tmp_path, answer, USER))["id"] == "unexplained"


@pytest.mark.parametrize("error", ["expired_tokens", "invalid_grant", ""])
async def test_another_end_of_a_device_code_is_not_named(error: str, tmp_path: Path) -> None:
    script = Coded(token=refusal("400 Bad", error, "no"))
    ran = await ran_as(tmp_path, script, 'kind = "device-code"')
    assert ran.document["verdict"]["id"] == "unexplained"
    assert "type the code ABCD" in ran.err
