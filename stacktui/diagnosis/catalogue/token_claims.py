"""What a token or a clock says before ARM does, and what ARM says of a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stacktui.check.report import StepName
from stacktui.diagnosis.clocks import SKEW, apart, is_skewed, skew_of
from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.remedies import CLOCK_STATUS, SET_TIME, checking_again
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.sign_in_facts import certificate_unknown, section_of
from stacktui.diagnosis.words import fault_lines
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.text.sanitize import visible
from stacktui.transport.facts import Exchange

# ARM's codes for a token, in PROTOCOL.md section 4. The first two do not tell what is wrong.
_ANY = frozenset({"AuthenticationFailed", "InvalidAuthenticationToken"})
_AUDIENCE = "InvalidAuthenticationTokenAudience"
_TENANT = "InvalidAuthenticationTokenTenant"
_EXPIRED = "ExpiredAuthenticationToken"
# What a sign-in service says of an assertion that is of another time. AD FS says the same of a
# certificate that it does not know, and Entra's 700027 has several reasons.
_ASSERTION_TIME = "AADSTS700024"
_ASSERTION = frozenset({"AADSTS700027", "MSIS9612", "MSIS9622"})
# A claim is cut at so many characters when it is read (`identities.token`).
_CLAIM = 199
_LEEWAY = timedelta(seconds=SKEW)


# A token that ARM refuses


@dataclass(frozen=True, slots=True)
class _Refused:
    """Its facts, and ARM's and the issuer's clocks at that time."""

    fault: ArmFault
    token: TokenFacts
    arm: datetime | None
    issuer: datetime | None


def _refused(failure: FailureContext) -> _Refused | None:
    fault = _unauthorized(failure)
    token = failure.report.token
    if fault is None or token is None:
        return None
    issuer = failure.report.step(StepName.TOKEN).evidence.last
    return _Refused(fault, token, _clock(failure.last), _clock(issuer))


def _unauthorized(failure: FailureContext) -> ArmFault | None:
    """ARM's 401 in ARM's own form: one without a code is of something in front of it."""
    fault = failure.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.REFUSED:
        return None
    return fault if fault.status == 401 and fault.code else None


def _clock(exchange: Exchange | None) -> datetime | None:
    """What the clock of the host that answered said, if it said anything."""
    skew = skew_of(exchange)
    if skew is None or exchange is None or exchange.response is None:
        return None
    try:
        return exchange.response.received + timedelta(seconds=skew)
    except OverflowError:  # at the end of all time
        return None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


_CHECK_ARM = RemedyTemplate(
    "Check that arm under {section} is the stamp that you mean: {arm}",
    shown={"arm": "https://management.REGION.FQDN"},
)


def _check_arm(failure: FailureContext) -> Remedy:
    return _CHECK_ARM.fill(section=failure.section, arm=failure.environment.arm)


# token-audience-mismatch

_GIVE_AUDIENCES = RemedyTemplate(
    "Give both values to whoever runs the sign-in service: what was asked for is the stamp's "
    "audience, and what came back is not"
)


def _token_audience_mismatch(failure: FailureContext) -> Explanation | None:
    pair = _audiences(failure)
    if pair is None:
        return None
    refused, metadata = pair
    evidence = (
        f"the token's audience (aud): {refused.token.audience}",
        f"the audience in the stamp's metadata: {metadata.audience}",
        f"scope asked for: {refused.token.scope}",
        *fault_lines(refused.fault),
    )
    title = "The token is for another audience than the stamp's"
    return Explanation(title, evidence, (_check_arm(failure), _GIVE_AUDIENCES.fill()))


def _audiences(failure: FailureContext) -> tuple[_Refused, Metadata] | None:
    """The token and the metadata, where their audiences differ and ARM may mean that."""
    refused, metadata = _refused(failure), failure.report.metadata
    if refused is None or metadata is None or not refused.token.audience:
        return None
    # The metadata's is kept as it came, the token's as it can be shown.
    expected, claimed = visible(metadata.audience), refused.token.audience
    differs = expected[:_CLAIM] != claimed[:_CLAIM]
    return (refused, metadata) if differs and refused.fault.code in {_AUDIENCE, *_ANY} else None


TOKEN_AUDIENCE_MISMATCH = FaultInfo(
    id="token-audience-mismatch",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The token is for another audience than the stamp's.",
    distinguishing_evidence=(
        "Read from the token itself: its aud differs from the metadata's audience, byte for byte. "
        "Where they are the same and ARM still refuses, it is `arm-unauthorized`."
    ),
    az_says=(
        "(InvalidAuthenticationTokenAudience) The access token has been obtained for wrong "
        "audience or resource '…'. …"
    ),
    remedies=(_CHECK_ARM, _GIVE_AUDIENCES),
    rules=(_token_audience_mismatch,),
)


# token-expired-on-arrival

_NEXT_TOKEN = checking_again("Run the check again: the next token may be whole")
_SEE_LIFETIME = RemedyTemplate(
    "If it stays so, whoever runs {authority} looks at its token lifetime, and at the clocks of "
    "its servers: this box's clock does not matter here",
    shown={"authority": "the sign-in service"},
)


def _token_expired_on_arrival(failure: FailureContext) -> Explanation | None:
    refused = _refused(failure)
    if refused is None or not _has_ended(refused):
        return None
    token = refused.token
    evidence = [
        f"the token ended {_time(token.expires)}" if token.expires else "",
        f"the sign-in service's own clock said {_time(refused.issuer)}" if refused.issuer else "",
        f"ARM's clock said {_time(refused.arm)}" if refused.arm else "",
        *fault_lines(refused.fault),
    ]
    title = "The sign-in service gave a token that had ended already"
    remedies = (
        _NEXT_TOKEN.fill(**failure.places),
        _SEE_LIFETIME.fill(authority=token.authority),
    )
    return Explanation(title, tuple(filter(None, evidence)), remedies)


def _has_ended(refused: _Refused) -> bool:
    """By the clocks of the issuer and of ARM both: else it is their clocks that differ."""
    ends = refused.token.expires
    if ends is None or refused.arm is None or refused.issuer is None:
        return False
    over = ends <= refused.issuer and ends <= refused.arm
    return over and refused.fault.code in {_EXPIRED, *_ANY}


TOKEN_EXPIRED_ON_ARRIVAL = FaultInfo(
    id="token-expired-on-arrival",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service gave a token that had ended already.",
    distinguishing_evidence=(
        "The token's end is past by the clocks of the sign-in service and of ARM both. Where the "
        "two clocks differ, it is `clock-skew`. This box's own clock does not matter here."
    ),
    az_says=(
        "(ExpiredAuthenticationToken) The access token expiry UTC time '…' is earlier than "
        "current UTC time '…'."
    ),
    remedies=(_NEXT_TOKEN, _SEE_LIFETIME),
    rules=(_token_expired_on_arrival,),
)


# clock-skew

_OPERATOR_SETS_TIME = RemedyTemplate(
    "If this box is right, the stamp's operator looks at the stamp's time source (privileged "
    "endpoint)",
    powershell="Invoke-Command -Session $pep { Get-AzsTimeSource }",
)


def _clock_skew_here(failure: FailureContext) -> Explanation | None:
    fault, skew = failure.fault, skew_of(failure.last)
    if not isinstance(fault, SignInFault) or skew is None:
        return None
    if not _assertion_of_another_time(failure, fault):
        return None
    evidence = [
        apart(skew, f"{failure.host}: its"),
        *_arm_clock(failure, skew),
        *fault_lines(fault),
    ]
    title = f"This box's clock and the sign-in service's are {abs(skew) / 60:.0f} minutes apart"
    return Explanation(title, tuple(evidence), _clock_remedies())


def _clock_remedies() -> tuple[Remedy, ...]:
    """Nobody here knows which of two clocks is wrong."""
    return tuple(each.fill() for each in (CLOCK_STATUS, SET_TIME, _OPERATOR_SETS_TIME))


def _assertion_of_another_time(failure: FailureContext, fault: SignInFault) -> bool:
    """A certificate signs in with a time of this box's: only then its clock matters."""
    identity = failure.identity
    if identity is None or not isinstance(identity.credential, CertificateRef):
        return False
    is_refusal = fault.problem is SignInProblem.REFUSED and fault.status in (400, 401)
    of_client = fault.error in ("invalid_client", "unauthorized_client")
    meant = fault.code == _ASSERTION_TIME or (
        fault.code in _ASSERTION and not certificate_unknown(fault)
    )
    return is_refusal and of_client and meant and is_skewed(failure.last)


def _arm_clock(failure: FailureContext, skew: float) -> list[str]:
    """What ARM's clock says of it: two that agree may be right."""
    arm = skew_of(failure.report.steps[0].evidence.last) if failure.report.steps else None
    if arm is None:
        return []
    agrees = "agrees with it" if abs(arm - skew) < SKEW else "does not agree with it"
    return [f"{apart(arm, 'ARM: its')}, which {agrees}"]


def _clock_skew_there(failure: FailureContext) -> Explanation | None:
    refused = _refused(failure)
    if refused is None or refused.arm is None or refused.issuer is None:
        return None
    if not _clocks_differ(refused, refused.arm, refused.issuer):
        return None
    token = refused.token
    evidence = [
        f"ARM's clock said {_time(refused.arm)}",
        f"the sign-in service's clock said {_time(refused.issuer)} shortly before",
    ]
    evidence += [f"the token begins {_time(token.begins)}"] if token.begins else []
    evidence += [f"the token ends {_time(token.expires)}"] if token.expires else []
    evidence += fault_lines(refused.fault)
    title = "The clocks of ARM and of the sign-in service are too far apart for its tokens"
    return Explanation(title, tuple(evidence), (_OPERATOR_SETS_TIME.fill(),), Side.STAMP)


def _clocks_differ(refused: _Refused, arm: datetime, issuer: datetime) -> bool:
    """Whether ARM refuses a token that its issuer's clock holds for good."""
    token, code = refused.token, refused.fault.code
    if abs(arm - issuer) < _LEEWAY:
        return False
    over = token.expires is not None and issuer < token.expires <= arm
    begins = token.begins
    # Differences: a sum may lie beyond the end of all time.
    early = begins is not None and begins - arm >= _LEEWAY and begins - issuer <= _LEEWAY
    return (over and code in {_EXPIRED, *_ANY}) or (early and code in _ANY)


def _clocks_apart(report: ReportContext) -> Explanation | None:
    """Of a check that went well: a secret has no time in it, but certificates and tokens have."""
    if not report.report.ok:
        return None  # the verdict says so, if it comes of it
    exchanges = [each for step in report.report.steps for each in step.evidence.exchanges]
    skews = {
        each.connection.host: skew
        for each in exchanges
        if each.connection and (skew := skew_of(each)) is not None and abs(skew) >= SKEW
    }
    if not skews:
        return None
    host, first = next(iter(skews.items()))
    evidence = tuple(apart(skew, f"{host}: its") for host, skew in skews.items())
    title = f"This box's clock and {host}'s are {abs(first) / 60:.0f} minutes apart"
    return Explanation(title, evidence, _clock_remedies())


CLOCK_SKEW = FaultInfo(
    id="clock-skew",
    group=Group.TOKEN,
    sides=(Side.BOX, Side.STAMP),
    meaning="Two clocks are too far apart for tokens.",
    distinguishing_evidence=(
        "The report has the clocks (Date) of the sign-in service and of ARM, in seconds from this "
        "box's. This box's matters where a certificate signs in; else it is the stamp's two "
        "clocks. A token that is over by all clocks is `token-expired-on-arrival`; a certificate "
        "that the service does not know `sp-cert-rejected`."
    ),
    az_says=(
        "AADSTS700024: Client assertion is not within its valid time range. … / "
        "(ExpiredAuthenticationToken) … / (InvalidAuthenticationToken) … / nothing, until a "
        "certificate signs in or a token is refused"
    ),
    remedies=(CLOCK_STATUS, SET_TIME, _OPERATOR_SETS_TIME),
    rules=(_clock_skew_here, _clock_skew_there),
    advisories=(_clocks_apart,),
)


# arm-unauthorized

_WRONG = {
    _AUDIENCE: ": it is for another audience",
    _TENANT: ": it is from another tenant",
    _EXPIRED: ": it has ended",
}
_SET_TENANT = RemedyTemplate(
    "Set tenant under {identity} to the one that ARM expects: the evidence has it",
    shown={"identity": "the identity"},
)
_ADFS_TENANT = RemedyTemplate(
    "The stamp's operator looks why ARM does not know its own AD FS: give both tenants of the "
    "evidence"
)
_CHECK_SUBSCRIPTION = RemedyTemplate(
    "Check that the subscription is of the tenant that the identity signs in to: subscription "
    "under {section}"
)
_NEW_TOKEN = checking_again("Run the check again, with a new token")


def _arm_unauthorized(failure: FailureContext) -> Explanation | None:
    fault, refused = _unauthorized(failure), _refused(failure)
    if fault is None or _token_shows_why(failure, refused):
        return None
    evidence = (*_values(failure, refused), *fault_lines(fault))
    title = f"ARM does not take the token ({fault.code}){_WRONG.get(fault.code, '')}"
    return Explanation(title, evidence, _unauthorized_remedies(failure, fault))


def _token_shows_why(failure: FailureContext, refused: _Refused | None) -> bool:
    """Whether the token itself shows more than ARM's words: such faults have names of their own."""
    if refused is None:
        return False
    arm, issuer = refused.arm, refused.issuer
    differ = arm is not None and issuer is not None and _clocks_differ(refused, arm, issuer)
    return differ or _has_ended(refused) or _audiences(failure) is not None


def _values(failure: FailureContext, refused: _Refused | None) -> list[str]:
    """The token's own claims, and what the metadata has to match them."""
    lines = []
    if refused:
        token = refused.token
        pairs = (("audience", token.audience), ("issuer", token.issuer), ("tenant", token.tenant),
                 ("subject", token.subject))  # fmt: skip
        lines = [f"the token's {name}: {value}" for name, value in pairs if value]
        lines += [f"the token ends {_time(token.expires)}"] if token.expires else []
        lines += [f"ARM's clock said {_time(refused.arm)}"] if refused.arm else []
    metadata = failure.report.metadata
    return lines + ([f"the metadata's audience: {metadata.audience}"] if metadata else [])


def _unauthorized_remedies(failure: FailureContext, fault: ArmFault) -> tuple[Remedy, ...]:
    identity, metadata = failure.identity, failure.report.metadata
    if fault.code != _TENANT or identity is None:
        return (_check_arm(failure), _NEW_TOKEN.fill(**failure.places))
    by_adfs = metadata and metadata.identity_provider is IdentityProvider.ADFS
    return (
        _ADFS_TENANT.fill() if by_adfs else _SET_TENANT.fill(identity=section_of(identity)),
        _CHECK_SUBSCRIPTION.fill(section=failure.section),
    )


ARM_UNAUTHORIZED = FaultInfo(
    id="arm-unauthorized",
    group=Group.RESOURCES,
    sides=(Side.SIGN_IN,),
    meaning="ARM does not take the token (401).",
    distinguishing_evidence=(
        "ARM's code says whether it is the audience, the tenant or the end; the report puts the "
        "token's claims beside the metadata's values. What the token itself shows has names of "
        "its own: `token-audience-mismatch`, `token-expired-on-arrival`, `clock-skew`. A token "
        "that is taken, without the right to read, is `arm-forbidden`."
    ),
    az_says=(
        "(InvalidAuthenticationTokenTenant) The access token is from the wrong issuer '…'. … / "
        "(InvalidAuthenticationToken) … / (AuthenticationFailed) …"
    ),
    remedies=(_SET_TENANT, _ADFS_TENANT, _CHECK_SUBSCRIPTION, _CHECK_ARM, _NEW_TOKEN),
    rules=(_arm_unauthorized,),
)

FAULTS = (TOKEN_AUDIENCE_MISMATCH, TOKEN_EXPIRED_ON_ARRIVAL, CLOCK_SKEW, ARM_UNAUTHORIZED)
