"""Signing in on stamps and on servers that say what a test wants."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities.faults import IdentityError, SignInFault
from stacktui.identities.model import (
    AZURE_CLI,
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
    SecretRef,
)
from stacktui.identities.sign_in import acquire_token, prepare, read_secret
from stacktui.identities.token import Token
from stacktui.stamp.running import RunningStamp
from stacktui.text.sanitize import Redactor
from stacktui.transport.records import Exchange
from stacktui.transport.session import HttpSession
from tests.support.sessions import opened, opened_on
from tests.support.web import Asked, Raw, Web, answer, serving

AUDIENCE = "https://management.contoso.example/3ee899c8"
TENANT = "0f8ab61b-9b1c-4b8f-b55c-7c60a3a2a7f1"
JSON = {"Content_Type": "application/json"}


def identity_of(stamp: RunningStamp, *, certificate: bool = False, **replaced: object) -> Identity:
    """The service principal that a stamp knows, or one that differs in what is `replaced`."""
    credential = (
        CertificateRef(Path(stamp.certificate_file))
        if certificate
        else FileSecret(Path(stamp.secret_file))
    )
    values = {
        "kind": IdentityKind.SERVICE_PRINCIPAL,
        "client_id": stamp.client_id,
        "credential": credential,
        "tenant": stamp.tenant,
    }
    return Identity(name="ops", **(values | replaced))  # type: ignore[arg-type]


def protected(usable: Path, form: str, password: str) -> bytes:
    """A file's certificate and key with a password: as a `pfx`, or as PEM."""
    content = usable.read_bytes()
    key = load_pem_private_key(content[content.index(b"-----BEGIN PRIVATE") :], None)
    assert isinstance(key, RSAPrivateKey)
    certificate = load_pem_x509_certificate(content)
    lock = BestAvailableEncryption(password.encode())
    if form == "pfx":
        return pkcs12.serialize_key_and_certificates(b"sp", key, certificate, None, lock)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return private + certificate.public_bytes(Encoding.PEM)


def user_of(stamp: RunningStamp, **replaced: object) -> Identity:
    """The user that a stamp knows."""
    values = {
        "kind": IdentityKind.USER,
        "client_id": AZURE_CLI,
        "username": stamp.user,
        "credential": FileSecret(Path(stamp.password_file)),
    }
    return identity_of(stamp, **(values | replaced))


def nobody_asked(page: str, code: str, seconds: float) -> None:
    raise AssertionError("somebody was asked to sign in")


async def sign_in(
    stamp: RunningStamp, identity: Identity, redactor: Redactor | None = None
) -> tuple[Token, tuple[Exchange, ...]]:
    """A token from a stamp, and what went over the network for it."""
    async with opened_on(stamp, redactor=redactor) as session:
        metadata = await fetch_metadata(session, stamp.arm_url)
        session.take_exchanges()
        credential = prepare(identity, read_secret(identity, session.redactor))
        token = await acquire_token(session, metadata, identity, credential, nobody_asked)
        return token, session.take_exchanges()


async def refusal(stamp: RunningStamp, identity: Identity) -> SignInFault:
    """How a stamp refuses an identity."""
    with pytest.raises(IdentityError) as caught:
        await sign_in(stamp, identity)
    assert isinstance(caught.value.fault, SignInFault)
    return caught.value.fault


@asynccontextmanager
async def login_host(
    token: Raw, discovery: Raw | None = None, *, adfs: bool = False
) -> AsyncIterator[tuple[Web, Metadata]]:
    """A sign-in host that gives every token request the same answer."""

    def said(asked: Asked) -> Raw:
        if asked.method == "POST":
            return token
        return discovery or answer(document(web.url), **JSON)

    async with serving(said) as web:
        provider = IdentityProvider.ADFS if adfs else IdentityProvider.ENTRA
        login = f"{web.url}/adfs" if adfs else web.url
        yield web, Metadata("2015-01-01", login, AUDIENCE, provider)


def document(origin: str) -> bytes:
    """An OpenID configuration."""
    return json.dumps(
        {
            "issuer": f"{origin}/{TENANT}/v2.0",
            "authorization_endpoint": f"{origin}/authorize",
            "token_endpoint": f"{origin}/token",
        }
    ).encode()


def ops(
    credential: SecretRef | CertificateRef | None = None, tenant: str | None = TENANT
) -> Identity:
    """A service principal whose secret is in the variable `OPS`."""
    kind = IdentityKind.SERVICE_PRINCIPAL
    return Identity("ops", kind, "client-id", credential or EnvSecret("OPS"), tenant)


async def acquire(session: HttpSession, metadata: Metadata, identity: Identity) -> Token:
    credential = prepare(identity, read_secret(identity, session.redactor))
    return await acquire_token(session, metadata, identity, credential, nobody_asked)


async def refused(metadata: Metadata, identity: Identity | None = None) -> SignInFault:
    """How a login host refuses."""
    async with opened() as session:
        with pytest.raises(IdentityError) as caught:
            await acquire(session, metadata, identity or ops())
    assert isinstance(caught.value.fault, SignInFault)
    return caught.value.fault
