"""The vendor's rules, as one table (PROTOCOL.md section 6).

Each rule is a pure function of a `CertificateUnderTest` to a level and a line with the values seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.certificates.chain import MAX_PATH, describe, path_of, unknown_issuer
from stacktui.certificates.file_rules import FILE_RULES
from stacktui.certificates.levels import Level, level_of
from stacktui.certificates.readiness import (
    CertificateUnderTest,
    KeyFound,
    Rule,
    RuleResult,
    Source,
    Verdict,
    covered,
)
from stacktui.text.counts import time_span

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.pfx import PfxFacts

MIN_RSA_BITS = 2048
MIN_EC_BITS = 256  # as strong as RSA of 3072 bits (NIST SP 800-57 part 1, table 2)
# Names from a certificate are cut to this length in a sentence.
_MAX_SHOWN = 64


def _expiry(tested: CertificateUnderTest) -> Verdict:
    now = tested.now
    for each in tested.on_path:
        if each.not_before is not None and each.not_before > now:
            return Level.FAIL, f"{_whose(each, tested)}not valid before {_moment(each.not_before)}"
    first = min(tested.on_path, key=lambda each: _days_left(each, now))
    if first.not_after is None:
        return Level.SKIPPED, "the dates cannot be read"
    whose, left = _whose(first, tested), _days_left(first, now)
    day = f"{first.not_after:%Y-%m-%d}"
    if first.not_after < now:
        return Level.FAIL, f"{whose}expired on {day}, {time_span(now - first.not_after)} ago"
    return level_of(left), f"{whose}{time_span(first.not_after - now)} left, until {day}"


def _signature(tested: CertificateUnderTest) -> Verdict:
    seen: list[str] = []
    unknown: list[str] = []
    for each in tested.certificates:
        if each.unreadable or (each.self_issued and each.is_ca):
            continue  # nobody relies on a root's own signature
        if each.signature_hash in _WEAK_HASHES or each.signature in _WEAK_SIGNATURES:
            hash_ = each.signature_hash or _WEAK_SIGNATURES[each.signature]
            return Level.FAIL, f"{_quoted(each)} is signed with {hash_} ({each.signature})"
        known = each.signature_hash or each.signature.startswith("ED")
        (seen if known else unknown).append(each.signature)
    if unknown:
        return Level.WARNING, f"signed in a way that is not known here: {unknown[0]}"
    return Level.PASS, f"signed with {', '.join(dict.fromkeys(seen))}" if seen else "a root alone"


_WEAK_HASHES = frozenset({"SHA1", "MD5"})
# Too old for the parser to name: RFC 3279 section 2.2.1, and the MD4 one beside it.
_WEAK_SIGNATURES = {"1.2.840.113549.1.1.2": "MD2", "1.2.840.113549.1.1.3": "MD4"}


def _key_size(tested: CertificateUnderTest) -> Verdict:
    for each in tested.on_path:
        weak = each.key_type == "RSA" and each.key_bits < MIN_RSA_BITS
        # The vendor's number is for RSA; EC keys of equal strength are shorter.
        weak = weak or (each.key_type == "EC" and each.key_bits < MIN_EC_BITS)
        if weak:
            least = MIN_RSA_BITS if each.key_type == "RSA" else MIN_EC_BITS
            text = f"{_whose(each, tested)}the key is {each.key}; at least {least} are needed"
            return Level.FAIL, text
    leaf = tested.leaf
    if leaf.key_type not in ("RSA", "EC"):
        # Windows, on which all hosts of a stamp run, serves TLS with no other kind.
        return Level.FAIL, f"the key is {leaf.key or 'of an unknown kind'}; RSA or EC is needed"
    return Level.PASS, leaf.key


def _names(tested: CertificateUnderTest) -> Verdict:
    own = tested.leaf.names
    if not own:
        return Level.FAIL, "it has no subject alternative names, and the subject's do not count"
    if tested.names is None:
        return Level.SKIPPED, f"the stamp's names are not known; these are there: {_listed(own)}"
    found = covered(tested.names, own)
    missing = tuple(name for name in tested.names if name not in found)
    if tested.domain is not None:
        return _part(tested.domain, own, found, len(tested.names))
    if missing:
        return Level.FAIL, f"missing: {_listed(missing)}; it is for {_listed(own)}"
    return Level.PASS, f"covers {_listed(tested.names)}"


def _part(domain: str, own: Sequence[str], found: Sequence[str], wanted: int) -> Verdict:
    """Of one certificate among several for the stamp at `domain`."""
    if found:
        return Level.PASS, f"covers {len(found)} of the {wanted} names: {_listed(found)}"
    if any(name.lower().endswith(f".{domain}") for name in own):  # as those of an added service
        return Level.WARNING, f"not among the names that every stamp needs: {_listed(own)}"
    return Level.FAIL, f"none is of {domain}; it is for {_listed(own)}"


def _self_signed(tested: CertificateUnderTest) -> Verdict:
    leaf = tested.leaf
    if leaf.self_issued:
        return Level.FAIL, f"subject and issuer are the same: {_short(leaf.subject)}"
    return Level.PASS, f"issued by {_quoted_text(leaf.issuer_name)}"


def _chain(tested: CertificateUnderTest) -> Verdict:
    if tested.leaf.self_issued and len(tested.path) == 1:
        return Level.SKIPPED, "a self-signed certificate has no chain"
    top = tested.on_path[-1]
    names = " < ".join(_quoted(each) for each in tested.on_path)
    if broken := _break_above(tested, top):
        return Level.FAIL, broken
    if (unknown := _unknown_issuer(tested)) is not None:
        signer, key = _quoted(unknown), unknown.key or "of an unknown kind"
        what = f"signed with {top.signature}, its key is {key}"
        return Level.WARNING, f"whether {signer} signed {_quoted(top)} cannot be told here: {what}"
    if tested.path != tuple(sorted(tested.path)) or tested.path[0] != 0:
        order = ", ".join(str(position + 1) for position in tested.path)
        return Level.FAIL, f"badly ordered: from the leaf up they stand {tested.place} as {order}"
    if _is_cut(tested):
        return Level.WARNING, f"longer than {MAX_PATH} certificates: not followed to its end"
    if len(tested.path) == 1 and not tested.rooted:
        # Its issuer may be a root, which need not be sent; but a PFX must hold the whole path.
        level = Level.FAIL if tested.source is Source.PFX else Level.WARNING
        issuer = _quoted_text(tested.leaf.issuer_name)
        return level, f"the leaf alone is {tested.place}, without its issuer {issuer}"
    root = "" if top.self_issued else f" (its root is not {tested.place}, which is fine)"
    return Level.PASS, f"{names}{root}"


def _break_above(tested: CertificateUnderTest, top: Certificate) -> str:
    """Why the path ends at `top` although there is more above it, else nothing."""
    # A client that found its way to a root needs no more: then the others are merely too many.
    if top.self_issued or tested.rooted or _is_cut(tested) or _unknown_issuer(tested):
        return ""
    # Another version of one on the path, as after a renewal, leads no higher than that one.
    below = {each.subject for each in tested.on_path}
    others = [tested.certificates[position] for position in tested.others]
    others = [each for each in others if each.subject not in below]
    if any(each.subject == top.issuer for each in others):
        return f"the {_quoted_text(top.issuer_name)} {tested.place} did not sign {_quoted(top)}"
    if any(each.is_ca for each in others):
        missing = _quoted_text(top.issuer_name)
        return f"broken: {missing}, which issued {_quoted(top)}, is not {tested.place}"
    return ""


def _unknown_issuer(tested: CertificateUnderTest) -> Certificate | None:
    """Return the certificate of which nobody can tell here whether it signed the path's end."""
    if tested.rooted or tested.on_path[-1].self_issued or _is_cut(tested):
        return None
    position = unknown_issuer(tested.chain, tested.path)
    return None if position is None else tested.certificates[position]


def _is_cut(tested: CertificateUnderTest) -> bool:
    """Return whether the path was cut at its greatest length."""
    return len(tested.path) == MAX_PATH and not tested.on_path[-1].self_issued


def _other_certificates(tested: CertificateUnderTest) -> Verdict:
    strays = []
    if _is_cut(tested):
        return Level.SKIPPED, "unknown: the chain is too long"
    if _unknown_issuer(tested) is not None:
        return Level.SKIPPED, "unknown: a signature of the chain cannot be verified here"
    broken = bool(_break_above(tested, tested.on_path[-1]))
    for position in tested.others:
        certificate, number = tested.certificates[position], position + 1
        duplicate = tested.chain[position] in (
            *tested.chain[:position],
            *_ders_on_path(tested),
        )
        if broken and certificate.is_ca and not duplicate:
            continue  # it may well belong to what is missing
        if certificate.unreadable:
            strays.append(f"number {number} (cannot be read)")
        elif duplicate:
            strays.append(f"number {number} (a duplicate of {_quoted(certificate)})")
        else:
            strays.append(f"number {number} ({_quoted(certificate)})")
    if strays:
        return Level.FAIL, f"not part of the leaf's chain: {_listed(strays)}"
    return Level.PASS, "nothing but the leaf and its chain"


def _ders_on_path(tested: CertificateUnderTest) -> tuple[bytes, ...]:
    return tuple(tested.chain[position] for position in tested.path)


def _key_usage(tested: CertificateUnderTest) -> Verdict:
    # An EC key cannot encipher: it signs, and the session's key is agreed upon (RFC 8422 section
    # 5.3). To ask keyEncipherment of it would reject every EC certificate that is made rightly.
    enciphers = tested.leaf.key_type == "RSA"
    needed = ("digitalSignature", "keyEncipherment") if enciphers else ("digitalSignature",)
    return _uses(tested.leaf.key_usage, needed)


def _extended_key_usage(tested: CertificateUnderTest) -> Verdict:
    return _uses(tested.leaf.extended_key_usage, ("serverAuth", "clientAuth"))


def _uses(found: tuple[str, ...] | None, needed: tuple[str, ...]) -> Verdict:
    # RFC 5280 allows every use where the extension is absent; the checker wants to read it.
    if found is None:
        return Level.FAIL, f"the extension is absent; {' and '.join(needed)} must be named"
    missing = [use for use in needed if use not in found]
    if missing:
        has = f"it has {_listed(found)}" if found else "it has none"
        return Level.FAIL, f"without {' and '.join(missing)}; {has}"
    return Level.PASS, _listed(found)


def _private_key(tested: CertificateUnderTest) -> Verdict:
    match tested.key:
        case None:
            return None
        case KeyFound.MATCHES:
            return Level.PASS, "present, and it belongs to the leaf"
        case KeyFound.OTHER:
            return Level.FAIL, "the private key belongs to none of the certificates"
        case KeyFound.LOCKED:
            return Level.SKIPPED, "the private key is encrypted, and no password was given"
        case KeyFound.MISSING:
            if tested.source is Source.PFX:
                return Level.FAIL, "there is no private key in the file"
            # What a CA returns; it is only the PFX made of it that must hold the key.
            return Level.SKIPPED, "there is no private key in the file; the PFX must have it"


RULES: tuple[Rule, ...] = (
    Rule("expiry", "fewer than 7 days left", "have it renewed", _expiry),
    Rule("signature", "SHA-1 signature", "have it issued again, with SHA-256", _signature),
    Rule("key-size", "key under 2048 bits", "have an RSA key of 2048 bits certified", _key_size),
    Rule("names", "a missing name", "have it issued with the stamp's names (SAN)", _names),
    Rule("self-signed", "a self-signed leaf", "have it issued by a CA", _self_signed),
    Rule(
        "chain",
        "a broken or badly ordered chain",
        "put the leaf first, then each one's issuer, up to the root",
        _chain,
    ),
    Rule(
        "other-certificates",
        "certificates that do not belong",
        "leave out all but the leaf and its chain",
        _other_certificates,
    ),
    Rule(
        "key-usage",
        "key usage without digital signature and key encipherment",
        "have it issued with key usage digitalSignature and keyEncipherment",
        _key_usage,
    ),
    Rule(
        "extended-key-usage",
        "extended key usage without server (and client) authentication",
        "have it issued for serverAuth and clientAuth",
        _extended_key_usage,
    ),
    *FILE_RULES,
    # Not in the list, but what each file of it is for.
    Rule("private-key", "", "export it again, with its private key", _private_key),
)


def _days_left(certificate: Certificate, now: datetime) -> int:
    left = certificate.days_left(now)
    return left if left is not None else 0


def _whose(certificate: Certificate, tested: CertificateUnderTest) -> str:
    """Return the subject of a sentence, if it is not the leaf."""
    return "" if certificate is tested.leaf else f"{_quoted(certificate)}: "


def _quoted(certificate: Certificate) -> str:
    return _quoted_text(certificate.common_name)


def _quoted_text(text: str) -> str:
    return f"“{_short(text)}”"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _listed(texts: Sequence[str], most: int = 3) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(_short(text) for text in texts[:most]) + more


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def evaluate(
    chain: Sequence[bytes],
    now: datetime,
    *,
    names: Sequence[str] | None = None,
    domain: str | None = None,
    source: Source = Source.LIVE,
    leaf: int = 0,
    key: KeyFound | None = None,
    rooted: bool | None = None,
    pfx: PfxFacts | None = None,
) -> tuple[RuleResult, ...]:
    """The result of each rule for a chain (DER, as found), in the order of RULES. Never raises.

    `names` must be covered by the leaf (`*.` stands for one label); None: not asked. With `domain`
    the leaf is one of several that cover the names of the stamp at that domain together, and one
    will do.
    `leaf` is the leaf's position. `key` is what a file holds, None for a live chain. `rooted`
    says whether a client was seen to find the way from the leaf to a root that it trusts
    (`verify.is_rooted`), whatever else it refused. `pfx` is how a PFX is packed.
    """
    certificates = tuple(describe(der) for der in chain)
    unreadable = certificates[leaf].unreadable if leaf < len(chain) else "there is no certificate"
    if unreadable:
        return tuple(_unread(each, unreadable) for each in RULES)
    tested = CertificateUnderTest(
        now,
        source,
        tuple(chain),
        certificates,
        path_of(chain, leaf),
        tuple(names) if names is not None else None,
        domain,
        key,
        rooted,
        pfx,
    )
    return tuple(made for each in RULES if (made := _evaluated(each, tested)) is not None)


def _evaluated(rule: Rule, tested: CertificateUnderTest) -> RuleResult | None:
    verdict = rule.evaluate(tested)
    if verdict is None:
        return None
    level, text = verdict
    fine = level in (Level.PASS, Level.SKIPPED)
    return RuleResult(rule.id, level, text, "" if fine else rule.remedy)


def _unread(rule: Rule, why: str) -> RuleResult:
    if rule.id == "chain":
        return RuleResult(rule.id, Level.FAIL, f"the leaf cannot be read: {why}", rule.remedy)
    return RuleResult(rule.id, Level.SKIPPED, "the leaf cannot be read")
