"""How a PFX is packed (PKCS #12, RFC 7292): its encryption, its MAC, and its key's attributes.

The library that opens a PFX tells nothing of that, and the vendor's readiness checker judges it.
Only DER is read: of the BER of some old programs nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from hmac import digest

_SEQUENCE, _SET, _OCTETS, _OID = 0x30, 0x31, 0x04, 0x06
_EXPLICIT_0 = 0xA0
_DATA = bytes.fromhex("2a864886f70d010701")
_ENCRYPTED_DATA = bytes.fromhex("2a864886f70d010706")
_PLAIN_KEY = bytes.fromhex("2a864886f70d010c0a0101")
_SHROUDED_KEY = bytes.fromhex("2a864886f70d010c0a0102")
_CERTIFICATE = bytes.fromhex("2a864886f70d010c0a0103")
# Windows puts the private key into the machine's store where this attribute is
# (szOID_LOCAL_MACHINE_KEYSET of wincrypt.h); its value is empty.
_LOCAL_MACHINE_OID = bytes.fromhex("2b0601040182371102")
_PBES2 = bytes.fromhex("2a864886f70d01050d")
TRIPLE_DES = "TripleDES-SHA1"
# RFC 7292 appendix C, RFC 8018 appendix A.4, and NIST's ciphers.
_CIPHERS = {
    bytes.fromhex("2a864886f70d010c0103"): TRIPLE_DES,
    bytes.fromhex("2a864886f70d010c0101"): "RC4-128-SHA1",
    bytes.fromhex("2a864886f70d010c0102"): "RC4-40-SHA1",
    bytes.fromhex("2a864886f70d010c0104"): "TripleDES-SHA1 with two keys",
    bytes.fromhex("2a864886f70d010c0105"): "RC2-128-SHA1",
    bytes.fromhex("2a864886f70d010c0106"): "RC2-40-SHA1",
    bytes.fromhex("60864801650304012a"): "AES-256",
    bytes.fromhex("608648016503040116"): "AES-192",
    bytes.fromhex("608648016503040102"): "AES-128",
    bytes.fromhex("2a864886f70d0307"): "TripleDES with PBES2",
}
_OTHER_CIPHER = "an unknown cipher"


@dataclass(frozen=True, slots=True)
class PfxFacts:
    """The packing of a PFX.

    `keys` and `certificates` name the cipher of each bag, or of the safe that bags are in; empty
    text for one that is not encrypted. `local_machine` says whether each private key has that
    attribute, None where no key can be seen. `empty_password` says that none is needed to open it.
    """

    keys: tuple[str, ...]
    certificates: tuple[str, ...]
    has_mac: bool
    local_machine: bool | None
    empty_password: bool = False


@dataclass(frozen=True, slots=True)
class _Value:
    """One DER value: its tag, its content, and the whole of it."""

    tag: int
    body: bytes
    whole: bytes

    def parts(self) -> list[_Value]:
        return list(_values(self.body))


def facts_of(content: bytes, *, empty_password: bool = False) -> PfxFacts | None:
    """Return how a PFX is packed; None where it cannot be read. Never raises."""
    with suppress(ValueError, IndexError, KeyError):
        return _facts(content, empty_password)
    return None


def _facts(content: bytes, empty_password: bool) -> PfxFacts:
    whole = _first(content).parts()
    keys: list[str] = []
    certificates: list[str] = []
    marked: list[bool] = []
    for kind, body in _safes(whole[1]):
        if kind == _ENCRYPTED_DATA:
            # What is in it, only the password shows: certificates, as every program packs it.
            certificates.append(_cipher(body.parts()[0].parts()[1].parts()[1]))
            continue
        for bag in _safe_contents(body):
            bag_kind = bag[0].body
            if bag_kind == _SHROUDED_KEY:
                keys.append(_cipher(bag[1].parts()[0].parts()[0]))
            elif bag_kind == _PLAIN_KEY:
                keys.append("")
            elif bag_kind == _CERTIFICATE:
                certificates.append("")
            if bag_kind in (_SHROUDED_KEY, _PLAIN_KEY):
                marked.append(len(bag) > 2 and _is_marked(bag[2]))
    machine = all(marked) if marked else None
    return PfxFacts(tuple(keys), tuple(certificates), len(whole) > 2, machine, empty_password)


def for_local_machine(content: bytes, password: bytes) -> bytes:
    """Return the PFX with the local-machine attribute at each private key.

    `content` is DER with a SHA-1 MAC, as `conversion.pfx_of` writes it; `password` is UTF-8.
    """
    version, safe, mac = _first(content).parts()
    info, salt, rounds = mac.parts()
    packed = _marked_safes(safe)
    key = _mac_key(password.decode(), salt.body, int.from_bytes(rounds.body))
    algorithm = info.parts()[0]
    checked = _der(_SEQUENCE, algorithm.whole + _der(_OCTETS, digest(key, packed, "sha1")))
    data = _der(_OID, _DATA) + _der(_EXPLICIT_0, _der(_OCTETS, packed))
    mac_data = _der(_SEQUENCE, checked + salt.whole + rounds.whole)
    return _der(_SEQUENCE, version.whole + _der(_SEQUENCE, data) + mac_data)


def _marked_safes(safe: _Value) -> bytes:
    """Return the authenticated safe with the attribute in each bag of a key."""
    parts = []
    for each in _authenticated(safe).parts():
        kind, body = each.parts()
        if kind.body != _DATA:
            parts.append(each.whole)
            continue
        bags = b"".join(_der(_SEQUENCE, _marked(bag)) for bag in _safe_contents(body))
        contents = _der(_OCTETS, _der(_SEQUENCE, bags))
        parts.append(_der(_SEQUENCE, kind.whole + _der(_EXPLICIT_0, contents)))
    return _der(_SEQUENCE, b"".join(parts))


def _marked(bag: list[_Value]) -> bytes:
    """Return the parts of a bag, with the attribute if it holds a key."""
    kind, value, *attributes = bag
    own = [each.whole for each in attributes[0].parts()] if attributes else []
    if kind.body in (_SHROUDED_KEY, _PLAIN_KEY):
        own.append(_der(_SEQUENCE, _der(_OID, _LOCAL_MACHINE_OID) + _der(_SET, b"")))
    # The parts of a SET OF are sorted in DER (X.690 section 11.6).
    return kind.whole + value.whole + (_der(_SET, b"".join(sorted(own))) if own else b"")


def _is_marked(attributes: _Value) -> bool:
    return any(each.parts()[0].body == _LOCAL_MACHINE_OID for each in attributes.parts())


def _authenticated(safe: _Value) -> _Value:
    _, content = safe.parts()
    return _first(content.parts()[0].body)


def _safes(safe: _Value) -> Iterator[tuple[bytes, _Value]]:
    """Yield the kind and the `[0]` value of each safe."""
    for each in _authenticated(safe).parts():
        kind, body = each.parts()
        yield kind.body, body


def _safe_contents(body: _Value) -> list[list[_Value]]:
    """Return the parts of each bag of a safe that is not encrypted."""
    contents = _first(body.parts()[0].body)
    return [bag.parts() for bag in contents.parts()]


def _cipher(algorithm: _Value) -> str:
    kind, *parameters = algorithm.parts()
    if kind.body == _PBES2:
        _, scheme = parameters[0].parts()
        kind = scheme.parts()[0]
    return _CIPHERS.get(kind.body, _OTHER_CIPHER)


def _first(content: bytes) -> _Value:
    for value in _values(content):
        return value
    raise ValueError("nothing")


def _values(content: bytes) -> Iterator[_Value]:
    """Yield the DER values that stand one after the other; ValueError for what is none."""
    at = 0
    while at < len(content):
        tag, first = content[at], content[at + 1]
        start, size = at + 2, first
        if first >= 0x80:
            length = first & 0x7F
            if not 0 < length <= 4:
                raise ValueError("a length that is left open, or too large")
            size = int.from_bytes(content[start : start + length])
            start += length
        end = start + size
        if end > len(content):
            raise ValueError("cut off")
        yield _Value(tag, content[start:end], content[at:end])
        at = end


def _der(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + body


def _mac_key(password: str, salt: bytes, rounds: int) -> bytes:
    """Derive the key of the MAC (RFC 7292 appendix B.2, with SHA-1 and the ID 3)."""
    block = 64
    secret = password.encode("utf-16-be") + b"\0\0"
    mixed = _filled(salt, block) + _filled(secret, block)
    found = sha1(b"\x03" * block + mixed, usedforsecurity=False).digest()
    for _ in range(rounds - 1):
        found = sha1(found, usedforsecurity=False).digest()
    return found


def _filled(text: bytes, block: int) -> bytes:
    """Return `text` repeated to a multiple of a block."""
    size = block * -(-len(text) // block)
    return (text * (size // len(text) + 1))[:size] if text else b""
