"""The readiness rules: would the vendor's readiness checker accept these certificates?

One table of rules (PROTOCOL.md section 6) for the chain that a host presents and for the files
that are to be deployed. Pure: certificates and a moment in, results out, and never an error,
whatever the certificates hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from stacktui.certificates.levels import Level, worst_level
from stacktui.transport.host import address_of

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.pfx import PfxFacts


class Source(StrEnum):
    """Where the certificates were found. A live chain shows no key; of files, a PFX is what the
    stamp is given, so it must be whole."""

    LIVE = "live"
    PFX = "pfx"
    FILE = "file"  # PEM or DER


class KeyFound(StrEnum):
    """The private key of a file."""

    MATCHES = "matches"
    OTHER = "other"  # it belongs to none of the file's certificates
    MISSING = "missing"
    LOCKED = "locked"  # encrypted, and its password was not given


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule: `text` is one line with the values seen, safe to show. `remedy` says
    what to do; it is empty if nothing is wrong."""

    rule: str
    level: Level
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CertificateUnderTest:
    """The input of the rules. `leaf` and the others are positions in `certificates`, as found.

    `path` leads from the leaf up, each issued by the next. `chain` is the DER of `certificates`.
    The rest is as given to `evaluate`.
    """

    now: datetime
    source: Source
    chain: tuple[bytes, ...]
    certificates: tuple[Certificate, ...]
    path: tuple[int, ...]
    names: tuple[str, ...] | None
    domain: str | None
    key: KeyFound | None
    rooted: bool | None
    pfx: PfxFacts | None = None

    @property
    def leaf(self) -> Certificate:
        return self.certificates[self.path[0]]

    @property
    def on_path(self) -> tuple[Certificate, ...]:
        return tuple(self.certificates[position] for position in self.path)

    @property
    def others(self) -> tuple[int, ...]:
        """Positions of the certificates that are not on the path."""
        return tuple(each for each in range(len(self.chain)) if each not in self.path)

    @property
    def place(self) -> str:
        return "presented" if self.source is Source.LIVE else "in the file"


# None: the rule does not apply to where this subject was found.
Verdict = tuple[Level, str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `source` quotes PROTOCOL.md section 6, `remedy` says how to comply."""

    id: str
    source: str
    remedy: str
    evaluate: Callable[[CertificateUnderTest], Verdict]


def worst(results: Sequence[RuleResult]) -> Level:
    """Return the most severe level; SKIPPED if no rule applied."""
    return worst_level([each.level for each in results])


def failed(results: Sequence[RuleResult]) -> bool:
    """Return whether the vendor's checker would reject this."""
    return worst(results) is Level.FAIL


def covers(pattern: str, name: str) -> bool:
    """Return whether a subject alternative name covers `name`, which may be a wildcard itself."""
    pattern, name = pattern.lower(), name.lower()
    label, _, domain = name.partition(".")
    return pattern == name or (label not in ("", "*") and bool(domain) and pattern == f"*.{domain}")


def is_for_host(certificate: Certificate, host: str) -> bool | None:
    """Return whether a certificate's alternative names cover a host name or an address.

    An address only if its kind is IP: a DNS name of its digits counts for no client.

    None where that cannot be told: of a name in another alphabet.
    """
    if (address := address_of(host)) is not None:
        return any(address_of(name) == address for name in certificate.addresses)
    if not host.isascii():
        return None
    return any(covers(name, host.rstrip(".")) for name in certificate.names)


def covered(names: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that the subject alternative names cover."""
    return tuple(name for name in names if any(covers(pattern, name) for pattern in by))
