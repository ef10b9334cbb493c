"""The CRL that a certificate names, fetched as the vendor's readiness checker does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from cryptography import x509

from stacktui.transport.aia_fetch import fetch_public

# Bytes: a CRL of a large CA has a few megabytes.
_MAX_SIZE = 16 * 1024 * 1024


async def fetched_crl(url: str, pins: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return why no CRL can be had from `url`, in a few words; empty where one can.

    `pins` are addresses of names, as an environment's `resolve`.
    """
    body = await fetch_public(url, _MAX_SIZE, None, pins)
    if isinstance(body, str):
        return body
    for load in (x509.load_der_x509_crl, x509.load_pem_x509_crl):
        with suppress(Exception):  # network bytes: cryptography raises many kinds
            load(body)
            return ""
    return "what is there is no CRL"
