"""The certificates of the canned chains and identity files, at a fixed time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha1, sha256
from typing import Any

from stacktui.certificates.chain import Certificate
from stacktui.identities.certificate_file import IdentityFile
from stacktui.identities.model import CertificateRef

STARTED = datetime(2026, 11, 21, 3, 12, 9, tzinfo=UTC)
ARM = "management.local.azurestack.external"
LOGIN = "adfs.local.azurestack.external"
HASHES: dict[str, Any] = {
    "sha1": sha1(b"").digest().hex(":").upper(),
    "md5": md5(b"").digest().hex(":").upper(),
    "key_type": "RSA",
    "key_bits": 2048,
    "signature": "sha256WithRSAEncryption",
    "signature_hash": "SHA256",
}


def describe(der: bytes) -> Certificate:
    """Return the certificate of a canned chain's entry: `leaf HOST`, `issuing ca` or `root`."""
    text = der.decode()
    start = datetime(2026, 1, 9, tzinfo=UTC)
    fingerprint = sha256(der).digest().hex(":").upper()
    if text.startswith("leaf "):
        host = text.removeprefix("leaf ")
        days = 25 if host == ARM else 214
        return Certificate(
            fingerprint,
            subject=f"CN={host}",
            issuer="CN=Contoso Issuing CA 2",
            common_name=host,
            issuer_name="Contoso Issuing CA 2",
            names=(host, f"*.{host}"),
            not_before=start,
            not_after=STARTED + timedelta(days=days, hours=2),
            serial="2F11",
            key_usage=("digitalSignature", "keyEncipherment"),
            extended_key_usage=("serverAuth", "clientAuth"),
            **HASHES,
        )
    name, days = ("AzureStackSelfSignedRootCert", 3650) if text == "root" else (
        "Contoso Issuing CA 2", 1800)  # fmt: skip
    return Certificate(
        fingerprint,
        subject=f"CN={name}",
        issuer="CN=AzureStackSelfSignedRootCert",
        common_name=name,
        issuer_name="AzureStackSelfSignedRootCert",
        not_before=start,
        not_after=STARTED + timedelta(days=days),
        serial="01" if text == "root" else "02",
        key_usage=("keyCertSign", "cRLSign"),
        is_ca=True,
        self_issued=text == "root",
        **HASHES,
    )


def identity_files(
    references: Mapping[str, CertificateRef], now: datetime
) -> dict[str, IdentityFile]:
    """Return a usable certificate for every identity."""
    leaf = replace(
        describe(f"leaf {LOGIN}".encode()),
        subject="CN=stacktui-operator",
        issuer="CN=Contoso Issuing CA 2",
        common_name="stacktui-operator",
        names=(),
        extended_key_usage=("clientAuth",),
    )
    chain = (leaf, describe(b"issuing ca"))
    return {
        name: IdentityFile(name, each.path, STARTED, chain) for name, each in references.items()
    }


def ending_in(days: int) -> Callable[..., dict[str, IdentityFile]]:
    """Return what reads the files of the identities, whose certificates end in so many days."""

    def read(references: Mapping[str, CertificateRef], now: datetime) -> dict[str, IdentityFile]:
        found = {}
        for name, file in identity_files(references, now).items():
            leaf = replace(file.chain[0], not_after=STARTED + timedelta(days=days, hours=2))
            found[name] = replace(file, chain=(leaf, *file.chain[1:]))
        return found

    return read
