"""Advisories on certificates and lost roots, before they fail a check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.certificates.interceptors import interceptor
from stacktui.certificates.levels import WARNING_DAYS, Level
from stacktui.certificates.same_root import leads_to, path_to_root
from stacktui.certificates.verify import NAMES, NO_ISSUER, VerifyCode, is_rooted
from stacktui.diagnosis.clocks import server_time
from stacktui.diagnosis.context import ReportContext, described, described_path
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.recorded_root import recorded_signer
from stacktui.diagnosis.remedies import LINT_NEW_FILES, exporting
from stacktui.diagnosis.remedy_template import PlainWord, Quote, RemedyTemplate, for_both
from stacktui.identities.model import CertificateRef
from stacktui.text.counts import time_span
from stacktui.transport.records import ConnectionFacts

if TYPE_CHECKING:
    from stacktui.certificates.additions import LostAddition
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.readiness import RuleResult

AZ_WORKS = "nothing: it works until the last day"


def _own_connections(report: ReportContext) -> Iterator[ConnectionFacts]:
    """Yield the connections that show the stamp's own chain, not that of a TLS gateway.

    A chain is the stamp's if it leads to the recorded root, else if it leads to a root that is
    trusted here: who signed any other is not known, whatever the name.
    """
    for connection in report.presented:
        if _is_own(report, connection):
            yield connection


def _likely_own_connections(report: ReportContext) -> Iterator[ConnectionFacts]:
    """Yield those, and the ones of an unknown root to which no proxy led."""
    for connection in report.presented:
        own = _is_own(report, connection)
        if own or (own is None and connection.proxy.url is None):
            yield connection


def _is_own(report: ReportContext, connection: ConnectionFacts) -> bool | None:
    """Return whether a chain is the stamp's own; None if that is unknown."""
    tls = connection.tls
    if tls is None or interceptor(described_path(tls.chain)):
        return False
    if (known := _is_of_recorded_root(report, connection)) is not None:
        return known
    code = tls.effective_verify_code
    # A wrong name alone leaves open who signed.
    rooted = is_rooted(code) and (code not in NAMES or tls.verify_code_ignoring_name == 0)
    return True if rooted else None


def _is_of_recorded_root(report: ReportContext, connection: ConnectionFacts) -> bool | None:
    """Return whether the chain leads to the root that was recorded of ARM; None if unknown.

    Another root says nothing of another host: the login host may be of another CA.
    """
    before, tls = recorded_signer(report), connection.tls
    if before is None or tls is None:
        return None
    if leads_to(path_to_root(tls), before.der):
        return True
    return False if connection is report.arm_connection else None


# cert-expires-soon

# Seconds (a day): a smaller skew does not matter for days left.
_SKEW = 86400.0
_RENEW = RemedyTemplate("The stamp's operator renews it (secret rotation) before that day")
_SHOW_ALL = for_both(
    "See the certificates of all hosts of this stamp",
    "stacktui certificates show --all{environment}",
)
_RENEW_OWN = for_both(
    "Make a new certificate, add it to the application beside the old one, and name its file in "
    "the config before that day; this is the old one",
    "openssl x509 -in {path} -noout -subject -enddate",
    path="FILE",
)


def _cert_expires_soon(report: ReportContext) -> Explanation | None:
    soon = sorted(_ending_soon(report), key=lambda each: each[0])
    if not soon:
        return None
    left, host, first = soon[0]
    what = f"The certificate of {host}"
    if first.is_ca:
        what = f"The CA certificate {first.common_name} behind {host}"
    evidence = dict.fromkeys(_ends_line(left, host, each) for left, host, each in soon)
    here, *there = _clocks(report)
    for other in there:
        evidence[
            f"this machine's clock says {here:%Y-%m-%d}, the stamp's {other:%Y-%m-%d}: "
            "one of them is wrong"
        ] = None
    remedies = (_RENEW.fill(), _SHOW_ALL.fill(**report.placeholders))
    return Explanation(f"{what} ends in {time_span(left)}", tuple(evidence), remedies)


def _ending_soon(report: ReportContext) -> Iterator[tuple[timedelta, str, Certificate]]:
    """Yield time left, host and certificate of those that end soon but have not ended.

    By the clock of this machine, else by the stamp's, as either may be wrong.
    """
    clocks = tuple(_clocks(report))
    for connection in _likely_own_connections(report):
        for der in connection.tls.chain if connection.tls else ():
            certificate = described(der)
            for clock in clocks:
                left = certificate.time_left(clock)
                if left is not None and left.days >= 0 and _is_soon(left):
                    yield left, connection.host, certificate
                    break


def _clocks(report: ReportContext) -> Iterator[datetime]:
    """Yield the time by this machine's clock, and by the stamp's if that differs."""
    yield report.now
    if there := server_time(report, _SKEW):
        yield there


def _is_soon(left: timedelta) -> bool:
    return left.days < WARNING_DAYS


def _ends_line(left: timedelta, host: str, certificate: Certificate) -> str:
    end = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC" if certificate.not_after else "?"
    return f"{host}: {certificate.common_name} ends {end}, in {time_span(left)}"


def _own_cert_expires_soon(report: ReportContext) -> Explanation | None:
    """Look at the certificate that signs in."""
    identity = report.identity
    token = report.report.token
    ends = token.certificate_ends if token else None
    credential = identity.credential if identity else None
    if identity is None or ends is None or not isinstance(credential, CertificateRef):
        return None
    if not _is_soon(left := ends - report.now):
        return None
    title = f"The certificate of identity {identity.name} ends in {time_span(left)}"
    evidence = (f"{credential}", f"it ends {ends:%Y-%m-%d %H:%M} UTC")
    return Explanation(title, evidence, (_RENEW_OWN.fill(path=str(credential.path)),), Side.BOX)


CERT_EXPIRES_SOON = FaultInfo(
    id="cert-expires-soon",
    group=Group.ADVISORY,
    sides=(Side.STAMP, Side.BOX),
    meaning="A certificate ends within 90 days: the stamp's, or the one that signs in.",
    distinguishing_evidence=(
        "Days left, by host and certificate. One that has ended is `tls-expired`, and its check "
        "fails."
    ),
    az_says=AZ_WORKS,
    remedies=(_RENEW, _SHOW_ALL, _RENEW_OWN),
    advisories=(_cert_expires_soon, _own_cert_expires_soon),
)


# cert-readiness

# The readiness rules that repeat a verdict on a host's certificate, by verify code.
_COVERED_BY_VERDICT: dict[int, tuple[str, ...]] = {
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT: ("self-signed", "chain"),
    **dict.fromkeys(NO_ISSUER, ("chain",)),
    **dict.fromkeys(NAMES, ("names",)),
    VerifyCode.EE_KEY_TOO_SMALL: ("key-size",),
    VerifyCode.CA_KEY_TOO_SMALL: ("key-size",),
    VerifyCode.CA_MD_TOO_WEAK: ("signature",),
    VerifyCode.INVALID_PURPOSE: ("extended-key-usage",),
}
_FIX_CERTIFICATE = RemedyTemplate(
    "The stamp's operator: {fix}", shown={"fix": "do what the report says for each rule"}
)


def _cert_readiness(report: ReportContext) -> Explanation | None:
    found = {
        f"{connection.host}: {each.text} ({each.rule})": each
        for connection in _own_connections(report)
        for each in _rejected(report, connection)
    }
    if not found:
        return None
    rules = ", ".join(dict.fromkeys(each.rule for each in found.values()))
    title = f"The vendor's readiness checker would reject a certificate of this stamp: {rules}"
    fixes = dict.fromkeys(each.remedy for each in found.values() if each.remedy)
    remedies = (*(_FIX_CERTIFICATE.fill(fix=each) for each in fixes), LINT_NEW_FILES.fill())
    return Explanation(title, tuple(found), remedies)


def _rejected(report: ReportContext, connection: ConnectionFacts) -> Iterator[RuleResult]:
    # Slow to import: `explain` must not wait for it.
    from stacktui.certificates.readiness_rules import evaluate

    tls = connection.tls
    if tls is None:
        return
    said = _COVERED_BY_VERDICT.get(tls.verify_code or 0, ())
    # OpenSSL's check of names is more complete (addresses, other alphabets).
    names = None if tls.verify_code is None else (connection.host,)
    rooted = is_rooted(tls.effective_verify_code)
    for each in evaluate(tls.chain, report.now, names=names, rooted=rooted):
        # `cert-expires-soon` covers expiry.
        if each.level is Level.FAIL and each.rule not in (*said, "expiry"):
            yield each


CERT_READINESS = FaultInfo(
    id="cert-readiness",
    group=Group.ADVISORY,
    sides=(Side.STAMP,),
    meaning="The vendor's readiness checker would reject a certificate of this stamp.",
    distinguishing_evidence=(
        "The rule it breaks is named, such as key usage or chain order. What this machine itself "
        "refuses is a verdict: `tls-weak`, `tls-name-mismatch`, `tls-missing-intermediate`."
    ),
    az_says=AZ_WORKS,
    remedies=(_FIX_CERTIFICATE, LINT_NEW_FILES),
    advisories=(_cert_readiness,),
)


# certifi-addition-lost

_EXPORT = exporting("Write a bundle of your own for az and the others: no upgrade touches it")
_ADD_AGAIN = for_both(
    "Or add it to {store} again, until the next upgrade",
    "stacktui certificates trust {fingerprint} --store {store}",
    fingerprint="SHA-256",
    store="FILE",
)
_FORGET = for_both(
    "Or forget it, where {store} is not to have it any more",
    "stacktui certificates untrust {fingerprints} --store {store}",
    fingerprints="SHA-256",
    store="FILE",
)


def _certifi_addition_lost(report: ReportContext) -> Explanation | None:
    lost = report.report.lost
    if not lost:
        return None
    title = "A root that was added to another program's trust store is not there any more"
    evidence = tuple(
        f"{each.path}: {each.subject}, SHA-256 {each.sha256}"
        + (" (the file itself is gone)" if each.gone else "")
        for each in lost
    )
    remedies = (
        _EXPORT.fill(**report.placeholders),
        *(
            _ADD_AGAIN.fill(fingerprint=PlainWord(each.sha256), store=str(each.path))
            for each in lost
            if not each.gone
        ),
        *(_forget(store, fingerprints) for store, fingerprints in _by_store(lost).items()),
    )
    return Explanation(title, evidence, remedies)


def _forget(store: Path, fingerprints: list[str]) -> Remedy:
    def words(_: Quote) -> str:
        return " ".join(fingerprints)

    return _FORGET.fill(fingerprints=words, store=str(store))


def _by_store(lost: Iterable[LostAddition]) -> dict[Path, list[str]]:
    """Return the fingerprints of the lost roots, by bundle."""
    found: dict[Path, list[str]] = {}
    for each in lost:
        found.setdefault(each.path, []).append(each.sha256)
    return found


CERTIFI_ADDITION_LOST = FaultInfo(
    id="certifi-addition-lost",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="A root that was added to another program's trust store is gone.",
    distinguishing_evidence=(
        "stacktui remembers what it added: an upgrade of certifi threw it away. Then az fails as "
        "in `tls-untrusted-root`, where stacktui does not."
    ),
    az_says="the same TLS error as before the root was added",
    remedies=(_EXPORT, _ADD_AGAIN, _FORGET),
    advisories=(_certifi_addition_lost,),
)
