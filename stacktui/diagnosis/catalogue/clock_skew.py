"""Clocks that differ too much for tokens, or for a certificate that signs in."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.clocks import MAX_SKEW, host_skews, is_skewed, skew_of, skew_text
from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import sign_in_code
from stacktui.diagnosis.messages.arm import EXPIRED_TOKEN, INVALID_TOKEN
from stacktui.diagnosis.messages.sign_in import ASSERTION_REFUSED
from stacktui.diagnosis.refused_token import clocks_differ, refused_token, utc
from stacktui.diagnosis.remedies import CLOCK_STATUS, OPERATOR_SETS_TIME, SET_TIME
from stacktui.diagnosis.sign_in_facts import ADFS_BAD_CREDENTIAL, CLIENT_ERRORS, certificate_unknown
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef

# The codes for an assertion with a wrong time. AD FS's codes also mean a certificate that it does
# not know, and Entra's 700027 has several reasons.
_ASSERTION_TIME = sign_in_code("AADSTS700024", r"within its valid time range")
_ASSERTION = ADFS_BAD_CREDENTIAL | {ASSERTION_REFUSED.code}


def _clock_skew_here(failure: FailureContext) -> Explanation | None:
    fault, skew = failure.fault, skew_of(failure.last)
    if not isinstance(fault, SignInFault) or not _assertion_time_refused(failure, fault):
        return None
    evidence = ["the sign-in service's answer has no time (Date)"]
    title = "The sign-in service finds that the certificate signed in at another time than now"
    if skew is not None:
        evidence = [skew_text(skew, f"{failure.host}: its"), *_arm_clock(failure, skew)]
    if skew is not None and is_skewed(failure.last):
        title = (
            f"This machine's clock and the sign-in service's are {abs(skew) / 60:.0f} minutes apart"
        )
    return Explanation(title, (*evidence, *fault_lines(fault)), _clock_remedies())


def _clock_remedies() -> tuple[Remedy, ...]:
    """Return the remedies for both clocks, as either may be wrong."""
    return tuple(each.fill() for each in (CLOCK_STATUS, SET_TIME, OPERATOR_SETS_TIME))


def _assertion_time_refused(failure: FailureContext, fault: SignInFault) -> bool:
    """Return whether the assertion may have a wrong time; only a certificate's has a time."""
    identity = failure.identity
    if identity is None or not isinstance(identity.credential, CertificateRef):
        return False
    is_refusal = fault.problem is SignInProblem.REFUSED and fault.status in (400, 401)
    meant = fault.code == _ASSERTION_TIME.code or (
        fault.code in _ASSERTION and not certificate_unknown(fault) and is_skewed(failure.last)
    )
    return is_refusal and fault.error in CLIENT_ERRORS and meant


def _arm_clock(failure: FailureContext, skew: float) -> list[str]:
    """Return a line on ARM's clock: if it agrees with one of the two, that one may be right."""
    arm = skew_of(failure.report.steps[0].evidence.last) if failure.report.steps else None
    if arm is None:
        return []
    agrees = "agrees with it" if abs(arm - skew) < MAX_SKEW else "does not agree with it"
    return [f"{skew_text(arm, 'ARM: its')}, which {agrees}"]


def _clock_skew_there(failure: FailureContext) -> Explanation | None:
    refused = refused_token(failure)
    if refused is None or refused.arm is None or refused.issuer is None:
        return None
    if not clocks_differ(refused, refused.arm, refused.issuer):
        return None
    token = refused.token
    evidence = [
        f"ARM's clock said {utc(refused.arm)}",
        f"the sign-in service's clock said {utc(refused.issuer)} shortly before",
    ]
    evidence += [f"the token begins {utc(token.begins)}"] if token.begins else []
    evidence += [f"the token ends {utc(token.expires)}"] if token.expires else []
    evidence += fault_lines(refused.fault)
    title = "The clocks of ARM and of the sign-in service are too far apart for its tokens"
    return Explanation(title, tuple(evidence), (OPERATOR_SETS_TIME.fill(),), Side.STAMP)


def _clocks_apart(report: ReportContext) -> Explanation | None:
    """Warn in a healthy check: a secret has no time, but certificates and tokens have."""
    if not report.report.ok:
        return None  # the verdict reports the skew if it is the cause
    skews = {
        host: skew for host, skew in host_skews(report.report).items() if abs(skew) >= MAX_SKEW
    }
    if not skews:
        return None
    host, first = next(iter(skews.items()))
    evidence = tuple(skew_text(skew, f"{host}: its") for host, skew in skews.items())
    title = f"This machine's clock and {host}'s are {abs(first) / 60:.0f} minutes apart"
    return Explanation(title, evidence, _clock_remedies())


CLOCK_SKEW = FaultInfo(
    id="clock-skew",
    group=Group.TOKEN,
    sides=(Side.BOX, Side.STAMP),
    meaning="Two clocks are too far apart for tokens.",
    distinguishing_evidence=(
        "The report has the clocks (Date) of the sign-in service and of ARM, in seconds from this "
        "machine's. This machine's matters where a certificate signs in; else it is the stamp's "
        "two clocks. A token that is over by all clocks is `token-expired-on-arrival`; a "
        "certificate that the service does not know `sp-cert-rejected`."
    ),
    az_says=(
        "AADSTS700024: Client assertion is not within its valid time range. … / "
        "(ExpiredAuthenticationToken) … / (InvalidAuthenticationToken) … / nothing, until a "
        "certificate signs in or a token is refused"
    ),
    patterns={ASSERTION_REFUSED: 47, _ASSERTION_TIME: 94, INVALID_TOKEN: 50, EXPIRED_TOKEN: 72},
    remedies=(CLOCK_STATUS, SET_TIME, OPERATOR_SETS_TIME),
    refusal=Refusal(frozenset({_ASSERTION_TIME.code}), CLIENT_ERRORS),
    rules=(_clock_skew_here, _clock_skew_there),
    advisories=(_clocks_apart,),
)
