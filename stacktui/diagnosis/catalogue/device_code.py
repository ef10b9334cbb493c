"""A device code that gave no token: expired, or declined."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code
from stacktui.diagnosis.refused_user import USE_APPLICATION, RefusedUser, use_application
from stacktui.diagnosis.remedies import checking_again
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import IdentityKind

# RFC 8628 section 3.5; Entra has its own name for the second.
_EXPIRED = "expired_token"
_DECLINED = frozenset({"access_denied", "authorization_declined"})
_CODE_DECLINED = sign_in_code("AADSTS70018", r"authorization_declined")
_CODE_PENDING = sign_in_code(
    "AADSTS70016",
    r"authorization_pending",
    note="AADSTS70016 is no fault: the device code still waits for somebody to use it.",
)


# device-code-expired

_TYPE_IN_TIME = checking_again(
    "Run the check again, and type the new code in time, on any machine with a browser"
)


def _device_code_refusal(failure: FailureContext) -> RefusedUser | None:
    """Return the refusal of a device code with one of OAuth's `errors`, whatever its code."""
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SignInFault) or identity is None:
        return None
    ours = fault.problem is SignInProblem.REFUSED and identity.kind is IdentityKind.DEVICE_CODE
    return (fault, identity) if ours and fault.status in (None, 400, 401, 403) else None


def _code_lines(refused: RefusedUser) -> tuple[str, ...]:
    fault, identity = refused
    return (f"application {identity.client_id}", *fault_lines(fault))


def _device_code_expired(failure: FailureContext) -> Explanation | None:
    refused = _device_code_refusal(failure)
    if refused is None or refused[0].error != _EXPIRED:
        return None
    remedies = (_TYPE_IN_TIME.fill(**failure.placeholders), use_application(refused[1]))
    title = "Nobody signed in with the device code in time"
    return Explanation(title, _code_lines(refused), remedies)


DEVICE_CODE_EXPIRED = FaultInfo(
    id="device-code-expired",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The device code was not used in time.",
    distinguishing_evidence=(
        "AADSTS70019 or expired_token: nobody answered. Somebody who said no is "
        "`device-code-declined`."
    ),
    az_says="AADSTS70019: Verification code expired. … / The device code has expired.",
    patterns={
        MessagePattern("the device code has expired", r"expired_token|code expired"): 90,
        _CODE_PENDING: 40,
    },
    remedies=(_TYPE_IN_TIME, USE_APPLICATION),
    refusal=Refusal(frozenset({"AADSTS70019"}), frozenset({_EXPIRED})),
    rules=(_device_code_expired,),
)


# device-code-declined

_ACCEPT_ON_PAGE = checking_again(
    "Run the check again, and let it sign in when the page asks: it names the account and "
    "the application, Azure CLI where client_id says no other"
)
_WHO_ELSE_SAW = RemedyTemplate(
    "If nobody declined it, ask who else saw the code: it is for one person alone"
)


def _device_code_declined(failure: FailureContext) -> Explanation | None:
    refused = _device_code_refusal(failure)
    if refused is None or refused[0].error not in _DECLINED:
        return None
    remedies = (_ACCEPT_ON_PAGE.fill(**failure.placeholders), _WHO_ELSE_SAW.fill())
    return Explanation("The sign-in was declined in the browser", _code_lines(refused), remedies)


DEVICE_CODE_DECLINED = FaultInfo(
    id="device-code-declined",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in was declined in the browser, or another code was typed.",
    distinguishing_evidence=(
        "AADSTS70018 or authorization_declined. A code that nobody used is `device-code-expired`."
    ),
    az_says=(
        "AADSTS70018: The user declined the authorization request. … / The user declined the "
        "authorization request."
    ),
    patterns={_CODE_DECLINED: 90},
    remedies=(_ACCEPT_ON_PAGE, _WHO_ELSE_SAW),
    refusal=Refusal(frozenset({_CODE_DECLINED.code}), _DECLINED),
    rules=(_device_code_declined,),
)

FAULTS = (DEVICE_CODE_EXPIRED, DEVICE_CODE_DECLINED)
