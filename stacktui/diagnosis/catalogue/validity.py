"""Certificates that have expired or are not valid yet, or seem so by a wrong clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from stacktui.certificates.verify import DATES, NAMES, VerifyCode
from stacktui.diagnosis.az_messages import AZ_VERIFY
from stacktui.diagnosis.clocks import MAX_SKEW, host_skews, server_time
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.formatting import chain_lines, route_lines, trust_line
from stacktui.diagnosis.interceptors import why_intercepted
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.tls import NOT_TRUSTED, NOT_VALID_AT_THIS_TIME
from stacktui.diagnosis.remedies import OPERATOR_SETS_TIME, setting_clock
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.text.counts import time_span

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# Seconds of skew to ignore: certificates are valid from a full minute.
_SLACK = 60.0

_SET_CLOCK = setting_clock(
    "Compare this machine's clock with a source that is not the stamp's, and set it if it is wrong"
)


def _right_clock(failure: FailureContext) -> datetime | None:
    """Return the stamp's time if it differs and makes the presented chain valid, else None."""
    there = server_time(failure, _SLACK)
    if there is None or not failure.verified_path:
        return None
    good = all(
        each.not_before and each.not_after and each.not_before <= there <= each.not_after
        for each in failure.presented_chain
    )
    return there if good else None


def _wrong_clock(failure: FailureContext, there: datetime) -> Explanation:
    """Explain two clocks that differ; which of them is right, neither can tell."""
    host, skew = failure.host, there - failure.now
    agreeing = [
        name
        for name, each in host_skews(failure.report).items()
        if abs(each - skew.total_seconds()) < MAX_SKEW
    ]
    agree = [f"so do the clocks of {', '.join(agreeing[1:])}"] if len(agreeing) > 1 else []
    evidence = (
        _clock_line(failure),
        f"the stamp's Date says {there:%Y-%m-%d %H:%M} UTC: then what {host} presents is valid",
        *agree,
        "which clock is wrong is not known from here: the hosts of a stamp share a time source",
        *chain_lines(failure.presented_chain),
        *route_lines(failure),
    )
    off = f"{abs(skew).days} days" if abs(skew).days else f"{abs(skew).seconds // 60} minutes"
    title = (
        f"This machine's clock is {off} {'behind' if skew > timedelta() else 'ahead of'} the "
        f"stamp's: by it the certificate of {host} is not valid"
    )
    remedies = (_SET_CLOCK.fill(), OPERATOR_SETS_TIME.fill())
    return Explanation(title, evidence, remedies, side=Side.BOX)


def _clock_line(failure: FailureContext) -> str:
    return f"this machine's clock says {failure.now:%Y-%m-%d %H:%M} UTC"


def _trusted_here_lines(failure: FailureContext) -> tuple[str, ...]:
    """Return the evidence if the presented chain is valid and a trusted file is not."""
    return (
        f"the chain is presented up to what {failure.verified_path[-1].issuer_name} signed",
        _clock_line(failure),
        trust_line(failure.step.evidence.trust),
        *chain_lines(failure.presented_chain),
        *route_lines(failure),
    )


# tls-expired

_RENEW = RemedyTemplate("The stamp's operator renews the certificate (secret rotation)")
_SEE_CLOCK = RemedyTemplate(
    "If this machine's clock is wrong, set it: good certificates then look old",
    "timedatectl status",
    "w32tm /query /status",
)
_REPLACE_CA = RemedyTemplate(
    "Replace the expired certificate of {issuer} in the files trusted here by its renewed one; "
    "the stamp's operator has it",
    shown={"issuer": "a CA"},
)


def _expired(failure: FailureContext) -> Explanation | None:
    return (
        _ended_certificate(failure) if failure.verify_code == VerifyCode.CERT_HAS_EXPIRED else None
    )


def _also_expired(failure: FailureContext) -> Explanation | None:
    """Explain dates that OpenSSL did not come to, as it refused the chain before."""
    return _ended_certificate(failure) if _refused_before_dates(failure) else None


def _refused_before_dates(failure: FailureContext) -> bool:
    code = failure.verify_code
    return code is not None and code not in DATES | NAMES and not why_intercepted(failure)


def _ended_certificate(failure: FailureContext) -> Explanation | None:
    which = next((each for each in failure.verified_path if _ended(each, failure.now)), None)
    if which is None or which.not_after is None or _right_clock(failure):
        return None
    title = f"The certificate of {failure.host} has expired"
    if which is not failure.verified_path[0]:
        title = f"The CA certificate {which.common_name} behind {failure.host} has expired"
    ended = f"{which.common_name} ended {which.not_after:%Y-%m-%d %H:%M} UTC"
    evidence = (
        f"{ended}, {time_span(failure.now - which.not_after)} ago",
        _clock_line(failure),
        *chain_lines(failure.presented_chain),
        *route_lines(failure),
    )
    return Explanation(title, evidence, (_RENEW.fill(), _SEE_CLOCK.fill()))


def _expired_here(failure: FailureContext) -> Explanation | None:
    """Explain an expired certificate if all that was presented is valid."""
    path = failure.verified_path
    if failure.verify_code != VerifyCode.CERT_HAS_EXPIRED or not path:
        return None
    if there := _right_clock(failure):
        return _wrong_clock(failure, there)
    if any(each.not_after is None or _ended(each, failure.now) for each in path):
        return None
    evidence = (
        f"OpenSSL says that a certificate has expired, but none that {failure.host} presents has",
        *_trusted_here_lines(failure),
    )
    title = f"A CA certificate that this machine trusts for {failure.host} has expired"
    remedies = (_REPLACE_CA.fill(issuer=path[-1].issuer_name),)
    return Explanation(title, evidence, remedies, side=Side.BOX)


def _ended(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_after is not None and certificate.not_after < now


TLS_EXPIRED = FaultInfo(
    id="tls-expired",
    group=Group.TLS,
    sides=(Side.STAMP, Side.BOX),
    meaning="A certificate has expired, or this machine's clock is ahead.",
    distinguishing_evidence=(
        "The stamp's own clock (Date) is asked first: if by it the chain is valid, this machine's "
        "clock is wrong. Else the report names the certificate, how long ago it ended, and "
        "whether it was presented or is in a trust file of this machine."
    ),
    az_says=AZ_VERIFY + "'… certificate has expired …')))",
    patterns={
        MessagePattern(
            "the certificate has expired",
            r"certificate has expired(?! or)|cert_has_expired|verify error:num=10\b"
            r"|sec_e_cert_expired|0x80090328|certificate (?:is )?expired|certificateexpired"
            r"|cert_e_expired|0x800b0101|expired_(?:issuer_)?certificate|certificate: expired"
            r"|current time .{1,40} is after|expired certificate"
            r"|certificate of .{1,90}has expired",
        ): 90,
        NOT_VALID_AT_THIS_TIME: 88,
        NOT_TRUSTED: 27,
    },
    remedies=(_RENEW, _SEE_CLOCK, _SET_CLOCK, OPERATOR_SETS_TIME, _REPLACE_CA),
    rules=(_expired, _expired_here),
    beside_rules=(_also_expired,),
)


# tls-not-yet-valid

_CLOCK_FIRST = setting_clock("Check this machine's clock first, and set it if it is behind")
_PUT_BACK = RemedyTemplate(
    "If it is right, the stamp's operator puts back a certificate that is valid today (its CA's "
    "clock was ahead, or it was deployed too early)"
)
_TAKE_OUT_CA = RemedyTemplate(
    "Else take the certificate of {issuer} that begins later out of the files trusted",
    shown={"issuer": "a CA"},
)


def _not_yet_valid(failure: FailureContext) -> Explanation | None:
    code = failure.verify_code
    return _future_certificate(failure) if code == VerifyCode.CERT_NOT_YET_VALID else None


def _also_not_yet_valid(failure: FailureContext) -> Explanation | None:
    return _future_certificate(failure) if _refused_before_dates(failure) else None


def _future_certificate(failure: FailureContext) -> Explanation | None:
    if _right_clock(failure):
        return None
    path = failure.verified_path
    which = next((each for each in path if _begins_later(each, failure.now)), None)
    if which is None or which.not_before is None:
        return None
    title = f"The certificate of {failure.host} is not valid yet"
    if which is not path[0]:
        title = f"The CA certificate {which.common_name} behind {failure.host} is not valid yet"
    begins = f"{which.common_name} begins {which.not_before:%Y-%m-%d %H:%M} UTC"
    evidence = (
        f"{begins}, in {time_span(which.not_before - failure.now)}",
        _clock_line(failure),
        *chain_lines(failure.presented_chain),
    )
    return Explanation(title, evidence, (_CLOCK_FIRST.fill(), _PUT_BACK.fill()))


def _not_yet_valid_here(failure: FailureContext) -> Explanation | None:
    """Explain one that is not valid yet if all that was presented is valid."""
    path = failure.verified_path
    if failure.verify_code != VerifyCode.CERT_NOT_YET_VALID or not path:
        return None
    if there := _right_clock(failure):
        return _wrong_clock(failure, there)
    if any(each.not_before is None or _begins_later(each, failure.now) for each in path):
        return None
    valid = f"all that {failure.host} presents are"
    evidence = (
        f"OpenSSL says that a certificate is not valid yet, but {valid}",
        *_trusted_here_lines(failure),
    )
    remedies = (_CLOCK_FIRST.fill(), _TAKE_OUT_CA.fill(issuer=path[-1].issuer_name))
    title = f"A CA certificate that this machine trusts for {failure.host} is not valid yet"
    return Explanation(title, evidence, remedies, side=Side.BOX)


def _begins_later(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_before is not None and certificate.not_before > now


TLS_NOT_YET_VALID = FaultInfo(
    id="tls-not-yet-valid",
    group=Group.TLS,
    sides=(Side.STAMP, Side.BOX),
    meaning="A certificate is not valid yet, or this machine's clock is behind.",
    distinguishing_evidence=(
        "As with `tls-expired`: if by the stamp's own clock (Date) the chain is valid, this "
        "machine's clock is wrong. Else the report names the certificate and when it begins."
    ),
    az_says=AZ_VERIFY + "'… certificate is not yet valid …')))",
    patterns={
        NOT_VALID_AT_THIS_TIME: 86,
        MessagePattern(
            "the certificate is not valid yet",
            r"certificate is not yet valid|cert_not_yet_valid|verify error:num=9\b"
            r"|certificatenotyetvalid|error_not_yet_valid|not (?:yet )?activated|notvalidyet"
            r"|current time .{1,40} is before",
        ): 92,
    },
    remedies=(_CLOCK_FIRST, _SET_CLOCK, OPERATOR_SETS_TIME, _PUT_BACK, _TAKE_OUT_CA),
    rules=(_not_yet_valid, _not_yet_valid_here),
    beside_rules=(_also_not_yet_valid,),
)
