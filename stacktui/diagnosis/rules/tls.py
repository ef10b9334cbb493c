"""Certificates that this box does not accept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

from stacktui.certificates.chain import Certificate
from stacktui.certificates.verify import NAMES, VerifyCode
from stacktui.diagnosis.case import Case, Explained, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.chains import (
    NAMED_ROOT,
    tls_missing_intermediate,
    tls_self_signed,
    tls_weak,
)
from stacktui.diagnosis.rules.clocks import other_clock
from stacktui.diagnosis.rules.interception import interceptor, tls_intercepted
from stacktui.diagnosis.shell import bash, powershell, toml
from stacktui.diagnosis.words import chain_lines, names_line, trust_line
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT

# The root that every development kit makes for itself (PROTOCOL.md section 6).
_ASDK_ROOT = "AzureStackSelfSignedRootCert"
# Seconds: certificates begin on the minute.
_SLACK = 60.0
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


@rule("tls-expired", Side.STAMP, _AZ + "'… certificate has expired …')))")
def tls_expired(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_HAS_EXPIRED:
        return None
    which = next((each for each in case.chain if _ended(each, case.now)), None)
    if which is None or which.not_after is None or _right_clock(case):
        return None
    title = f"The certificate of {case.host} has expired"
    if which is not case.chain[0]:
        title = f"The CA certificate {which.common_name} behind {case.host} has expired"
    ended = f"{which.common_name} ended {which.not_after:%Y-%m-%d %H:%M} UTC"
    evidence = (f"{ended}, {_ago(case.now, which.not_after)}", _clock_line(case))
    remedies = (
        Remedy("The stamp's operator renews the certificate (secret rotation)"),
        _set_clock("If this box's clock is wrong, set it: good certificates then look old"),
    )
    return title, (*evidence, *chain_lines(case.chain)), remedies


def _set_clock(title: str) -> Remedy:
    return Remedy(
        title,
        "timedatectl status; sudo timedatectl set-ntp true",
        "w32tm /query /status; w32tm /resync",
    )


def _right_clock(case: Case) -> datetime | None:
    """The stamp's clock, if this box's differs and by it all that was presented is valid."""
    there = other_clock(case, _SLACK)
    if there is None or not case.chain:
        return None
    good = all(
        each.not_before and each.not_after and each.not_before <= there <= each.not_after
        for each in case.chain
    )
    return there if good else None


def _clock(case: Case, there: datetime) -> Explained:
    host, skew = case.host, there - case.now
    evidence = (
        _clock_line(case),
        f"the stamp's Date says {there:%Y-%m-%d %H:%M} UTC: then what {host} presents is valid",
        *chain_lines(case.chain),
    )
    off = f"{abs(skew).days} days" if abs(skew).days else f"{abs(skew).seconds // 60} minutes"
    title = (
        f"This box's clock is {off} {'behind' if skew > timedelta() else 'ahead'}: by it the "
        f"certificate of {host} is not valid"
    )
    return title, evidence, (_set_clock("Set this box's clock"),)


# The same fault on the other side: all that was presented is good.
@rule("tls-expired", Side.BOX, _AZ + "'… certificate has expired …')))")
def tls_expired_here(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_HAS_EXPIRED or not case.chain:
        return None
    if there := _right_clock(case):
        return _clock(case, there)
    if any(each.not_after is None or _ended(each, case.now) for each in case.chain):
        return None
    top = case.chain[-1].issuer_name
    evidence = (
        f"OpenSSL says that a certificate has expired, but none that {case.host} presents has",
        f"the chain is presented up to what {top} signed",
        _clock_line(case),
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
    )
    remedies = (
        Remedy(
            f"Replace the expired certificate of {top} in the files trusted here by its renewed "
            "one; the stamp's operator has it"
        ),
    )
    return f"A CA certificate that this box trusts for {case.host} has expired", evidence, remedies


def _ended(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_after is not None and certificate.not_after < now


@rule("tls-not-yet-valid", Side.STAMP, _AZ + "'… certificate is not yet valid …')))")
def tls_not_yet_valid(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_NOT_YET_VALID or _right_clock(case):
        return None
    which = next((each for each in case.chain if _begins_later(each, case.now)), None)
    if which is None or which.not_before is None:
        return None
    title = f"The certificate of {case.host} is not valid yet"
    if which is not case.chain[0]:
        title = f"The CA certificate {which.common_name} behind {case.host} is not valid yet"
    begins = f"{which.common_name} begins {which.not_before:%Y-%m-%d %H:%M} UTC"
    evidence = (f"{begins}, in {_until(case.now, which.not_before)}", _clock_line(case))
    remedies = (
        _set_clock("Check this box's clock first, and set it if it is behind"),
        Remedy(
            "If it is right, the stamp's operator puts back a certificate that is valid today "
            "(its CA's clock was ahead, or it was deployed too early)"
        ),
    )
    return title, (*evidence, *chain_lines(case.chain)), remedies


# The same fault on the other side: this box's clock, or a certificate of its own.
@rule("tls-not-yet-valid", Side.BOX, _AZ + "'… certificate is not yet valid …')))")
def tls_not_yet_valid_here(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_NOT_YET_VALID or not case.chain:
        return None
    if there := _right_clock(case):
        return _clock(case, there)
    if any(each.not_before is None or _begins_later(each, case.now) for each in case.chain):
        return None
    top = case.chain[-1].issuer_name
    evidence = (
        f"OpenSSL says that a certificate is not valid yet, but all that {case.host} presents are",
        f"the chain is presented up to what {top} signed",
        _clock_line(case),
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
    )
    remedies = (
        _set_clock("Check this box's clock first, and set it if it is behind"),
        Remedy(f"Else take the certificate of {top} that begins later out of the files trusted"),
    )
    title = f"A CA certificate that this box trusts for {case.host} is not valid yet"
    return title, evidence, remedies


def _begins_later(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_before is not None and certificate.not_before > now


def _until(now: datetime, then: datetime) -> str:
    left = then - now
    if left.days:
        return f"{left.days} days"
    return f"{left.seconds // 3600} hours" if left.seconds >= 3600 else "less than an hour"


def _clock_line(case: Case) -> str:
    return f"this box's clock says {case.now:%Y-%m-%d %H:%M} UTC"


def _ago(now: datetime, then: datetime) -> str:
    days = (now - then).days
    return f"{days} days ago" if days else f"{(now - then).seconds // 3600} hours ago"


@rule("tls-name-mismatch", Side.STAMP, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mismatch(case: Case) -> Explained | None:
    if case.verify_code not in NAMES:
        return None
    names = case.chain[0].names if case.chain else ()
    evidence = (f"asked for: {case.host}", f"the certificate is for: {names_line(names)}")
    remedies = []
    if case.at_arm and (nearest := _nearest(case.host, names)):
        url = toml(f"https://{nearest}" + (f":{case.port}" if case.port != 443 else ""))
        remedies.append(
            Remedy(f"If {nearest} is the name that is meant, under {case.section}: arm = {url}")
        )
    remedies.append(
        Remedy(f"Else the stamp's operator issues a certificate that names {case.host}")
    )
    return f"The certificate is not for {case.host}", evidence, tuple(remedies)


def _nearest(host: str, names: tuple[str, ...]) -> str | None:
    """The offered name that may have been meant: an ARM endpoint's, or one of the same domain."""

    def shared(name: str) -> int:
        pairs = zip(
            reversed(host.lower().split(".")), reversed(name.lower().split(".")), strict=False
        )
        return sum(1 for ours, theirs in pairs if ours == theirs)

    arm = (USER_ENDPOINT, OPERATOR_ENDPOINT)
    likely = [name for name in names if name.partition(".")[0] in arm or shared(name) >= 2]
    plain = [name for name in likely if not name.startswith("*")]
    return max(plain, key=shared, default=None)


@rule("tls-untrusted-root", Side.BOX, _AZ + "'… unable to get local issuer certificate …')))")
def tls_untrusted_root(case: Case) -> Explained | None:
    if not _reaches_root(case.chain, case.verify_code):
        return None
    if interceptor(case.chain):
        return None  # the root to trust is not the stamp's: tls-intercepted tells
    top = case.chain[-1]
    root = top.common_name if top.self_issued else top.issuer_name
    evidence = [
        f"the chain of {case.host} ends at {root}, which no store in use holds",
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
    ]
    if top.self_issued:
        evidence.insert(1, f"{root} has SHA-256 {top.sha256}")
    return (
        f"Nobody here trusts {root}, which signs for {case.host}",
        tuple(evidence),
        _trust(case, root),
    )


def _reaches_root(chain: tuple[Certificate, ...], code: int | None) -> bool:
    """Whether the chain is whole up to its root, so that only trust in the root is missing.

    A chain that stops below its root tells nothing: one more intermediate may be missing, and the
    root be trusted. Only a name can tell that the missing certificate is the root.
    """
    if not chain or any(lower.issuer != upper.subject for lower, upper in pairwise(chain)):
        return False
    top = chain[-1]
    if code == VerifyCode.SELF_SIGNED_CERT_IN_CHAIN:
        return top.self_issued
    named_root = top.issuer_name == _ASDK_ROOT or bool(NAMED_ROOT.search(top.issuer_name))
    return (
        code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY and not top.self_issued and named_root
    )


def _trust(case: Case, root: str) -> tuple[Remedy, ...]:
    remedies = [
        Remedy(
            f"If you have {root} as a file (PEM or DER) from the stamp's operator: "
            "stacktui certificates trust FILE"
        ),
        Remedy(
            "See which trust store on this box trusts it, and which does not",
            case.command("certificates matrix", bash),
            case.command("certificates matrix", powershell),
        ),
    ]
    if case.chain[-1].self_issued:
        title = (
            f"Trust {root} as it was presented: you compare its SHA-256 with what the stamp's "
            "operator tells you, and type its last 8 digits"
        )
        pasted = _trust_presented(case, bash), _trust_presented(case, powershell)
        remedies.insert(0, Remedy(title, *pasted))
    remedies.append(
        Remedy(
            "Then for az: a bundle of certifi's roots and yours, which upgrades leave alone",
            "stacktui certificates export",
            "stacktui certificates export",
        )
    )
    return tuple(remedies)


def _trust_presented(case: Case, quote: Callable[[str], str]) -> str:
    host = "" if case.at_arm else f" --host {quote(f'{case.host}:{case.port}')}"
    name = quote(case.environment.name)
    return f"stacktui certificates trust{case.config_option(quote)}{host} --presented={name}"


RULES = (
    tls_expired,
    tls_expired_here,
    tls_not_yet_valid,
    tls_not_yet_valid_here,
    tls_weak,
    tls_name_mismatch,
    tls_intercepted,
    tls_self_signed,
    tls_missing_intermediate,
    tls_untrusted_root,
)
