"""Policies and missing consent, which refuse a user with the right password."""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.entra_commands import PUBLIC_CLOUD, entra_cloud, fill_in_entra, in_entra
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.sign_in import GRANT_REFUSED, INTERACTION_REQUIRED
from stacktui.diagnosis.refused_user import (
    AZ_DEVICE_CODE,
    INVALID_GRANT,
    TAKE_AZURE_CLI_CLIENT,
    USE_APPLICATION,
    adfs_refused_user,
    by_device_code,
    fill_device_code,
    refused_user,
    refused_user_lines,
    take_azure_cli_client,
    use_application,
    who,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.identities.model import AZURE_CLI

# OAuth's errors if a password alone is not enough (RFC 6749 section 4.1.2.1, OpenID Connect Core
# 3.1.2.6); AD FS has no code for it.
_MORE_NEEDED, _DENIED = "interaction_required", "access_denied"
_INTERACTION = INVALID_GRANT | {_MORE_NEEDED, _DENIED}


# mfa-required

_SHOW_FACTOR = by_device_code("Sign in by device code, which lets a person show the second factor")


def _mfa_required(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, MFA_REQUIRED) or adfs_refused_user(failure, _MORE_NEEDED)
    if refused is None:
        return None
    _, identity = refused
    remedies = (*fill_device_code(_SHOW_FACTOR, failure, identity), use_application(identity))
    title = f"{who(identity)} must show more than a password (MFA)"
    return Explanation(title, refused_user_lines(failure, refused), remedies)


MFA_REQUIRED = FaultInfo(
    id="mfa-required",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="This user must prove more than a password (MFA).",
    distinguishing_evidence=(
        "AADSTS50076 or AADSTS50079: the password was right. A policy that forbids the sign-in "
        "altogether is `conditional-access`."
    ),
    az_says=(
        "AADSTS50076: Due to a configuration change made by your administrator, or because you "
        "moved to a new location, you must use multi-factor authentication to access '…'."
    ),
    patterns={
        GRANT_REFUSED: 34,
        INTERACTION_REQUIRED: 50,
        MessagePattern(
            "multi-factor authentication is asked for", r"multi-?factor authentication"
        ): 80,
    },
    remedies=(_SHOW_FACTOR, AZ_DEVICE_CODE, USE_APPLICATION),
    refusal=Refusal(frozenset({"AADSTS50076", "AADSTS50079"}), _INTERACTION),
    rules=(_mfa_required,),
)


# conditional-access

_LOOK_UP = (
    "An administrator of the directory finds the policy in its sign-in logs",
    "Whoever runs AD FS looks at the access control policy of the stamp's ARM",
)
_FIND_POLICY, _FIND_ADFS_POLICY = (
    RemedyTemplate(
        f"{look_up}{{id}}, and says from where, by what and to whom it lets in", shown={"id": ""}
    )
    for look_up in _LOOK_UP
)
_FROM_THERE = by_device_code(
    "If the policy wants a known device or place, sign in from there by device code"
)


def _conditional_access(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, CONDITIONAL_ACCESS) or adfs_refused_user(failure, _DENIED)
    if refused is None:
        return None
    fault, identity = refused
    id_ = f" (correlation id {fault.correlation_id})" if fault.correlation_id else ""
    remedies = (
        (_FIND_POLICY if fault.code else _FIND_ADFS_POLICY).fill(id=id_),
        *fill_device_code(_FROM_THERE, failure, identity),
        use_application(identity),
    )
    title = f"A policy does not let {who(identity)} sign in so, or from here"
    return Explanation(title, refused_user_lines(failure, refused), remedies)


CONDITIONAL_ACCESS = FaultInfo(
    id="conditional-access",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="A policy of the directory forbids this sign-in.",
    distinguishing_evidence=(
        "AADSTS53003: user and password were right, and the policy asks for another device, "
        "place or client. MFA alone is `mfa-required`."
    ),
    az_says=(
        "AADSTS53003: Access has been blocked by Conditional Access policies. The access policy "
        "does not allow token issuance."
    ),
    patterns={
        INTERACTION_REQUIRED: 46,
        MessagePattern(
            "a policy forbids it", r"blocked by conditional access|conditional access policies"
        ): 90,
    },
    remedies=(_FIND_POLICY, _FIND_ADFS_POLICY, _FROM_THERE, AZ_DEVICE_CODE, USE_APPLICATION),
    refusal=Refusal(frozenset({"AADSTS53003"}), _INTERACTION),
    rules=(_conditional_access,),
)


# consent-required

_CONSENT = RemedyTemplate(
    "An administrator of the directory opens {page} and consents",
    shown={"page": "https://LOGIN-HOST/TENANT/adminconsent?client_id=CLIENT-ID"},
)
_AZ_CONSENT = in_entra(
    "Or consents with az",
    "az ad app permission admin-consent --id {client}",
    client="CLIENT-ID",
)
_USER_CONSENTS = by_device_code("Or let the user consent, with a browser")


def _consent_required(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, CONSENT_REQUIRED)
    if refused is None:
        return None
    fault, identity = refused
    client, own = identity.client_id, identity.client_id != AZURE_CLI
    page = f"{fault.authority}/adminconsent?client_id={client}"
    remedies = [_CONSENT.fill(page=page)]
    # az has this command in the public cloud only.
    if own and entra_cloud(fault.authority) == PUBLIC_CLOUD:
        remedies.append(fill_in_entra(_AZ_CONSENT, fault.authority, client=client))
    remedies += take_azure_cli_client(identity)
    remedies += fill_device_code(_USER_CONSENTS, failure, identity)
    title = "Nobody has consented to the application that the user signs in through"
    application = f"application {client}" + ("" if own else " (Azure CLI's)")
    return Explanation(title, (application, *refused_user_lines(failure, refused)), tuple(remedies))


CONSENT_REQUIRED = FaultInfo(
    id="consent-required",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="Nobody has consented to this application's access.",
    distinguishing_evidence=(
        "AADSTS65001: application and user are known. An application that is not in the "
        "directory is `app-not-found`."
    ),
    az_says=(
        "AADSTS65001: The user or administrator has not consented to use the application with ID "
        "'…'. Send an interactive authorization request for this user and resource."
    ),
    patterns={
        GRANT_REFUSED: 32,
        MessagePattern("consent is missing", r"has not consented|consent_required"): 86,
    },
    remedies=(_CONSENT, _AZ_CONSENT, TAKE_AZURE_CLI_CLIENT, _USER_CONSENTS, AZ_DEVICE_CODE),
    refusal=Refusal(frozenset({"AADSTS65001"}), _INTERACTION),
    rules=(_consent_required,),
)

FAULTS = (MFA_REQUIRED, CONDITIONAL_ACCESS, CONSENT_REQUIRED)
