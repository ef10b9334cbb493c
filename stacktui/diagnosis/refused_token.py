"""A token that ARM refused: its claims, and the clocks of ARM and of the issuer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from stacktui.check.step_names import StepName
from stacktui.diagnosis.clocks import MAX_SKEW, skew_of
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.message_pattern import arm_code
from stacktui.diagnosis.messages.arm import EXPIRED_TOKEN, INVALID_TOKEN, INVALID_TOKEN_AUDIENCE
from stacktui.environments.metadata import Metadata
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.records import Exchange

# ARM's codes for a token (PROTOCOL.md section 4). The first two do not say what is wrong.
AUTHENTICATION_FAILED = arm_code("AuthenticationFailed", whole=True)
ANY_REASON = frozenset({AUTHENTICATION_FAILED.code, INVALID_TOKEN.code})
WRONG_TENANT = arm_code("InvalidAuthenticationTokenTenant", r"token is from the wrong issuer")
_LEEWAY = timedelta(seconds=MAX_SKEW)


@dataclass(frozen=True, slots=True)
class RefusedToken:
    """The token's facts, and the time by ARM's and by the issuer's clock; None if unknown."""

    fault: ArmFault
    token: TokenFacts
    arm: datetime | None
    issuer: datetime | None


def refused_token(failure: FailureContext) -> RefusedToken | None:
    """Return the token if ARM refused it, else None."""
    fault = unauthorized(failure)
    step = next((each for each in failure.report.steps if each.name == StepName.TOKEN), None)
    facts = step.evidence.result if step else None
    if fault is None or step is None or not isinstance(facts, TokenFacts):
        return None
    return RefusedToken(fault, facts, _clock(failure.last), _clock(step.evidence.last))


def unauthorized(failure: FailureContext) -> ArmFault | None:
    """Return ARM's 401; one without an ARM code comes from something in front of ARM."""
    fault = failure.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.REFUSED:
        return None
    return fault if fault.status == 401 and fault.code else None


def _clock(exchange: Exchange | None) -> datetime | None:
    """Return the time by the clock of the host that answered, if it sent a `Date`."""
    skew = skew_of(exchange)
    if skew is None or exchange is None or exchange.response is None:
        return None
    try:
        return exchange.response.received + timedelta(seconds=skew)
    except OverflowError:  # beyond datetime.max
        return None


def utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def foreign_audience(failure: FailureContext) -> tuple[RefusedToken, Metadata] | None:
    """Return the token and the metadata if their audiences differ and ARM may mean that."""
    refused, metadata = refused_token(failure), failure.metadata
    if refused is None or metadata is None or not refused.token.audience:
        return None
    arm_host = urlsplit(failure.environment.arm).hostname or ""
    differs = not refused.token.is_for(metadata.audience, arm_host)
    meant = refused.fault.code in {INVALID_TOKEN_AUDIENCE.code, *ANY_REASON}
    return (refused, metadata) if differs and meant else None


def has_ended(refused: RefusedToken) -> bool:
    """Return whether the token has expired by both clocks; else the clocks differ."""
    ends = refused.token.expires
    if ends is None or refused.arm is None or refused.issuer is None:
        return False
    over = ends <= refused.issuer and ends <= refused.arm
    return over and refused.fault.code in {EXPIRED_TOKEN.code, *ANY_REASON}


def clocks_differ(refused: RefusedToken, arm: datetime, issuer: datetime) -> bool:
    """Return whether ARM refuses a token that is valid by its issuer's clock."""
    token, code = refused.token, refused.fault.code
    if abs(arm - issuer) < _LEEWAY:
        return False
    over = token.expires is not None and issuer < token.expires <= arm
    begins = token.begins
    # Differences, as a sum may be beyond datetime.max.
    early = begins is not None and begins - arm >= _LEEWAY and begins - issuer <= _LEEWAY
    return (over and code in {EXPIRED_TOKEN.code, *ANY_REASON}) or (early and code in ANY_REASON)
