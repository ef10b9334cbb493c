"""What may be shown of an authentication challenge (RFC 9110 section 11.6.1).

A challenge may carry a blob (token68), such as a Kerberos token, even on a 200: it is dropped.
"""

from __future__ import annotations

import re

# IANA's registry of schemes, and Microsoft's; any other word may be a blob.
_SCHEMES = frozenset(
    ("basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "kerberos", "mutual",
     "negotiate", "ntlm", "oauth", "pop", "privatetoken", "scram-sha-1", "scram-sha-256", "vapid")
)  # fmt: skip
# Parameters that say where and why to sign in, and hold nothing else.
_SHOWN = frozenset(
    ("authorization", "authorization_uri", "error", "error_description", "realm", "resource",
     "scope")
)  # fmt: skip
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
# What stands between two commas that are not quoted.
_PART = re.compile(rf'(?:[^",]|{_QUOTED})++')
_PARAMETER = re.compile(rf'([\w-]+)\s*=\s*(?:{_QUOTED}|[^\s=",]+)')


def schemes_of(value: str) -> list[str]:
    """Return the names of the known schemes in the value of a `*-Authenticate` header."""
    return [scheme for scheme, _ in _challenges(value)]


def without_blobs(value: str) -> str:
    """Return the known schemes and harmless parameters in the value; "" where there are none."""
    shown = ((scheme, ", ".join(parameters)) for scheme, parameters in _challenges(value))
    return ", ".join(f"{scheme} {parameters}".rstrip() for scheme, parameters in shown)


def _challenges(value: str) -> list[tuple[str, list[str]]]:
    """Return each known scheme with its harmless parameters, as they are written."""
    found: list[tuple[str, list[str]]] = []
    unknown: list[str] = []
    parameters = unknown  # of the scheme that came last
    for part in map(str.strip, _PART.findall(value)):
        if not _PARAMETER.fullmatch(part):
            scheme, _, part = re.sub(r"\s+", " ", part, count=1).partition(" ")
            parameters = unknown
            if scheme.lower() in _SCHEMES:
                parameters = []
                found.append((scheme, parameters))
        named = _PARAMETER.fullmatch(part)
        if named and named[1].lower() in _SHOWN:
            parameters.append(part)
    return found
