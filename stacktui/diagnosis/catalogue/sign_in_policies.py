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
    is_person,
    refused_user,
    refused_user_lines,
    take_azure_cli_client,
    use_application,
    who,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.sign_in_facts import REFUSAL_ERRORS, refusal
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

# 53000 to 53002 and 530003 are of policies that want a known device, as 53003 often is.
_KNOWN_DEVICE = frozenset({"AADSTS53000", "AADSTS53001", "AADSTS53002", "AADSTS530003"})
_CONDITIONAL_ACCESS = Refusal(
    frozenset({"AADSTS53003", "AADSTS530084"}) | _KNOWN_DEVICE, REFUSAL_ERRORS
)
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
_FIND_WORKLOAD_POLICY = RemedyTemplate(
    "An administrator of the directory finds the policy in its sign-in logs, under service "
    "principal sign-ins{id}: it is one for workload identities, and says from where it lets "
    "application {client} in",
    shown={"id": "", "client": "CLIENT-ID"},
)
_FROM_THERE = by_device_code(
    "If the policy wants a known device or place, sign in from there by device code"
)


def _conditional_access(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _CONDITIONAL_ACCESS) or adfs_refused_user(failure, _DENIED)
    if refused is None:
        return None
    fault, identity = refused
    id_ = f" (correlation id {fault.correlation_id})" if fault.correlation_id else ""
    title = f"A policy does not let {who(identity)} sign in so, or from here"
    if not is_person(identity):
        find = _FIND_WORKLOAD_POLICY.fill(id=id_, client=identity.client_id)
        return Explanation(title, refused_user_lines(failure, refused), (find,))
    remedies = (
        (_FIND_POLICY if fault.code else _FIND_ADFS_POLICY).fill(id=id_),
        *fill_device_code(_FROM_THERE, failure, identity),
        use_application(identity),
    )
    return Explanation(title, refused_user_lines(failure, refused), remedies)


CONDITIONAL_ACCESS = FaultInfo(
    id="conditional-access",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="A policy of the directory forbids this sign-in.",
    distinguishing_evidence=(
        "AADSTS53003 or 530084: user and password were right, and the policy asks for another "
        "device, place or client. Applications meet policies for workload identities. MFA alone is "
        "`mfa-required`."
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
    remedies=(
        _FIND_POLICY,
        _FIND_ADFS_POLICY,
        _FIND_WORKLOAD_POLICY,
        _FROM_THERE,
        AZ_DEVICE_CODE,
        USE_APPLICATION,
    ),
    refusal=_CONDITIONAL_ACCESS,
    rules=(_conditional_access,),
)


# consent-required

# The codes for an application that does not ask for the stamp's API, for an API that the directory
# does not have, and for somebody whom nobody assigned to the application.
_NOT_ASKED_FOR = frozenset({"AADSTS65005", "AADSTS650057"})
_NO_API, _NOT_ASSIGNED = "AADSTS650052", "AADSTS50105"
_CONSENT_REQUIRED = Refusal(
    frozenset({"AADSTS65001", _NO_API, _NOT_ASSIGNED}) | _NOT_ASKED_FOR, REFUSAL_ERRORS
)
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
_ASK_FOR_API = RemedyTemplate(
    "Whoever owns application {client} adds the stamp's API to its registration, under API "
    "permissions: the one with the application ID URI {audience}",
    shown={"client": "CLIENT-ID", "audience": "of the stamp's metadata"},
)
_ASSIGN = RemedyTemplate(
    "An administrator of the directory assigns {who}: Enterprise applications, application "
    "{client}, Users and groups; a group within a group does not count",
    shown={"who": "the user", "client": "CLIENT-ID"},
)


def _consent_required(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _CONSENT_REQUIRED)
    if refused is None:
        return None
    fault, identity = refused
    client, own = identity.client_id, identity.client_id != AZURE_CLI
    page = f"{fault.authority}/adminconsent?client_id={client}"
    consent = [_CONSENT.fill(page=page)]
    # az has this command in the public cloud only.
    if own and entra_cloud(fault.authority) == PUBLIC_CLOUD:
        consent.append(fill_in_entra(_AZ_CONSENT, fault.authority, client=client))
    title = f"Nobody has consented to application {client}"
    if is_person(identity):
        title = "Nobody has consented to the application that the user signs in through"
    remedies = consent
    audience = failure.metadata.audience if failure.metadata else "of the stamp's metadata"
    if fault.code in _NOT_ASKED_FOR:
        title = f"Application {client} does not ask for the stamp's API in its registration"
        remedies = [_ASK_FOR_API.fill(client=client, audience=audience), *consent]
    elif fault.code == _NO_API:
        title = "The directory has no service that the application needs: nobody added it there"
    elif fault.code == _NOT_ASSIGNED:
        title = f"Nobody has assigned {who(identity)} to application {client}"
        remedies = [_ASSIGN.fill(client=client, who=who(identity))]
    if is_person(identity):
        remedies += take_azure_cli_client(identity)
        remedies += fill_device_code(_USER_CONSENTS, failure, identity)
    lines = refused_user_lines(failure, refused)
    application = f"application {client}" + ("" if own else " (Azure CLI's)")
    return Explanation(title, tuple(dict.fromkeys((application, *lines))), tuple(remedies))


CONSENT_REQUIRED = FaultInfo(
    id="consent-required",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="This application's access lacks consent, permission or an assignment.",
    distinguishing_evidence=(
        "AADSTS65001: application and user are known, and nobody consented. AADSTS65005 and "
        "650057: its registration does not ask for the stamp's API; 650052: the directory lacks "
        "that service; 50105: the user is not assigned to it. An application that is not in the "
        "directory is `app-not-found`."
    ),
    az_says=(
        "AADSTS65001: The user or administrator has not consented to use the application with ID "
        "'…'. Send an interactive authorization request for this user and resource. / AADSTS50105: "
        "The signed in user '…' is not assigned to a role for the application '…'."
    ),
    patterns={
        GRANT_REFUSED: 32,
        MessagePattern("consent is missing", r"has not consented|consent_required"): 86,
        MessagePattern(
            "somebody is not assigned to the application",
            r"is not assigned to a role for the application",
        ): 86,
    },
    remedies=(
        _ASK_FOR_API,
        _ASSIGN,
        _CONSENT,
        _AZ_CONSENT,
        TAKE_AZURE_CLI_CLIENT,
        _USER_CONSENTS,
        AZ_DEVICE_CODE,
    ),
    refusal=_CONSENT_REQUIRED,
    rules=(_consent_required,),
)

FAULTS = (MFA_REQUIRED, CONDITIONAL_ACCESS, CONSENT_REQUIRED)
