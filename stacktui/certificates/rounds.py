"""How often a file has its password hashed before it opens: told from the file, without hashing.

A file may ask for so many rounds that this box would be busy for hours, and nothing could end it.
"""

from __future__ import annotations

import re

# Windows takes up to 600,000. All parts of a file together.
MAX_ROUNDS = 10_000_000
# They are named in the parameters of PBES1 (RFC 7292 appendix C, RFC 8018 appendix A.3) and of
# PBKDF2 (RFC 8018 appendix A.2), after a salt.
_HASHED = re.compile(
    rb"\x2a\x86\x48\x86\xf7\x0d\x01(?:\x0c\x01[\x01-\x06]|\x05[\x01-\x0c])(?=\x30)"
)
# scrypt (RFC 7914 section 7): its cost, block size and parallelism follow the salt. What it does
# for one of cost takes as long as several rounds, and memory besides.
_SCRYPT = re.compile(rb"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b(?=\x30)")
_SCRYPT_S = 8


def asks_too_much(content: bytes) -> bool:
    """Whether the encryption of what is BER asks for more than MAX_ROUNDS, as far as it is not
    encrypted itself."""
    asked = 0
    for algorithm in _HASHED.finditer(content):
        asked += _integers(content, algorithm.end(), 1)[0]
    for algorithm in _SCRYPT.finditer(content):
        cost, block, parallel = _integers(content, algorithm.end(), 3)
        asked += _SCRYPT_S * cost * block * parallel
    return asked > MAX_ROUNDS


def _integers(content: bytes, parameters: int, number: int) -> list[int]:
    """So many integers after the salt of an algorithm's parameters."""
    salt, _ = _body(content, parameters)
    _, at = _body(content, salt)
    found = []
    for _ in range(number):
        found.append(_integer(content, at))
        _, at = _body(content, at)
    return found


def rounds_of_mac(content: bytes) -> int:
    """The rounds of a PFX's MacData, its third part (RFC 7292 section 4); 0 where it has none."""
    version, _ = _body(content, 0)
    _, safe = _body(content, version)
    _, mac = _body(content, safe)
    digest, _ = _body(content, mac)
    _, salt = _body(content, digest)
    _, rounds = _body(content, salt)
    return _integer(content, rounds)


def _body(content: bytes, at: int) -> tuple[int, int]:
    """Where the content of the BER value at `at` starts, and where the next value does.

    A length may be left open, as old programs write it (X.690 section 8.1.3.6).
    """
    start, length = _header(content, at)
    if length is not None:
        return start, start + length
    open_, next_ = 1, start
    while open_ and next_ + 1 < len(content):
        if content[next_ : next_ + 2] == b"\0\0":
            open_, next_ = open_ - 1, next_ + 2
            continue
        inner, length = _header(content, next_)
        open_, next_ = (open_ + 1, inner) if length is None else (open_, inner + length)
    return start, next_


def _header(content: bytes, at: int) -> tuple[int, int | None]:
    """Where the content of the BER value at `at` starts, and its length, None if left open."""
    if at + 1 >= len(content):
        return len(content), 0
    first = content[at + 1]
    if first < 0x80:
        return at + 2, first
    start = at + 2 + (first & 0x7F)
    return start, int.from_bytes(content[at + 2 : start]) if first > 0x80 else None


def _integer(content: bytes, at: int) -> int:
    """The BER INTEGER there, 0 if there is none."""
    if content[at : at + 1] != b"\x02":
        return 0
    start, end = _body(content, at)
    return int.from_bytes(content[start:end])
