"""What a token or a clock says before ARM does, and what ARM says of a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stacktui.check.report import StepName
from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.clocks import (
    CLOCK_REMEDIES,
    OPERATOR_SETS_TIME,
    SKEW,
    apart,
    is_skewed,
    skew_of,
)
from stacktui.diagnosis.rules.refusals import certificate_unknown, metadata_of
from stacktui.diagnosis.shell import bash, powershell, toml_table
from stacktui.diagnosis.words import fault_lines
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.facts import Exchange
from stacktui.transport.text import visible

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
_TOLD = timedelta(seconds=SKEW)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A token that ARM refuses: its facts, and ARM's and the issuer's clocks at that time."""

    fault: ArmFault
    token: TokenFacts
    arm: datetime | None
    issuer: datetime | None


def _refused(case: FailureContext) -> _Refused | None:
    fault = _unauthorized(case)
    step = next((each for each in case.report.steps if each.name is StepName.TOKEN), None)
    facts = step.evidence.result if step else None
    if fault is None or step is None or not isinstance(facts, TokenFacts):
        return None
    return _Refused(fault, facts, _clock(case.last), _clock(step.evidence.last))


def _unauthorized(case: FailureContext) -> ArmFault | None:
    """ARM's 401 in ARM's own form: one without a code is of something in front of it."""
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.REFUSED:
        return None
    return fault if fault.status == 401 and fault.code else None


def _clock(exchange: Exchange | None) -> datetime | None:
    """What the clock of the host that answered said, if it told."""
    skew = skew_of(exchange)
    if skew is None or exchange is None or exchange.response is None:
        return None
    try:
        return exchange.response.received + timedelta(seconds=skew)
    except OverflowError:  # at the end of all time
        return None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


@rule(
    "token-audience-mismatch",
    Side.SIGN_IN,
    "(InvalidAuthenticationTokenAudience) The access token has been obtained for wrong audience or "
    "resource '…'. …",
)
def token_audience_mismatch(case: FailureContext) -> Explained | None:
    pair = _audiences(case)
    if pair is None:
        return None
    refused, metadata = pair
    title = "The token is for another audience than the stamp's"
    evidence = (
        f"the token's audience (aud): {refused.token.audience}",
        f"the audience in the stamp's metadata: {metadata.audience}",
        f"scope asked for: {refused.token.scope}",
        *fault_lines(refused.fault),
    )
    operator = Remedy(
        "Give both values to whoever runs the sign-in service: what was asked for is the stamp's "
        "audience, and what came back is not"
    )
    return title, evidence, (_arm_is_right(case), operator)


def _audiences(case: FailureContext) -> tuple[_Refused, Metadata] | None:
    """The token and the metadata, where their audiences differ and ARM may mean that."""
    refused, metadata = _refused(case), metadata_of(case)
    if refused is None or metadata is None or not refused.token.audience:
        return None
    # The metadata's is kept as it came, the token's as it can be shown.
    expected, claimed = visible(metadata.audience), refused.token.audience
    differs = expected[:_CLAIM] != claimed[:_CLAIM]
    return (refused, metadata) if differs and refused.fault.code in {_AUDIENCE, *_ANY} else None


def _arm_is_right(case: FailureContext) -> Remedy:
    return Remedy(
        f"Check that arm under {case.section} is the stamp that you mean: {case.environment.arm}"
    )


@rule(
    "token-expired-on-arrival",
    Side.SIGN_IN,
    "(ExpiredAuthenticationToken) The access token expiry UTC time '…' is earlier than current UTC "
    "time '…'.",
)
def token_expired_on_arrival(case: FailureContext) -> Explained | None:
    refused = _refused(case)
    if refused is None or not _expired_on_arrival(refused):
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
        Remedy(
            "Run the check again: the next token may be whole",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        Remedy(
            f"If it stays so, whoever runs {token.authority} looks at its token lifetime, and at "
            "the clocks of its servers: this box's clock does not matter here"
        ),
    )
    return title, tuple(filter(None, evidence)), remedies


def _expired_on_arrival(refused: _Refused) -> bool:
    """By the clocks of the issuer and of ARM both: else it is their clocks that differ."""
    ends = refused.token.expires
    if ends is None or refused.arm is None or refused.issuer is None:
        return False
    over = ends <= refused.issuer and ends <= refused.arm
    return over and refused.fault.code in {_EXPIRED, *_ANY}


_AZ_CLOCK = (
    "AADSTS700024: Client assertion is not within its valid time range. … / "
    "(ExpiredAuthenticationToken) … / (InvalidAuthenticationToken) …"
)


@rule("clock-skew", Side.BOX, _AZ_CLOCK)
def clock_skew(case: FailureContext) -> Explained | None:
    fault, skew = case.fault, skew_of(case.last)
    if not isinstance(fault, SignInFault) or skew is None or not _assertion_of_another_time(case):
        return None
    evidence = [
        apart(skew, f"{case.host}: its"),
        *_others(case, skew),
        *fault_lines(fault),
    ]
    title = f"This box's clock and the sign-in service's are {abs(skew) / 60:.0f} minutes apart"
    return title, tuple(evidence), (*CLOCK_REMEDIES, OPERATOR_SETS_TIME)


def _assertion_of_another_time(case: FailureContext) -> bool:
    """A certificate signs in with a time of this box's: only then its clock matters."""
    fault, identity = case.fault, case.identity
    if not isinstance(fault, SignInFault) or fault.problem is not SignInProblem.REFUSED:
        return False
    if identity is None or not isinstance(identity.credential, CertificateRef):
        return False
    told = fault.status in (400, 401) and fault.error in ("invalid_client", "unauthorized_client")
    meant = fault.code == _ASSERTION_TIME or (
        fault.code in _ASSERTION and not certificate_unknown(fault)
    )
    return told and meant and is_skewed(case.last)


def _others(case: FailureContext, skew: float) -> list[str]:
    """What ARM's clock says of it: two that agree may be right."""
    arm = skew_of(case.report.steps[0].evidence.last) if case.report.steps else None
    if arm is None:
        return []
    agrees = "agrees with it" if abs(arm - skew) < SKEW else "does not agree with it"
    return [f"{apart(arm, 'ARM: its')}, which {agrees}"]


@rule("clock-skew", Side.STAMP, _AZ_CLOCK)
def clock_skew_there(case: FailureContext) -> Explained | None:
    refused = _refused(case)
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
    title = "The clocks of ARM and of the sign-in service are too far apart for its tokens"
    return title, (*evidence, *fault_lines(refused.fault)), (OPERATOR_SETS_TIME,)


def _clocks_differ(refused: _Refused, arm: datetime, issuer: datetime) -> bool:
    """Whether ARM refuses a token that its issuer's clock holds for good."""
    token, code = refused.token, refused.fault.code
    if abs(arm - issuer) < _TOLD:
        return False
    over = token.expires is not None and issuer < token.expires <= arm
    begins = token.begins
    # Differences: a sum may lie beyond the end of all time.
    early = begins is not None and begins - arm >= _TOLD and begins - issuer <= _TOLD
    return (over and code in {_EXPIRED, *_ANY}) or (early and code in _ANY)


@rule(
    "arm-unauthorized",
    Side.SIGN_IN,
    "(InvalidAuthenticationTokenTenant) The access token is from the wrong issuer '…'. … / "
    "(InvalidAuthenticationToken) … / (AuthenticationFailed) …",
)
def arm_unauthorized(case: FailureContext) -> Explained | None:
    fault = _unauthorized(case)
    if fault is None or any(each.examine(case) for each in _TOLD_BEFORE):
        return None
    refused = _refused(case)
    evidence = [*_values(case, refused), *fault_lines(fault)]
    title = f"ARM does not take the token ({fault.code}){_WRONG.get(fault.code, '')}"
    return title, tuple(evidence), _unauthorized_remedies(case, fault)


# What each code says is wrong with the token.
_WRONG = {
    _AUDIENCE: ": it is for another audience",
    _TENANT: ": it is from another tenant",
    _EXPIRED: ": it has ended",
}


def _values(case: FailureContext, refused: _Refused | None) -> list[str]:
    """The token's own claims, and what the metadata has to match them."""
    lines = []
    if refused:
        token = refused.token
        pairs = (("audience", token.audience), ("issuer", token.issuer), ("tenant", token.tenant),
                 ("subject", token.subject))  # fmt: skip
        lines = [f"the token's {name}: {value}" for name, value in pairs if value]
        lines += [f"the token ends {_time(token.expires)}"] if token.expires else []
        lines += [f"ARM's clock said {_time(refused.arm)}"] if refused.arm else []
    metadata = metadata_of(case)
    return lines + ([f"the metadata's audience: {metadata.audience}"] if metadata else [])


def _unauthorized_remedies(case: FailureContext, fault: ArmFault) -> tuple[Remedy, ...]:
    identity, metadata = case.identity, metadata_of(case)
    if fault.code == _TENANT and identity is not None:
        other = Remedy(
            "Check that the subscription is of the tenant that the identity signs in to: "
            f"subscription under {case.section}"
        )
        if metadata and metadata.identity_provider is IdentityProvider.ADFS:
            operator = "The stamp's operator looks why ARM does not know its own AD FS: give both"
            return (Remedy(f"{operator} tenants above"), other)
        section = toml_table("identities", identity.name)
        return (Remedy(f"Set tenant under {section} to the one that ARM expects, above"), other)
    again = Remedy(
        "Run the check again, with a new token",
        case.command("check", bash),
        case.command("check", powershell),
    )
    return (_arm_is_right(case), again)


# These know more of a refused token than ARM says.
_TOLD_BEFORE = (token_audience_mismatch, token_expired_on_arrival, clock_skew_there)
RULES: tuple[Rule[FailureContext], ...] = (
    token_audience_mismatch,
    token_expired_on_arrival,
    clock_skew,
    clock_skew_there,
    arm_unauthorized,
)
