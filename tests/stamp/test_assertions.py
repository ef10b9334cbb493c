"""Sign-in by certificate: valid and invalid assertions (RFC 7523)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msal
import pytest
from cryptography.hazmat.primitives import hashes

from stacktui.stamp.running import RunningStamp

from .identities import certificate, confidential, scopes, works
from .probe import Client, oauth_number

Start = Callable[..., RunningStamp]


def test_certificate_by_sha1(stamp: RunningStamp) -> None:
    pem, parsed = certificate(stamp)
    credential = {"private_key": pem, "thumbprint": parsed.fingerprint(hashes.SHA1()).hex()}
    result = confidential(stamp, credential).acquire_token_for_client(scopes(stamp))
    assert works(stamp, result["access_token"])


def test_certificate_by_sha256(stamp: RunningStamp) -> None:
    """MSAL itself falls back to SHA-1 on AD FS."""
    pem, _ = certificate(stamp)
    credential = {"private_key": pem, "public_certificate": pem}
    result = confidential(stamp, credential).acquire_token_for_client(scopes(stamp))
    assert works(stamp, result["access_token"])


def test_adfs_refuses_sha256_alone(start: Start) -> None:
    """AD FS knows `x5t` only: it rejects an MSAL that does not take it for AD FS."""
    stamp = start(idp="adfs")
    pem, parsed = certificate(stamp)
    creator = msal.oauth2cli.assertion.JwtAssertionCreator(
        pem, "PS256", sha256_thumbprint=parsed.fingerprint(hashes.SHA256()).hex()
    )
    client = Client(stamp)
    assertion = creator.create_normal_assertion(client.token_url, stamp.client_id)
    assert oauth_number(client.post(client.token_url, assertion_form(stamp, assertion))) == (
        "MSIS9622"
    )


def assertion_form(stamp: RunningStamp, assertion: bytes) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": stamp.client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion.decode(),
        "scope": scopes(stamp)[0],
    }


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({}, None),
        ({"audience": "https://elsewhere.example/token"}, "AADSTS700023"),
        ({"issuer": "somebody-else"}, "AADSTS50027"),
        ({"expires_at": 1_700_000_000}, "AADSTS700024"),
        ({"not_before": 4_000_000_000}, "AADSTS700024"),
    ],
)
def test_assertion_claims(entra: RunningStamp, change: dict[str, Any], number: str | None) -> None:
    pem, parsed = certificate(entra)
    creator = msal.oauth2cli.assertion.JwtAssertionCreator(
        pem, "RS256", sha256_thumbprint=parsed.fingerprint(hashes.SHA256()).hex()
    )
    client = Client(entra)
    wanted = {"audience": client.token_url, "issuer": entra.client_id, **change}
    assertion = creator.create_normal_assertion(**wanted)
    answer = client.post(client.token_url, assertion_form(entra, assertion))
    if number is None:
        assert answer.status == 200
    else:
        assert (answer.status, oauth_number(answer)) == (401, number)


def test_assertion_by_an_unknown_key(entra: RunningStamp, start: Start) -> None:
    other = start()
    pem, parsed = certificate(other)
    for thumbprint_of in (parsed, certificate(entra)[1]):
        fingerprint = thumbprint_of.fingerprint(hashes.SHA256()).hex()
        credential = {"private_key": pem, "thumbprint": fingerprint[:40], "public_certificate": pem}
        credential["thumbprint"] = thumbprint_of.fingerprint(hashes.SHA1()).hex()
        result = confidential(entra, credential).acquire_token_for_client(scopes(entra))
        assert result["error_codes"] == [700027]


def test_assertion_that_is_no_token(entra: RunningStamp) -> None:
    client = Client(entra)
    for junk in (b"", b"a.b.c", b"....", b"e30.e30.", b"x" * 100_000):
        answer = client.post(client.token_url, assertion_form(entra, junk))
        assert answer.status == 401


def test_rejected_certificate_fault(start: Start) -> None:
    stamp = start(fault="sp-cert-rejected")
    pem, _ = certificate(stamp)
    credential = {"private_key": pem, "public_certificate": pem}
    result = confidential(stamp, credential).acquire_token_for_client(scopes(stamp))
    assert result["error_codes"] == [700027]


def test_unusable_certificate_fault(start: Start) -> None:
    with open(start(fault="sp-cert-unusable").certificate_file) as stream:
        assert "PRIVATE KEY" not in stream.read()
