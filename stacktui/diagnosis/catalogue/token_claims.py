"""Tokens whose claims do not fit, and tokens that ARM refuses."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import (
    EXPIRED_TOKEN,
    HTTP_401,
    INVALID_TOKEN,
    INVALID_TOKEN_AUDIENCE,
)
from stacktui.diagnosis.refused_token import (
    AUTHENTICATION_FAILED,
    WRONG_TENANT,
    RefusedToken,
    clocks_differ,
    foreign_audience,
    has_ended,
    refused_token,
    unauthorized,
    utc,
)
from stacktui.diagnosis.remedies import checking_again
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.sign_in_facts import section_of
from stacktui.environments.metadata import IdentityProvider
from stacktui.resources.model import ArmFault

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
    pair = foreign_audience(failure)
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
    patterns={INVALID_TOKEN_AUDIENCE: 88},
    remedies=(_CHECK_ARM, _GIVE_AUDIENCES),
    rules=(_token_audience_mismatch,),
)


# token-expired-on-arrival

_NEXT_TOKEN = checking_again("Run the check again: the next token may be whole")
_SEE_LIFETIME = RemedyTemplate(
    "If it stays so, whoever runs {authority} looks at its token lifetime, and at the clocks of "
    "its servers: this machine's clock does not matter here",
    shown={"authority": "the sign-in service"},
)


def _token_expired_on_arrival(failure: FailureContext) -> Explanation | None:
    refused = refused_token(failure)
    if refused is None or not has_ended(refused):
        return None
    token = refused.token
    evidence = [
        f"the token ended {utc(token.expires)}" if token.expires else "",
        f"the sign-in service's own clock said {utc(refused.issuer)}" if refused.issuer else "",
        f"ARM's clock said {utc(refused.arm)}" if refused.arm else "",
        *fault_lines(refused.fault),
    ]
    title = "The sign-in service gave a token that had ended already"
    remedies = (
        _NEXT_TOKEN.fill(**failure.placeholders),
        _SEE_LIFETIME.fill(authority=token.authority),
    )
    return Explanation(title, tuple(filter(None, evidence)), remedies)


TOKEN_EXPIRED_ON_ARRIVAL = FaultInfo(
    id="token-expired-on-arrival",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service gave a token that had ended already.",
    distinguishing_evidence=(
        "The token's end is past by the clocks of the sign-in service and of ARM both. Where the "
        "two clocks differ, it is `clock-skew`. This machine's own clock does not matter here."
    ),
    az_says=(
        "(ExpiredAuthenticationToken) The access token expiry UTC time '…' is earlier than "
        "current UTC time '…'."
    ),
    patterns={EXPIRED_TOKEN: 76},
    remedies=(_NEXT_TOKEN, _SEE_LIFETIME),
    rules=(_token_expired_on_arrival,),
)


# arm-unauthorized

_WRONG = {
    INVALID_TOKEN_AUDIENCE.code: ": it is for another audience",
    WRONG_TENANT.code: ": it is from another tenant",
    EXPIRED_TOKEN.code: ": it has ended",
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
    fault, refused = unauthorized(failure), refused_token(failure)
    if fault is None or _token_shows_why(failure, refused):
        return None
    evidence = (*_claim_lines(failure, refused), *fault_lines(fault))
    title = f"ARM does not take the token ({fault.code}){_WRONG.get(fault.code, '')}"
    return Explanation(title, evidence, _unauthorized_remedies(failure, fault))


def _token_shows_why(failure: FailureContext, refused: RefusedToken | None) -> bool:
    """Return whether the token's claims explain the refusal, for which there are other faults."""
    if refused is None:
        return False
    arm, issuer = refused.arm, refused.issuer
    differ = arm is not None and issuer is not None and clocks_differ(refused, arm, issuer)
    return differ or has_ended(refused) or foreign_audience(failure) is not None


def _claim_lines(failure: FailureContext, refused: RefusedToken | None) -> list[str]:
    """Return the token's claims, and the metadata's values to compare."""
    lines = []
    if refused:
        token = refused.token
        pairs = (("audience", token.audience), ("issuer", token.issuer), ("tenant", token.tenant),
                 ("subject", token.subject))  # fmt: skip
        lines = [f"the token's {name}: {value}" for name, value in pairs if value]
        lines += [f"the token ends {utc(token.expires)}"] if token.expires else []
        lines += [f"ARM's clock said {utc(refused.arm)}"] if refused.arm else []
    metadata = failure.metadata
    return lines + ([f"the metadata's audience: {metadata.audience}"] if metadata else [])


def _unauthorized_remedies(failure: FailureContext, fault: ArmFault) -> tuple[Remedy, ...]:
    identity, metadata = failure.identity, failure.metadata
    if fault.code != WRONG_TENANT.code or identity is None:
        return (_check_arm(failure), _NEW_TOKEN.fill(**failure.placeholders))
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
    patterns={
        AUTHENTICATION_FAILED: 82,
        INVALID_TOKEN: 84,
        INVALID_TOKEN_AUDIENCE: 60,
        WRONG_TENANT: 90,
        EXPIRED_TOKEN: 50,
        HTTP_401: 62,
        MessagePattern(
            "the token lacks what ARM needs to know who asks",
            r"received access token is not valid|'puid' or 'altsecid' or 'oid'"
            r"|'authorization' header is (?:not present|missing)",
        ): 88,
    },
    remedies=(_SET_TENANT, _ADFS_TENANT, _CHECK_SUBSCRIPTION, _CHECK_ARM, _NEW_TOKEN),
    rules=(_arm_unauthorized,),
)

FAULTS = (TOKEN_AUDIENCE_MISMATCH, TOKEN_EXPIRED_ON_ARRIVAL, ARM_UNAUTHORIZED)
