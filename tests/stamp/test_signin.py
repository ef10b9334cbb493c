"""Sign-in through MSAL and by hand, on Entra and on AD FS (PROTOCOL.md section 2)."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp

from .identities import authority, claims, confidential, public, scopes, works
from .probe import Client, oauth_number

Start = Callable[..., RunningStamp]


def test_secret(stamp: RunningStamp) -> None:
    result = confidential(stamp, stamp.secret).acquire_token_for_client(scopes(stamp))
    token = claims(result["access_token"])
    assert token["aud"] == stamp.identity_provider_audience
    assert token["appid"] == stamp.client_id
    assert (token["oid"], token["tid"]) == (stamp.object_id, stamp.tenant)
    assert token["idtyp"] == "app"
    assert token["exp"] - token["iat"] in (3599, 3600)
    assert works(stamp, result["access_token"])


@pytest.mark.filterwarnings("ignore:This API has been deprecated:DeprecationWarning")
def test_adfs_password(start: Start) -> None:
    stamp = start(idp="adfs")
    result = public(stamp).acquire_token_by_username_password(
        stamp.user, stamp.password, scopes(stamp)
    )
    assert result["id_token_claims"]["upn"] == stamp.user
    assert "preferred_username" not in result["id_token_claims"]
    assert works(stamp, result["access_token"])


def test_entra_password(entra: RunningStamp) -> None:
    """Without MSAL, which requests the user's realm on port 443 whatever the login host's port."""
    client = Client(entra)
    realm = client.get(f"{entra.login_url}common/userrealm/{entra.user}?api-version=1.0").json()
    assert realm["account_type"] == "Managed"
    form = {**client.password_form(), "client_info": "1"}
    answer = client.post(client.token_url, form).json()
    assert claims(answer["id_token"])["preferred_username"] == entra.user
    assert claims(answer["id_token"])["aud"] == entra.public_client_id
    info = claims(f".{answer['client_info']}.")
    assert info["utid"] == entra.tenant
    assert works(entra, answer["access_token"])


def test_device_code_and_refresh(start: Start, stamp: RunningStamp) -> None:
    stamp = start(idp=stamp.idp, device_interval=1)
    client, app = Client(stamp), public(stamp)
    flow = app.initiate_device_flow(scopes(stamp))
    assert flow["verification_uri"] == stamp.device_login_url
    assert flow["user_code"] in flow["message"]

    pending = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": stamp.public_client_id,
        "device_code": flow["device_code"],
    }
    answer = client.post(client.token_url, pending)
    assert (answer.status, answer.json()["error"]) == (400, "authorization_pending")

    wrong = {"user_code": flow["user_code"], "username": stamp.user, "password": "x"}
    assert client.post(stamp.device_login_url, wrong).status == 400
    right = {**wrong, "user_code": flow["user_code"].lower(), "password": stamp.password}
    assert client.post(stamp.device_login_url, right).status == 200
    result = app.acquire_token_by_device_flow(flow)
    assert works(stamp, result["access_token"])
    assert client.post(client.token_url, pending).status == 400

    (account,) = app.get_accounts()
    assert account["username"] == stamp.user
    fresh = app.acquire_token_silent(scopes(stamp), account, force_refresh=True)
    assert fresh["access_token"] != result["access_token"]
    assert works(stamp, fresh["access_token"])


def test_device_code_declined(stamp: RunningStamp) -> None:
    client = Client(stamp)
    flow = public(stamp).initiate_device_flow(scopes(stamp))
    decline = {"user_code": flow["user_code"], "action": "decline"}
    assert client.post(stamp.device_login_url, decline).status == 200
    poll = {
        "grant_type": "device_code",
        "client_id": stamp.public_client_id,
        "device_code": flow["device_code"],
    }
    error = client.post(client.token_url, poll).json()["error"]
    assert error in ("authorization_declined", "access_denied")


@pytest.mark.parametrize(
    ("fault", "lifetime", "pause", "error"),
    [
        ("device-code-expired", 3, 3.0, "expired_token"),
        ("device-code-declined", 900, 0.0, "authorization_declined"),
    ],
)
def test_device_code_faults(
    start: Start, fault: str, lifetime: int, pause: float, error: str
) -> None:
    stamp = start(fault=fault)
    client = Client(stamp)
    flow = public(stamp).initiate_device_flow(scopes(stamp))
    assert flow["expires_in"] == lifetime
    time.sleep(pause)
    poll = {
        "grant_type": "device_code",
        "client_id": stamp.public_client_id,
        "device_code": flow["device_code"],
    }
    assert client.post(client.token_url, poll).json()["error"] == error


def test_device_code_approves_itself(start: Start) -> None:
    stamp = start(device_approve_after=2, device_interval=1)
    app = public(stamp)
    result = app.acquire_token_by_device_flow(app.initiate_device_flow(scopes(stamp)))
    assert works(stamp, result["access_token"])


def test_device_page_needs_no_script(entra: RunningStamp) -> None:
    page = Client(entra).get(entra.device_login_url)
    assert page.status == 200
    assert b'name="user_code"' in page.body
    hostile = {"user_code": "<script>"}
    assert b"<script>" not in Client(entra).post(entra.device_login_url, hostile).body


def test_adfs_openid_scope(start: Start) -> None:
    stamp = start(idp="adfs", adfs_default_scope=False)
    app = confidential(stamp, stamp.secret)
    refused = app.acquire_token_for_client(scopes(stamp))
    assert refused["error_description"].startswith("MSIS9605: ")
    result = app.acquire_token_for_client(scopes(stamp, "openid"))
    assert works(stamp, result["access_token"])


ENTRA_REFUSALS = [
    ({"grant_type": ""}, 400, "AADSTS900144"),
    ({"grant_type": "authorization_code"}, 400, "AADSTS70003"),
    ({"client_id": ""}, 400, "AADSTS900144"),
    ({"client_id": "00000000-0000-0000-0000-000000000000"}, 400, "AADSTS700016"),
    ({"client_secret": "wrong"}, 401, "AADSTS7000215"),
    ({"client_secret": ""}, 401, "AADSTS7000218"),
    ({"scope": "https://graph.example/.default"}, 400, "AADSTS500011"),
    ({"scope": "AUDIENCE/openid"}, 400, "AADSTS1002012"),
    ({"scope": "AUDIENCE//.default"}, 400, "AADSTS500011"),
]
ADFS_REFUSALS = [
    ({"grant_type": "authorization_code"}, 400, "MSIS9611"),
    ({"client_id": "00000000-0000-0000-0000-000000000000"}, 400, "MSIS9607"),
    ({"client_secret": "wrong"}, 400, "MSIS9622"),
    ({"scope": "https://graph.example/.default"}, 400, "MSIS9602"),
]


@pytest.mark.parametrize(("change", "status", "number"), ENTRA_REFUSALS)
def test_entra_refuses(
    entra: RunningStamp, change: dict[str, str], status: int, number: str
) -> None:
    client = Client(entra)
    answer = client.post(client.token_url, changed(client.secret_form(), change, entra))
    assert (answer.status, oauth_number(answer)) == (status, number)
    document = answer.json()
    assert document["error_codes"] == [int(number.removeprefix("AADSTS"))]
    assert document["trace_id"] in document["error_description"]
    assert entra.secret not in answer.body.decode()


@pytest.mark.parametrize(("change", "status", "number"), ADFS_REFUSALS)
def test_adfs_refuses(start: Start, change: dict[str, str], status: int, number: str) -> None:
    stamp = start(idp="adfs")
    client = Client(stamp)
    answer = client.post(client.token_url, changed(client.secret_form(), change, stamp))
    assert (answer.status, oauth_number(answer)) == (status, number)
    assert "error_codes" not in answer.json()


def changed(form: dict[str, str], change: dict[str, str], stamp: RunningStamp) -> dict[str, str]:
    audience = stamp.identity_provider_audience
    return form | {name: value.replace("AUDIENCE", audience) for name, value in change.items()}


@pytest.mark.parametrize(
    ("change", "entra_number", "adfs_number"),
    [
        ({"username": "nobody@contoso.example"}, "AADSTS50034", "MSIS9659"),
        ({"password": "wrong"}, "AADSTS50126", "MSIS9659"),
        ({"client_id": "11111111-1111-1111-1111-111111111111"}, "AADSTS700016", "MSIS9607"),
    ],
)
def test_user_refused(
    client: Client, change: dict[str, str], entra_number: str, adfs_number: str
) -> None:
    answer = client.post(client.token_url, client.password_form() | change)
    entra = client.stamp.idp is IdentityProvider.AAD
    assert oauth_number(answer) == (entra_number if entra else adfs_number)


def test_entra_tenants(entra: RunningStamp) -> None:
    client = Client(entra)

    def post(tenant: str, form: dict[str, str]) -> str:
        answer = client.post(f"{entra.login_url}{tenant}/oauth2/v2.0/token", form)
        return "granted" if answer.status == 200 else oauth_number(answer)

    assert post(entra.tenant_domain, client.secret_form()) == "granted"
    assert post("organizations", client.password_form()) == "granted"
    assert post("organizations", client.secret_form()) == "AADSTS50059"
    assert post("fabrikam.example", client.secret_form()) == "AADSTS90002"


def test_entra_version_1(entra: RunningStamp) -> None:
    client = Client(entra)
    form = client.secret_form()
    form.pop("scope")
    form["resource"] = entra.identity_provider_audience
    answer = client.post(f"{entra.login_url}{entra.tenant}/oauth2/token", form).json()
    assert re.fullmatch(r"\d+", answer["expires_in"])
    assert answer["resource"] == entra.identity_provider_audience
    assert works(entra, answer["access_token"])


def test_secret_by_basic_authentication(stamp: RunningStamp) -> None:
    client = Client(stamp)
    form = client.secret_form()
    pair = f"{form.pop('client_id')}:{form.pop('client_secret')}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert client.request("POST", client.token_url, headers, urlencode(form)).status == 200


def test_discovery_documents(stamp: RunningStamp) -> None:
    client = Client(stamp)
    base = authority(stamp)
    version = "/v2.0" if stamp.idp is IdentityProvider.AAD else ""
    document = client.get(f"{base}{version}/.well-known/openid-configuration").json()
    assert document["token_endpoint"].rstrip("/") == client.token_url
    (key,) = client.get(document["jwks_uri"]).json()["keys"]
    header = client.token().split(".")[0]
    assert claims(f".{header}.")["kid"] == key["kid"]


def test_tokens_verify_with_the_published_key(entra: RunningStamp) -> None:
    jwt = pytest.importorskip("jwt")
    client = Client(entra)
    (key,) = client.get(f"{entra.login_url}common/discovery/v2.0/keys").json()["keys"]
    verified = jwt.decode(
        client.token(),
        jwt.PyJWK(key).key,
        algorithms=["RS256"],
        audience=entra.identity_provider_audience,
    )
    assert verified["tid"] == entra.tenant


def test_instance_discovery(entra: RunningStamp) -> None:
    client = Client(entra)
    base = f"{entra.login_url}common/discovery/instance?api-version=1.1&authorization_endpoint="
    found = client.get(f"{base}{entra.login_url}{entra.tenant}/oauth2/v2.0/authorize").json()
    assert found["tenant_discovery_endpoint"].startswith(entra.login_url)
    unknown = client.get(f"{base}https://login.example/common/oauth2/authorize")
    assert (unknown.status, oauth_number(unknown)) == (400, "AADSTS50049")
