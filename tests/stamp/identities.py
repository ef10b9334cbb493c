"""MSAL applications for a stamp, and the claims of its tokens."""

from __future__ import annotations

import base64
import json
from typing import Any

import msal
from cryptography import x509

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp

from .probe import Client


def authority(stamp: RunningStamp) -> str:
    if stamp.idp is IdentityProvider.ADFS:
        return stamp.login_url
    return f"{stamp.login_url}{stamp.tenant}"


def scopes(stamp: RunningStamp, suffix: str = ".default") -> list[str]:
    return [f"{stamp.identity_provider_audience}/{suffix}"]


def confidential(stamp: RunningStamp, credential: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        stamp.client_id,
        client_credential=credential,
        authority=authority(stamp),
        instance_discovery=False,
        verify=stamp.ca_file,
    )


def public(stamp: RunningStamp) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        stamp.public_client_id,
        authority=authority(stamp),
        instance_discovery=False,
        verify=stamp.ca_file,
    )


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def certificate(stamp: RunningStamp) -> tuple[str, x509.Certificate]:
    with open(stamp.certificate_file) as stream:
        pem = stream.read()
    return pem, x509.load_pem_x509_certificate(pem.encode())


def works(stamp: RunningStamp, token: str) -> bool:
    return Client(stamp).arm("GET", "{sub}/resourcegroups", token=token).status == 200
