"""Every fault of the table, as a client sees it."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509

from stacktui.stamp import FAULTS, StampOptions, UnknownFaultError
from stacktui.stamp.running import RunningStamp

from .probe import Client, oauth_number, walk

Start = Callable[..., RunningStamp]

# Certificate numbers are OpenSSL's X509_V_ERR_*: 9 not yet valid, 10 expired, 18 self-signed leaf,
# 20 no local issuer, 62 host name, 66 weak key.
WALK = {
    "dns-not-found": "metadata: gaierror",
    "tcp-refused": "metadata: ConnectionRefusedError",
    "tcp-reset": "metadata: ConnectionResetError",
    "tls-not-tls": "metadata: TLS (WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE)",
    "tls-timeout": "metadata: TimeoutError",
    "tls-untrusted-root": "metadata: certificate 20",
    "tls-missing-intermediate": "metadata: certificate 20",
    "tls-self-signed": "metadata: certificate 18",
    "tls-intercepted": "metadata: certificate 20",
    "tls-expired": "metadata: certificate 10",
    "tls-not-yet-valid": "metadata: certificate 9",
    "tls-name-mismatch": "metadata: certificate 62",
    "tls-weak": "metadata: certificate 66",
    "tls-unsuitable": "metadata: certificate 26",
    "cert-expires-soon": "ok 18",
    "cert-readiness": "ok 18",
    "operator-health": "ok 18",
    "secret-file-open": "ok 18",
    "trust-file-missing": "metadata: FileNotFoundError",
    "trust-file-bad": "metadata: TLS NO_CERTIFICATE_OR_CRL_FOUND",
    "metadata-server-error": "metadata: 500",
    "metadata-unavailable": "metadata: 503 120",
    "metadata-intercepted": "metadata: JSONDecodeError",
    "metadata-not-json": "metadata: JSONDecodeError",
    "metadata-incomplete": "metadata: login endpoint ''",
    "metadata-too-large": "ok 18",
    "metadata-timeout": "metadata: TimeoutError",
    "login-endpoint-insecure": "metadata: login endpoint 'http'",
    "metadata-api-version": "metadata: 400",
    "metadata-reset": "metadata: RemoteDisconnected",
    "metadata-drift": "ok 18",
    "login-unreachable": "ok 18",
    "login-timeout": "token: TimeoutError",
    "login-reset": "token: (ConnectionResetError|IncompleteRead)",
    "tcp-timeout": "metadata: TimeoutError",
    "proxy-unreachable": "ok 18",
    "proxy-auth-required": "ok 18",
    "proxy-refused": "ok 18",
    "login-server-error": "token: 500 server_error",
    "login-not-json": "token: JSONDecodeError",
    "login-intercepted": "token: JSONDecodeError",
    "login-throttled": "token: 429 AADSTS90055",
    "secret-missing": "token: FileNotFoundError",
    "sp-secret-wrong": "token: 401 AADSTS7000215",
    "sp-secret-expired": "token: 401 AADSTS7000222",
    "app-not-found": "token: 400 AADSTS700016",
    "tenant-not-found": "token: 400 AADSTS90002",
    "audience-unknown": "token: 400 AADSTS500011",
    "token-audience-mismatch": "groups: 401 InvalidAuthenticationTokenAudience",
    "token-expired-on-arrival": "groups: 401 ExpiredAuthenticationToken",
    "clock-skew": "ok 18",
    "arm-unauthorized": "groups: 401 InvalidAuthenticationTokenTenant",
    "arm-forbidden": "groups: 403 AuthorizationFailed",
    "no-subscriptions": "groups: no subscription",
    "subscription-not-found": "groups: 404 SubscriptionNotFound",
    "subscription-disabled": "groups: 409 DisabledSubscription",
    "api-version-unsupported": "groups: 400 InvalidApiVersionParameter",
    "arm-throttled": "groups: 429 TooManyRequests 17",
    "arm-server-error": "groups: 500 InternalServerError",
    "arm-unavailable": "groups: 503 ServiceUnavailable 60",
    "arm-intercepted": "groups: JSONDecodeError",
    "arm-not-json": "groups: JSONDecodeError",
    "arm-reset": "groups: (ConnectionResetError|IncompleteRead)",
    "arm-timeout": "groups: TimeoutError",
    "paging-loop": r"ok 18 then https://localhost:\d+/subscriptions/.*",
    "paging-foreign-host": "ok 18 then https://management.east.fabrikam.invalid/.*",
}
"""Outcome for the service principal with a secret, under Entra."""

PASSWORD = {
    "password-wrong": "AADSTS50126",
    "account-locked": "AADSTS50053",
    "account-disabled": "AADSTS50057",
    "password-expired": "AADSTS50055",
    "mfa-required": "AADSTS50076",
    "conditional-access": "AADSTS53003",
    "consent-required": "AADSTS65001",
}
"""Error for a user with a password, under Entra."""

ELSEWHERE = {
    "sp-cert-unusable", "sp-cert-rejected", "device-code-expired", "device-code-declined",
    "imds-unreachable", "imds-no-identity", "imds-unavailable",
}  # fmt: skip
"""Faults of test_assertions.py, test_signin.py and test_imds.py."""

ADFS = {
    "sp-secret-wrong": "token: 400 MSIS9622",
    "app-not-found": "token: 400 MSIS9607",
    "audience-unknown": "token: 400 MSIS9602",
    "login-throttled": "token: 429 temporarily_unavailable",
    "arm-forbidden": "groups: 403 AuthorizationFailed",
    "tls-expired": "metadata: certificate 10",
}


def test_every_fault_is_looked_at() -> None:
    assert WALK.keys() | PASSWORD.keys() | ELSEWHERE == FAULTS.keys()


@pytest.mark.parametrize("fault", WALK)
def test_on_the_way(start: Start, fault: str) -> None:
    seconds = 0.5 if fault.endswith("-timeout") else 5.0
    assert re.fullmatch(WALK[fault], walk(start(fault=fault), seconds))


PROXIES = {
    "proxy-auth-required": (407, 'Negotiate, Basic realm="Contoso"'),
    "proxy-refused": (403, None),
}


@pytest.mark.parametrize("fault", PROXIES)
def test_a_proxy_lets_nobody_through(start: Start, fault: str) -> None:
    place = urlsplit(str(start(fault=fault).proxy))
    connection = http.client.HTTPConnection(str(place.hostname), place.port or 0, timeout=5)
    connection.request("CONNECT", "management.local.azurestack.external:443")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("proxy-authenticate")) == PROXIES[fault]
    connection.close()


def test_nobody_listens_at_a_proxy(start: Start) -> None:
    place = urlsplit(str(start(fault="proxy-unreachable").proxy))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(place.hostname), place.port or 0), timeout=5)


def test_only_where_a_fault_needs_it_there_is_a_proxy(stamp: RunningStamp) -> None:
    assert stamp.proxy is None


@pytest.mark.parametrize(
    ("fault", "first"), [("login-unreachable", True), ("metadata-drift", False)]
)
def test_the_login_host_is_elsewhere(start: Start, fault: str, first: bool) -> None:
    client = Client(start(fault=fault))
    said = [client.metadata().json()["authentication"]["loginEndpoint"] for _ in range(2)]
    moved = [each.startswith("https://login.azurestack.invalid") for each in said]
    assert moved == [first, True]


@pytest.mark.parametrize("fault", ADFS)
def test_on_the_way_under_adfs(start: Start, fault: str) -> None:
    assert walk(start(fault=fault, idp="adfs")) == ADFS[fault]


@pytest.mark.parametrize("fault", PASSWORD)
def test_with_a_password(start: Start, fault: str) -> None:
    client = Client(start(fault=fault))
    answer = client.post(client.token_url, client.password_form())
    assert answer.status == 400
    assert oauth_number(answer) == PASSWORD[fault]


def test_healthy(stamp: RunningStamp) -> None:
    assert walk(stamp).startswith("ok 3 then ")


def test_forbidden_names_who_what_and_where(start: Start) -> None:
    stamp = start(fault="arm-forbidden")
    answer = Client(stamp).arm("GET", "{sub}/resourcegroups")
    assert f"with object id '{stamp.object_id}'" in answer.message
    assert "'Microsoft.Resources/subscriptions/resourceGroups/read'" in answer.message
    assert f"over scope '/subscriptions/{stamp.subscription_id}'" in answer.message


def test_server_error_keeps_the_request_ids(start: Start) -> None:
    answer = Client(start(fault="arm-server-error")).arm("GET", "{sub}/resourcegroups")
    assert answer.headers["x-ms-request-id"]
    assert answer.headers["x-ms-correlation-request-id"]


def test_captive_page_is_html(start: Start) -> None:
    answer = Client(start(fault="metadata-intercepted")).metadata()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert b"<title>Guest Network Sign-in</title>" in answer.body


def test_too_large_is_four_mebibytes(start: Start) -> None:
    assert len(Client(start(fault="metadata-too-large")).metadata().body) == 4 << 20


def test_clock_skew_shows_in_date_and_token(start: Start, entra: RunningStamp) -> None:
    skewed = Client(start(fault="clock-skew")).metadata().headers["date"]
    true = Client(entra).metadata().headers["date"]
    ahead = parsedate_to_datetime(skewed) - parsedate_to_datetime(true)
    assert 1195 <= ahead.total_seconds() <= 1210


def test_untrusted_root_has_a_whole_chain(start: Start) -> None:
    """The root in the CA file is not the one that signed."""
    stamp = start(fault="tls-untrusted-root")
    root = x509.load_pem_x509_certificate(Path(stamp.ca_file).read_bytes())
    assert root.subject.rfc4514_string() == "CN=Fabrikam Enterprise Root CA"


def test_unknown_fault_names_the_nearest() -> None:
    with pytest.raises(UnknownFaultError) as caught:
        StampOptions(fault="tls-expird")
    assert caught.value.nearest[0] == "tls-expired"
