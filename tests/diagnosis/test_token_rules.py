"""Sign-in refusals, provoked on the wire, and the neighbours that look like them."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.drills import ADFS, DOMAIN, ENTRA, drill, verdict_of
from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.product import check_json, write_config
from tests.support.web import Raw

# fault: under which sign-in service, by certificate, and what the evidence must show
PROVOKED = [
    ("sp-secret-expired", ENTRA, False, ["AADSTS7000222", "the secret came from file"]),
    ("app-not-found", ENTRA, False, ["AADSTS700016", "client_id under", "tenant under"]),
    ("app-not-found", ADFS, False, ["MSIS9607", "client_id under"]),
    ("tenant-not-found", ENTRA, False, ["AADSTS90002", "asked for the tenant"]),
    ("audience-unknown", ENTRA, False, ["AADSTS500011", "gives the audience https://"]),
    ("audience-unknown", ADFS, False, ["MSIS9602", "gives the audience https://"]),
    ("sp-cert-rejected", ENTRA, True, ["AADSTS700027", "SHA-256 thumbprint", "clock agrees"]),
    ("sp-cert-rejected", ADFS, True, ["MSIS9622", "SHA-1 thumbprint", "clock agrees"]),
    # AD FS has one word for every credential that it does not take.
    ("sp-secret-wrong", ADFS, False, ["MSIS9622", "the secret came from file"]),
]


@pytest.mark.parametrize(("fault", "idp", "certificate", "shown"), PROVOKED)
def test_a_refusal_is_named(
    fault: str, idp: IdentityProvider, certificate: bool, shown: list[str], tmp_path: Path
) -> None:
    verdict = verdict_of(drill(fault, tmp_path, idp, certificate=certificate), "token")
    assert (verdict["id"], verdict["side"]) == (fault, "sign-in")
    for text in shown:
        assert any(text in line for line in verdict["evidence"]), (text, verdict["evidence"])


def test_the_thumbprint_is_the_one_that_openssl_tells(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault="sp-cert-rejected", idp=ADFS, domain=DOMAIN)) as stamp:
        described = stamp.describe()
        path = f'"{described["certificate_file"]}"'
        config = write_config(tmp_path, described, secret="", certificate=path)
        verdict = verdict_of(check_json(config), "token")
        command = verdict["remedies"][0]["bash"]
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    (line,) = [each for each in verdict["evidence"] if "thumbprint" in each]
    assert line.rpartition(" ")[2].upper() in done.stdout.replace(":", "")


async def test_the_tenant_that_the_stamp_names_is_the_mend(tmp_path: Path) -> None:
    """Entra's 90002, of an identity whose tenant is not the one of the metadata."""
    own = "0b1ec700-0000-4000-8000-00000000000a"
    refused = said(
        {"error": "invalid_request", "error_description": "AADSTS90002: Tenant 't' not found.",
         "error_codes": [90002]}, "400 Bad Request",
    )  # fmt: skip

    class Entra(Script):
        def answer(self, asked: Any) -> Raw:
            here = f"https://{asked.headers['host']}"
            if asked.target.startswith("/metadata"):
                login = {"loginEndpoint": here, "audiences": ["https://arm/1"], "tenant": own}
                return said({"authentication": login})
            return refused

    verdict = await _verdict(tmp_path, Entra())
    assert verdict["id"] == "tenant-not-found"
    assert f"the stamp's metadata names the tenant {own}" in verdict["evidence"]
    assert any(f'tenant = "{own}"' in each["title"] for each in verdict["remedies"])


async def _verdict(folder: Path, script: Script) -> dict[str, Any]:
    async with scripted(script) as web:
        return await verdict_on(folder, web.url)


def refusal(status: str, error: str, description: str, **more: object) -> Raw:
    return said({"error": error, "error_description": description, **more}, status)


NOT_ALLOWED = "MSIS9605: The client is not allowed to access the requested resource."


async def test_a_client_that_both_scopes_refuse_is_not_allowed(tmp_path: Path) -> None:
    script = Script(token=refusal("400 Bad", "invalid_grant", NOT_ALLOWED))
    verdict = await _verdict(tmp_path, script)
    assert (verdict["id"], verdict["side"]) == ("adfs-client-not-allowed", "sign-in")
    (scopes,) = [line for line in verdict["evidence"] if line.startswith("scopes tried")]
    assert "/.default, " in scopes
    assert scopes.endswith("/openid")


async def test_a_second_scope_that_is_refused_otherwise_tells_nothing(tmp_path: Path) -> None:
    class Scoped(Script):
        def answer(self, asked: Any) -> Raw:
            if asked.target.startswith("/adfs/oauth2/token"):
                first = b"default" in asked.body
                text = NOT_ALLOWED if first else "MSIS9999: Something else."
                return refusal("400 Bad", "invalid_grant", text)
            return super().answer(asked)

    assert (await _verdict(tmp_path, Scoped()))["id"] == "unexplained"


def test_an_ad_fs_that_takes_the_second_scope_is_healthy(tmp_path: Path) -> None:
    options = StampOptions(idp=ADFS, domain=DOMAIN, adfs_default_scope=False)
    with run_in_thread(options) as stamp:
        assert check_json(write_config(tmp_path, stamp.describe())).code == 0


NEIGHBOURS = {
    "words alone": refusal("400 Bad", "invalid_grant", "AADSTS7000222: expired"),
    "a code that is quoted": refusal("400 Bad", "invalid_client", "Not AADSTS700016: no"),
    "a server error": refusal("500 Error", "invalid_client", "AADSTS700016: gone"),
    "a good status": refusal("200 OK", "invalid_resource", "MSIS9602: no"),
    "an app's code for a resource": refusal("400 Bad", "invalid_resource", "MSIS9607: no"),
    "a resource's code for a user": refusal("400 Bad", "invalid_grant", "AADSTS500011: no"),
    "a certificate's code of a secret": refusal("401 No", "invalid_client", "AADSTS700027: no"),
    "no code at all": refusal("400 Bad", "invalid_client", "no"),
}


@pytest.mark.parametrize("case", NEIGHBOURS)
async def test_a_neighbour_is_not_taken_for_a_refusal_we_know(case: str, tmp_path: Path) -> None:
    verdict = await _verdict(tmp_path, Script(token=NEIGHBOURS[case]))
    assert verdict["id"] in ("unexplained", "login-server-error")


def test_new_secrets_and_certificates_are_commands_for_one_application(tmp_path: Path) -> None:
    verdict = verdict_of(drill("sp-secret-expired", tmp_path, ENTRA), "token")
    (line,) = [each for each in verdict["evidence"] if each.startswith("application ")]
    words = shlex.split(verdict["remedies"][0]["bash"])
    # On a stamp az has no Microsoft Graph to ask.
    assert words[:6] == ["az", "cloud", "set", "-n", "AzureCloud", "&&"]
    assert words[6:12] == ["az", "ad", "app", "credential", "reset", "--id"]
    assert words[12] == line.removeprefix("application ")


def test_a_tenant_that_is_named_nowhere(tmp_path: Path) -> None:
    """Entra is asked at an address that has the tenant in it; the old metadata names none."""
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        ran = check_json(write_config(tmp_path, stamp.describe(), tenant=""))
    verdict = ran.document["verdict"]
    assert (verdict["id"], verdict["side"]) == ("tenant-not-found", "box")
    assert "[identities.tester] has no tenant" in verdict["evidence"]
