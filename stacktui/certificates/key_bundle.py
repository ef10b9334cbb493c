"""Reader of certificates with their private keys, as PFX (PKCS #12), PEM or DER.

Needs `cryptography`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from stacktui.certificates.chain import describe, path_of
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    der_length,
    entries,
    is_pfx,
    problem_of,
    read_content,
)
from stacktui.certificates.pfx import PfxFacts, facts_of
from stacktui.certificates.readiness import KeyFound
from stacktui.errors import is_exhaustion

# cryptography writes it to stderr for files of old programs, which would garble the dashboard.
warnings.filterwarnings("ignore", "PKCS#12 bundle could not be parsed as DER", UserWarning)

# A leaf with its chain has a few. More is a bundle of roots.
MAX_CERTIFICATES = 50
MAX_SIZE = 1024 * 1024

_PEM = b"-----BEGIN"
_KEY_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----")
# The bags of a PFX that hold a private key, plain or encrypted: pkcs-12 10.1.1 and 10.1.2
# (RFC 7292 section 4.2). They stand unencrypted themselves.
_KEY_BAGS = (
    bytes.fromhex("060b2a864886f70d010c0a0101"),
    bytes.fromhex("060b2a864886f70d010c0a0102"),
)


class KeyBundleError(CertificateError):
    """A PFX or PEM that cannot be read or converted as asked; `str()` is one safe line."""


class PasswordError(KeyBundleError):
    """A file that the password does not open; a damaged one may look the same."""


class PrivateKeyError(KeyBundleError):
    """A PEM private key that cannot be read; `reason` says why in a few words."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Form(StrEnum):
    """In which form a file holds its certificates."""

    PFX = "pfx"
    PEM = "pem"
    DER = "der"


# Asked once, when a file turns out to be encrypted; None: no password is to be had.
AskPassword = Callable[[Form], str | None]


@dataclass(frozen=True, slots=True)
class KeyBundle:
    """What one file holds. `chain` is DER in the file's order, an unreadable entry empty; of a
    PFX the leaf comes first. `leaf` is the position of the key's certificate, else of the first
    that is no CA's, else 0. `pfx` is how a PFX is packed, None for other forms and where that
    cannot be read. The key is never part of a repr."""

    form: Form
    chain: tuple[bytes, ...]
    leaf: int
    key: PrivateKeyTypes | None = field(repr=False)
    key_found: KeyFound
    pfx: PfxFacts | None = None


def read_key_bundle(path: Path, ask: AskPassword) -> KeyBundle:
    """Read a PFX, PEM or DER file of one certificate with its chain. Blocks on disk, and in `ask`.

    The content decides on the form. A PFX without a password is read without asking; an encrypted
    key of a PEM file that gets no password is `KeyFound.LOCKED`. Raises CertificateError.
    """
    content = read_content(path, MAX_SIZE)
    if is_pfx(content):
        return _read_pfx(path, content, ask)
    chain = tuple(entry.der for entry in entries(content))
    if all(describe(der).unreadable for der in chain):
        problem = problem_of(content)
        if problem is FileProblem.DER:
            raise KeyBundleError(f"{path} is binary, but neither a PFX nor a certificate")
        raise CertificateFileError(path, problem)
    _check_number(path, chain)
    if (keys := len(_KEY_BEGIN.findall(content))) > 1:
        raise KeyBundleError(f"{path} holds {keys} private keys: leave only the right one")
    form = Form.PEM if _PEM in content else Form.DER
    return _bundle(form, chain, *_pem_key(path, content, ask))


def read_client_bundle(path: Path, ask: AskPassword) -> KeyBundle:
    """Read what an application signs in with: a PFX, or all certificates and the first private key
    of a PEM file, however many it holds.

    Asks for a password as `read_key_bundle` does. Blocks on disk, and in `ask`. Raises
    CertificateError.
    """
    content = read_content(path, MAX_SIZE)
    if is_pfx(content):
        return _read_pfx(path, content, ask)
    chain = tuple(entry.der for entry in entries(content))
    if not chain:
        raise CertificateFileError(path, problem_of(content))
    form = Form.PEM if _PEM in content else Form.DER
    return _bundle(form, chain, *_pem_key(path, content, ask))


def own_chain(bundle: KeyBundle) -> tuple[bytes, ...]:
    """The leaf and those of the file that lead upwards from it, in order; the others are not
    written."""
    path = path_of(bundle.chain, bundle.leaf)
    return tuple(bundle.chain[position] for position in path)


def _read_pfx(path: Path, content: bytes, ask: AskPassword) -> KeyBundle:
    content = _whole(path, content)
    keys = sum(content.count(bag) for bag in _KEY_BAGS)
    if keys > 1:
        raise KeyBundleError(f"{path} holds {keys} private keys: export one certificate at a time")
    loaded = _loaded(path, content, None) or _loaded(path, content, b"")
    unlocked = loaded is not None
    if loaded is None:
        password = ask(Form.PFX)
        if password is None:
            raise KeyBundleError(f"{path} is encrypted, and no password was given")
        loaded = _loaded(path, content, encoded(password))
    if loaded is None:
        raise PasswordError(f"{path}: the password is wrong, or the file is damaged")
    certificates = [loaded.cert] if loaded.cert is not None else []
    certificates += loaded.additional_certs
    chain = tuple(each.certificate.public_bytes(Encoding.DER) for each in certificates)
    if not chain:
        held = "a private key but no certificate" if loaded.key else "nothing"
        raise KeyBundleError(f"{path} is a PFX that holds {held}")
    _check_number(path, chain)
    found = KeyFound.OTHER if loaded.key else KeyFound.MISSING
    bundle = _bundle(Form.PFX, chain, loaded.key, found)
    return replace(bundle, pfx=facts_of(content, empty_password=unlocked))


def _whole(path: Path, content: bytes) -> bytes:
    """The PFX without what may follow it."""
    length = der_length(content)
    if length > len(content):
        seen = f"{len(content):,} of its {length:,} bytes"
        raise KeyBundleError(f"{path} is a PFX that is cut off: {seen}")
    return content[:length] if length else content  # 0: the length is left open


def _loaded(
    path: Path, content: bytes, password: bytes | None
) -> pkcs12.PKCS12KeyAndCertificates | None:
    """The content, None where the password seems to be wrong."""
    try:
        return pkcs12.load_pkcs12(content, password)
    except UnsupportedAlgorithm:
        raise KeyBundleError(
            f"{path} is encrypted in a way that is not supported here; export it again from "
            "Windows with TripleDES-SHA1, or with: openssl pkcs12 -legacy"
        ) from None
    except ValueError as error:
        if "password" in str(error).lower():
            return None
        raise KeyBundleError(f"{path} is a damaged PFX: it cannot be read") from None
    except Exception as error:  # cryptography raises many kinds for a damaged certificate
        if is_exhaustion(error):
            raise
        raise KeyBundleError(f"{path} is a damaged PFX: it cannot be read") from None


def _pem_key(
    path: Path, content: bytes, ask: AskPassword
) -> tuple[PrivateKeyTypes | None, KeyFound]:
    """The first private key among PEM blocks, if there is one that can be opened."""
    begin = _KEY_BEGIN.search(content)
    if begin is None:
        return None, KeyFound.MISSING
    end = content.find(b"-----END " + begin[1], begin.end())
    if end < 0:
        raise PrivateKeyError(f"{path} holds a private key that is cut off", "it is cut off")
    block = content[begin.start() : content.find(b"-----", end + 5) + 5]
    password = None
    if b"ENCRYPTED" in block[:200]:  # the label says so, or OpenSSL's old header in the block
        answer = ask(Form.PEM)
        if answer is None:
            return None, KeyFound.LOCKED
        password = encoded(answer)
    try:
        return load_pem_private_key(block, password), KeyFound.OTHER
    except Exception as error:  # cryptography raises many kinds, of a wrong password too
        if is_exhaustion(error):
            raise
        why = "cannot be read"
        if password is not None:
            why = "does not open: the password is wrong, or the key is damaged"
        reason = type(error).__name__
        raise PrivateKeyError(f"{path}: the private key {why}", reason) from None


def key_matches(content: bytes, der: bytes) -> bool:
    """Return whether the first private key among PEM blocks, not encrypted, is a certificate's."""
    try:
        key, _ = _pem_key(Path(), content, lambda _form: None)
    except KeyBundleError:
        return False
    return key is not None and _spki(key.public_key()) == _spki_of(der)


def _bundle(
    form: Form, chain: tuple[bytes, ...], key: PrivateKeyTypes | None, found: KeyFound
) -> KeyBundle:
    """`found` is what is known of the key as long as it matches no certificate."""
    own = _spki(key.public_key()) if key else None
    for position, der in enumerate(chain):
        if own is not None and _spki_of(der) == own:
            return KeyBundle(form, chain, position, key, KeyFound.MATCHES)
    return KeyBundle(form, chain, _first_leaf(chain), key, found)


def _first_leaf(chain: tuple[bytes, ...]) -> int:
    described = [describe(der) for der in chain]
    readable = [at for at, each in enumerate(described) if not each.unreadable]
    return next((at for at in readable if not described[at].is_ca), readable[0] if readable else 0)


def _check_number(path: Path, chain: tuple[bytes, ...]) -> None:
    if len(chain) > MAX_CERTIFICATES:
        what = f"{path} holds {len(chain)} certificates"
        raise KeyBundleError(f"{what}: a bundle of roots, not a certificate with its chain")


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _spki_of(der: bytes) -> bytes | None:
    """None where the key is of a kind that cannot be read; then it is not ours."""
    try:
        return _spki(x509.load_der_x509_certificate(der).public_key())
    except Exception as error:  # a damaged certificate, or a kind of key that is not known
        if is_exhaustion(error):
            raise
        return None


def encoded(password: str) -> bytes:
    # What is typed in a terminal of another encoding than it says comes as surrogates.
    return password.encode("utf-8", "surrogateescape")
