"""Certificates that are not valid yet, or no more; or so it looks by a clock that is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from stacktui.certificates.chain import Certificate
from stacktui.certificates.verify import VerifyCode
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.clocks import other_clock
from stacktui.diagnosis.words import chain_lines, trust_line

# Seconds: certificates begin on the minute.
_SLACK = 60.0
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


@rule("tls-expired", Side.STAMP, _AZ + "'… certificate has expired …')))")
def tls_expired(case: FailureContext) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_HAS_EXPIRED:
        return None
    which = next((each for each in case.verified_path if _ended(each, case.now)), None)
    if which is None or which.not_after is None or _right_clock(case):
        return None
    title = f"The certificate of {case.host} has expired"
    if which is not case.verified_path[0]:
        title = f"The CA certificate {which.common_name} behind {case.host} has expired"
    ended = f"{which.common_name} ended {which.not_after:%Y-%m-%d %H:%M} UTC"
    evidence = (f"{ended}, {_ago(case.now, which.not_after)}", _clock_line(case))
    remedies = (
        Remedy("The stamp's operator renews the certificate (secret rotation)"),
        Remedy(
            "If this box's clock is wrong, set it: good certificates then look old",
            "timedatectl status",
            "w32tm /query /status",
        ),
    )
    return title, (*evidence, *chain_lines(case.presented_chain)), remedies


def _set_clock(title: str) -> Remedy:
    return Remedy(
        title,
        "timedatectl status; sudo timedatectl set-ntp true",
        "w32tm /query /status; w32tm /resync",
    )


def _right_clock(case: FailureContext) -> datetime | None:
    """The stamp's clock, if this box's differs and by it all that was presented is valid."""
    there = other_clock(case, _SLACK)
    if there is None or not case.verified_path:
        return None
    good = all(
        each.not_before and each.not_after and each.not_before <= there <= each.not_after
        for each in case.presented_chain
    )
    return there if good else None


def _clock(case: FailureContext, there: datetime) -> Explained:
    host, skew = case.host, there - case.now
    evidence = (
        _clock_line(case),
        f"the stamp's Date says {there:%Y-%m-%d %H:%M} UTC: then what {host} presents is valid",
        *chain_lines(case.presented_chain),
    )
    off = f"{abs(skew).days} days" if abs(skew).days else f"{abs(skew).seconds // 60} minutes"
    title = (
        f"This box's clock is {off} {'behind' if skew > timedelta() else 'ahead'}: by it the "
        f"certificate of {host} is not valid"
    )
    return title, evidence, (_set_clock("Set this box's clock"),)


# The same fault on the other side: all that was presented is good.
@rule("tls-expired", Side.BOX, _AZ + "'… certificate has expired …')))")
def tls_expired_here(case: FailureContext) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_HAS_EXPIRED or not case.verified_path:
        return None
    if there := _right_clock(case):
        return _clock(case, there)
    if any(each.not_after is None or _ended(each, case.now) for each in case.verified_path):
        return None
    top = case.verified_path[-1].issuer_name
    evidence = (
        f"OpenSSL says that a certificate has expired, but none that {case.host} presents has",
        f"the chain is presented up to what {top} signed",
        _clock_line(case),
        trust_line(case.step.evidence.trust),
        *chain_lines(case.presented_chain),
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
def tls_not_yet_valid(case: FailureContext) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_NOT_YET_VALID or _right_clock(case):
        return None
    which = next((each for each in case.verified_path if _begins_later(each, case.now)), None)
    if which is None or which.not_before is None:
        return None
    title = f"The certificate of {case.host} is not valid yet"
    if which is not case.verified_path[0]:
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
    return title, (*evidence, *chain_lines(case.presented_chain)), remedies


# The same fault on the other side: this box's clock, or a certificate of its own.
@rule("tls-not-yet-valid", Side.BOX, _AZ + "'… certificate is not yet valid …')))")
def tls_not_yet_valid_here(case: FailureContext) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_NOT_YET_VALID or not case.verified_path:
        return None
    if there := _right_clock(case):
        return _clock(case, there)
    if any(each.not_before is None or _begins_later(each, case.now) for each in case.verified_path):
        return None
    top = case.verified_path[-1].issuer_name
    evidence = (
        f"OpenSSL says that a certificate is not valid yet, but all that {case.host} presents are",
        f"the chain is presented up to what {top} signed",
        _clock_line(case),
        trust_line(case.step.evidence.trust),
        *chain_lines(case.presented_chain),
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


def _clock_line(case: FailureContext) -> str:
    return f"this box's clock says {case.now:%Y-%m-%d %H:%M} UTC"


def _ago(now: datetime, then: datetime) -> str:
    days = (now - then).days
    return f"{days} days ago" if days else f"{(now - then).seconds // 3600} hours ago"
