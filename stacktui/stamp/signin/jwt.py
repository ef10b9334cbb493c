"""JSON Web Tokens: sign and verify access tokens, verify client assertions.

RFC 7515 (JWS), RFC 7519 (JWT), RFC 7523 (client assertions).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

MAX_TOKEN = 16 * 1024
"""Bytes; a longer token is malformed."""


class MalformedTokenError(ValueError):
    """The token is not three base64url parts with JSON objects in the first two."""


class BadSignatureError(ValueError):
    """The token is well formed, but not signed by the expected key."""


def base64url(raw: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def base64url_json(document: Mapping[str, Any]) -> str:
    return base64url(json.dumps(document, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed, unverified token."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, token: str) -> Jws:
        """Parse JWS compact serialisation; MalformedTokenError when it is not that."""
        parts = token.split(".")
        if len(parts) != 3 or len(token) > MAX_TOKEN:
            raise MalformedTokenError("not in JWS compact serialisation")
        try:
            header, claims, signature = (_decode_base64url(part) for part in parts)
            documents = json.loads(header), json.loads(claims)
        except (ValueError, RecursionError) as error:
            raise MalformedTokenError("a part is not base64url or not JSON") from error
        if not all(isinstance(document, dict) for document in documents):
            raise MalformedTokenError("a part is not a JSON object")
        signed = f"{parts[0]}.{parts[1]}".encode()
        return cls(documents[0], documents[1], signed, signature)

    def verify(self, key: rsa.RSAPublicKey) -> None:
        """Verify an RS256 or PS256 signature; BadSignatureError when it is not the key's."""
        match self.header.get("alg"):
            case "RS256":
                scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            case "PS256":
                scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            case _:
                raise BadSignatureError("algorithm not accepted")
        try:
            key.verify(self.signature, self.signed, scheme, hashes.SHA256())
        except InvalidSignature:
            raise BadSignatureError("signature does not verify") from None

    def number(self, claim: str) -> float | None:
        """Return a NumericDate claim (RFC 7519 section 2); None when absent or not a number."""
        value = self.claims.get(claim)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _decode_base64url(part: str) -> bytes:
    try:
        raw = part.encode("ascii")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error


class Signer:
    """The token service's key, which may still be generated: its first use waits for it."""

    def __init__(self, key: Future[rsa.RSAPrivateKey]) -> None:
        self._key = key

    @property
    def key_id(self) -> str:
        """`kid`: the SHA-256 of the public key, shortened."""
        return base64url(hashlib.sha256(self._public_der()).digest()[:20])

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a compact token, signed with RS256."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.key_id, "kid": self.key_id}
        signed = f"{base64url_json(header)}.{base64url_json(claims)}"
        key = self._key.result()
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this key signed; errors as Jws.parse and Jws.verify."""
        parsed = Jws.parse(token)
        parsed.verify(self._key.result().public_key())
        return parsed.claims

    def key_set(self) -> dict[str, object]:
        """Return the public key as a JWK set (RFC 7517)."""
        numbers = self._key.result().public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": base64url(numbers.e.to_bytes(3, "big")),
        }
        return {"keys": [key]}

    def _public_der(self) -> bytes:
        return (
            self._key.result()
            .public_key()
            .public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )


def thumbprints(certificate: x509.Certificate) -> dict[str, str]:
    """Return `x5t` (SHA-1) and `x5t#S256` of a certificate (RFC 7515 sections 4.1.7, 4.1.8)."""
    return {
        "x5t": base64url(certificate.fingerprint(hashes.SHA1())),  # noqa: S303 - the field's hash
        "x5t#S256": base64url(certificate.fingerprint(hashes.SHA256())),
    }
