"""Messages of a real az when the stamp returns an error or plays a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

from .az import Az, Done
from .conftest import DOMAIN, on_stamp, register
from .proxy import pinning_proxy

NETWORK = "Please ensure you have network connection. Error detail:"
NOT_JSON = "Response body does not contain valid json. Error detail:"


def test_wrong_secret(az: Az, stamp: RunningStamp) -> None:
    wrong = stamp.secret[::-1]
    done = az(
        "login", "--service-principal",
        "-u", stamp.client_id, "-p", wrong, "--tenant", stamp.tenant,
    )  # fmt: skip
    number = "AADSTS7000215" if stamp.idp is IdentityProvider.AAD else "MSIS9622"
    assert done.code == 1
    assert number in done.err
    assert wrong not in done.err


def test_token_for_another_audience(az: Az, stamp: RunningStamp) -> None:
    """A scope that differs by one slash is another resource: nothing is trimmed."""
    done = _login(az, stamp)
    assert done.code == 0, done.err
    scope = f"{stamp.identity_provider_audience}//.default"
    done = az("account", "get-access-token", "--scope", scope)
    number = "AADSTS500011" if stamp.idp is IdentityProvider.AAD else "MSIS9602"
    assert done.code == 1
    assert number in done.err


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("metadata-intercepted", NOT_JSON),
        ("metadata-not-json", NOT_JSON),
        ("metadata-server-error", "Server returned status code 500 for "),
        ("tls-untrusted-root", NETWORK),
        ("tls-missing-intermediate", NETWORK),
        ("tls-self-signed", NETWORK),
        ("tls-expired", NETWORK),
        ("tls-name-mismatch", NETWORK),
        ("tcp-refused", NETWORK),
    ],
)
def test_register_against_a_fault(az_path: Path, tmp_path: Path, fault: str, sentence: str) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        done = register(Az(az_path, tmp_path, {"REQUESTS_CA_BUNDLE": stamp.ca_file}), stamp)
    assert done.code == 1
    assert "Unable to get endpoints from the cloud." in done.err
    assert sentence in done.err


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("token-audience-mismatch", "InvalidAuthenticationTokenAudience"),
        ("token-expired-on-arrival", "ExpiredAuthenticationToken"),
    ],
)
def test_arm_refuses_a_bearer(
    az_path: Path, tmp_path: Path, idp: IdentityProvider, fault: str, code: str
) -> None:
    with run_in_thread(StampOptions(idp=idp, fault=fault)) as stamp:
        done = _login(on_stamp(Az(az_path, tmp_path, _trust(stamp)), stamp), stamp)
    assert done.code == 1
    assert code in done.err


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("sp-secret-wrong", "AADSTS7000215"),
        ("app-not-found", "AADSTS700016"),
        ("audience-unknown", "AADSTS500011"),
    ],
)
def test_sign_in_refuses(az_path: Path, tmp_path: Path, fault: str, expected: str) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        done = _login(on_stamp(Az(az_path, tmp_path, _trust(stamp)), stamp), stamp)
    assert done.code == 1
    assert expected in done.err


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("arm-forbidden", "(AuthorizationFailed)"),
        ("api-version-unsupported", "(InvalidApiVersionParameter)"),
    ],
)
def test_group_list_against_a_fault(
    az_path: Path, tmp_path: Path, fault: str, expected: str
) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        az = on_stamp(Az(az_path, tmp_path, _trust(stamp)), stamp)
        assert _login(az, stamp).code == 0
        done = az("group", "list")
    assert done.code != 0
    assert expected in done.err


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("password-wrong", "AADSTS50126: Error validating credentials due to invalid username"),
        ("account-locked", "AADSTS50053: The account is locked, you've tried to sign in too many"),
        ("account-disabled", "AADSTS50057: The user account is disabled."),
        ("password-expired", "AADSTS50055: The password is expired."),
        ("mfa-required", "AADSTS50076: Due to a configuration change made by your administrator"),
        ("conditional-access", "AADSTS53003: Access has been blocked by Conditional Access"),
        ("consent-required", "AADSTS65001: The user or administrator has not consented to use"),
    ],
)
def test_a_user_against_a_fault(az_path: Path, tmp_path: Path, fault: str, expected: str) -> None:
    """az's message is the one in the verdict of the same id."""
    options = StampOptions(domain=DOMAIN, fault=fault)
    with run_in_thread(options) as stamp, pinning_proxy(stamp.resolve) as proxy:
        variables = {**_trust(stamp), "HTTPS_PROXY": proxy}
        az = on_stamp(Az(az_path, tmp_path, variables), stamp)
        done = az("login", "-u", stamp.user, "-p", stamp.password, "--tenant", stamp.tenant)
    assert done.code != 0
    assert expected in done.err
    assert expected in EVERY_FAULT[fault].az_says
    assert stamp.password not in done.out + done.err


def _trust(stamp: RunningStamp) -> dict[str, str]:
    return {"REQUESTS_CA_BUNDLE": stamp.ca_file}


def _login(az: Az, stamp: RunningStamp) -> Done:
    return az(
        "login", "--service-principal",
        "-u", stamp.client_id, "-p", stamp.secret, "--tenant", stamp.tenant,
    )  # fmt: skip
